"""Every message of a charge point, spoiled in every way that the official schemas know: the right error comes back, and
the socket stays open."""

import asyncio
import copy
import json

import pytest
import websockets
from station import SCHEMAS

MESSAGES = {
    "Authorize": {"idTag": "CARD"},
    "BootNotification": {"chargePointVendor": "Independent", "chargePointModel": "One", "firmwareVersion": "1"},
    "DataTransfer": {"vendorId": "V", "messageId": "M", "data": "D"},
    "DiagnosticsStatusNotification": {"status": "Idle"},
    "FirmwareStatusNotification": {"status": "Installed"},
    "LogStatusNotification": {"status": "Uploaded", "requestId": 1},
    "MeterValues": {
        "connectorId": 1,
        "meterValue": [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [{"value": "1", "unit": "Wh"}]}],
    },
    "SecurityEventNotification": {"type": "StartupOfTheDevice", "timestamp": "2026-01-01T00:00:00Z"},
    "SignCertificate": {"csr": "-----BEGIN CERTIFICATE REQUEST-----"},
    "SignedFirmwareStatusNotification": {"status": "Installed", "requestId": 1},
    "StartTransaction": {"connectorId": 1, "idTag": "CARD", "meterStart": 0, "timestamp": "2026-01-01T00:00:00Z"},
    "StatusNotification": {"connectorId": 1, "errorCode": "NoError", "status": "Available"},
    "StopTransaction": {"transactionId": 1, "meterStop": 1, "timestamp": "2026-01-01T00:00:00Z"},
}
# What a charging session hangs on is never guessed; of anything else a message may be repaired (and the station flagged),
# because a station that is refused repeats itself for ever.
NEVER_REPAIRED = {"idTag", "connectorId", "transactionId", "meterStart", "meterStop", "csr", "vendorId", "errorCode"}
# What is answered all the same where it is missing or null: a station that is refused would lose what was charged, and one
# that cannot say its model charges as well as any other.
FORGIVEN = {
    "BootNotification": {"chargePointVendor", "chargePointModel"},
    "StartTransaction": {"connectorId", "idTag", "meterStart", "timestamp"},
    "StatusNotification": {"errorCode"},
    "StopTransaction": {"transactionId", "meterStop", "timestamp"},
}
MISSING, TYPE, VALUE = "OccurenceConstraintViolation", "TypeConstraintViolation", "PropertyConstraintViolation"


def schema_of(action):
    return json.loads((SCHEMAS / f"{action}.json").read_text(encoding="utf-8-sig"))


def spoiled(action):
    """Each spoiled payload with its name and the answers that are right; `None` means that it may be repaired."""
    schema, right = schema_of(action), MESSAGES[action]
    for name, rule in schema["properties"].items():

        def variant(value):
            payload = copy.deepcopy(right)
            payload[name] = value
            return payload

        forgiven = name in FORGIVEN.get(action, set())
        if name in schema.get("required", []):
            payload = copy.deepcopy(right)
            del payload[name]
            yield f"{name} missing", payload, {None} if forgiven else {MISSING}
            yield f"{name} null", variant(None), {None} if forgiven else {MISSING, TYPE, VALUE}
        if name in right:
            repaired = action == "StopTransaction" or name not in NEVER_REPAIRED
            yield f"{name} of the wrong type", variant({"odd": []}), {TYPE} | ({None} if repaired else set())
        if "enum" in rule:
            yield f"{name} unknown", variant("FlyingToTheMoon"), {VALUE, None}
        if "maxLength" in rule and "enum" not in rule:
            yield f"{name} too long", variant("x" * (rule["maxLength"] + 1)), {VALUE, None}
            yield f"{name} huge", variant("x" * 50_000), {VALUE, None}
        if rule.get("format") == "date-time":
            yield f"{name} no time", variant("yesterday"), {VALUE, TYPE, None}
        if rule.get("type") == "integer" and name in right:
            yield f"{name} a fraction", variant(1.5), {TYPE, VALUE, None}
            yield f"{name} beyond any number", variant(10**30), {TYPE, VALUE} | (set() if name in NEVER_REPAIRED and not forgiven else {None})


class Wire:
    """A bare socket: says texts and reads answers."""

    def __init__(self, socket):
        self.socket, self.count = socket, 0

    async def say(self, action, payload):
        self.count += 1
        await self.socket.send(json.dumps([2, str(self.count), action, payload]))
        while True:
            frame = json.loads(await asyncio.wait_for(self.socket.recv(), 20))
            if frame[0] != 2 and frame[1] == str(self.count):
                return frame

    async def is_alive(self):
        return (await self.say("Heartbeat", {}))[0] == 3


def with_wire(server, act):
    async def run():
        with server.client() as client:
            station = client.post(f"{server.api}/chargestations", json={"name": "Malformed"}).json()["result"]
            path = f"{server.api}/chargestations/{station['_id']}/connectors"
            client.post(path, json={"power": 7}).raise_for_status()
        async with websockets.connect(station["connection_url"], subprotocols=["ocpp1.6"]) as socket:
            await act(Wire(socket), station)

    asyncio.run(asyncio.wait_for(run(), 120))


@pytest.mark.parametrize("action", MESSAGES)
def test_each_spoiled_message_gets_the_right_error_and_the_socket_stays(server, action):
    async def act(wire, _):
        good = await wire.say(action, MESSAGES[action])
        assert good[0] == 3, good
        for what, payload, answers in spoiled(action):
            frame = await wire.say(action, payload)
            code = frame[2] if frame[0] == 4 else None
            assert code in answers, (action, what, frame)
        for payload in ([], "text", 7):
            frame = await wire.say(action, payload)
            assert frame[0] == 4 and frame[2] == "FormationViolation", (payload, frame)
        empty = await wire.say(action, None)  # read as an empty payload
        if set(schema_of(action).get("required", [])) <= FORGIVEN.get(action, set()):
            assert empty[0] == 3, empty
        else:
            assert empty[0] == 4 and empty[2] == MISSING, empty
        assert await wire.is_alive()

    with_wire(server, act)


def test_an_unknown_field_is_no_reason_to_refuse(server):
    async def act(wire, _):
        for action, payload in MESSAGES.items():
            frame = await wire.say(action, {**payload, "vendorExtra": {"a": [1]}})
            assert frame[0] == 3, (action, frame)

    with_wire(server, act)


BROKEN = ["{", "", "null", "[]", "[2]", '[2,"a"]', '[2,"a","Heartbeat"', "[2,1,2,3]", '[9,"a",{}]', '"hello"', "[2,\"a\",\"Heartbeat\",{},"]


def test_broken_frames_keep_the_socket(server):
    async def act(wire, _):
        for text in BROKEN:
            await wire.socket.send(text)
        wire.count = 100
        assert await wire.is_alive()

    with_wire(server, act)


def test_a_message_that_is_too_large_closes_the_socket_and_the_station_may_come_back(server):
    async def act(wire, station):
        with pytest.raises(websockets.ConnectionClosed):
            await wire.say("DataTransfer", {"vendorId": "V", "data": "x" * 1_000_000})
        async with websockets.connect(station["connection_url"], subprotocols=["ocpp1.6"]) as again:
            assert await Wire(again).is_alive()

    with_wire(server, act)


# Commands whose answers have a status, and answers that are none of those that the specification knows.
COMMANDS = [
    ("trigger_message", {"message": "Heartbeat"}),
    ("change_availability", {"type": "Inoperative", "connectorId": 1}),
    ("clear_cache", {}),
    ("data_transfer", {"vendorId": "V"}),
    ("set_default_power_limit", {"unit": "current", "limit": 16}),
    ("reset", {"type": "Soft"}),
    ("get_log", {"logType": "SecurityLog", "remoteLocation": "https://files.example.com/in"}),
]
ODD_ANSWERS = [
    [3, {}],
    [3, None],
    [3, "text"],
    [3, []],
    [3, {"status": 7}],
    [3, {"status": None}],
    [3, {"status": "FlyingToTheMoon"}],
    [3, {"status": "x" * 50_000}],
    [4, "NoSuchCode"],
    [4, "GenericError", "why", {}],
    [4, 7, 8, 9],
]


@pytest.mark.parametrize(("command", "body"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_an_odd_answer_to_a_command_is_a_refusal_and_the_socket_stays(server, command, body):
    async def act(wire, station):
        loop = asyncio.get_running_loop()
        path = f"{server.api}/chargestations/{station['_id']}/{command}?wait=true"
        with server.client() as client:

            async def ask(answer):
                """Commands the station, which answers every call so until the client has its reply."""
                reply = loop.run_in_executor(None, lambda: client.post(path, json=body))
                while not reply.done():
                    try:
                        frame = json.loads(await asyncio.wait_for(wire.socket.recv(), 0.2))
                    except TimeoutError:
                        continue
                    if frame[0] == 2:
                        await wire.socket.send(json.dumps([3, "not-yours", {"status": "Accepted"}]))
                        await wire.socket.send(json.dumps([answer[0], frame[1], *answer[1:]]))
                return await reply

            for answer in ODD_ANSWERS:
                reply = await ask(answer)
                assert reply.status_code == 400, (answer, reply.text)
                assert reply.json()["ok"] is False, (answer, reply.text)
            assert (await ask([3, {"status": "Accepted"}])).status_code == 200
        assert await wire.is_alive()

    with_wire(server, act)
