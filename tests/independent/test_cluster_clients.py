"""What clients and stations meet at a cluster: who is let in, what they may say of themselves, streams that go on, limits, and nodes that stop."""

import asyncio
import base64
import json
import subprocess
import threading
import time
from urllib.parse import urlsplit

import conftest
import pytest
import requests
import trustme
import websockets
from cluster import SECRET, cluster, database, until  # noqa: F401
from counting import Line
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from requests.adapters import HTTPAdapter
from websockets.sync.client import connect

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "ocpp1.6",
}
PLACE = {"operatorName": "Depot", "address": {}, "coordinates": [4.9, 52.4]}
BOOT = {"chargePointVendor": "Independent", "chargePointModel": "One"}


class From(HTTPAdapter):
    """Requests from another address of this machine."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=(self.address, 0), **options)


def handshake(url, address="127.0.0.1", **headers):
    """What a handshake of a station is answered."""
    session = requests.Session()
    session.mount("http://", From(address))
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    with session.get(url, headers=HANDSHAKE | headers, timeout=30, stream=True) as answer:
        return answer.status_code, answer.headers.get("Retry-After")


def station(cluster, **more):
    """A station with a connector, and the path that it connects to."""
    made = cluster.post("/chargestations", more)
    cluster.post(f"/chargestations/{made['_id']}/connectors", {"type": "J1772", "power": 7})
    return made["_id"], urlsplit(made["connection_url"]).path


# ---- who is let in


def test_a_second_process_of_a_name_does_not_start_and_the_first_goes_on(cluster):
    first = cluster.followers()[0]
    elsewhere = {
        "EVENWATT_HTTP_LISTEN": "127.0.0.1:0",
        "EVENWATT_CLUSTER_LISTEN": "127.0.0.1:1",
        "EVENWATT_CLUSTER_ADDRESS": "http://127.0.0.1:1",
    }
    for options, says in ((elsewhere, first.name), ({}, "cannot listen on http.listen")):
        command = [str(conftest.binary())]
        second = subprocess.run(command, env=first.options | options, cwd=cluster.folder, capture_output=True, text=True, timeout=60)
        assert second.returncode != 0 and says in second.stderr, second.stderr
        time.sleep(1.5)  # as long as nodes take to see it
        assert first.is_running, first.log.read_text()[-1000:]
        cluster.all_are_well()


def test_the_address_for_nodes_is_for_nodes(cluster):
    leader, (_, path) = cluster.leader(), station(cluster)
    address = f"http://127.0.0.1:{leader.listen}"
    for wrong in ({}, {"X-Evenwatt-Node": ""}, {"X-Evenwatt-Node": "x" * len(SECRET)}, {"X-Evenwatt-Node": SECRET[:-1]}):
        for asked in ("/v1.1/nodes", "/metrics", "/healthz", "/readyz", "/panel", "/v1.1/portal/login", "/"):
            answer = requests.get(address + asked, headers=cluster.headers() | wrong, timeout=10)
            assert answer.status_code == 403, (asked, answer.text)
        assert handshake(address + path, **wrong)[0] == 403
    assert handshake(address + path, X_Evenwatt_Node=SECRET)[0] == 101


def test_a_node_with_another_secret_does_not_join(cluster):
    stranger = cluster.followers()[0]
    assert stranger.stop() == 0
    stranger.options["EVENWATT_CLUSTER_SECRET"] = "another-secret-of-32-characters-or-more"
    stranger.begin()
    assert stranger.process.wait(timeout=90) != 0, "it ends"
    assert "cluster.secret" in stranger.log.read_text(), stranger.log.read_text()[-1000:]
    stranger.options["EVENWATT_CLUSTER_SECRET"] = SECRET
    stranger.begin()
    cluster.all_are_well()


def test_an_edge_says_who_a_client_is_whatever_it_says_of_itself(cluster):
    forged = {
        "X_Forwarded_For": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "X_Forwarded_Proto": "https",
        "X_Evenwatt_Node": SECRET,
        "X_Evenwatt_Again": "1",
    }
    for number, node in enumerate(cluster.nodes):
        address = f"127.0.0.{10 + number}"
        assert handshake(f"{node.url}/ocpp/NOBODY-{number}", address, **forged)[0] in (401, 404)
    kinds = "chargestation.unknown"
    until(lambda: len(cluster.get("/events", type=kinds)["result"]) == 3, lambda: cluster.get("/events", type=kinds), 30)
    seen = sorted(event["data"]["address"] for event in cluster.get("/events", type=kinds)["result"])
    assert seen == ["127.0.0.10", "127.0.0.11", "127.0.0.12"]

    # A certificate counts where a node says that it was shown, and at an edge it is only a line of text.
    made = cluster.post("/chargestations", {"serial_number": "SN-1", "security": {"type": "client_certificate"}})
    path = urlsplit(made["connection_url"]).path
    name = path.rsplit("/", 1)[1]
    authority = trustme.CA()
    pem = authority.issue_cert(common_name=name).cert_chain_pems[0].bytes()
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    shown = {"X_Evenwatt_Certificate": base64.b64encode(der).decode(), "X_Evenwatt_Node": SECRET, "X_Forwarded_Proto": "https"}
    for node in cluster.nodes:
        assert handshake(node.url + path, **shown)[0] in (401, 403)
    assert handshake(f"http://127.0.0.1:{cluster.leader().listen}{path}", **shown)[0] == 101


# ---- streams


class Reader:
    """Reads events over one stream of one node after the other, and comes back with its cursor whenever it ends."""

    def __init__(self, cluster, open_at):
        self.cluster, self.open_at, self.seen, self.resumed, self.is_over = cluster, open_at, [], 0, False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.is_over:
            cursor = self.seen[-1]["cursor"] if self.seen else 0
            try:
                for event in self.open_at(self.cluster, self.cluster.server, cursor):
                    if event is not None and event.get("cursor"):
                        self.seen.append(event)
                    if self.is_over:
                        return
            except (requests.RequestException, OSError, websockets.WebSocketException, TimeoutError):
                pass
            self.resumed += 1
            time.sleep(0.05)


def by_sse(cluster, node, cursor):
    headers = cluster.headers() | {"Last-Event-ID": str(cursor)}
    with requests.get(f"{node.api}/events/stream", headers=headers, stream=True, timeout=15) as answer:
        if answer.status_code != 200:
            return
        for line in answer.iter_lines(chunk_size=1):
            yield json.loads(line[5:]) if line.startswith(b"data:") else None


def by_websocket(cluster, node, cursor):
    url = f"{node.websocket_url}/v1.1/realtime?after={cursor}"
    # A node that stands still answers no ping, and says nothing else that would end its sockets.
    with connect(url, additional_headers=cluster.headers(), open_timeout=20, ping_interval=3, ping_timeout=5) as socket:
        while True:
            try:
                yield json.loads(socket.recv(timeout=1))
            except TimeoutError:
                yield None


def test_streams_go_on_after_each_change_of_the_leader(cluster):
    place = cluster.post("/locations", PLACE)["_id"]
    readers = [Reader(cluster, by_sse) for _ in range(3)] + [Reader(cluster, by_websocket) for _ in range(3)]
    ends = [lambda node: node.kill(), lambda node: node.stop(), lambda node: node.halt()]
    number = 0
    for end in ends:
        for _ in range(20):
            number += 1
            cluster.call("PATCH", f"/locations/{place}", json={"meta_data": {"number": number}})
        leader = cluster.leader()
        end(leader)
        cluster.leader(other_than=leader)
        for _ in range(20):
            number += 1
            cluster.call("PATCH", f"/locations/{place}", json={"meta_data": {"number": number}})
        if leader.is_running:
            shown = cluster.get("/events", limit=1000)["result"]
            until(lambda: all(len(reader.seen) >= len(shown) for reader in readers), lambda: "a stream ended with its leader, and does not say so", 30)
            leader.go_on()
        else:
            leader.begin()
        cluster.all_are_well()
    log = cluster.get("/events", limit=1000)["result"]
    until(lambda: all(len(reader.seen) >= len(log) for reader in readers), lambda: [len(reader.seen) for reader in readers], 30)
    for reader in readers:
        reader.is_over = True
        assert [event["_id"] for event in reader.seen] == [event["_id"] for event in log]
        assert reader.resumed >= 1
    cluster.call("PATCH", f"/locations/{place}", json={"meta_data": {"number": 0}})


# ---- limits


@pytest.mark.parametrize("cluster", [{"EVENWATT_HTTP_RATE_PER_SECOND": "1", "EVENWATT_HTTP_RATE_BURST": "60"}], indirect=True)
def test_limits_hold_over_all_nodes(cluster):
    made = cluster.post("/chargestations", {"security": {"type": "basic_auth", "password": "0123456789abcdef"}})
    path = urlsplit(made["connection_url"]).path
    name = path.rsplit("/", 1)[1]
    right = base64.b64encode(f"{name}:0123456789abcdef".encode()).decode()
    assert handshake(cluster.nodes[0].url + path, Authorization=f"Basic {right}")[0] == 101
    answers = []
    for number in range(15):
        guess = base64.b64encode(f"{name}:{number:016}".encode()).decode()
        answers.append(handshake(cluster.nodes[number % 3].url + path, Authorization=f"Basic {guess}")[0])
    assert answers == [401] * 10 + [429] * 5
    assert handshake(cluster.nodes[1].url + path, Authorization=f"Basic {right}")[0] == 101, "who was right before"

    # One key of idempotency at three nodes at once makes one object.
    key, answers = {"Idempotency-Key": "once"}, []

    def ask(node):
        answers.append(requests.post(f"{node.api}/locations", json=PLACE, headers=cluster.headers() | key, timeout=30))

    asking = [threading.Thread(target=ask, args=(node,)) for node in cluster.nodes * 3]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    ids = {answer.json()["result"]["_id"] for answer in answers if answer.status_code == 201}
    assert len(ids) == 1 and {answer.status_code for answer in answers} <= {201, 409}, [answer.text for answer in answers]
    assert len(cluster.get("/locations")["result"]) == 1

    fresh, begun = cluster.post("/api_keys", {"name": "Fast", "scopes": ["read:organization"]})["key"], time.monotonic()
    headers = {"Authorization": f"Bearer {fresh}"}
    answers = [requests.get(f"{cluster.nodes[number % 3].api}/nodes", headers=headers, timeout=10) for number in range(120)]
    passed = sum(answer.status_code == 200 for answer in answers)
    assert 60 <= passed <= 61 + (time.monotonic() - begun), passed
    assert {answer.status_code for answer in answers} == {200, 429}


# ---- a node that stops


class Slow(Line):
    """Answers what it is asked after a while."""

    after = 1.5

    async def read(self):
        async def later(frame):
            await asyncio.sleep(self.after)
            await self.socket.send(json.dumps([3, frame[1], {"status": "Accepted"}]))

        try:
            async for text in self.socket:
                frame = json.loads(text)
                if frame[0] == 2 and frame[2] == "ClearCache":
                    self.asked.set()
                    answering = asyncio.create_task(later(frame))
                elif frame[0] == 2:
                    await self.socket.send(json.dumps([4, frame[1], self.refusal, "", {}]))
                elif waiting := self.waiting.pop(frame[1], None):
                    waiting.set_result(frame)
        except websockets.ConnectionClosed:
            pass


def one_that_stops(cluster, which):
    return cluster.leader() if which == "leader" else cluster.followers()[0]


def ask_the_others(cluster, which, failures, is_over):
    """A client that never asks twice."""
    stops, client = one_that_stops(cluster, which), cluster.client()
    while not is_over.is_set():
        for node in cluster.nodes:
            if node is not stops:
                answer = client.get(f"{node.api}/organization", timeout=20)
                failures.extend([answer.text] if answer.status_code != 200 else [])
        time.sleep(0.02)


@pytest.mark.parametrize("which", ["follower", "leader"])
def test_a_node_that_stops_finishes_what_it_began_and_gives_its_stations_away(cluster, which):
    async def story():
        stops = one_that_stops(cluster, which)
        lines = []
        for number in range(8):
            made, path = station(cluster, name=f"S{number}")
            line = await Slow.open(stops.websocket_url + path, "ocpp1.6")
            line.asked = asyncio.Event()
            await line.ask("boot", "BootNotification", BOOT)
            lines.append(line)
        command = f"{stops.api}/chargestations/{made}/clear_cache?wait=true"
        asking = asyncio.create_task(asyncio.to_thread(requests.post, command, json={}, headers=cluster.headers(), timeout=30))
        await asyncio.wait_for(lines[-1].asked.wait(), 10)

        begun = time.time()
        stopping = asyncio.create_task(asyncio.to_thread(stops.stop))
        status, said = 200, {}
        while status == 200:
            status, said = await asyncio.to_thread(stops.ready)
            assert time.time() < begun + 1, "it is ready"
        assert (status, said["store"]) == (503, "draining"), said
        status, wait = await asyncio.to_thread(handshake, stops.url + path)
        assert status == 503 and int(wait) > 0
        answer = await asking
        assert answer.status_code == 200 and answer.json()["result"]["status"] == "completed", answer.text
        assert await stopping == 0, "its exit code"
        print(f"{which}: stopped after {time.time() - begun:.1f} s")
        for line in lines:
            await asyncio.wait_for(line.reading, 5)
        assert [line.socket.close_code for line in lines] == [1012] * 8
        if which == "leader":
            await asyncio.to_thread(cluster.leader, other_than=stops)
            took = await asyncio.to_thread(cluster.led_since) - begun
            print(f"another node leads after {took:.1f} s")
            assert took <= 3 + Slow.after
        await asyncio.to_thread(stops.start)

    failures, is_over = [], threading.Event()
    getting = threading.Thread(target=ask_the_others, args=(cluster, which, failures, is_over), daemon=True)
    getting.start()
    try:
        asyncio.run(asyncio.wait_for(story(), 100))
    finally:
        is_over.set()
    getting.join(timeout=30)
    assert not failures, failures[:3]


def test_the_last_node_of_a_cluster_closes_its_sockets_when_it_stops(cluster):
    async def story():
        last = cluster.leader()
        for node in cluster.followers():
            node.kill()
        _, path = station(cluster)
        line = await Line.open(last.websocket_url + path, "ocpp1.6")
        await line.ask("boot", "BootNotification", BOOT)
        begun = time.monotonic()
        assert await asyncio.to_thread(last.stop) == 0
        print(f"the last one stopped after {time.monotonic() - begun:.1f} s")
        await asyncio.wait_for(line.reading, 5)
        assert line.socket.close_code == 1012
        for node in cluster.nodes:
            node.begin()
        cluster.all_are_well()

    asyncio.run(asyncio.wait_for(story(), 100))
