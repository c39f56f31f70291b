"""What chargers say is evidence, not truth: the situations of `tests/it/trust`, acted out by charge points that we did not write."""

import asyncio
import time
from datetime import datetime, timedelta, timezone

import pytest
from conftest import start, stop
from ocpp.v16 import call
from station import Link
from station2 import Link2, Link21
from test_balancing import Depot, run

OCMF = 'OCMF|{"FV":"1.0","GI":"Ünit \\\\ 7","PG":"T12","RD":[{"RV":0.205,"RU":"kWh"}]}|{"SD":"3045022100ab"}'


class Place:
    """A station with one connector of 7 kW, and what the API says of its sessions."""

    def __init__(self, server, kind=Link):
        self.client, self.api = server.client(), server.api
        station = self.post("/chargestations", {"name": "Trust"})
        self.id = station["_id"]
        self.post(f"/chargestations/{self.id}/connectors", {"power": 7})
        self.link = kind(station["connection_url"], station["name"])

    def post(self, path, body):
        answer = self.client.post(self.api + path, json=body)
        assert answer.ok, answer.text
        return answer.json()["result"]

    def get(self, path):
        answer = self.client.get(self.api + path)
        assert answer.ok, answer.text
        return answer.json()["result"]

    def last_event(self):
        """The cursor of the newest event."""
        after, is_more = 0, True
        while is_more:
            answer = self.client.get(self.api + f"/events?limit=1000&after={after}").json()
            after, is_more = answer["next_after"], answer["hasNextPage"]
        return after

    def session(self):
        (session,) = self.get(f"/sessions?chargestation={self.id}")
        return session

    def billed(self):
        """Whether the only session is over, and the energy that it is billed for."""
        session = self.session()
        return session["status"], session["metrics"]["energyConsumed"]


def story(place, act):
    async def acted():
        station = await place.link.connect()
        await act(station)
        await place.link.close()

    asyncio.run(asyncio.wait_for(acted(), 60))


def ago(**span):
    return (datetime.now(timezone.utc) - timedelta(**span)).isoformat()


def register(value, at, **more):
    sampled = {"value": str(value), "measurand": "Energy.Active.Import.Register", "unit": "Wh", **more}
    return {"timestamp": at, "sampledValue": [sampled]}


async def began(station, meter, at):
    """A transaction that began in the past, as a station reports it once its link is back."""
    answer = await station.call(call.StartTransaction(connector_id=1, id_tag="CARD", meter_start=meter, timestamp=at))
    station.transaction = answer.transaction_id
    return answer.transaction_id


def test_what_a_meter_signed_is_read_back_byte_for_byte(server):
    place = Place(server)

    async def act(station):
        await station.plug_in()
        signed = {"value": OCMF, "format": "SignedData", "context": "Transaction.Begin"}
        values = [{"timestamp": ago(), "sampledValue": [signed]}]
        await station.call(
            call.MeterValues(connector_id=1, transaction_id=station.transaction, meter_value=values)
        )
        (kept,) = place.get(f"/sessions/{place.session()['_id']}/evidence")
        assert kept["signed_data"].encode() == OCMF.encode()
        assert kept["context"] == "Transaction.Begin"

    story(place, act)


def test_a_stop_with_the_readings_of_a_day_fits_in_one_frame(server):
    place = Place(server)

    async def act(station):
        transaction = await began(station, 0, ago(days=1))
        readings = [register(5 * minute, ago(minutes=1440 - minute)) for minute in range(1440)]
        answer = await station.call(
            call.StopTransaction(transaction_id=transaction, meter_stop=7200, timestamp=ago(), transaction_data=readings)
        )
        assert answer is not None
        assert place.billed() == ("ended", 7200)
        await station.call(call.Heartbeat())

    story(place, act)


def test_a_register_that_restarts_forgets_nothing_and_bills_nothing_twice(server):
    place = Place(server)

    async def act(station):
        transaction = await began(station, 100_000, ago(hours=3))
        course = [(102_000, 150), (104_000, 120), (0, 100), (500, 90), (1_500, 60)]
        for value, minutes in course:
            values = [register(value, ago(minutes=minutes))]
            await station.call(call.MeterValues(connector_id=1, transaction_id=transaction, meter_value=values))
        await station.call(call.StopTransaction(transaction_id=transaction, meter_stop=2_500, timestamp=ago()))
        # 4 kWh before the restart, 2.5 kWh after it.
        assert place.billed() == ("ended", 6_500)

    story(place, act)


@pytest.mark.parametrize("time_sent", ["yesterday", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_stop_with_the_number_0_and_an_odd_time_ends_the_session(server, time_sent):
    place = Place(server)

    async def act(station):
        await began(station, 0, ago(hours=1))
        await station.call(call.StopTransaction(transaction_id=0, meter_stop=2_000, timestamp=time_sent))
        assert place.billed() == ("ended", 2_000)
        ended = datetime.fromisoformat(place.session()["metrics"]["chargingStop"])
        assert abs((datetime.now(timezone.utc) - ended).total_seconds()) < 60

    story(place, act)


@pytest.mark.parametrize("kind", [Link2, Link21], ids=["2.0.1", "2.1"])
def test_an_event_reported_twice_counts_once_and_an_end_always_ends(server, kind):
    place = Place(server, kind)

    async def act(station):
        await station.plug_in()
        same = {"timestamp": ago(), "meterValue": station.values(10, 3_000, "Sample.Periodic")}
        for _ in range(3):
            await station.event("Updated", "MeterValuePeriodic", **same)
            station.seq_no -= 1
        reports = place.get(f"/sessions/{place.session()['_id']}/energy_reports")
        assert len([one for one in reports if one["energy_meter"]["value"] == 10]) == 1, reports
        # The end has a number that was used already.
        await station.unplug(meter=20)
        assert place.billed()[0] == "ended"

    story(place, act)


def test_a_card_that_nobody_knows_is_reported_with_its_number(server):
    place = Place(server)

    async def act(station):
        before = place.last_event()
        await station.call(call.Authorize(id_tag="04AABBCCDD"))
        (recorded,) = place.get(f"/events?type=token.unknown&after={before}")
        assert recorded["data"]["id_tag"] == "04AABBCCDD"
        clerk = place.post("/api_keys", {"name": "Clerk", "scopes": ["read:events", "read:sessions"]})["key"]
        place.client.headers["Authorization"] = f"Bearer {clerk}"
        (masked,) = place.get(f"/events?type=token.unknown&after={before}")
        assert "04AABBCCDD" not in str(masked)

    story(place, act)


def test_a_session_ends_by_force_and_its_true_end_corrects_it(server):
    place = Place(server)

    async def act(station):
        transaction = await began(station, 0, ago(hours=1))
        values = [register(1_000, ago(minutes=30))]
        await station.call(call.MeterValues(connector_id=1, transaction_id=transaction, meter_value=values))
        place.post(f"/sessions/{place.session()['_id']}/stop", {"force": True})
        assert place.billed() == ("ended", 1_000)
        assert place.session()["metrics"]["chargingStopReason"].startswith("Assumed")
        await station.call(call.StopTransaction(transaction_id=transaction, meter_stop=1_500, timestamp=ago()))
        (correction,) = place.session()["corrections"]
        amounts = correction["before"]["energyConsumed"], correction["after"]["energyConsumed"]
        assert (amounts, place.billed()) == ((1_000, 1_500), ("ended", 1_500))

    story(place, act)


class Ahead(Link):
    """Its clock is two hours ahead, and it says so with each status."""

    ahead = timedelta(hours=2)

    async def connect(self, boot=True):
        station = await super().connect(boot)
        for _ in range(2):
            await asyncio.sleep(0.01)
            await station.status("Available")
        return station


def test_stations_whose_clock_is_two_hours_ahead_obey(own_server):
    async def act():
        depot = Depot(own_server, [Ahead] * 6)
        await depot.connect_all()
        await asyncio.gather(*(link.station.plug_in() for link in depot.links))
        await depot.settles(5, 5, 5, 5, 5, 5)
        group = depot.get(f"/load_management/groups/{depot.group}/status")
        assert "clock_off" in {warning["code"] for warning in group["warnings"]}
        await depot.close()

    run(act())


class RefusesZero(Link):
    """It takes every limit but 0."""

    refuses_zero = True


def test_a_station_that_refuses_0_is_sent_it_a_few_times_only_and_charges(tmp_path):
    process, server = start(tmp_path, EVENWATT_BALANCING_TICK_SECONDS="1")

    async def act():
        depot = Depot(server, [RefusesZero, Link])
        await asyncio.gather(*(link.connect() for link in depot.links))
        deadline = time.monotonic() + 30
        while True:
            group = depot.get(f"/load_management/groups/{depot.group}/status")
            if "refuses_zero" in {warning["code"] for warning in group["warnings"]}:
                break
            assert time.monotonic() < deadline, group["warnings"]
            await asyncio.sleep(0.1)
        await asyncio.sleep(5)
        assert depot.links[0].station.zeros <= 12
        await asyncio.gather(*(link.station.plug_in() for link in depot.links))
        await depot.settles(7, 7)
        await depot.close()

    try:
        run(act())
    finally:
        stop(process)
