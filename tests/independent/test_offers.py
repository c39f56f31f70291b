"""Service offers in the forms of roaming partners, judged by schemas that were written from the published specifications."""

import json
import pathlib

import jsonschema
import pytest

SCHEMAS = pathlib.Path(__file__).parent / "schemas"
WEEK = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]


def check(document, file, definition):
    schema = json.loads((SCHEMAS / file).read_text())
    schema["$ref"] = f"#/$defs/{definition}"
    jsonschema.Draft202012Validator(schema).validate(document)


def slot(start, end, tariff):
    return {"start_time": start, "end_time": end, "tariff": tariff}


@pytest.fixture
def server(own_server):
    """Each of these tests counts the EVSEs of the whole organization."""
    return own_server


@pytest.fixture
def make(server, client):
    def create(path, body):
        answer = client.post(server.api + path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["result"]

    return create


@pytest.fixture
def offer(server, client, make):
    """A draft for a network of two groups with an EVSE each, and a third EVSE in no group."""
    network = make("/evse_networks", {"name": "Exchange"})["_id"]
    groups = [make(f"/evse_networks/{network}/groups", {"name": name})["_id"] for name in ("Slow", "Fast")]
    for number, power in enumerate((11, 150, 22)):
        station = make("/chargestations", {"name": f"X{number}"})["_id"]
        evse = make(f"/chargestations/{station}/connectors", {"type": "Type2", "power": power})["evse"]
        client.patch(f"{server.api}/evses/{evse}", json={"evse_id": f"NL*EWT*EX{number}", "roaming": True})
        if number < 2:
            make(f"/evse_networks/{network}/assignments", {"group": groups[number], "evses": [evse]})
    energy = {"type": "CHARGING_ENERGY", "reference_unit": "KILOWATT_HOUR", "price": 0.49}
    minute = {"reference_unit": "MINUTE", "price": 0.05}
    day = [slot("00:00:00", "07:59:59", "Night"), slot("08:00:00", "23:59:59", "Day")]
    return make(
        "/service_offers",
        {
            "name": "Exchange",
            "network": network,
            "tariffs": [
                {"name": "Day", "currency": "EUR", "components": [
                    energy, {"type": "SESSION", "reference_unit": "NONE", "price": 0.35},
                    {"type": "PARKING", **minute, "fee_start": "CHARGING_END"}]},
                {"name": "Night", "currency": "EUR", "components": [{**energy, "price": 0.39}]},
                {"name": "Fast", "currency": "EUR", "components": [
                    {**energy, "price": 0.69}, {"type": "CHARGING_TIME", **minute},
                    {"type": "BLOCKING_FEE", **minute, "grace_period": 60}]},
            ],
            "products": [
                {"group": groups[0], "currency": "EUR", "time_plans": [
                    {"days_of_week": WEEK[:5], "slots": day},
                    {"days_of_week": WEEK[5:], "slots": [slot("00:00:00", "23:59:59", "Night")]}]},
                {"group": groups[1], "currency": "EUR", "time_plans": [
                    {"days_of_week": WEEK, "slots": [slot("00:00:00", "23:59:59", "Fast")]}]},
            ],
            "offer_to_all": True, "valid_from": "2099-01-01T00:00:00Z", "unlimited": True,
            "minimum_term": 30, "cancellation_period": 42, "lead_time": 15,
        },
    )


def test_an_offer_can_be_exported_in_the_words_of_oicp_and_of_ocpi(server, client, make, offer):
    path = f"{server.api}/service_offers/{offer['_id']}"
    dry = make(f"/service_offers/{offer['_id']}/publish?dry_run=true", {})
    assert dry["publishable"], dry["problems"]

    oicp = client.get(f"{path}/export/oicp").json()["result"]
    for push in oicp["pricing_product_data"]:
        check(push, "oicp_2_3_pricing.json", "push_pricing_product_data")
    check(oicp["evse_pricing"], "oicp_2_3_pricing.json", "push_evse_pricing")
    [push] = oicp["pricing_product_data"]
    day, night, fast = push["PricingProductData"]["PricingProductDataRecords"]
    assert push["PricingProductData"]["OperatorID"] == "NL*EWT"
    assert day["ProductAvailabilityTimes"] == [{"Periods": [{"begin": "08:00", "end": "24:00"}], "on": "Workdays"}]
    assert [times["on"] for times in night["ProductAvailabilityTimes"]] == ["Workdays", "Weekend"]
    assert (fast["IsValid24hours"], fast["MaximumProductChargingPower"]) == (True, 150)
    assert [one["EvseID"] for one in oicp["evse_pricing"]["EVSEPricing"]] == ["NL*EWT*EX0", "NL*EWT*EX1"]
    assert any("charging time is left out" in note for note in oicp["notes"])

    for version, definition in (("2.2.1", "tariff_2_2_1"), ("2.3.0", "tariff_2_3_0")):
        ocpi = client.get(f"{path}/export/ocpi", params={"version": version}).json()["result"]
        for tariff in ocpi["tariffs"]:
            check(tariff, "ocpi_tariff.json", definition)
        slow, fast, free = ocpi["tariffs"]
        # 0.05 a minute is 3.00 an hour; after an hour the blocking fee comes on top of charging.
        assert fast["elements"][0]["restrictions"] == {"min_duration": 3600}
        prices = {one["type"]: one["price"] for one in fast["elements"][0]["price_components"]}
        assert prices == {"TIME": 6, "PARKING_TIME": 3}
        assert slow["elements"][1]["restrictions"] == {
            "start_time": "08:00", "end_time": "00:00", "day_of_week": WEEK[:5]}
        assert free["elements"] == [{"price_components": [{"type": "FLAT", "price": 0, "step_size": 1}]}]
        last = next(one for one in ocpi["evse_tariffs"] if one["evse_id"] == "NL*EWT*EX2")
        assert last["tariff_id"] == free["id"]


def test_what_was_exported_makes_the_same_offer_again(server, client, make, offer):
    path = f"{server.api}/service_offers/{offer['_id']}"
    slow, fast = (product["group"] for product in offer["products"])

    def prices(draft, group, at):
        """The prices of a group at an instant, whatever the tariffs are called."""
        answer = client.get(f"{server.api}/service_offers/{draft['_id']}/prices", params={"group": group, "at": at})
        [row] = answer.json()["result"]
        return sorted((one["type"], one["price"]) for one in row["components"])

    ocpi = client.get(f"{path}/export/ocpi").json()["result"]["tariffs"]
    given = {"name": "Back from OCPI", "network": offer["network"], "tariffs": [{"group": slow, "tariff": ocpi[0]}]}
    back = make("/service_offers/import/ocpi", given)
    for at in ("2099-01-05T07:59:59Z", "2099-01-05T08:00:00Z", "2099-01-10T12:00:00Z"):  # a Monday, a Saturday
        assert prices(back, slow, at) == prices(offer, slow, at)
    too_much = client.post(
        f"{server.api}/service_offers/import/ocpi",
        json={**given, "tariffs": [{"group": fast, "tariff": ocpi[1]}]},
    )
    assert too_much.status_code == 422
    assert too_much.json()["errors"][0]["field"] == "tariffs[0].tariff.elements[0].restrictions.min_duration"

    oicp = client.get(f"{path}/export/oicp").json()["result"]
    given = {
        "name": "Back from OICP", "network": offer["network"],
        "pricing_product_data": oicp["pricing_product_data"][0], "evse_pricing": oicp["evse_pricing"],
    }
    back = make("/service_offers/import/oicp", given)
    for at in ("2099-01-05T07:59:59Z", "2099-01-05T08:00:00Z", "2099-01-10T12:00:00Z"):
        assert prices(back, slow, at) == prices(offer, slow, at)
    del given["pricing_product_data"]["PricingProductData"]["PricingProductDataRecords"][0]["ProductID"]
    wrong = client.post(f"{server.api}/service_offers/import/oicp", json=given)
    assert wrong.status_code == 422 and "ProductID" in wrong.json()["message"]
