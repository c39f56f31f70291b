"""A charging station of OCPP 2.0.1 or 2.1 with one EVSE of 7 kW, which obeys charging profiles as functional block K says.

It has the face of the one of 1.6 in `station.py`, so that the same stories can be acted out with either."""

import asyncio
import itertools
from datetime import datetime, timedelta, timezone

from ocpp2 import Bare

NUMBERS = itertools.count(1)


def now():
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


class Station2(Bare):
    """What it is sent it does, and what it does it reports."""

    def __init__(self, socket, protocol):
        self.profiles, self.transaction, self.seq_no, self.answer_profiles_with = [], None, 0, "Accepted"
        super().__init__(socket, protocol)

    # ---- what it is sent

    def react(self, action, payload):
        if action == "SetChargingProfile":
            return {"status": self.install(payload["evseId"], payload["chargingProfile"])}
        if action == "ClearChargingProfile":
            self.profiles[:] = [old for old in self.profiles if old["id"] != payload.get("chargingProfileId")]
            return {"status": "Accepted"}
        if action == "TriggerMessage":
            return {"status": "NotImplemented"}
        if action == "GetCompositeSchedule":
            return {"status": "Rejected"}
        if action == "GetVariables":
            return {"getVariableResult": [{**asked, "attributeStatus": "UnknownVariable"} for asked in payload["getVariableData"]]}
        return super().react(action, payload)

    def install(self, evse, profile):
        if self.answer_profiles_with != "Accepted":
            return self.answer_profiles_with
        place = lambda one: (one["stackLevel"], one["chargingProfilePurpose"])
        kept = [old for old in self.profiles if old["id"] != profile["id"]]
        if any(place(old) == place(profile) for old in kept):
            return "Rejected"  # K01.FR.06: two profiles must not have the same place
        assert evse == 1 or profile["chargingProfilePurpose"] == "ChargingStationMaxProfile"
        self.profiles[:] = kept + [profile]
        return "Accepted"

    def limit_kw(self):
        """The active default profile of the highest stack level."""
        moment = datetime.now(timezone.utc)

        def active(profile):
            schedule = profile["chargingSchedule"][0]
            start = datetime.fromisoformat(schedule["startSchedule"])
            duration = schedule.get("duration")
            return start <= moment and (duration is None or moment < start + timedelta(seconds=duration))

        best = max(filter(active, self.profiles), key=lambda profile: profile["stackLevel"], default=None)
        if best is None:
            return 7.0
        schedule = best["chargingSchedule"][0]
        period = schedule["chargingSchedulePeriod"][0]
        if schedule["chargingRateUnit"] == "W":
            return min(7.0, float(period["limit"]) / 1000)
        return min(7.0, float(period["limit"]) * 0.230 * period.get("numberPhases", 3))

    # ---- what it does

    async def status(self, status):
        body = {"timestamp": now(), "connectorStatus": status, "evseId": 1, "connectorId": 1}
        await self.ask("StatusNotification", body)

    async def event(self, kind, trigger, state=None, **more):
        info = {"transactionId": self.transaction, **({"chargingState": state} if state else {})}
        info.update({key: more.pop(key) for key in ("stoppedReason",) if key in more})
        body = {
            "eventType": kind,
            "timestamp": now(),
            "triggerReason": trigger,
            "seqNo": self.seq_no,
            "transactionInfo": info,
            "evse": {"id": 1, "connectorId": 1},
            **more,
        }
        self.seq_no += 1
        return await self.ask("TransactionEvent", body)

    @staticmethod
    def values(energy, power, context):
        sampled = [
            {"value": energy, "measurand": "Energy.Active.Import.Register", "context": context},
            {"value": power, "measurand": "Power.Active.Import", "context": context},
        ]
        return [{"timestamp": now(), "sampledValue": sampled}]

    async def plug_in(self, tag="CARD", meter=0):
        self.transaction, self.seq_no = f"tx-{next(NUMBERS)}-{now()}"[:36], 0
        await self.status("Occupied")
        answer = await self.event(
            "Started",
            "Authorized",
            "EVConnected",
            idToken={"idToken": tag, "type": "ISO14443"},
            meterValue=self.values(meter, 0, "Transaction.Begin"),
        )
        await self.event("Updated", "ChargingStateChanged", "Charging" if self.limit_kw() > 0 else "SuspendedEVSE")
        return answer

    async def meter(self, energy, power):
        await self.event("Updated", "MeterValuePeriodic", meterValue=self.values(energy, power, "Sample.Periodic"))

    async def unplug(self, meter=1000):
        await self.event(
            "Ended",
            "EVCommunicationLost",
            stoppedReason="EVDisconnected",
            meterValue=self.values(meter, 0, "Transaction.End"),
        )
        self.transaction = None
        await self.status("Available")


class Link2:
    """A station's connection, which can be lost and found; its profiles survive, as on a real station."""

    protocol = "ocpp2.0.1"

    def __init__(self, url, name):
        self.url, self.name, self.profiles, self.station = url, name, [], None

    async def connect(self, boot=True):
        before = self.station
        self.station = await Station2.connect(self.url, self.protocol)
        self.station.profiles = self.profiles
        if before is not None:
            self.station.transaction, self.station.seq_no = before.transaction, before.seq_no
        if boot:
            await self.station.boot()
            await self.station.status("Available")
        return self.station

    async def lose(self):
        self.station.socket.transport.abort()
        try:
            await asyncio.wait_for(self.station.reading, 5)
        except (Exception, asyncio.CancelledError):
            pass

    async def close(self):
        await self.station.close()


class Link21(Link2):
    """The same in OCPP 2.1."""

    protocol = "ocpp2.1"
