"""A server that is killed again and again while ten thousand events happen loses none of them on the way to an endpoint."""

import http.client
import json
import threading
import time
from collections import defaultdict
from urllib.parse import urlsplit

import conftest
from receiver import Receiver

EVENTS = 10_000
STATIONS = 25
WRITERS = 5
KILLS = 8
OPTIONS = {"EVENWATT_WEBHOOKS_ALLOW_PRIVATE": "true", "EVENWATT_WEBHOOKS_ALLOW_HTTP": "true"}


class Site:
    """A server that comes back after each kill, on another port."""

    def __init__(self, folder):
        self.folder = folder
        self.process, self.server = conftest.start(folder, **OPTIONS)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process, self.server = conftest.start(self.folder, self.server.api_key, **OPTIONS)

    def call(self, connection, method, path, body=None):
        """A call over a connection that is kept; the fastest client that Python has."""
        headers = {"Authorization": f"Bearer {self.server.api_key}", "Content-Type": "application/json"}
        connection.request(method, f"/v1.1{path}", body and json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        assert response.status < 300, answer
        return answer

    def connection(self):
        return http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=10)


def write(site, stations, count, acknowledged):
    """Changes stations in turn, each change numbered, and each again until it is acknowledged."""
    connection = site.connection()
    for number in range(count):
        for station in stations:
            while True:
                try:
                    site.call(connection, "PATCH", f"/chargestations/{station}", {"meta_data": {"number": number}})
                    break
                except (OSError, http.client.HTTPException, ValueError):  # it was killed
                    connection.close()
                    time.sleep(0.05)
                    connection = site.connection()
            acknowledged.append((station, number))


def log(site):
    """Every change of a station, in the order of the log."""
    connection, after = site.connection(), 0
    while True:
        page = site.call(connection, "GET", f"/events?type=chargestation.updated&limit=1000&after={after}")
        yield from page["result"]
        after = page["next_after"]
        if not page["hasNextPage"]:
            return


def test_no_event_is_lost_changed_or_out_of_order_when_the_server_is_killed(tmp_path):
    with Receiver() as receiver:
        site = Site(tmp_path)
        try:
            connection = site.connection()
            webhook = {"url": receiver.url, "events": "chargestation.updated"}
            site.call(connection, "POST", "/webhooks", webhook)
            new = [{"name": f"S{number}"} for number in range(STATIONS)]
            stations = [site.call(connection, "POST", "/chargestations", one)["result"]["_id"] for one in new]

            acknowledged = []
            each = EVENTS // STATIONS
            writers = [
                threading.Thread(target=write, args=(site, stations[index::WRITERS], each, acknowledged), daemon=True)
                for index in range(WRITERS)
            ]
            for writer in writers:
                writer.start()
            for kill in range(1, KILLS + 1):  # spread over the events, then some more while they drain
                while any(writer.is_alive() for writer in writers) and len(acknowledged) < EVENTS * kill / KILLS:
                    time.sleep(0.05)
                site.kill()
            for writer in writers:
                writer.join(timeout=60)
                assert not writer.is_alive()
            site.kill()

            expected = list(log(site))
            deadline = time.monotonic() + 90
            while len({request.event["_id"] for request in receiver.requests}) < len(expected):
                assert time.monotonic() < deadline, f"{len(receiver.requests)} of {len(expected)} arrived"
                time.sleep(0.5)
        finally:
            site.process.kill()

    numbers = [(event["data"]["_id"], event["data"]["meta_data"]["number"]) for event in expected]
    assert set(acknowledged) <= set(numbers) and len(acknowledged) == EVENTS, "the log has all that was acknowledged"

    contents = defaultdict(set)
    for request in receiver.requests:
        contents[request.event["_id"]].add(request.body)
    assert contents.keys() == {event["_id"] for event in expected}
    assert all(len(bodies) == 1 for bodies in contents.values()), "one id, one content"
    for event in expected:
        (body,) = contents[event["_id"]]
        del event["cursor"]
        assert json.loads(body) == event

    place = {event["_id"]: index for index, event in enumerate(expected)}
    arrived = defaultdict(list)
    for request in receiver.requests:
        arrived[request.event["data"]["_id"]].append(place[request.event["_id"]])
    for station, places in arrived.items():
        assert places == sorted(places), f"{station}: repeated at most, never overtaken"
