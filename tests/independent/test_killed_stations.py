"""A server that is killed at every step by which it stores what stations report loses nothing that it acknowledged and counts
nothing twice; one whose disk is full says so, and goes on when there is room.

`EVENWATT_KILLS` says how often it is killed (a step fails a tenth as often), `EVENWATT_SEED` how the stations behave and where it
is killed.
"""

import asyncio
import os
import random
import re
import subprocess
import threading
import time
from collections import Counter
from decimal import Decimal

import conftest
import pytest
import requests
from counting import Counts, Station, milliseconds
from failpoints import (
    AFTER,
    ANSWER,
    BEFORE,
    FAILED,
    FILE_SYNC,
    FILE_WRITE,
    HALF,
    LOG_SYNC,
    LOG_WRITE,
    POSTGRES_RECEIVE,
    POSTGRES_SEND,
    STEPS,
    Failpoints,
)

KILLS = int(os.environ.get("EVENWATT_KILLS", 30))
SEED = int(os.environ.get("EVENWATT_SEED", 17))

# Where it is killed, in turn, each with the most steps of this kind until then: some commits, or a checkpoint.
EITHER, ANY = (BEFORE, AFTER), (BEFORE, HALF, AFTER)
AT_RANDOM, AS_IT_STARTS = "at random", "as it starts"
ON_SQLITE = [
    *((LOG_WRITE, how, 120) for how in ANY),
    *((LOG_SYNC, how, 12) for how in EITHER),
    (AS_IT_STARTS, (LOG_WRITE, AFTER), 12),
    *((FILE_WRITE, how, 60) for how in ANY),
    (ANSWER, BEFORE, 40),
    *((FILE_SYNC, how, 1) for how in EITHER),
    (AS_IT_STARTS, (LOG_SYNC, BEFORE), 4),
    (ANSWER, AFTER, 40),
    (AT_RANDOM, BEFORE, 0),
]
ON_POSTGRES = [
    *((POSTGRES_SEND, how, 120) for how in ANY),
    (AS_IT_STARTS, (POSTGRES_SEND, AFTER), 120),
    *((POSTGRES_RECEIVE, how, 120) for how in EITHER),
    (ANSWER, BEFORE, 40),
    (AT_RANDOM, BEFORE, 0),
    *((POSTGRES_SEND, how, 400) for how in EITHER),
    (AS_IT_STARTS, (POSTGRES_RECEIVE, BEFORE), 120),
    (ANSWER, AFTER, 40),
]
# How often a step fails while the server goes on.
FAILURES = 6 + KILLS // 10
# A step that does not come is not waited for any longer.
COMES_WITHIN = 8

RATE = {
    "name": "By energy and time",
    "currency": "EUR",
    # A minute costs the same, whatever the car does in it.
    "price_components": [{"type": kind, "price": price} for kind, price in (("ENERGY", 0.4), ("TIME", 60), ("PARKING_TIME", 60))],
}
# The protocol and the connectors of each.
STATIONS = [("ocpp1.6", 2), ("ocpp2.0.1", 1), ("ocpp1.6", 1), ("ocpp2.0.1", 2), ("ocpp1.6", 1)] * 2
OPTIONS = {
    # Where it is killed there must be a step for everything that makes a commit durable.
    "EVENWATT_STORE_SYNCHRONOUS": "full",
    "EVENWATT_OCPP_MESSAGES_PER_SECOND": "10000",
    "EVENWATT_OCPP_MESSAGES_BURST": "10000",
}


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
    """A server that comes back after each kill, on another port, and what its clients know."""

    def __init__(self, folder, postgres=None):
        self.folder, self.key, self.process, self.server = folder, "", None, None
        port = int(re.search(r":(\d+)/", postgres).group(1)) if postgres else 0
        self.failpoints = Failpoints(folder, port)
        self.options = OPTIONS | self.failpoints.options | ({"DATABASE_URL": postgres} if postgres else {})
        self.start()

    def start(self):
        self.process, self.server = conftest.start(self.folder, self.key, **self.options)
        self.key = self.server.api_key

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
        page, more = 1, True
        while more:
            answer = self.get("/sessions", paginate_limit=1000, paginate_page=page, **which)
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


async def kill(site, counts, log, where, chance):
    """Changes a session over the API, kills the server at a step while stations report, and starts it again. Returns what
    ended it."""
    step, how, most = where
    failpoints, before = site.failpoints, counts.acknowledged
    await until(lambda: counts.acknowledged > before + 60, f"stations are not answered: {counts.refusals[-3:]}")
    await asyncio.sleep(chance.uniform(0, 0.5))
    changed = await asyncio.to_thread(site.change_one, chance)
    is_forced = step in (AT_RANDOM, AS_IT_STARTS)
    if not is_forced:
        failpoints.end_at(step, how, chance.randint(1, most))
        deadline = time.monotonic() + COMES_WITHIN
        while site.process.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
    if step == AT_RANDOM and chance.random() < 0.5:  # while it stops gently
        site.process.terminate()
        await asyncio.sleep(chance.uniform(0, 0.3))
    if site.process.poll() is None:
        site.process.kill()
    site.process.wait()
    ended_by = AT_RANDOM if is_forced or not failpoints.came else (step, how)
    failpoints.disarm()
    if step == AS_IT_STARTS:
        failpoints.end_at(*how, chance.randint(1, most))
        try:
            await asyncio.to_thread(site.start)
        except RuntimeError:
            ended_by = AS_IT_STARTS
        else:  # it came through, and is killed in its first moments
            await asyncio.sleep(chance.uniform(0, 0.2))
            site.process.kill()
            site.process.wait()
        failpoints.disarm()
    memory = Memory(counts, log, changed)
    await asyncio.to_thread(site.start)
    await asyncio.to_thread(memory.check, site)
    return ended_by


def loaded(folder, postgres, seed, act):
    """Lets stations report to a server while `act` does something to it, then compares everything, before and after one more
    kill."""
    site = Site(folder, postgres)
    counts = Counts()

    async def play():
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
        return log

    try:
        log = asyncio.run(play())
        log.end()
        before = check_all(site, counts, log)
        site.process.kill()
        site.process.wait()
        site.start()
        assert check_all(site, counts, log) == before, "what memory had is what is stored"
        readings = sum(len(transaction.acknowledged()) for transaction in counts.transactions)
        print(
            f"{len(before)} transactions, {readings} readings, {counts.acknowledged} messages acknowledged, {counts.in_doubt} in "
            f"doubt, {len(counts.refusals)} refused, {len(log.seen)} events; {site.failpoints.seen()}"
        )
    except BaseException:
        print(f"seed {seed}, in {folder}: {(folder / 'log.txt').read_text()[-4000:]}")
        raise
    finally:
        site.process.kill()


@pytest.fixture
def postgres():
    """A PostgreSQL server for one test; its address."""
    command = [conftest.REPOSITORY / "scripts" / "with-postgres", "sh", "-c", 'echo "$TEST_POSTGRES_URL"; exec cat']
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().strip()
    process.stdin.close()
    assert process.wait(timeout=60) == 0


def kill_often(folder, postgres, places, seed):
    ended_by = Counter()

    async def act(site, counts, log):
        chance = random.Random(seed)
        for number in range(KILLS):
            where = places[number % len(places)]
            ended_by[await kill(site, counts, log, where, chance)] += 1

    loaded(folder, postgres, seed, act)
    print(ended_by)
    assert sum(ended_by.values()) == KILLS
    wanted = {(step, how) if step in STEPS else step for step, how, _ in places}
    if KILLS >= len(places):
        missed = wanted - ended_by.keys() - {AS_IT_STARTS, AT_RANDOM}
        assert not missed, f"steps at which it never ended: {[(STEPS[step], how) for step, how in missed]}"


def test_nothing_is_lost_or_counted_twice_on_sqlite(tmp_path):
    kill_often(tmp_path, None, ON_SQLITE, SEED)


def test_nothing_is_lost_or_counted_twice_on_postgres(tmp_path, postgres):
    kill_often(tmp_path, postgres, ON_POSTGRES, SEED)


def fail_often(folder, postgres, steps, seed):
    """Steps that fail while the server goes on: whether such a commit was made is not known at once, and stations are refused."""

    async def act(site, counts, log):
        chance, failpoints = random.Random(seed), site.failpoints
        for number in range(FAILURES):
            before = counts.acknowledged
            await until(lambda: counts.acknowledged > before + 60, f"stations are not answered: {counts.refusals[-3:]}")
            step, most = steps[number % len(steps)]
            failpoints.end_at(step, FAILED, chance.randint(1, most))
            await until(lambda: failpoints.came, f"no {STEPS[step]}")
            failpoints.disarm()
            if number % 3 == 2:
                await asyncio.sleep(chance.uniform(0, 0.1))
                site.process.kill()
                site.process.wait()
                await asyncio.to_thread(site.start)
            assert site.process.poll() is None, "a failure ends nothing"
            await asyncio.to_thread(Memory(counts, log).check, site)
        assert {code for code, *_ in counts.refusals} <= {"InternalError"}, counts.refusals[-3:]

    loaded(folder, postgres, seed, act)


def test_a_write_or_fsync_that_fails_loses_nothing(tmp_path):
    commits = [(LOG_WRITE, 120), (LOG_SYNC, 12)]
    fail_often(tmp_path, None, [*commits, (FILE_WRITE, 60), *commits, (FILE_SYNC, 1)], SEED)


def test_a_connection_to_postgres_that_breaks_loses_nothing(tmp_path, postgres):
    fail_often(tmp_path, postgres, [(POSTGRES_SEND, 120), (POSTGRES_RECEIVE, 120)], SEED)


async def becomes(site, wanted):
    """Waits until the server says of itself that its store is so."""
    deadline, shown = time.monotonic() + 15, None
    while shown != wanted:
        assert time.monotonic() < deadline, shown
        await asyncio.sleep(0.2)
        answer = await asyncio.to_thread(requests.get, f"{site.server.url}/readyz", timeout=10)
        shown = answer.status_code, answer.json()["store"]


def test_a_full_disk_is_said_and_nothing_acknowledged_is_lost(tmp_path):
    async def act(site, counts, log):
        orders = site.failpoints.orders
        for number, room in enumerate((0, 30_000, 5_000)):  # bytes that still fit
            before = counts.acknowledged
            await until(lambda: counts.acknowledged > before + 100, "stations are not answered")
            refused, orders.room = len(counts.refusals), room
            await until(lambda: len(counts.refusals) > refused + 5, "nobody is refused")
            await becomes(site, (503, "failing"))
            # What was acknowledged is read as before, and what is written over the API is refused.
            await asyncio.to_thread(Memory(counts, log).check, site)
            with pytest.raises(AssertionError, match="\"code\""):
                await asyncio.to_thread(site.post, "/tokens", {"physicalId": f"FULL-{number}"})
            said = (site.folder / "log.txt").read_text()
            assert "disk is full" in said or "No space left" in said, said[-2000:]
            if number % 2:
                site.process.kill()
                site.process.wait()
                orders.room = -1
                await asyncio.to_thread(site.start)
            orders.room = -1
            await becomes(site, (200, "ready"))
        assert {code for code, *_ in counts.refusals} == {"InternalError"}, counts.refusals[-3:]

    loaded(tmp_path, None, SEED, act)
