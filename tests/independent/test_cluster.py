"""Three nodes on one PostgreSQL that are killed, stopped and upgraded while stations report: no message is lost, and one node writes.

`EVENWATT_KILLS` says how often a node is killed, `EVENWATT_SEED` where, and how stations behave. `EVENWATT_OLD_BINARY` names an older
program that nodes are upgraded from.
"""

import asyncio
import json
import os
import random
import time
from collections import Counter
from urllib.parse import urlsplit

from cluster import cluster, database  # noqa: F401
from cluster_load import SEED, Client, answered, loaded
from counting import Line, written
from stored import Memory, until

KILLS = int(os.environ.get("EVENWATT_KILLS", 12))


def test_no_node_that_is_killed_takes_a_message_with_it(cluster):
    chance, killed = random.Random(SEED), []

    async def act(site, counts, log):
        for _ in range(KILLS):
            await answered(counts)
            leader = await asyncio.to_thread(site.leader)
            victims = [leader] if chance.random() < 0.6 else chance.sample(site.nodes, chance.choice((1, 1, 2)))
            changed = await asyncio.to_thread(site.change_one, chance)
            for node in victims:
                node.kill()
            killed.extend("leader" if node is leader else "other" for node in victims)
            memory = Memory(counts, log, changed)
            await asyncio.sleep(chance.choice((0, 0.2, 1.5)))  # a node comes back before another leads, or after
            for node in victims:
                node.begin()
            await asyncio.to_thread(site.all_are_well)
            await asyncio.to_thread(memory.check, site)

    loaded(cluster, act)
    print(killed, cluster.check_writers())
    assert len(killed) >= KILLS and "leader" in killed


def test_nodes_are_upgraded_one_after_the_other_without_a_failure(cluster):
    old, failures, made = os.environ.get("EVENWATT_OLD_BINARY"), [], []
    if old:
        for node in cluster.nodes:
            assert node.stop() == 0
            node.start(old)

    async def act(site, counts, log):
        clients = [Client(site, made, failures) for _ in range(3)]
        await answered(counts)
        for node in [*await asyncio.to_thread(site.followers), await asyncio.to_thread(site.leader)]:
            assert await asyncio.to_thread(node.stop) == 0
            await asyncio.to_thread(node.start)
            await answered(counts)
        for client in clients:
            await asyncio.to_thread(client.end)

    counts = loaded(cluster, act)
    assert not counts.refusals and not failures, (counts.refusals, failures)
    names = [one["physicalId"] for one in cluster.all_of("/tokens")]
    assert len(made) > 50 and sorted(name for name in names if name in made) == sorted(made), "each once"


# ---- stations that are connected to a node that lives


class Kept(Line):
    """A connection of a station that counts what it is answered."""

    async def read(self):
        self.answers = Counter()
        socket, self.socket = self.socket, self
        self.inner, self.send, self.close_code = socket, socket.send, None
        await super().read()
        self.close_code = socket.close_code

    async def __aiter__(self):
        async for text in self.inner:
            frame = json.loads(text)
            if frame[0] in (3, 4):
                self.answers[frame[1]] += 1
            yield text

    async def close(self):
        await self.inner.close()


def test_stations_of_another_node_do_not_notice_that_the_leader_dies(cluster):
    """Calls that it stored and did not answer, and calls that never arrived, are answered by the next one, each once."""

    async def story():
        lines, stations = [], [cluster.post("/chargestations", {}) for _ in range(60)]
        for number, station in enumerate(stations):
            cluster.post(f"/chargestations/{station['_id']}/connectors", {"type": "J1772", "power": 7})
            followers = cluster.followers() if number == 0 else followers
            url = followers[number % 2].websocket_url + urlsplit(station["connection_url"]).path
            lines.append(await Kept.open(url, "ocpp1.6"))
            await lines[-1].ask("boot", "BootNotification", {"chargePointVendor": "Independent", "chargePointModel": "One"})

        async def lose_the_leader(way, calls, arrived):
            leader = await asyncio.to_thread(cluster.leader)
            leader.to_leader.cut(**way)
            waiting = asyncio.gather(*calls)
            await until(arrived, "the calls did not arrive", 20)
            leader.kill()
            leader.to_leader.repair()
            answers = await waiting
            leader.begin()
            await asyncio.to_thread(cluster.all_are_well)
            return answers

        now = written(time.time() * 1000)
        start = {"connectorId": 1, "idTag": "CARD", "meterStart": 0, "timestamp": now}
        is_stored = lambda: cluster.sql("SELECT count(*) FROM sessions") == [[str(len(lines))]]
        answers = await lose_the_leader({"there": False}, [line.ask("start", "StartTransaction", start) for line in lines], is_stored)
        assert not [line.close_code for line in lines if line.reading.done()]

        # Those that are connected to the next leader lose it, too; the others are connected to the third node.
        leader = await asyncio.to_thread(cluster.leader)
        kept = [index for index in range(len(lines)) if followers[index % 2] is not leader]
        stop = lambda index: {"meterStop": 1, "timestamp": now, "transactionId": answers[index]["transactionId"]}
        stops = [lines[index].ask("stop", "StopTransaction", stop(index)) for index in kept]
        await lose_the_leader({}, stops, lambda: all("stop" in lines[index].waiting for index in kept))
        for index in kept:
            assert lines[index].answers == {"boot": 1, "start": 1, "stop": 1} and not lines[index].reading.done()
        sessions = list(cluster.sessions())
        assert Counter(one["chargestation"] for one in sessions) == Counter(station["_id"] for station in stations)
        ended = {one["chargestation"] for one in sessions if one["status"] == "ended"}
        assert ended == {stations[index]["_id"] for index in kept}
        for line in lines:
            await line.close()

    asyncio.run(asyncio.wait_for(story(), 120))
