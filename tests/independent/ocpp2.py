"""Payloads of OCPP 2.0.1 and 2.1 made from the official JSON schemas, which the `ocpp` package ships, and a bare socket
that speaks them: nothing here was written by hand, so nothing was left out."""

import asyncio
import json
import pathlib
from functools import lru_cache

import ocpp
import websockets
from jsonschema import Draft6Validator

FOLDERS = {"ocpp2.0.1": "v201", "ocpp2.1": "v21"}
FROM_STATION = set(
    """Authorize BatterySwap BootNotification ClearedChargingLimit ClosePeriodicEventStream DataTransfer
    FirmwareStatusNotification Get15118EVCertificate GetCertificateChainStatus GetCertificateStatus Heartbeat
    LogStatusNotification MeterValues NotifyChargingLimit NotifyCustomerInformation NotifyDERAlarm NotifyDERStartStop
    NotifyDisplayMessages NotifyEVChargingNeeds NotifyEVChargingSchedule NotifyEvent NotifyMonitoringReport
    NotifyPeriodicEventStream NotifyPriorityCharging NotifyReport NotifySettlement OpenPeriodicEventStream
    PublishFirmwareStatusNotification PullDynamicScheduleUpdate ReportChargingProfiles ReportDERControl
    ReservationStatusUpdate SecurityEventNotification SignCertificate StatusNotification TransactionEvent
    VatNumberValidation""".split()
)


def folder(protocol):
    return pathlib.Path(ocpp.__file__).parent / FOLDERS[protocol] / "schemas"


@lru_cache(maxsize=None)
def schema(protocol, name):
    path = folder(protocol) / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8-sig")) if path.exists() else None


def request_schema(protocol, action):
    return schema(protocol, f"{action}Request") or schema(protocol, action)


def actions(protocol):
    names = {path.stem for path in folder(protocol).glob("*.json")}
    named = {name.removesuffix("Request") for name in names if not name.endswith("Response")}
    return sorted(named)


def check(protocol, name, payload):
    """The official schema holds, and nothing is null."""
    rules = request_schema(protocol, name) if not name.endswith("Response") else schema(protocol, name)
    Draft6Validator(rules).validate(payload)
    assert "null" not in json.dumps(payload), payload


def resolve(rule, root):
    return root["definitions"][rule["$ref"].rsplit("/", 1)[1]] if "$ref" in rule else rule


def example(rule, root, turn, only_required=False):
    """A payload with every field; `turn` chooses among the values of a list, so that some turn shows each of them."""
    rule = resolve(rule, root)
    kind = rule.get("type")
    if "enum" in rule:
        return rule["enum"][turn % len(rule["enum"])]
    if kind == "object":
        required = rule.get("required", [])
        names = [name for name in rule.get("properties", {}) if name != "customData"]
        names = [name for name in names if name in required or not only_required]
        return {name: example(rule["properties"][name], root, turn, only_required) for name in names}
    if kind == "array":
        return [example(rule["items"], root, turn, only_required)] * rule.get("minItems", 1)
    if kind == "integer":
        return int(max(1, rule.get("minimum", 1)))
    if kind == "number":
        return min(1.5, rule.get("maximum", 1.5))
    if kind == "boolean":
        return turn % 2 == 0
    if kind == "string":
        return "2026-04-24T03:00:00.000Z" if rule.get("format") == "date-time" else "x"
    return {"anything": [1, "two"]}


def turns(root):
    """How many payloads show every value of every list."""
    definitions = root.get("definitions", {}).values()
    return max([len(rule["enum"]) for rule in definitions if "enum" in rule] + [1])


def examples(protocol, name):
    root = request_schema(protocol, name) if not name.endswith("Response") else schema(protocol, name)
    yield example(root, root, 0, only_required=True)
    for turn in range(turns(root)):
        yield example(root, root, turn)


class Bare:
    """A socket that answers every call with an example from the schema, and keeps what it was sent."""

    def __init__(self, socket, protocol):
        self.socket, self.protocol, self.count = socket, protocol, 0
        self.received, self.answers, self.news = [], {}, asyncio.Event()
        self.overrides = {}
        self.reading = asyncio.create_task(self.read())

    @classmethod
    async def connect(cls, url, protocol):
        socket = await websockets.connect(url, subprotocols=[protocol])
        assert socket.subprotocol == protocol
        return cls(socket, protocol)

    async def read(self):
        async for text in self.socket:
            frame = json.loads(text)
            if frame[0] == 2:
                check(self.protocol, frame[2], frame[3])
                self.received.append((frame[2], frame[3]))
                await self.socket.send(json.dumps([3, frame[1], self.react(frame[2], frame[3])]))
            else:
                self.answers[frame[1]] = frame
            self.news.set()

    def react(self, action, payload):
        """The answer to a call of the server."""
        root = schema(self.protocol, f"{action}Response")
        return self.overrides.get(action) or example(root, root, 0)

    async def until(self, found):
        deadline = asyncio.get_running_loop().time() + 20
        while (result := found()) is None:
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), deadline - asyncio.get_running_loop().time())
        return result

    async def say(self, action, payload):
        """Calls the server and returns the answering frame."""
        self.count += 1
        name = f"s{self.count}"
        await self.socket.send(json.dumps([2, name, action, payload]))
        return await self.until(lambda: self.answers.get(name))

    async def ask(self, action, payload):
        """Calls the server and returns its answer, which the schema of the version allows."""
        frame = await self.say(action, payload)
        assert frame[0] == 3, (action, payload, frame)
        check(self.protocol, f"{action}Response", frame[2])
        return frame[2]

    async def send(self, action, payload):
        """Sends something that is not answered (2.1)."""
        self.count += 1
        await self.socket.send(json.dumps([6, f"s{self.count}", action, payload]))

    async def was_sent(self, action):
        return await self.until(
            lambda: next((payload for name, payload in reversed(self.received) if name == action), None)
        )

    async def boot(self):
        station = {"vendorName": "Independent", "model": "Two"}
        answer = await self.ask("BootNotification", {"reason": "PowerUp", "chargingStation": station})
        assert answer["status"] == "Accepted"

    async def close(self):
        self.reading.cancel()
        await self.socket.close()
