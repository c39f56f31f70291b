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
import time
from collections import Counter

import conftest
import pytest
import requests
from counting import Counts
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
from stored import Memory, Site, check_all, report_while, until

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

OPTIONS = {
    # Where it is killed there must be a step for everything that makes a commit durable.
    "EVENWATT_STORE_SYNCHRONOUS": "full",
    "EVENWATT_OCPP_MESSAGES_PER_SECOND": "10000",
    "EVENWATT_OCPP_MESSAGES_BURST": "10000",
}


class KilledSite(Site):
    """A server that comes back after each kill, on another port."""

    def __init__(self, folder, postgres=None):
        self.folder, self.key, self.process, self.server = folder, "", None, None
        port = int(re.search(r":(\d+)/", postgres).group(1)) if postgres else 0
        self.failpoints = Failpoints(folder, port)
        self.options = OPTIONS | self.failpoints.options | ({"DATABASE_URL": postgres} if postgres else {})
        self.start()

    def start(self):
        self.process, self.server = conftest.start(self.folder, self.key, **self.options)
        self.key = self.server.api_key


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
    site = KilledSite(folder, postgres)
    counts = Counts()

    try:
        log = asyncio.run(report_while(site, counts, seed, act))
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
