"""Nodes that stand still, and ways between them and to PostgreSQL that are cut: what a client sees, and that all is well after it."""

import asyncio
import time
from urllib.parse import urlsplit

import requests
from cluster import cluster, database, until  # noqa: F401
from counting import Line, written


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
