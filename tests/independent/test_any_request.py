"""Requests that nobody would think of: schemathesis makes them from the OpenAPI document.

The paths lead to objects that exist, or nearly every answer would be a 404; only deletions aim at nothing.
"""

import os
import subprocess
import sys

SECONDS = os.environ.get("EVENWATT_FUZZ_SECONDS", "60")
CHECKS = "not_a_server_error,response_schema_conformance,status_code_conformance"
# The first two could lock out the key that the run itself uses; the last never ends.
EXCLUDED = ["update_api_key", "rotate_api_key", "stream_events"]


def create_objects(server):
    """One object of each kind, by the name of its id's type in the document."""
    with server.client() as client:

        def create(path, body):
            answer = client.post(server.api + path, json=body)
            assert answer.status_code == 201, answer.text
            return answer.json()["result"]

        place = {"operatorName": "Fuzz", "address": {}, "coordinates": [4.9, 52.4]}
        location = create("/locations", place)["_id"]
        station = create("/chargestations", {"name": "Fuzz", "location": location})["_id"]
        connector = create(f"/chargestations/{station}/connectors", {"type": "Type2", "power": 11})["_id"]
        evse = client.get(f"{server.api}/evses").json()["result"][0]["_id"]
        user = create("/users", {"firstname": "Fuzz", "lastname": "Fuzz"})["_id"]
        token = create("/tokens", {"physicalId": "FUZZ", "user": user})["_id"]
        group = create("/load_management/groups", {"name": "Fuzz", "location": location, "maximum_capacity": 50})["_id"]
        create(f"/load_management/groups/{group}/chargestations", {"chargestation": station})
        template = {"name": "Fuzz", "settings": [{"key": "HeartbeatInterval", "value": "300"}]}
        template = create("/configuration_templates", template)["_id"]
        profile = {
            "name": "Fuzz", "type": "one_time", "start_schedule": "2026-01-01T00:00:00Z", "unit": "power",
            "periods": [{"start": 0, "limit": 5000}], "evses": [evse],
        }
        profile = create("/charging_profiles", profile)["_id"]
        prices = {"name": "Fuzz", "currency": "EUR", "price_components": [{"type": "ENERGY", "price": 0.4}]}
        rate = create("/rates", prices)["_id"]
        schedule = {"name": "Fuzz", "currency": "EUR", "default_rate": rate, "layout": []}
        schedule = create("/rates/schedule", schedule)["_id"]
        network = create("/evse_networks", {"name": "Fuzz"})["_id"]
        evse_group = create(f"/evse_networks/{network}/groups", {"name": "Fuzz"})["_id"]
        offer = create("/service_offers", {"name": "Fuzz", "network": network})["_id"]
        return {
            "TemplateId": template, "ChargingProfileId": profile,
            "RateId": rate, "RateScheduleId": schedule, "EvseNetworkId": network, "EvseGroupId": evse_group,
            "ServiceOfferId": offer,
            "LocationId": location, "StationId": station, "ConnectorId": connector, "EvseId": evse,
            "UserId": user, "TokenId": token, "GroupId": group,
        }


def configuration(document, objects):
    """Shows schemathesis which object each path is about."""
    lines = []
    for item in document["paths"].values():
        for method, operation in item.items():
            for parameter in operation.get("parameters", []):
                kind = parameter["schema"].get("$ref", "").rsplit("/", 1)[-1]
                if method != "delete" and parameter["in"] == "path" and kind in objects:
                    lines += [
                        "[[operations]]",
                        f'include-operation-id = "{operation["operationId"]}"',
                        f'parameters = {{ "path.{parameter["name"]}" = "{objects[kind]}" }}',
                    ]
    return "\n".join(lines)


def test_no_request_breaks_the_server_or_gets_an_undocumented_answer(own_server):
    document = own_server.client().get(f"{own_server.url}/openapi.json").json()
    config = own_server.folder / "schemathesis.toml"
    config.write_text(configuration(document, create_objects(own_server)))
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "--no-color",
        "run", f"{own_server.url}/openapi.json",
        "--header", f"Authorization: Bearer {own_server.api_key}",
        "--checks", CHECKS,
        "--max-time", SECONDS,
        "--seed", "1",
        "--request-timeout", "20",
        "--suppress-health-check", "all",
        "--continue-on-failure",
    ]
    command += [f"--exclude-operation-id={name}" for name in EXCLUDED]
    run = subprocess.run(command, cwd=own_server.folder, capture_output=True, text=True, timeout=int(SECONDS) * 10)
    (own_server.folder / "schemathesis.txt").write_text(run.stdout + run.stderr)
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-5_000:]
