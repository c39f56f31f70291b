#!/usr/bin/env python3
"""A small OCPP 1.6 station and API client for the checks: sets up a station over the API, connects it, and makes every metric appear.

Usage: station.py API_URL API_KEY [WEBSOCKET_URL] [CA_FILE]
API_URL is where the API is called, WEBSOCKET_URL where the station connects (default: the same), CA_FILE who signed their certificate.
STATION_SILENT_SECONDS in the environment: for how long the station then says nothing before it sends a last heartbeat.
Ends with 0 when the station booted, was called by the server, and was heard of in the event stream.
"""

import asyncio
import json
import os
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request

import websockets


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def context(authority):
    return ssl.create_default_context(cafile=authority) if authority else None


class Api:
    def __init__(self, url, key, authority=None):
        self.url, self.key, self.tls = url.rstrip("/"), key, context(authority)

    def open(self, path, body=None, headers=None, timeout=20):
        headers = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        if data:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{self.url}/v1.1{path}", data=data, headers=headers)
        return urllib.request.urlopen(request, timeout=timeout, context=self.tls)

    def call(self, path, body=None):
        with self.open(path, body) as answer:
            return json.load(answer)["result"]


def new_station(api):
    location = api.call("/locations", {
        "operatorName": "Depot", "coordinates": [4.8952, 52.3702],
        "address": {"streetAndNumber": "Havenweg 1", "city": "Amsterdam", "country": "NL"},
    })["_id"]
    station = api.call("/chargestations", {"name": "North 1", "location": location})
    connector = api.call(f"/chargestations/{station['_id']}/connectors", {
        "type": "Type2", "power_type": "AC Three Phase", "power": 22,
    })["_id"]
    group = api.call("/load_management/groups", {
        "name": "Depot", "location": location, "maximum_capacity": 30, "minimum_connector_capacity": 5, "buffer": 0.1,
    })["_id"]
    api.call(f"/load_management/groups/{group}/chargestations", {
        "chargestation": station["_id"], "connectors": [{"id": connector, "maximum_capacity": 11}],
    })
    return api.call(f"/chargestations/{station['_id']}")


class Station:
    """Answers what it is asked, and sends what it is given."""

    def __init__(self, socket):
        self.socket, self.answers, self.asked, self.number = socket, {}, [], 0
        self.reading = asyncio.ensure_future(self.read())

    async def read(self):
        async for text in self.socket:
            kind, unique, *rest = json.loads(text)
            if kind == 2:
                self.asked.append(rest[0])
                known = {"SetChargingProfile": {"status": "Accepted"}, "ClearChargingProfile": {"status": "Accepted"},
                         "GetConfiguration": {"configurationKey": [], "unknownKey": []},
                         "ChangeConfiguration": {"status": "Accepted"}, "TriggerMessage": {"status": "Accepted"}}
                if rest[0] in known:
                    await self.socket.send(json.dumps([3, unique, known[rest[0]]]))
                else:
                    await self.socket.send(json.dumps([4, unique, "NotImplemented", "", {}]))
            elif unique in self.answers:
                self.answers.pop(unique).set_result((kind, rest))

    async def call(self, action, payload):
        self.number += 1
        answer = self.answers[str(self.number)] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps([2, str(self.number), action, payload]))
        return await asyncio.wait_for(answer, 20)


def read_events(api, wanted, seconds):
    """How long after its request the first event of the stream came: a proxy that buffers would hold it back."""
    began, seen = time.monotonic(), []
    with api.open("/events/stream?after=0", headers={"Accept": "text/event-stream"}, timeout=seconds) as stream:
        for line in stream:
            if line.startswith(b"data:"):
                seen.append(json.loads(line[5:]).get("type"))
                if wanted in seen[-1]:
                    return time.monotonic() - began
    raise SystemExit(f"no {wanted} in the event stream, but {seen}")


async def run(api_url, key, socket_url=None, authority=None):
    api = Api(api_url, key, authority)
    station = await asyncio.to_thread(new_station, api)
    endpoint = station["connection_url"].rsplit("/", 1)[1]
    base = (socket_url or api_url.replace("http", "ws", 1)).rstrip("/")
    tls = context(authority) if base.startswith("wss") else None
    options = {"subprotocols": ["ocpp1.6"], "ssl": tls, "ping_interval": None}

    # Somebody who names a station that does not exist.
    try:
        await websockets.connect(f"{base}/ocpp/nobodyatall", **options)
        raise SystemExit("a station that does not exist was let in")
    except websockets.exceptions.WebSocketException:
        pass

    async with websockets.connect(f"{base}/ocpp/{endpoint}", **options) as socket:
        charger = Station(socket)
        assert socket.subprotocol == "ocpp1.6", socket.subprotocol
        kind, answer = await charger.call("BootNotification", {"chargePointVendor": "Check", "chargePointModel": "One"})
        assert kind == 3 and answer[0]["status"] == "Accepted", answer
        await charger.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"})
        await charger.call("Heartbeat", {})
        kind, answer = await charger.call("MakeTea", {})
        assert kind == 4 and answer[0] in ("NotImplemented", "NotSupported"), answer
        for _ in range(200):
            if "SetChargingProfile" in charger.asked:
                break
            await asyncio.sleep(0.1)
        assert charger.asked, "the server asked the station nothing"
        took = await asyncio.to_thread(read_events, api, "chargestation", 10)
        print(f"    the station booted and was asked {', '.join(sorted(set(charger.asked)))}; events came after {took * 1000:.0f} ms")
        # Silent both ways, which a proxy has to bear.
        silent = float(os.environ.get("STATION_SILENT_SECONDS", "0"))
        if silent:
            await asyncio.sleep(silent)
            kind, _ = await charger.call("Heartbeat", {})
            assert kind == 3
            print(f"    the connection was open after {silent:.0f} silent seconds")


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
