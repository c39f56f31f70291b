"""What a cluster is put under: stations that report at any node, a receiver of events, and clients that never ask twice."""

import asyncio
import json
import os
import secrets
import threading
from collections import Counter, defaultdict

import requests
from cluster import until as wait_for
from counting import Counts
from receiver import Receiver
from stored import check_all, report_while, until

SEED = int(os.environ.get("EVENWATT_SEED", 17))


def loaded(cluster, act):
    """Lets stations report at any node while `act` does something to the nodes, then compares everything, before and after all of them
    are killed. What became of an event that was sent on is compared, too."""
    counts = Counts()
    with Receiver() as receiver:
        cluster.post("/webhooks", {"url": receiver.url, "events": "session.started,session.ended"})
        log = asyncio.run(report_while(cluster, counts, SEED, act))
        before = check_all(cluster, counts, log)
        check_deliveries(cluster, log, receiver)
    for node in cluster.nodes:
        if node.is_running:
            node.kill()
    for node in cluster.nodes:
        node.begin()
    cluster.leader()
    assert check_all(cluster, counts, log) == before, "what memory had is what is stored"
    refused = Counter(code for code, *_ in counts.refusals)
    print(f"{len(before)} transactions, {counts.acknowledged} messages acknowledged, {counts.in_doubt} in doubt, refused: {refused}")
    return counts


def check_deliveries(cluster, log, receiver):
    """Each event came, with one content however often, and those of a station in their order."""
    expected = [event for event in log.whole() if event["type"] in ("session.started", "session.ended")]
    wait_for(lambda: len({request.event["_id"] for request in receiver.requests}) >= len(expected), "events that were never sent", 90)
    contents, arrived = defaultdict(set), defaultdict(list)
    place = {event["_id"]: index for index, event in enumerate(expected)}
    for request in list(receiver.requests):
        contents[request.event["_id"]].add(request.body)
        arrived[request.event["data"]["chargestation"]].append(place[request.event["_id"]])
    for event in expected:
        (body,) = contents[event["_id"]]
        del event["cursor"]
        event["data"]["id_tag"] = "****"  # the numbers of cards are sent to nobody
        assert json.loads(body) == event
    for station, places in arrived.items():
        assert places == sorted(places), f"{station}: repeated at most, never overtaken"


async def answered(counts, more=60):
    before = counts.acknowledged
    await until(lambda: counts.acknowledged > before + more, f"stations are not answered: {counts.refusals[-3:]}")


class Client:
    """Reads and makes tokens at nodes that are ready, one after the other, and never asks again."""

    def __init__(self, cluster, made, failures):
        self.cluster, self.made, self.failures, self.is_over = cluster, made, failures, False
        self.thread = threading.Thread(target=self.ask, daemon=True)
        self.thread.start()

    def ask(self):
        while not self.is_over:
            node = self.cluster.server
            if node.ready()[0] != 200:
                continue
            name = secrets.token_hex(8)
            headers = {"Authorization": f"Bearer {self.cluster.key}", "Idempotency-Key": name}
            try:
                answer = requests.post(f"{node.api}/tokens", json={"physicalId": name}, headers=headers, timeout=30)
                self.made.append(name) if answer.status_code == 201 else self.failures.append(answer.text)
                answer = requests.get(f"{node.api}/tokens?search={name}", headers=headers, timeout=30)
                if answer.status_code != 200:
                    self.failures.append(answer.text)
            except requests.RequestException as error:
                self.failures.append(f"{node.name}: {error}")

    def end(self):
        self.is_over = True
        self.thread.join(timeout=60)
        assert not self.thread.is_alive()
