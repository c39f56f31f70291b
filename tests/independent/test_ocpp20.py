"""Every message of OCPP 2.0.1 and 2.1, both ways, made from and checked against the official schemas of its version."""

import asyncio
import copy
import json

import pytest
from jsonschema import Draft6Validator
from ocpp2 import FOLDERS, FROM_STATION, Bare, actions, examples, request_schema, turns

PROTOCOLS = list(FOLDERS)
INCOMING = [(protocol, action) for protocol in PROTOCOLS for action in actions(protocol) if action in FROM_STATION]
OUTGOING = [
    (protocol, action)
    for protocol in PROTOCOLS
    for action in actions(protocol)
    if action not in FROM_STATION or action == "DataTransfer"
]
SENT = {"NotifyPeriodicEventStream"}
ANSWERED = [(protocol, action) for protocol, action in INCOMING if action not in SENT]


def story(server, protocol, act):
    """Creates a station with one EVSE, connects it, and runs `act(socket, ask, path)` against it."""

    async def run():
        with server.client() as client:
            loop = asyncio.get_running_loop()

            async def ask(method, url, body=None, allowed=(200, 201, 202)):
                send = lambda: client.request(method, url, json=body)
                answer = await loop.run_in_executor(None, send)
                assert answer.status_code in allowed, answer.text
                return answer.json()

            station = (await ask("POST", f"{server.api}/chargestations", {"name": "Independent 2"}))["result"]
            path = f"{server.api}/chargestations/{station['_id']}"
            await ask("POST", f"{path}/connectors", {"power": 7})
            socket = await Bare.connect(station["connection_url"], protocol)
            await socket.boot()
            await act(socket, ask, path)
            await socket.close()

    asyncio.run(asyncio.wait_for(run(), 120))


def ids(cases):
    return [f"{protocol}-{action}" for protocol, action in cases]


@pytest.mark.parametrize(("protocol", "action"), INCOMING, ids=ids(INCOMING))
def test_every_message_of_a_station_is_read_as_the_schema_has_it_and_answered_by_the_book(server, protocol, action):
    async def act(socket, ask, path):
        for payload in examples(protocol, action):
            Draft6Validator(request_schema(protocol, action)).validate(payload)
            if action in SENT:
                await socket.send(action, payload)
            else:
                await socket.ask(action, payload)
        await socket.ask("Heartbeat", {})
        flags = (await ask("GET", path))["result"]["flags"]
        # What is odd about values and clocks is another matter than the form of a message.
        said = ("reports the unknown", "meter values:", "clock_off")
        odd = [flag for flag in flags if not flag.startswith(said) and "is unknown" not in flag]
        assert odd == [], "a payload of the schema was repaired"

    story(server, protocol, act)


@pytest.mark.parametrize(("protocol", "action"), OUTGOING, ids=ids(OUTGOING))
def test_every_message_to_a_station_may_be_written_by_hand_and_its_answer_comes_back(server, protocol, action):
    async def act(socket, ask, path):
        for turn, payload in enumerate(examples(protocol, action)):
            answers = list(examples(protocol, f"{action}Response"))
            socket.overrides[action] = answers[turn % len(answers)]
            socket.received.clear()
            await ask("POST", f"{path}/ocpp?wait=true", {"action": action, "payload": payload}, (200, 400))
            assert [sent for name, sent in socket.received if name == action] == [payload]
        for answer in examples(protocol, f"{action}Response"):
            socket.overrides[action] = answer
            await ask("POST", f"{path}/ocpp?wait=true", {"action": action, "payload": payload}, (200, 400))

    story(server, protocol, act)


def test_what_came_with_2_1_is_never_sent_to_a_station_that_speaks_2_0_1(server):
    async def act(socket, ask, path):
        tried = 0
        for action in actions("ocpp2.1"):
            if action in FROM_STATION:
                continue
            rules = request_schema("ocpp2.0.1", action)
            for payload in examples("ocpp2.1", action):
                if rules is not None and Draft6Validator(rules).is_valid(payload):
                    continue
                tried += 1
                body = {"action": action, "payload": payload}
                await ask("POST", f"{path}/ocpp?wait=true", body, (422,))
        assert tried > 100
        assert all(Draft6Validator(request_schema("ocpp2.0.1", name)).is_valid(sent) for name, sent in socket.received)

    story(server, "ocpp2.0.1", act)


COMMANDS = [
    ("trigger_message", {"message": "StatusNotification", "connectorId": 1}, "TriggerMessage"),
    ("change_availability", {"type": "Inoperative", "connectorId": 1}, "ChangeAvailability"),
    ("clear_cache", {}, "ClearCache"),
    ("get_local_list_version", {}, "GetLocalListVersion"),
    ("send_local_list", {"listVersion": 1}, "SendLocalList"),
    ("update_firmware", {"location": "https://firmware.example.com/1"}, "UpdateFirmware"),
    ("get_diagnostics", {"location": "https://files.example.com/"}, "GetLog"),
    ("data_transfer", {"vendorId": "V", "data": "D"}, "DataTransfer"),
    ("get_composite_schedule", {"connectorId": 1, "duration": 60}, "GetCompositeSchedule"),
    ("clear_charging_profile", {"id": 1}, "ClearChargingProfile"),
    ("clear_charging_profile", {"chargingProfilePurpose": "ChargePointMaxProfile"}, "ClearChargingProfile"),
    ("set_default_power_limit", {"unit": "current", "limit": 16.1}, "SetChargingProfile"),
    ("reset", {"type": "OnIdle", "evseId": 1}, "Reset"),
    ("get_log", {"logType": "SecurityLog", "remoteLocation": "https://files.example.com/in"}, "GetLog"),
    ("extended_trigger_message", {"message": "SignChargePointCertificate"}, "TriggerMessage"),
    ("install_certificate", {"certificateType": "CentralSystemRootCertificate", "certificate": "PEM"}, "InstallCertificate"),
    ("get_installed_certificate_ids", {"certificateType": "ManufacturerRootCertificate"}, "GetInstalledCertificateIds"),
    ("get_report", {"componentCriteria": ["Problem"]}, "GetReport"),
    ("get_transaction_status", {"transactionId": "tx"}, "GetTransactionStatus"),
    ("get_charging_profiles", {"evseId": 0, "chargingProfile": {"stackLevel": 1}}, "GetChargingProfiles"),
    ("customer_information", {"report": True, "clear": True, "idToken": {"idToken": "A", "type": "Central"}}, "CustomerInformation"),
    (
        "set_display_message",
        {"message": {"id": 1, "priority": "InFront", "state": "Idle", "message": {"format": "UTF8", "content": "Hi"}}},
        "SetDisplayMessage",
    ),
    ("get_display_messages", {"id": [1], "priority": "InFront"}, "GetDisplayMessages"),
    ("clear_display_message", {"id": 1}, "ClearDisplayMessage"),
    (
        "set_variable_monitoring",
        {
            "setMonitoringData": [
                {
                    "type": "UpperThreshold",
                    "value": 70.5,
                    "severity": 4,
                    "component": {"name": "C", "evse": {"id": 1, "connectorId": 1}},
                    "variable": {"name": "V"},
                }
            ]
        },
        "SetVariableMonitoring",
    ),
    ("clear_variable_monitoring", {"id": [1]}, "ClearVariableMonitoring"),
    ("get_monitoring_report", {"monitoringCriteria": ["DeltaMonitoring"]}, "GetMonitoringReport"),
    ("set_monitoring_base", {"monitoringBase": "FactoryDefault"}, "SetMonitoringBase"),
    ("set_monitoring_level", {"severity": 3}, "SetMonitoringLevel"),
    (
        "signed_update_firmware",
        {"location": "https://firmware.example.com/1", "signingCertificate": "PEM", "signature": "c2ln"},
        "UpdateFirmware",
    ),
]


NEW_COMMANDS = [
    ("set_der_control", {"isDefault": True, "controlId": "c", "controlType": "VoltVar"}, "SetDERControl"),
    ("get_der_control", {"controlType": "VoltVar"}, "GetDERControl"),
    ("clear_der_control", {"isDefault": True, "controlId": "c"}, "ClearDERControl"),
    ("request_battery_swap", {"idToken": {"idToken": "A", "type": "Central"}}, "RequestBatterySwap"),
    ("afrr_signal", {"timestamp": "2026-04-24T03:00:00Z", "signal": -1}, "AFRRSignal"),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_command_is_sent_by_the_book(server, protocol):
    async def act(socket, ask, path):
        for command, body, _ in NEW_COMMANDS if protocol == "ocpp2.0.1" else ():
            await ask("POST", f"{path}/{command}", body, (409,))
        for command, body, action in COMMANDS + (NEW_COMMANDS if protocol == "ocpp2.1" else []):
            socket.received.clear()
            await ask("POST", f"{path}/{command}?wait=false", body)
            await socket.was_sent(action)  # the socket checked it against the schema

    story(server, protocol, act)


# An end that is refused is repeated for ever, and is never billed.
MAY_BE_MISSING = {("TransactionEvent", name) for name in ("timestamp", "seqNo", "triggerReason")}
NEVER_REPAIRED = {"transactionInfo", "idToken", "eventType", "vendorId", "csr", "ocspRequestData"}
MISSING, TYPE, VALUE, FORMAT = (
    "OccurrenceConstraintViolation",
    "TypeConstraintViolation",
    "PropertyConstraintViolation",
    "FormatViolation",
)


def spoiled(protocol, action):
    """Each spoiled payload with its name and whether it must be refused; others may be repaired."""
    root = request_schema(protocol, action)
    right = list(examples(protocol, action))[-1]
    for name, rule in root.get("properties", {}).items():
        if name == "customData":
            continue

        def variant(value):
            payload = copy.deepcopy(right)
            payload[name] = value
            return payload

        required = name in root.get("required", [])
        if required:
            payload = copy.deepcopy(right)
            del payload[name]
            yield f"{name} missing", payload, {None} if (action, name) in MAY_BE_MISSING else {MISSING, FORMAT}
        for label, odd in (("null", None), ("a list of nothing", []), ("a huge text", "x" * 50_000), ("a number", 10**30)):
            kept = name in {"vendorId", "csr"} and label == "a number" or action == "BatterySwap"
            must = required and name in NEVER_REPAIRED and not kept
            yield f"{name} {label}", variant(odd), {MISSING, TYPE, VALUE, FORMAT} | (set() if must else {None})


@pytest.mark.parametrize(("protocol", "action"), ANSWERED, ids=ids(ANSWERED))
def test_spoiled_messages_get_the_right_error_and_keep_the_socket(server, protocol, action):
    async def act(socket, ask, path):
        for name, payload, right in spoiled(protocol, action):
            frame = await socket.say(action, payload)
            code = frame[2] if frame[0] == 4 else None
            assert code in right, (name, frame)
        await socket.boot()

    story(server, protocol, act)


AT = "2026-04-24T03:00:00Z"
NAMED = {"component": {"name": "C"}, "variable": {"name": "V"}}
MONITOR = {"id": 1, "value": 70, "type": "Delta", "severity": 4, "transaction": False}
MESSAGE = {"id": 1, "priority": "InFront", "message": {"format": "UTF8", "content": "Hi"}}
PERIOD = {"startPeriod": 0, "limit": 7000}
PROFILE = {
    "id": 7,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [{"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [PERIOD]}],
}
REPORTS = [
    ("get_report", {}, "NotifyReport", {"generatedAt": AT, "seqNo": 0, "reportData": [{**NAMED, "variableAttribute": [{"value": "1"}]}]}),
    ("customer_information", {"report": True, "clear": False}, "NotifyCustomerInformation", {"generatedAt": AT, "seqNo": 0, "data": "Ada"}),
    (
        "get_monitoring_report",
        {},
        "NotifyMonitoringReport",
        {"generatedAt": AT, "seqNo": 0, "monitor": [{**NAMED, "variableMonitoring": [MONITOR]}]},
    ),
    ("get_display_messages", {}, "NotifyDisplayMessages", {"messageInfo": [MESSAGE]}),
    (
        "get_charging_profiles",
        {"chargingProfile": {}},
        "ReportChargingProfiles",
        {"evseId": 1, "chargingLimitSource": "CSO", "chargingProfile": [PROFILE]},
    ),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_report_that_comes_in_parts_is_the_answer_to_its_question(server, protocol):
    async def act(socket, ask, path):
        for command, body, action, part in REPORTS:
            socket.received.clear()
            answer = asyncio.create_task(ask("POST", f"{path}/{command}", body))
            asked = await socket.until(lambda: socket.received[-1] if socket.received else None)
            for more in (True, False):
                await socket.ask(action, {**part, "requestId": asked[1]["requestId"], "tbc": more})
            report = (await answer)["result"]["response_data"]["report"]
            whole = {"get_report": 1, "customer_information": len("AdaAda")}.get(command, 2)
            assert len(report) == whole, (command, report)

    story(server, protocol, act)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_a_car_means_to_draw_is_shown_with_its_session(server, protocol):
    async def act(socket, ask, path):
        event = {
            "eventType": "Started",
            "timestamp": AT,
            "triggerReason": "CablePluggedIn",
            "seqNo": 0,
            "transactionInfo": {"transactionId": "tx-car"},
            "evse": {"id": 1, "connectorId": 1},
        }
        await socket.ask("TransactionEvent", event)
        schedule = PROFILE["chargingSchedule"][0]
        reported = {"timeBase": AT, "chargingSchedule": schedule, "evseId": 1}
        assert (await socket.ask("NotifyEVChargingSchedule", reported))["status"] == "Accepted"
        station = path.rsplit("/", 1)[1]
        sessions = await ask("GET", f"{server.api}/sessions?chargestation={station}")
        assert sessions["result"][0]["car_schedule"]["chargingSchedule"] == schedule

    story(server, protocol, act)


def test_a_station_is_answered_what_applies_in_its_dynamic_profile(server):
    async def act(socket, ask, path):
        pull = {"chargingProfileId": 7}
        assert (await socket.ask("PullDynamicScheduleUpdate", pull))["status"] == "Rejected"
        dynamic = {**PROFILE, "chargingProfileKind": "Dynamic", "dynUpdateInterval": 60}
        body = {"connectorId": 1, "csChargingProfiles": dynamic}
        await ask("POST", f"{path}/set_charging_profile?wait=true", body)
        update = {"action": "UpdateDynamicSchedule", "payload": {**pull, "scheduleUpdate": {"setpoint": 5000}}}
        await ask("POST", f"{path}/ocpp?wait=true", update)
        answered = await socket.ask("PullDynamicScheduleUpdate", pull)
        assert answered == {"status": "Accepted", "scheduleUpdate": {"limit": 7000, "setpoint": 5000}}

    story(server, "ocpp2.1", act)
