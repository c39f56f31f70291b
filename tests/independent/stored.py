"""What stations said against what is stored: the site they stand at, a log that is followed, and checks of every session and event."""

import asyncio
import random
import threading
import time
from collections import Counter
from decimal import Decimal

import requests
from counting import Station, milliseconds

RATE = {
    "name": "By energy and time",
    "currency": "EUR",
    # A minute costs the same, whatever the car does in it.
    "price_components": [{"type": kind, "price": price} for kind, price in (("ENERGY", 0.4), ("TIME", 60), ("PARKING_TIME", 60))],
}
# The protocol and the connectors of each.
STATIONS = [("ocpp1.6", 2), ("ocpp2.0.1", 1), ("ocpp1.6", 1), ("ocpp2.0.1", 2), ("ocpp1.6", 1)] * 2


class Log:
    """The events, as somebody reads them who asks again and again and remembers each cursor."""

    def __init__(self, site):
        self.site, self.seen, self.is_over = site, [], False
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self):
        while not self.is_over:
            try:
                self.seen.extend(self.page(self.seen[-1]["cursor"] if self.seen else 0)["result"])
            except (requests.RequestException, AssertionError, ValueError):  # it was killed, or has no room
                pass
            time.sleep(0.03)

    def page(self, after):
        return self.site.get("/events", after=after, limit=1000)

    def whole(self):
        after, more = 0, True
        while more:
            page = self.page(after)
            yield from page["result"]
            after, more = page["next_after"], page["hasNextPage"]

    def end(self):
        self.is_over = True
        self.thread.join(timeout=30)
        assert not self.thread.is_alive()


class Site:
    """A server, by whatever address it has at the moment (`server`), and what its clients know."""

    server, key = None, ""

    def call(self, method, path, **more):
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = requests.request(method, self.server.api + path, headers=headers, timeout=20, **more)
        assert answer.ok, answer.text
        return answer.json()

    def get(self, path, **parameters):
        return self.call("GET", path, params=parameters)

    def post(self, path, body):
        return self.call("POST", path, json=body)["result"]

    def change_one(self, chance):
        """Changes a session that runs, as integrators do meanwhile. So sorted, their rows are brought up to date first."""
        running = self.get("/sessions", status="started", sort_by="updatedAt")["result"]
        if not running:
            return None
        path = f"/sessions/{chance.choice(running)['_id']}"
        return self.call("PATCH", path, json={"meta_data": {"number": chance.randrange(10**9)}})["result"]

    def stations(self, counts, seed):
        """The stations, with a price at each connector."""
        rate = self.post("/rates", RATE)["_id"]
        made = []
        for number, (protocol, connectors) in enumerate(STATIONS):
            station = self.post("/chargestations", {"name": f"S{number}"})
            cards = [[f"S{number}-{connector}-{turn}" for turn in "AB"] for connector in range(1, connectors + 1)]
            for connector, of_connector in enumerate(cards, 1):
                new = {"number": connector, "power": 350, "power_type": "DC", "rate": rate, "evseId": connector}
                self.post(f"/chargestations/{station['_id']}/connectors", new)
                for card in of_connector:
                    self.post("/tokens", {"physicalId": card})
            made.append(Station(self, counts, station, protocol, cards, random.Random(f"{seed} {number}")))
        return made

    def sessions(self, **which):
        return self.all_of("/sessions", **which)

    def all_of(self, path, **which):
        page, more = 1, True
        while more:
            answer = self.get(path, paginate_limit=1000, paginate_page=page, **which)
            yield from answer["result"]
            page, more = page + 1, answer["hasNextPage"]


def known_as(transaction):
    return transaction.station, transaction.known_by


def by_transaction(sessions):
    """Each session by its station and what that knows it by; none twice."""
    found = {}
    for session in sessions:
        key = session["chargestation"], session["transaction_name"] or session["transaction_id"]
        assert key not in found, f"one transaction, two sessions: {found[key]} and {session}"
        found[key] = session
    return found


def is_near(shown, said):
    """Whether times are the same."""
    return abs(milliseconds(shown) - said) <= 1


def check_readings(site, transaction, session, acknowledged):
    """What was acknowledged is there once, and nothing is there that was not said. A register is never the same twice."""
    reports = site.get(f"/sessions/{session['_id']}/energy_reports")["result"]
    shown = Counter(one["energy_meter"]["value"] for one in reports)
    lost = [one for one in acknowledged if one[1] not in shown]
    assert not lost, f"acknowledged and not there: {lost} of {transaction}, there: {sorted(shown)}"
    doubled = {one: times for one, times in shown.items() if times > 1}
    assert not doubled, f"there more than once: {doubled} of {transaction}"
    said = {register: at for at, register in transaction.said()}
    strange = [one for one in reports if not is_near(one["timestamp"], said.get(one["energy_meter"]["value"], 0))]
    assert not strange, f"never said: {strange} of {transaction}: {sorted(said.items())}"
    times = [milliseconds(one["timestamp"]) for one in reports]
    assert times == sorted(times), "oldest first"


def check_end(transaction, session):
    """Energy and cost are what the station's own numbers come to."""
    metrics, energy = session["metrics"], transaction.meter_stop - transaction.meter_start
    assert session["status"] == "ended", session
    assert (metrics["meterStart"], metrics["energyConsumed"]) == (transaction.meter_start, energy), (transaction, session)
    assert (metrics["energyUnproven"], session["corrections"]) == (0, []), (transaction, session)
    assert not session["flags"], (transaction, session)
    assert is_near(metrics["chargingStart"], transaction.started_at), (transaction, session)
    assert is_near(metrics["chargingStop"], transaction.ended_at), (transaction, session)
    of_energy = Decimal(energy) / 1000
    minutes = Decimal(milliseconds(metrics["chargingStop"]) - milliseconds(metrics["chargingStart"])) / 60_000
    lines = session["cost"]["breakdown"]
    assert sum(Decimal(str(line["quantity"])) for line in lines if line["type"] == "ENERGY") == of_energy, (transaction, session)
    cost = of_energy * Decimal("0.4") + minutes
    assert abs(Decimal(str(session["cost"]["amount"])) - cost) <= Decimal("0.0051"), (cost, transaction, session)


class Memory:
    """What had been acknowledged at an instant."""

    # Transactions that are looked at after each start: those that run, and as many that ended last.
    ENDED = 4

    def __init__(self, counts, log, changed=None):
        self.changed = changed
        transactions = [one for one in list(counts.transactions) if one.is_started]
        running = [one for one in transactions if not one.is_ended]
        self.ended = [one for one in transactions if one.is_ended][-self.ENDED :]
        self.acknowledged = [(one, one.acknowledged()) for one in running + self.ended]
        self.events = list(log.seen)[-300:]

    def check(self, site):
        stations = {one.station for one, _ in self.acknowledged}
        sessions = {}
        for station in stations:
            answer = site.get("/sessions", chargestation=station, paginate_limit=50)
            sessions |= by_transaction(answer["result"])
        for transaction, acknowledged in self.acknowledged:
            session = sessions.get(known_as(transaction))
            assert session, f"no session of {transaction}"
            check_readings(site, transaction, session, acknowledged)
            if transaction in self.ended:
                check_end(transaction, session)
        if self.changed:
            assert site.get(f"/sessions/{self.changed['_id']}")["result"]["meta_data"] == self.changed["meta_data"]
        if self.events:
            cursor = self.events[0]["cursor"]
            there = site.get("/events", after=cursor - 1, limit=1000)["result"][: len(self.events)]
            assert there == self.events, "events that were read before are what they were"


def check_all(site, counts, log):
    """What is stored is what was said, as if the server had never been killed."""
    sessions = by_transaction(site.sessions())
    expected = {known_as(one): one for one in counts.transactions}
    assert sessions.keys() == expected.keys(), "each transaction is one session"
    for key, transaction in expected.items():
        check_readings(site, transaction, sessions[key], transaction.acknowledged())
        check_end(transaction, sessions[key])

    events = list(log.whole())
    cursors = [event["cursor"] for event in events]
    assert all(before < after for before, after in zip(cursors, cursors[1:])), "cursors rise"
    assert len({event["_id"] for event in events}) == len(events)
    assert events[: len(log.seen)] == log.seen, "nothing comes before a cursor that was given out, or changes behind it"
    for kind in ("session.started", "session.ended"):
        of_sessions = Counter(event["data"]["_id"] for event in events if event["type"] == kind)
        assert of_sessions == Counter(session["_id"] for session in sessions.values()), f"one {kind} each"
    ends = {event["data"]["_id"]: event["data"] for event in events if event["type"] == "session.ended"}
    for session in sessions.values():
        end = ends[session["_id"]]
        assert (end["metrics"], end["cost"]) == (session["metrics"], session["cost"]), "what was reported is what stays"
    assert not [event for event in events if event["type"] == "session.corrected"]
    return sessions


async def until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.01)


async def report_while(site, counts, seed, act):
    """Lets stations report while `act` does something to their server, and ends all transactions. Returns the log as it was read."""
    log = Log(site)
    stations = await asyncio.to_thread(site.stations, counts, seed)
    working = asyncio.gather(*(station.work() for station in stations))
    acting = asyncio.ensure_future(act(site, counts, log))
    await asyncio.wait([working, acting], return_when=asyncio.FIRST_COMPLETED)
    if not acting.done():  # a station failed
        await working
    acting.result()
    counts.is_over = True
    await asyncio.wait_for(working, 120)
    log.end()
    return log
