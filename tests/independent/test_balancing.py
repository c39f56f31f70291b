"""eDRV's worked example with eight charge points that we did not write: 8 ports of 7 kW, at least 5 kW, 30 kW grid."""

import asyncio
import signal
import time

import pytest
from conftest import start, stop
from ocpp.routing import on
from ocpp.v16 import call, call_result
from ocpp.v16.enums import Action, ChargingProfileStatus
from station import Link, Station, now
from station2 import Link2, Link21

LIMIT_KW = 30.0
OLD, MIXED = [Link] * 8, [Link, Link2, Link21, Link2, Link21, Link, Link21, Link2]


class Depot:
    """The location, the group and its stations, made over the API as an integrator would."""

    def __init__(self, server, kinds=OLD, capacity=30):
        self.server, self.client = server, server.client()
        location = self.post("/locations", {"operatorName": "Depot", "address": {}, "coordinates": [4.9, 52.4]})
        group = {"name": "Row", "maximum_capacity": capacity, "minimum_connector_capacity": 5, "location": location["_id"]}
        self.group = self.post("/groups", group)["_id"]
        self.links = []
        for index, kind in enumerate(kinds):
            station = self.post("/chargestations", {"name": f"S{index}", "location": location["_id"]})
            path = f"/chargestations/{station['_id']}/connectors"
            self.post(path, {"type": "J1772", "power": 7})
            self.post(f"/load_management/groups/{self.group}/chargestations", {"chargestation": station["_id"]})
            self.links.append(kind(station["connection_url"], station["name"]))

    def post(self, path, body):
        answer = self.client.post(self.server.api + path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["result"]

    def get(self, path):
        answer = self.client.get(self.server.api + path)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def limits(self):
        """What each charging car may draw, by the stations' own computation, largest first."""
        charging = [link.station for link in self.links if link.station and link.station.transaction]
        return sorted((round(station.limit_kw(), 1) for station in charging), reverse=True)

    def total(self):
        return sum(self.limits())

    async def settles(self, *expected, within=30):
        """Waits until the limits are these (to 50 W, as amps come in tenths); the sum must hold all the while."""
        deadline = time.monotonic() + within
        while True:
            total = self.total()
            assert total <= LIMIT_KW + 0.001, f"{total} kW at once: {self.limits()}"
            limits = self.limits()
            near = len(limits) == len(expected) and all(abs(a - b) <= 0.05 for a, b in zip(limits, expected))
            if near:
                return
            assert time.monotonic() < deadline, f"{limits} instead of {expected}"
            await asyncio.sleep(0.05)

    async def connect_all(self):
        """Connects, and waits until every idle station was sent a limit of nothing."""
        await asyncio.gather(*(link.connect() for link in self.links))
        deadline = time.monotonic() + 30
        while not all(link.profiles and link.station.limit_kw() == 0 for link in self.links):
            assert time.monotonic() < deadline, [link.profiles for link in self.links]
            await asyncio.sleep(0.05)

    async def close(self):
        await asyncio.gather(*(link.close() for link in self.links), return_exceptions=True)


def run(story):
    asyncio.run(asyncio.wait_for(story, 150))


def kinds():
    return pytest.mark.parametrize("kinds", [OLD, MIXED], ids=["1.6", "mixed"])


@kinds()
def test_the_worked_example_comes_out(own_server, kinds):
    async def story():
        depot = Depot(own_server, kinds)
        await depot.connect_all()
        cars = [link.station for link in depot.links]
        expected = [[7], [7, 7], [7, 7, 7], [7, 7, 7, 7], [6] * 5, [5] * 6, [5] * 6 + [0], [5] * 6 + [0, 0]]
        for car, limits in zip(cars, expected):
            await car.plug_in()
            await depot.settles(*limits)
        members = depot.get(f"/load_management/groups/{depot.group}/status")["members"]
        waiting = [member for member in members if member["limit"] == 0]
        assert len(waiting) == 2 and all(member["reason"] for member in waiting), members

        await cars[0].unplug()
        await depot.settles(*[5] * 6, 0)
        for car in cars[1:5]:
            await car.unplug()
        await depot.settles(7, 7, 7)
        explained = depot.get(f"/load_management/groups/{depot.group}/explain")
        assert explained["reproduced"] is True
        await depot.close()

    run(story())


@kinds()
def test_a_station_that_vanishes_keeps_its_share_reserved(own_server, kinds):
    async def story():
        depot = Depot(own_server, kinds)
        await depot.connect_all()
        cars = [link.station for link in depot.links]
        for car in cars[:5]:
            await car.plug_in()
        await depot.settles(*[6] * 5)
        await depot.links[0].lose()
        for _ in range(40):
            # The lost station keeps what it may still draw; the others never get it.
            assert depot.total() <= LIMIT_KW + 0.001, depot.limits()
            await asyncio.sleep(0.05)
        await cars[5].plug_in()
        await asyncio.sleep(2)
        assert depot.total() <= LIMIT_KW + 0.001, depot.limits()
        await depot.close()

    run(story())


@kinds()
def test_a_killed_server_loses_nothing_and_the_sum_still_holds(tmp_path, kinds):
    async def story():
        process, server = start(tmp_path)
        port = server.url.rsplit(":", 1)[1]
        depot = Depot(server, kinds)
        await depot.connect_all()
        cars = [link.station for link in depot.links]
        for car in cars[:6]:
            await car.plug_in()
        await depot.settles(*[5] * 6)
        for index, car in enumerate(cars[:6]):
            await car.meter(100 + index, 5000)
        await cars[5].unplug(meter=200)  # 7 kW deliver no more in the seconds that this takes, with room for clocks
        process.send_signal(signal.SIGKILL)
        process.wait()
        await asyncio.gather(*(link.lose() for link in depot.links))
        assert depot.total() <= LIMIT_KW + 0.001

        again = start_again(tmp_path, port)
        try:
            transactions = [link.station.transaction for link in depot.links]
            for link, transaction in zip(depot.links, transactions):
                station = await link.connect(boot=False)
                station.transaction = transaction
                assert depot.total() <= LIMIT_KW + 0.001, depot.limits()
            for _ in range(60):
                assert depot.total() <= LIMIT_KW + 0.001, depot.limits()
                await asyncio.sleep(0.05)
            sessions = depot.get("/sessions")
            # Stations of OCPP 2 name their transactions, others are given a number.
            known = {session["transaction_name"] or session["transaction_id"]: session for session in sessions}
            assert len(known) == 6
            for index, car in enumerate(transactions[:5]):
                assert known[car]["metrics"]["energyConsumed"] == 100 + index
            ended = [session for session in sessions if session["status"] == "ended"]
            assert [session["metrics"]["energyConsumed"] for session in ended] == [200]
            await depot.settles(*[6] * 5, within=60)
            await depot.close()
        finally:
            stop(again)

    run(story())


def start_again(folder, port):
    """The same server on the same port and file."""
    import os
    import subprocess

    from conftest import binary

    environment = {"PATH": os.environ["PATH"], "EVENWATT_STORE_SYNCHRONOUS": "normal"}
    with (folder / "log2.txt").open("w") as log:
        command = [str(binary()), "--listen", f"127.0.0.1:{port}"]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    deadline = time.monotonic() + 30
    import urllib.request

    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
            return process
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError((folder / "log2.txt").read_text())


def test_a_station_that_refuses_limits_is_reserved_for(own_server):
    async def story():
        depot = Depot(own_server)
        await depot.connect_all()
        cars = [link.station for link in depot.links]
        for car in cars[:4]:
            await car.plug_in()
        await depot.settles(7, 7, 7, 7)
        cars[0].answer_profiles_with = ChargingProfileStatus.rejected
        await cars[4].plug_in()
        deadline = time.monotonic() + 60
        while True:
            others = [car.limit_kw() for car in cars[1:5]]
            # The stubborn one may still draw 7 kW, so the others share at most 23.
            assert 7 + sum(others) <= LIMIT_KW + 0.001, others
            if all(limit >= 5 for limit in others):
                break
            assert time.monotonic() < deadline, others
            await asyncio.sleep(0.1)
        await depot.close()

    run(story())


def test_others_get_what_an_external_limit_leaves(own_server):
    async def story():
        depot = Depot(own_server, [Link2, Link21, Link, Link21, Link2, Link21, Link, Link2])
        await depot.connect_all()
        cars = [link.station for link in depot.links]
        for car in cars[:5]:
            await car.plug_in()
        await depot.settles(*[6] * 5)
        for car, evse, left in ((cars[0], {}, 5.3), (cars[1], {"evseId": 1}, 5.2)):
            period = {"startPeriod": 0, "limit": left * 1000}
            schedule = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [period]}
            limit = {"chargingLimit": {"chargingLimitSource": "EMS"}, "chargingSchedule": [schedule], **evse}
            await car.ask("NotifyChargingLimit", limit)
        await depot.settles(6.5, 6.5, 6.5, 5.3, 5.2)
        await cars[0].ask("ClearedChargingLimit", {"chargingLimitSource": "EMS"})
        await depot.settles(6.2, 6.2, 6.2, 6.2, 5.2)
        await depot.close()

    run(story())


async def until(holds, within=30):
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def test_a_connector_that_nobody_set_up_is_created_and_steered_where_that_is_allowed(own_server):
    async def story():
        depot = Depot(own_server, [Link, Link])
        answer = depot.client.patch(own_server.api + "/organization", json={"unknown_connectors": "create"})
        assert answer.status_code == 200, answer.text
        await depot.connect_all()
        link = depot.links[0]
        status = call.StatusNotification(connector_id=2, error_code="NoError", status="Available", timestamp=now())
        await link.station.call(status)
        sent = lambda: [what for action, what, _ in link.sent if action == "SetChargingProfile"]
        await until(lambda: any(what["connectorId"] == 2 for what in sent()))
        connectors = depot.get("/connectors?created_by=station")
        assert [(one["number"], one["type"], one["power"]) for one in connectors] == [(2, "J1772", 7.0)]
        members = depot.get(f"/load_management/groups/{depot.group}/status")["members"]
        assert connectors[0]["_id"] in [member["connector"] for member in members]
        await depot.close()

    run(story())


class Ending(Station):
    """It ends a transaction when it is sent 0 A, and waits to be started."""

    asked = 0

    @on(Action.set_charging_profile)
    def set_profile(self, connector_id, cs_charging_profiles):
        answer = super().set_profile(connector_id, cs_charging_profiles)
        if self.transaction and self.limit_kw() == 0:
            transaction, self.transaction = self.transaction, None
            asyncio.get_running_loop().create_task(self.end(transaction))
        return answer

    async def end(self, transaction):
        stop = call.StopTransaction(transaction_id=transaction, meter_stop=0, timestamp=now(), reason="Other")
        await self.call(stop)
        await self.status("Finishing")

    @on(Action.remote_start_transaction)
    def start_by_remote(self, id_tag, **_):
        self.asked += 1
        asyncio.get_running_loop().create_task(self.plug_in(id_tag))
        return call_result.RemoteStartTransaction(status="Accepted")


class EndingLink(Link):
    kind = Ending


def test_a_car_whose_station_ended_at_0_is_started_when_its_turn_comes(own_server):
    async def story():
        depot = Depot(own_server, [Link, EndingLink], capacity=6)
        await depot.connect_all()
        first, ending = (link.station for link in depot.links)
        await first.plug_in()
        await until(lambda: first.limit_kw() > 5.9)
        await ending.plug_in("PATIENT")
        assert ending.limit_kw() == 0
        transaction, ending.transaction = ending.transaction, None
        await ending.end(transaction)
        await asyncio.sleep(2)
        assert ending.asked == 0, "the first car still charges"

        await first.unplug()
        await until(lambda: ending.transaction is not None and ending.limit_kw() > 5.9)
        assert ending.asked == 1
        sessions = depot.get("/sessions")
        mine = [session for session in sessions if session["id_tag"] == "PATIENT"]
        assert sorted(session["status"] for session in mine) == ["ended", "started"]
        await asyncio.sleep(1)
        assert ending.asked == 1
        await depot.close()

    run(story())
