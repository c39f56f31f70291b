"""Charge stations that count: each knows what it measured, which of its messages were acknowledged and which are in doubt.

Their clocks are right and their registers honest, so what a transaction is billed for follows from its messages alone. What is
not answered is said again once the server is back, in the order in which it arose, as a station does that has a queue.
"""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from urllib.parse import urlsplit

import websockets

# A reading that is so late is skipped: the server is slower than the meters, which is not what is tested.
MOST_BEHIND = 3.0
# Milliseconds: a value that is reported after the end of its transaction is older than that.
LONG_AGO = 10_000
# What is not answered for so long is a failure, wherever the server was killed meanwhile.
ANSWERED_WITHIN = 90
# Values of a transaction: enough for some chunks of thirty.
VALUES = (40, 140)


class Lost(Exception):
    """The connection is gone; what was said last is in doubt."""


class Refused(Exception):
    """A CALLERROR."""


def written(milliseconds):
    """An instant as a message has it."""
    at = datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(text):
    """The instant that a text of the API names."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


class Line:
    """One connection of a station; it can do nothing that it is asked to."""

    def __init__(self, socket, refusal):
        self.socket, self.refusal, self.waiting = socket, refusal, {}
        self.reading = asyncio.create_task(self.read())

    @classmethod
    async def open(cls, url, protocol):
        options = {"subprotocols": [protocol], "open_timeout": 10, "close_timeout": 1, "ping_interval": None}
        socket = await websockets.connect(url, **options)
        return cls(socket, "NotImplemented" if protocol == "ocpp1.6" else "NotSupported")

    async def read(self):
        try:
            async for text in self.socket:
                frame = json.loads(text)
                if frame[0] == 2:
                    await self.socket.send(json.dumps([4, frame[1], self.refusal, "", {}]))
                elif (waiting := self.waiting.pop(frame[1], None)) and not waiting.done():
                    waiting.set_result(frame)
        except websockets.WebSocketException:
            pass
        finally:
            for waiting in self.waiting.values():
                if not waiting.done():
                    waiting.set_exception(Lost())
            self.waiting.clear()

    async def ask(self, name, action, payload):
        if self.reading.done():
            raise Lost
        answer = self.waiting[name] = asyncio.get_running_loop().create_future()
        try:
            await self.socket.send(json.dumps([2, name, action, payload]))
        except websockets.WebSocketException:
            answer.cancel()
            raise Lost from None
        async with asyncio.timeout(ANSWERED_WITHIN):
            frame = await answer
        if frame[0] == 4:
            raise Refused(*frame[2:4])
        return frame[2]

    async def close(self):
        await self.socket.close()
        await self.reading


@dataclass
class Message:
    """What a station says, with the readings in it: when, in milliseconds, and the register in Wh."""

    action: str
    payload: dict
    readings: list = field(default_factory=list)
    tries: int = 0
    is_acknowledged: bool = False


@dataclass
class Transaction:
    """One that is under way or over."""

    station: str
    number: int
    tag: str
    started_at: int
    meter_start: int
    # The number that the server gave it (1.6), or the name that the station did (2.0.1).
    known_by: int | str | None = None
    messages: list = field(default_factory=list, repr=False)
    is_started: bool = False
    ended_at: int | None = None
    meter_stop: int | None = None
    is_ended: bool = False

    def acknowledged(self):
        return [one for message in list(self.messages) if message.is_acknowledged for one in message.readings]

    def said(self):
        """All that the server may have, acknowledged or not."""
        return [one for message in list(self.messages) if message.tries for one in message.readings]


class Counts:
    """What all stations of a site have said."""

    def __init__(self):
        self.transactions, self.acknowledged, self.in_doubt, self.refusals = [], 0, 0, []
        self.is_over = False


class Station:
    """A queue of messages, and connectors whose transactions fill it. Two cards take turns at each."""

    def __init__(self, site, counts, station, protocol, cards, chance):
        self.site, self.counts, self.protocol, self.cards, self.chance = site, counts, protocol, cards, chance
        self.id, self.path = station["_id"], urlsplit(station["connection_url"]).path
        self.line, self.lock = None, asyncio.Lock()
        self.calls, self.booted = 0, False

    async def work(self):
        """Transactions at all connectors, until it is over; the last ones come to their end."""
        chances = [random.Random(self.chance.random()) for _ in self.cards]
        at_once = [Connector(self, number + 1, chance).work() for number, chance in enumerate(chances)]
        await asyncio.gather(*at_once)
        if self.line:
            await self.line.close()

    async def connected(self):
        while self.line is None:
            try:
                self.line = await Line.open(self.site.server.websocket_url + self.path, self.protocol)
                if not self.booted or self.chance.random() < 0.2:
                    await self.line.ask(self.next_name(), "BootNotification", self.boot())
                    self.booted = True
            except (OSError, websockets.WebSocketException, TimeoutError, Lost, Refused):
                self.line = None
                await asyncio.sleep(0.05)
        return self.line

    def next_name(self):
        self.calls += 1
        return f"c{self.calls}"

    def boot(self):
        if self.protocol == "ocpp1.6":
            return {"chargePointVendor": "Independent", "chargePointModel": "Counting"}
        return {"reason": "PowerUp", "chargingStation": {"vendorName": "Independent", "model": "Counting"}}

    async def report(self, message, may_be_dropped=False):
        """Says it until it is acknowledged. What may be dropped stays in doubt at times."""
        deadline = time.monotonic() + ANSWERED_WITHIN
        async with self.lock:
            name = self.next_name()
            while True:
                assert time.monotonic() < deadline, f"not acknowledged: {message}"
                line = await self.connected()
                message.tries += 1
                try:
                    answer = await line.ask(name, message.action, message.payload)
                except Lost:
                    self.line = None
                    self.counts.in_doubt += 1
                    if may_be_dropped and self.chance.random() < 0.15:
                        return None
                except Refused as refused:
                    self.counts.refusals.append(refused.args)
                    await asyncio.sleep(0.1)
                else:
                    message.is_acknowledged = True
                    self.counts.acknowledged += 1
                    return answer
                if self.chance.random() < 0.5:
                    name = self.next_name()


class Connector:
    """One car after the other; a meter that counts all of them."""

    # What is put off is said after so many others, or right before the end; of 1.6 at times after it.
    PUT_OFF = (1, 6)
    UNTIL_THE_END = VALUES[1]

    def __init__(self, station, number, chance):
        self.station, self.number, self.chance = station, number, chance
        self.register, self.pace = chance.randint(1_000, 9_000_000), chance.uniform(0.06, 0.14)
        self.is_old = station.protocol == "ocpp1.6"

    async def work(self):
        car = 0
        while not self.station.counts.is_over:
            car += 1
            cards = self.station.cards[self.number - 1]
            transaction = await self.charge(cards[car % len(cards)])
            self.register = transaction.meter_stop + self.chance.randint(0, 50)
            await asyncio.sleep(self.chance.uniform(0, 0.3))

    async def charge(self, tag):
        now = round(time.time() * 1000)
        transaction = Transaction(self.station.id, self.number, tag, now, self.register)
        self.station.counts.transactions.append(transaction)
        self.sequence, self.last, self.put_off = 0, time.time(), []
        await (self.start_old if self.is_old else self.start_new)(transaction)
        transaction.is_started = True
        left = self.chance.randint(*VALUES)
        while left > 0 and not self.station.counts.is_over:
            some = [await self.read() for _ in range(min(left, self.chance.choice((1, 1, 1, 2, 3))))]
            left -= len(some)
            await self.report_readings(transaction, some)
        after_the_end = []
        while self.put_off:
            _, message = self.put_off.pop()
            is_long_ago = message.readings[-1][0] < time.time() * 1000 - LONG_AGO
            if self.is_old and is_long_ago:
                after_the_end.append(message)
            else:
                await self.station.report(message)
        self.register += self.chance.randint(1, 3)
        transaction.ended_at, transaction.meter_stop = round(time.time() * 1000), self.register
        await self.stop(transaction)
        transaction.is_ended = True
        for message in after_the_end:
            await self.station.report(message)
        return transaction

    async def read(self):
        """The next reading: when, and the register. Where the link was down it was taken meanwhile."""
        due = max(self.last + self.pace, time.time() - MOST_BEHIND)
        await asyncio.sleep(max(0.0, due - time.time()))
        self.last = due
        self.register += self.chance.randint(1, 4)
        return round(due * 1000), self.register

    async def report_readings(self, transaction, readings):
        message = Message(*self.values(transaction, readings), readings)
        transaction.messages.append(message)
        if self.is_old and len(transaction.messages) == 2 and self.chance.random() < 0.5:
            self.put_off.append([self.UNTIL_THE_END, message])
        elif self.chance.random() < 0.1:
            self.put_off.append([self.chance.randint(*self.PUT_OFF), message])
        else:
            answer = await self.station.report(message, may_be_dropped=True)
            if answer is not None and self.chance.random() < 0.05:  # as if the answer had been lost
                await self.station.report(message)
        for one in list(self.put_off):
            one[0] -= 1
            if one[0] < 0:
                self.put_off.remove(one)
                await self.station.report(one[1])

    # ---- 1.6

    async def start_old(self, transaction):
        payload = {
            "connectorId": self.number,
            "idTag": transaction.tag,
            "meterStart": transaction.meter_start,
            "timestamp": written(transaction.started_at),
        }
        answer = await self.station.report(Message("StartTransaction", payload))
        assert answer["idTagInfo"]["status"] == "Accepted", answer
        transaction.known_by = answer["transactionId"]

    def values(self, transaction, readings):
        if not self.is_old:
            return self.event(transaction, "Updated", "MeterValuePeriodic", readings, "Sample.Periodic")
        payload = {"connectorId": self.number, "transactionId": transaction.known_by, "meterValue": self.old_values(readings)}
        return "MeterValues", payload

    @staticmethod
    def old_values(readings):
        sampled = lambda register: [
            {"value": str(register), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": "60000", "measurand": "Power.Active.Import", "unit": "W"},
        ]
        return [{"timestamp": written(at), "sampledValue": sampled(register)} for at, register in readings]

    async def stop(self, transaction):
        at, register = transaction.ended_at, transaction.meter_stop
        if self.is_old:
            payload = {
                "meterStop": register,
                "timestamp": written(at),
                "transactionId": transaction.known_by,
                "reason": "Local",
            }
            end = Message("StopTransaction", payload)
            if self.chance.random() < 0.3:  # some that were said before
                end.readings = [one for message in transaction.messages[-3:] for one in message.readings]
                payload["transactionData"] = self.old_values(end.readings)
            transaction.messages.append(end)
            await self.station.report(end)
        else:
            readings = [(at, register)]
            end = Message(*self.event(transaction, "Ended", "EVDeparted", readings, "Transaction.End"), readings)
            transaction.messages.append(end)
            await self.station.report(end)

    # ---- 2.0.1

    async def start_new(self, transaction):
        transaction.known_by = f"T{self.number}-{transaction.started_at}"
        readings = [(transaction.started_at, transaction.meter_start)]
        begin = Message(*self.event(transaction, "Started", "Authorized", readings, "Transaction.Begin"), readings)
        begin.payload["idToken"] = {"idToken": transaction.tag, "type": "ISO14443"}
        transaction.messages.append(begin)
        await self.station.report(begin)

    def event(self, transaction, kind, trigger, readings, context):
        values = [
            {
                "timestamp": written(at),
                "sampledValue": [
                    {"value": register, "measurand": "Energy.Active.Import.Register", "context": context},
                    {"value": 60000, "measurand": "Power.Active.Import", "context": context},
                ],
            }
            for at, register in readings
        ]
        info = {"transactionId": transaction.known_by}
        info |= {"stoppedReason": "EVDisconnected"} if kind == "Ended" else {"chargingState": "Charging"}
        payload = {
            "eventType": kind,
            "timestamp": written(readings[-1][0]),
            "triggerReason": trigger,
            "seqNo": self.sequence,
            "transactionInfo": info,
            "evse": {"id": self.number, "connectorId": 1},
            "meterValue": values,
        }
        self.sequence += 1
        return "TransactionEvent", payload
