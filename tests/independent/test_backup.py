"""A backup that is made while stations report has everything that was acknowledged before it began, and a server on a store that was
restored raises nothing before it is confirmed. On SQLite and on PostgreSQL.
"""

import asyncio
import os
import pathlib
import signal
import stat
import subprocess
import time

import conftest
import pytest
import requests
from counting import Counts
from stored import Log, Memory, until
from test_balancing import OLD, Depot
from test_killed_stations import OPTIONS, KilledSite

SEED = int(os.environ.get("EVENWATT_SEED", 23))


class Stores:
    """Makes stores: files, or databases of a PostgreSQL server."""

    def __init__(self, folder, postgres):
        self.folder, self.postgres, self.made = folder, postgres, 0

    def new(self):
        self.made += 1
        folder = self.folder / f"store{self.made}"
        folder.mkdir()
        if not self.postgres:
            return folder, {"DATABASE_URL": f"sqlite://{folder}/evenwatt.db"}
        name = f"store{self.made}"
        return folder, {"DATABASE_URL": f"{self.postgres.rsplit('/', 1)[0]}/{name}"}


@pytest.fixture(params=["sqlite", "postgres"])
def stores(request, tmp_path):
    if request.param == "sqlite":
        yield Stores(tmp_path, None)
        return
    made = "createdb --maintenance-db=$TEST_POSTGRES_URL"
    script = f'{made} store1 && {made} store2 && echo "$TEST_POSTGRES_URL"; exec cat'
    command = [conftest.REPOSITORY / "scripts" / "with-postgres", "sh", "-c", script]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield Stores(tmp_path, process.stdout.readline().strip())
    process.stdin.close()
    assert process.wait(timeout=60) == 0


def evenwatt(options, *arguments):
    environment = {"PATH": os.environ["PATH"], **options}
    command = [str(conftest.binary()), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def works(options, *arguments):
    done = evenwatt(options, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stderr


def is_refused(options, *arguments):
    done = evenwatt(options, *arguments)
    assert done.returncode == 1, done
    return done.stderr


class Loaded(KilledSite):
    """A server on a store, with the calls that stations' tests need."""

    def __init__(self, folder, options, key=""):
        self.folder, self.key, self.options = folder, key, OPTIONS | options
        self.start()

    def stop(self):
        conftest.stop(self.process)


async def report_and_back_up(site, counts, options, file):
    """Lets stations report, backs up meanwhile, and answers what had been acknowledged before that began."""
    log = Log(site)
    stations = await asyncio.to_thread(site.stations, counts, SEED)
    working = asyncio.gather(*(station.work() for station in stations))
    await until(lambda: counts.acknowledged > 600 and any(one.is_ended for one in counts.transactions), "no acknowledgements")
    memory, before = Memory(counts, log), counts.acknowledged
    backup = asyncio.create_task(asyncio.to_thread(works, options, "backup", file))
    await backup
    during = counts.acknowledged - before
    await until(lambda: counts.acknowledged > before + during + 100, "stations are not answered after the backup")
    counts.is_over = True
    await asyncio.wait_for(working, 120)
    log.end()
    return memory, log, during


def test_a_backup_under_load_has_everything_that_was_acknowledged(stores, tmp_path):
    folder, options = stores.new()
    file = tmp_path / "evenwatt.backup"
    site, counts = Loaded(folder, options), Counts()
    try:
        memory, log, during = asyncio.run(report_and_back_up(site, counts, options, file))
        assert during > 0 and not counts.refusals, "stations are answered meanwhile"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [one.name for one in tmp_path.iterdir() if "partial" in one.name] == []
        size = file.stat().st_size
        assert "exists" in is_refused(options, "backup", file)
        assert file.stat().st_size == size
        # A server runs on it.
        assert "another server holds the" in is_refused(options, "restore", file, "--replace")
    finally:
        site.stop()
    assert "has data" in is_refused(options, "restore", file)

    elsewhere, there = stores.new()
    said = works(there, "restore", file)
    assert "until they confirm a limit" in said
    assert "has data" in is_refused(there, "restore", file), "it stands now"
    restored = Loaded(elsewhere, there, site.key)
    try:
        memory.check(restored)
        # Nobody waits with a cursor of the store from before for events that come under lower ones.
        newest = max(event["cursor"] for event in log.seen)
        made = restored.post("/locations", {"operatorName": "Later", "address": {}, "coordinates": [4.9, 52.4]})
        events = restored.get("/events", after=newest)["result"]
        assert made["_id"] in [event["data"]["_id"] for event in events], events
    finally:
        restored.stop()

    # What is there is kept beside what comes.
    again = works(there, "restore", file, "--replace")
    assert "what was there is in" in again
    if not stores.postgres:
        assert len(list(elsewhere.glob("evenwatt.db.replaced-*"))) == 1
    restored = Loaded(elsewhere, there, site.key)
    try:
        names = [one["operatorName"] for one in restored.get("/locations")["result"]]
        assert "Later" not in names
        memory.check(restored)
    finally:
        restored.stop()


def test_what_is_no_backup_is_refused_and_changes_nothing(stores, tmp_path):
    folder, options = stores.new()
    assert "there is no store" in is_refused(options, "backup", tmp_path / "none")
    assert not (tmp_path / "none").exists()
    server = Loaded(folder, options)
    server.post("/locations", {"operatorName": "Kept", "address": {}, "coordinates": [4.9, 52.4]})
    good = tmp_path / "good"
    works(options, "backup", good)
    server.stop()
    whole = good.read_bytes()
    wrong = {
        "text": b"no backup of anything",
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "other": b"SQLite format 3\0" if stores.postgres else b"PGDMP\1\16\0",
    }
    if not stores.postgres:
        import sqlite3

        foreign = tmp_path / "foreign.db"
        with sqlite3.connect(foreign) as conn:
            conn.execute("CREATE TABLE apples (id INTEGER)")
        wrong["foreign"] = foreign.read_bytes()
        newer = tmp_path / "newer.db"
        newer.write_bytes(whole)
        with sqlite3.connect(newer) as conn:
            conn.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101120000')")
        wrong["of a newer program"] = newer.read_bytes()
    for name, content in wrong.items():
        file = tmp_path / "wrong"
        file.write_bytes(content)
        said = is_refused(options, "restore", file, "--replace")
        assert "nothing was restored" in said, (name, said)
        assert "newer" not in name or "newer program" in said
    server = Loaded(folder, options, server.key)
    try:
        assert [one["operatorName"] for one in server.get("/locations")["result"]] == ["Kept"]
    finally:
        server.stop()


@pytest.mark.parametrize("stores", ["postgres"], indirect=True)
def test_a_restore_that_fails_leaves_the_database_as_it_was_and_no_password_is_an_argument(stores, tmp_path):
    folder, options = stores.new()
    options["DATABASE_URL"] = options["DATABASE_URL"].replace("postgres@", "postgres:s3cret@")
    arguments = tmp_path / "arguments"
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("pg_dump", "pg_restore"):
        real = max(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
        fails = 'case "$*" in *--single-transaction*) echo "it was made to fail" >&2; exit 1;; esac'
        script = f'#!/bin/sh\necho "$@" >>{arguments}\n{fails}\nexec {real} "$@"\n'
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    server = Loaded(folder, options)
    server.post("/locations", {"operatorName": "Kept", "address": {}, "coordinates": [4.9, 52.4]})
    file = tmp_path / "evenwatt.backup"
    watched = options | {"PATH": f"{programs}:{os.environ['PATH']}"}
    works(watched, "backup", file)
    server.stop()
    said = is_refused(watched, "restore", file, "--replace")
    assert "it was made to fail" in said, said
    server = Loaded(folder, options, server.key)
    try:
        assert [one["operatorName"] for one in server.get("/locations")["result"]] == ["Kept"]
    finally:
        server.stop()
    seen = arguments.read_text()
    assert "--single-transaction" in seen and "--format=custom" in seen and "s3cret" not in seen


def test_after_a_restore_nothing_is_raised_before_it_is_confirmed(stores, tmp_path):
    """The backup says that the first car was given 5 kW. Later it was given 7, and its station is away when the server comes back."""
    folder, options = stores.new()
    file = tmp_path / "evenwatt.backup"

    async def story():
        site = Loaded(folder, options)
        # So that it comes back where stations look for it.
        port = site.server.url.rsplit(":", 1)[1]
        depot = Depot(site.server, OLD[:2], capacity=10)
        await depot.connect_all()
        first, second = (link.station for link in depot.links)
        await first.plug_in()
        await second.plug_in()
        await depot.settles(5, 5)
        await asyncio.to_thread(works, options, "backup", file)
        await second.unplug()
        await depot.settles(7)
        site.process.send_signal(signal.SIGKILL)
        site.process.wait()
        transaction = first.transaction
        await asyncio.gather(*(link.lose() for link in depot.links))
        assert first.limit_kw() > 6.9

        await asyncio.to_thread(works, options, "restore", file, "--replace")
        again = await asyncio.to_thread(serve, folder, options, port)
        try:
            second = await depot.links[1].connect()
            await second.plug_in()
            # Of 10 kW the first may be drawing 7, and the second needs 5.
            for _ in range(160):
                assert first.limit_kw() + second.limit_kw() <= 10.001, (first.limit_kw(), second.limit_kw())
                await asyncio.sleep(0.05)
            assert second.limit_kw() == 0
            first = await depot.links[0].connect(boot=False)
            first.transaction = transaction
            deadline = time.monotonic() + 60
            while (round(first.limit_kw(), 1), round(second.limit_kw(), 1)) != (5.0, 5.0):
                assert first.limit_kw() + second.limit_kw() <= 10.001, (first.limit_kw(), second.limit_kw())
                assert time.monotonic() < deadline, (first.limit_kw(), second.limit_kw())
                await asyncio.sleep(0.02)
            await depot.close()
        finally:
            conftest.stop(again)

    asyncio.run(asyncio.wait_for(story(), 150))


def serve(folder, options, port):
    environment = {"PATH": os.environ["PATH"], "EVENWATT_STORE_SYNCHRONOUS": "normal", **options}
    with (folder / "log2.txt").open("w") as log:
        command = [str(conftest.binary()), "--listen", f"127.0.0.1:{port}"]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            requests.get(f"http://127.0.0.1:{port}/healthz", timeout=1)
            return process
        except requests.RequestException:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError((folder / "log2.txt").read_text())
