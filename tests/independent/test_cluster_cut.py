"""Nodes that stand still, and ways between them and to PostgreSQL that are cut: what a client sees, and that all is well after it."""

import asyncio
import time
from urllib.parse import urlsplit

import requests
from cluster import cluster, database, until  # noqa: F401
from cluster_load import answered, loaded
from counting import Line, written
from ocpp.v16 import call
from stored import Memory
from test_balancing import LIMIT_KW, Depot


def test_links_and_a_database_that_fail_take_no_message_with_them(cluster):
    async def act(site, counts, log):
        async def unchanged():
            await asyncio.to_thread(Memory(counts, log).check, site)
            await answered(counts)

        await answered(counts)
        leader = await asyncio.to_thread(site.leader)
        # One direction: what it asks arrives, and no answer comes.
        leader.to_postgres.cut(there=False)
        leader = await asyncio.to_thread(site.leader, other_than=leader)
        await unchanged()
        for node in site.nodes:
            node.to_postgres.repair()
        await asyncio.to_thread(site.all_are_well)
        assert await asyncio.to_thread(site.leader) is leader
        await unchanged()

        leader.to_postgres.cut()
        other = await asyncio.to_thread(site.leader, other_than=leader)
        leader.to_postgres.repair()
        await asyncio.to_thread(site.all_are_well)
        await unchanged()

        leader.to_leader.cut(of=other)
        await answered(counts)
        leader.to_leader.repair()

        site.postgres.stop()
        await asyncio.sleep(2)  # as long as it takes to restart
        site.postgres.start()
        await asyncio.to_thread(site.all_are_well)
        await unchanged()

        term = max(int(term) for (term,) in site.sql("SELECT term FROM nodes WHERE term IS NOT NULL"))
        site.postgres.halt()
        await asyncio.sleep(15)
        site.postgres.go_on()
        await asyncio.to_thread(site.all_are_well)
        await unchanged()
        assert [str(term)] in site.sql("SELECT max(term) FROM nodes"), "a database that stood still is no reason to depose a leader"

    counts = loaded(cluster, act)
    assert {code for code, *_ in counts.refusals} <= {"InternalError"}, counts.refusals[-3:]


# ---- a leader that stands still


class Spread(Depot):
    """Eight stations that share 30 kW, at the nodes in turn; the sum of what they may draw is looked at all the time."""

    def __init__(self, cluster):
        super().__init__(cluster)
        for index, link in enumerate(self.links):
            link.node = cluster.nodes[index % len(cluster.nodes)]
            link.url = link.node.websocket_url + urlsplit(link.url).path

    def at(self, *nodes):
        return [link.station for link in self.links if link.node in nodes]

    async def watch(self):
        while True:
            assert self.total() <= LIMIT_KW + 0.001, f"{self.total()} kW at once: {self.limits()}"
            await asyncio.sleep(0.01)


def test_a_leader_that_stood_still_writes_nothing_and_sends_no_command(cluster):
    async def story():
        depot, leader = Spread(cluster), cluster.leader()
        followers = [node for node in cluster.nodes if node is not leader]
        await depot.connect_all()
        watching = asyncio.create_task(depot.watch())
        cars = depot.at(*followers)[:4] + depot.at(leader)[:1]
        for car in cars:
            await car.plug_in()
        await depot.settles(6, 6, 6, 6, 6)

        # It is stopped while it has something to change.
        await cars[0].unplug()
        leader.halt()
        halted_at = time.time()
        waiting = asyncio.create_task(asyncio.to_thread(requests.get, f"{followers[0].api}/nodes", headers=cluster.headers(), timeout=40))
        silent = depot.at(leader)[0]
        silent._response_timeout = 60
        late = asyncio.create_task(silent.call(call.Heartbeat()))
        other = await asyncio.to_thread(cluster.leader, other_than=leader)
        took = await asyncio.to_thread(cluster.led_since) - halted_at
        assert took <= 12, f"another node leads after {took:.1f} s"
        answer = await waiting
        assert answer.status_code == 200, "what was asked meanwhile is answered by the next leader"
        print(f"another node leads after {took:.1f} s, a request waited {time.time() - halted_at:.1f} s")
        # Stations of the other two go on. A car that is away keeps what it may draw, and each idle station that is away its eighth.
        share = min(7, (30 - 6 - 30 / 8 * (len(depot.at(leader)) - 1)) / 3)
        await depot.settles(*sorted((share, share, share, 6), reverse=True))

        await asyncio.sleep(max(0.0, halted_at + 20 - time.time()))
        before = leader.to_leader.calls
        leader.go_on()
        await asyncio.wait_for(late, 20)
        await asyncio.to_thread(cluster.all_are_well)
        assert cluster.leader() is other
        await depot.at(leader)[1].plug_in()
        await depot.settles(6, 6, 6, 6, 6)
        assert leader.to_leader.calls == before, "no command of who led before"
        shown = await asyncio.to_thread(cluster.shown)
        assert [name for name, node in shown.items() if node["leads"]] == [other.name]
        watching.cancel()
        await depot.close()

    asyncio.run(asyncio.wait_for(story(), 150))


# ---- a node that is cut off


def test_a_node_without_the_leader_keeps_its_stations_and_answers_them_later(cluster):
    async def story():
        leader, (alone, other) = cluster.leader(), cluster.followers()
        station = cluster.post("/chargestations", {"name": "Alone"})
        path = urlsplit(station["connection_url"]).path
        cluster.post(f"/chargestations/{station['_id']}/connectors", {"type": "J1772", "power": 7})
        line = await Line.open(alone.websocket_url + path, "ocpp1.6")
        boot = {"chargePointVendor": "Independent", "chargePointModel": "One"}
        await line.ask("boot", "BootNotification", boot)
        for number, way in enumerate(({}, {"there": False})):
            leader.to_leader.cut(of=alone, **way)
            card = {"connectorId": 1, "idTag": f"CARD-{number}", "meterStart": 0, "timestamp": written(time.time() * 1000)}
            waiting = asyncio.create_task(line.ask(f"start-{number}", "StartTransaction", card))
            begun = time.monotonic()
            ask = asyncio.to_thread(requests.get, f"{alone.api}/nodes", headers=cluster.headers(), timeout=40)
            answer = await ask
            took = time.monotonic() - begun
            assert answer.status_code == 503 and 14 <= took <= 30 and int(answer.headers["Retry-After"]) > 0, (answer.text, took)
            assert (await asyncio.to_thread(alone.ready))[0] == 503
            assert requests.get(f"{other.api}/nodes", headers=cluster.headers(), timeout=5).status_code == 200
            assert not waiting.done() and not line.reading.done()
            leader.to_leader.repair()
            begun = time.monotonic()
            transaction = (await asyncio.wait_for(waiting, 20))["transactionId"]
            print(f"{way}: answered {time.monotonic() - begun:.1f} s after the way was whole")
            stop = {"meterStop": 1, "timestamp": written(time.time() * 1000), "transactionId": transaction, "reason": "Local"}
            await line.ask(f"stop-{number}", "StopTransaction", stop)
        sessions = list(cluster.sessions(chargestation=station["_id"]))
        assert sorted(one["id_tag"] for one in sessions) == ["CARD-0", "CARD-1"]
        assert {one["status"] for one in sessions} == {"ended"}
        await line.close()

    asyncio.run(asyncio.wait_for(story(), 150))


def test_a_node_without_the_database_passes_on_and_is_shown_as_dead(cluster):
    leader, (alone, _) = cluster.leader(), cluster.followers()
    for way in ({}, {"there": False}):
        alone.to_postgres.cut(**way)
        until(lambda: not cluster.shown()[alone.name]["alive"], "it is shown as alive", 15)
        answer = requests.get(f"{alone.api}/nodes", headers=cluster.headers(), timeout=5)
        assert answer.status_code == 200, "it knows who leads"
        alone.to_postgres.repair()
        until(lambda: cluster.shown()[alone.name]["alive"], "it does not come back", 20)
    assert cluster.leader() is leader and cluster.shown()[leader.name]["term"] == 1
    cluster.all_are_well()
