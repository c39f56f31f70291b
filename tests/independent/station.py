"""A charge point made with The Mobility House's `ocpp` package, which checks every message against the official
JSON schemas of OCPP 1.6 in both directions. It obeys charging profiles as section 3.13 of the specification says.
"""

import asyncio
import json
import pathlib
from datetime import datetime, timedelta, timezone

import ocpp
import websockets
from jsonschema import Draft4Validator
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action, AuthorizationStatus, ChargingProfileStatus, RegistrationStatus

SCHEMAS = pathlib.Path(ocpp.__file__).parent / "v16" / "schemas"


def now() -> str:
    return datetime.now(timezone.utc).isoformat()


def properties_in_order(action: str) -> list[str]:
    schema = json.loads((SCHEMAS / f"{action}.json").read_text(encoding="utf-8-sig"))
    return list(schema.get("properties", {}))


def check(action: str, payload: dict) -> None:
    """The official schema holds, nothing is null, and the keys stand in the schema's order."""
    schema = json.loads((SCHEMAS / f"{action}.json").read_text(encoding="utf-8-sig"))
    # Decimal steps are compared as decimals: 16.1 is a multiple of 0.1 although the floats say otherwise.
    text = json.dumps(schema).replace('"multipleOf": 0.1', '"minimum": 0')
    Draft4Validator(json.loads(text)).validate(payload)
    assert "null" not in json.dumps(payload), payload
    order = [key for key in properties_in_order(action) if key in payload]
    assert list(payload) == order, (action, list(payload), order)


class Listening:
    """A socket that checks everything the server sends."""

    def __init__(self, socket, sent):
        self.socket, self.sent, self.calls = socket, sent, {}

    async def recv(self):
        text = await self.socket.recv()
        frame = json.loads(text)
        if frame[0] == 2:
            check(frame[2], frame[3])
            self.sent.append((frame[2], frame[3], text))
        elif frame[0] == 3:
            check(self.calls[frame[1]] + "Response", frame[2])
        return text

    async def send(self, text):
        frame = json.loads(text)
        if frame[0] == 2:
            self.calls[frame[1]] = frame[2]
        await self.socket.send(text)


class Station(ChargePoint):
    """One connector of 7 kW at 230 V."""

    def __init__(self, name, socket, sent, profiles):
        super().__init__(name, Listening(socket, sent), response_timeout=20)
        self.sent, self.profiles, self.transaction = sent, profiles, None
        self.answer_profiles_with = ChargingProfileStatus.accepted
        self.ahead, self.refuses_zero, self.zeros = timedelta(), False, 0

    def clock(self):
        """What its clock shows."""
        return datetime.now(timezone.utc) + self.ahead

    def now(self) -> str:
        return self.clock().isoformat()

    # ---- what it is sent

    @on(Action.set_charging_profile)
    def set_profile(self, connector_id, cs_charging_profiles):
        if self.answer_profiles_with != ChargingProfileStatus.accepted:
            return call_result.SetChargingProfile(status=self.answer_profiles_with)
        periods = cs_charging_profiles["charging_schedule"]["charging_schedule_period"]
        if self.refuses_zero and periods[0]["limit"] == 0:
            self.zeros += 1
            return call_result.SetChargingProfile(status=ChargingProfileStatus.rejected)
        same = lambda old: (
            old["charging_profile_id"] == cs_charging_profiles["charging_profile_id"]
            or (old["stack_level"], old["charging_profile_purpose"])
            == (cs_charging_profiles["stack_level"], cs_charging_profiles["charging_profile_purpose"])
        )
        self.profiles[:] = [old for old in self.profiles if not same(old)] + [cs_charging_profiles]
        return call_result.SetChargingProfile(status=ChargingProfileStatus.accepted)

    @on(Action.clear_charging_profile)
    def clear_profile(self, **which):
        self.profiles[:] = [old for old in self.profiles if old["charging_profile_id"] != which.get("id")]
        return call_result.ClearChargingProfile(status="Accepted")

    @on(Action.trigger_message)
    def trigger(self, **_):
        return call_result.TriggerMessage(status="NotImplemented")

    @on(Action.reserve_now)
    def reserve(self, **_):
        return call_result.ReserveNow(status="Accepted")

    @on(Action.cancel_reservation)
    def release(self, **_):
        return call_result.CancelReservation(status="Accepted")

    @on(Action.get_configuration)
    def configuration(self, **_):
        return call_result.GetConfiguration(configuration_key=[], unknown_key=[])

    def limit_kw(self) -> float:
        """What section 3.13 lets it draw now: the active default profile of the highest stack level."""
        moment = self.clock()

        def active(profile):
            schedule = profile["charging_schedule"]
            start = datetime.fromisoformat(schedule["start_schedule"])
            duration = schedule.get("duration")
            return start <= moment and (duration is None or moment < start + timedelta(seconds=duration))

        best = max(filter(active, self.profiles), key=lambda profile: profile["stack_level"], default=None)
        if best is None:
            return 7.0
        schedule = best["charging_schedule"]
        period = schedule["charging_schedule_period"][0]
        if schedule["charging_rate_unit"] == "W":
            return min(7.0, float(period["limit"]) / 1000)
        return min(7.0, float(period["limit"]) * 0.230 * period.get("number_phases", 3))

    # ---- what it does

    async def boot(self):
        answer = await self.call(call.BootNotification(charge_point_model="One", charge_point_vendor="Independent"))
        assert answer.status == RegistrationStatus.accepted
        await self.status("Available")

    async def status(self, status):
        await self.call(call.StatusNotification(connector_id=1, error_code="NoError", status=status, timestamp=self.now()))

    async def plug_in(self, tag="CARD", meter=0):
        await self.status("Preparing")
        answer = await self.call(
            call.StartTransaction(connector_id=1, id_tag=tag, meter_start=meter, timestamp=self.now())
        )
        self.transaction = answer.transaction_id
        await self.status("Charging" if self.limit_kw() > 0 else "SuspendedEVSE")
        return answer

    async def meter(self, energy, power):
        sampled = [
            {"value": str(energy), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": str(power), "measurand": "Power.Active.Import", "unit": "W"},
        ]
        values = [{"timestamp": self.now(), "sampledValue": sampled}]
        await self.call(call.MeterValues(connector_id=1, transaction_id=self.transaction, meter_value=values))

    async def unplug(self, meter=1000):
        await self.call(
            call.StopTransaction(
                transaction_id=self.transaction, meter_stop=meter, timestamp=self.now(), reason="EVDisconnected"
            )
        )
        self.transaction = None
        await self.status("Available")


class Link:
    """A station's connection, which can be lost and found; its profiles survive, as on a real station."""

    kind, ahead, refuses_zero = Station, timedelta(), False

    def __init__(self, url, name):
        self.url, self.name, self.sent, self.profiles = url, name, [], []
        self.station = None

    async def connect(self, boot=True):
        self.socket = await websockets.connect(self.url, subprotocols=["ocpp1.6"])
        self.station = self.kind(self.name, self.socket, self.sent, self.profiles)
        self.station.ahead, self.station.refuses_zero = self.ahead, self.refuses_zero
        self.reading = asyncio.create_task(self.station.start())
        if boot:
            await self.station.boot()
        return self.station

    async def lose(self):
        self.socket.transport.abort()
        try:
            await asyncio.wait_for(self.reading, 5)
        except (websockets.ConnectionClosed, asyncio.CancelledError, TimeoutError):
            pass

    async def close(self):
        self.reading.cancel()
        await self.socket.close()


def card_accepted(answer) -> bool:
    return answer.id_tag_info["status"] == AuthorizationStatus.accepted
