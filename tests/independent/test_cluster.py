"""Three nodes on one PostgreSQL that are killed, stopped and upgraded while stations report: no message is lost, and one node writes.

`EVENWATT_KILLS` says how often a node is killed, `EVENWATT_SEED` where, and how stations behave. `EVENWATT_OLD_BINARY` names an older
program that nodes are upgraded from.
"""

import asyncio
import os
import random

from cluster import cluster, database  # noqa: F401
from cluster_load import SEED, Client, answered, loaded
from stored import Memory

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
            await asyncio.to_thread(site.leader)
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
