"""Nodes of a cluster as processes of their own, on one PostgreSQL. Whatever is between two of them can be cut, in one direction too.

Each node has a role of its own in PostgreSQL, whose triggers note who wrote when: so it is seen that nobody writes but who leads.
"""

import asyncio
import os
import pathlib
import random
import re
import secrets
import signal
import socket
import subprocess
import threading
import time
from itertools import groupby

import conftest
import pytest
import requests
from stored import Site

SECRET = secrets.token_hex(20)
NAMES = ("n1", "n2", "n3")
# How long a node may take to start, and a leader to be followed, on a busy machine.
STARTS_WITHIN, LEADS_WITHIN = 60, 40
# What the systems of nodes make of another that says nothing: no connection after so long, and after so long an end of those that were.
CONNECTS_WITHIN, SILENT_FOR = 2, 10
OPTIONS = {
    # A test that is as fast as it can be must meet the cluster, not its limits.
    "EVENWATT_HTTP_RATE_PER_SECOND": "100000",
    "EVENWATT_HTTP_RATE_BURST": "100000",
    "EVENWATT_OCPP_MESSAGES_PER_SECOND": "10000",
    "EVENWATT_OCPP_MESSAGES_BURST": "10000",
    "EVENWATT_OCPP_CONNECTS_PER_MINUTE": "100000",
    "EVENWATT_OCPP_CONNECTS_BURST": "100000",
    "EVENWATT_WEBHOOKS_ALLOW_PRIVATE": "true",
    "EVENWATT_WEBHOOKS_ALLOW_HTTP": "true",
}
WATCHED = """
CREATE SCHEMA watched;
CREATE TABLE watched.writes (at timestamptz, writer text, relation text);
CREATE TABLE watched.leads (at timestamptz, node text, term bigint);
CREATE FUNCTION watched.note_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO watched.writes VALUES (clock_timestamp(), session_user, TG_TABLE_NAME); RETURN NULL;
END $$;
CREATE FUNCTION watched.note_lead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO watched.leads VALUES (clock_timestamp(), NEW.name, NEW.term); RETURN NULL;
END $$;
DO $$ DECLARE one text; BEGIN
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'nodes' LOOP
        EXECUTE format('CREATE TRIGGER watched AFTER INSERT OR UPDATE OR DELETE ON public.%I
            FOR EACH STATEMENT EXECUTE FUNCTION watched.note_write()', one);
    END LOOP;
END $$;
CREATE TRIGGER watched AFTER UPDATE ON nodes FOR EACH ROW
    WHEN (NEW.term IS DISTINCT FROM OLD.term AND NEW.term IS NOT NULL) EXECUTE FUNCTION watched.note_lead();
INSERT INTO watched.leads SELECT leads_since, name, term FROM nodes WHERE term IS NOT NULL;
"""


def until(condition, what, within):
    """Waits for a condition, and answers what it came to."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.02)
    return found


def free_port():
    """One that no outgoing connection is given while nobody listens there."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Postgres:
    """A PostgreSQL server that can be stopped, started again on the same data, and halted."""

    def __init__(self):
        command = [conftest.REPOSITORY / "scripts" / "with-postgres", "sh", "-c", 'echo "$TEST_POSTGRES_URL $TEST_POSTGRES_PID"; exec cat']
        self.keeper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        url, self.pid = self.keeper.stdout.readline().split()
        self.port, self.again = int(re.search(r":(\d+)/", url).group(1)), None
        process = pathlib.Path("/proc", self.pid)
        self.command = process.joinpath("cmdline").read_text().rstrip("\0").split("\0")
        self.user, self.group = process.stat().st_uid, process.stat().st_gid
        self.programs = pathlib.Path(self.command[0]).parent
        self.sql("postgres", "".join(f"CREATE ROLE {name} SUPERUSER LOGIN;" for name in NAMES))

    def sql(self, database, text):
        """What psql answers: a list of the columns of each row."""
        command = [self.programs / "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        answer = subprocess.run([*command, database, "-c", text], capture_output=True, text=True, timeout=60)
        assert answer.returncode == 0, answer.stderr
        return [line.split("|") for line in answer.stdout.splitlines()]

    def is_up(self):
        return subprocess.run([self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0

    def processes(self):
        children = subprocess.run(["pgrep", "-P", self.pid], capture_output=True, text=True).stdout.split()
        return [int(self.pid), *map(int, children)]

    def signal_all(self, sent):
        for process in self.processes():
            try:
                os.kill(process, sent)
            except ProcessLookupError:  # it ended meanwhile
                pass

    def halt(self):
        self.signal_all(signal.SIGSTOP)
        self.signal_all(signal.SIGSTOP)  # whoever was just born

    def go_on(self):
        self.signal_all(signal.SIGCONT)

    def stop(self):
        os.kill(int(self.pid), signal.SIGINT)
        if self.again:
            self.again.wait(timeout=30)
        status = pathlib.Path("/proc", self.pid, "stat")
        until(lambda: not status.exists() or ") Z " in status.read_text(), "PostgreSQL does not stop", 30)

    def start(self):
        owner = {"user": self.user, "group": self.group, "extra_groups": []} if os.geteuid() == 0 else {}
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.again = subprocess.Popen(self.command, cwd="/", **owner, **quiet)
        self.pid = str(self.again.pid)
        until(self.is_up, "PostgreSQL does not start", 30)

    def close(self):
        self.go_on()
        if self.again:
            self.stop()
        self.keeper.stdin.close()
        assert self.keeper.wait(timeout=60) == 0


class Wire:
    """A way to a port of this machine. Either direction can be cut, for one node or for all: what is said meanwhile arrives when it is
    whole again, as TCP has it, unless the nodes at its ends gave it up meanwhile."""

    loop = None

    def __init__(self, to, nodes=()):
        self.to, self.nodes, self.calls, self.open = to, nodes, 0, set()
        if Wire.loop is None:
            Wire.loop = asyncio.new_event_loop()
            threading.Thread(target=Wire.loop.run_forever, daemon=True).start()
        self.port = self.run(self.begin())

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, Wire.loop).result(timeout=30)

    async def begin(self):
        self.ways = {name: (asyncio.Event(), asyncio.Event()) for name in ("", *NAMES)}
        self.set_all(True, self.ways)
        self.server = await asyncio.start_server(self.connected, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def connected(self, reader, writer):
        name = self.who(writer.get_extra_info("peername")[1]) if self.nodes else ""
        there, back = self.ways[name]
        try:
            async with asyncio.timeout(CONNECTS_WITHIN if self.nodes else None):
                await there.wait(), await back.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except (OSError, TimeoutError):
            return writer.transport.abort()
        connection = (name, writer, far_writer)
        self.open.add(connection)
        await asyncio.gather(self.pump(reader, far_writer, there, lambda _: None), self.pump(far_reader, writer, back, self.hear))
        self.open.discard(connection)

    def who(self, port):
        """Whose process has this end of a connection."""
        lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        ends = (f"{port:04X}", f"{self.port:04X}")
        sockets = {f"socket:[{line[9]}]" for line in lines if (line[1][-4:], line[2][-4:]) == ends}
        for node in filter(lambda node: node.is_running, self.nodes):
            for opened in pathlib.Path("/proc", str(node.process.pid), "fd").iterdir():
                try:
                    if os.readlink(opened) in sockets:
                        return node.name
                except OSError:  # it was closed meanwhile
                    pass
        return ""

    async def pump(self, reader, writer, flows, hear):
        try:
            while True:
                data = await reader.read(65_536)
                await flows.wait()
                if not data:
                    break
                hear(data)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    def hear(self, data):
        """Counts the calls that are made from there: a frame of a server is not masked, and nothing is compressed between nodes."""
        self.calls += data.count(b'[2,"')

    def set_all(self, flows, names, there=True, back=True):
        for name in names:
            for way, is_meant in zip(self.ways[name], (there, back)):
                if is_meant:
                    way.set() if flows else way.clear()

    def cut(self, there=True, back=True, of=None):
        async def now():
            self.set_all(False, [of.name] if of else self.ways, there, back)
            if self.nodes:
                asyncio.create_task(self.give_up())

        self.run(now())

    async def give_up(self):
        """Ends connections between nodes as their systems do that hear nothing from the other side."""
        await asyncio.sleep(SILENT_FOR)
        for name, *writers in list(self.open):
            if not all(way.is_set() for way in self.ways[name]):
                [writer.transport.abort() for writer in writers]

    def repair(self):
        async def now():
            self.set_all(True, self.ways)

        self.run(now())

    def close(self):
        async def now():
            self.set_all(True, self.ways)
            self.server.close()
            for _, *writers in list(self.open):
                [writer.transport.abort() for writer in writers]

        self.run(now())


class Node:
    """One process, at the same addresses whenever it runs."""

    def __init__(self, cluster, name, **options):
        self.cluster, self.name, self.process, self.is_halted, self.starts = cluster, name, None, False, []
        self.http, self.listen = free_port(), free_port()
        self.url, self.folder = f"http://127.0.0.1:{self.http}", cluster.folder
        # Between this node and PostgreSQL; between the leader and those who pass on to it, when this one leads.
        self.to_postgres, self.to_leader = Wire(cluster.postgres.port), Wire(self.listen, cluster.nodes)
        self.options = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": f"postgres://{name}@127.0.0.1:{self.to_postgres.port}/{cluster.database}",
            "EVENWATT_HTTP_LISTEN": f"127.0.0.1:{self.http}",
            "EVENWATT_CLUSTER_NODE": name,
            "EVENWATT_CLUSTER_LISTEN": f"127.0.0.1:{self.listen}",
            "EVENWATT_CLUSTER_ADDRESS": f"http://127.0.0.1:{self.to_leader.port}",
            "EVENWATT_CLUSTER_SECRET": SECRET,
            **OPTIONS,
            **options,
        }

    @property
    def api(self):
        return f"{self.url}/v1.1"

    @property
    def websocket_url(self):
        return self.url.replace("http", "ws", 1)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def begin(self, program=None):
        """Starts the process, and does not wait for it."""
        assert not self.is_running
        with self.log.open("a") as log, self.said.open("a") as said:
            command = [str(program or conftest.binary())]
            self.process = subprocess.Popen(command, cwd=self.folder, env=self.options, stdout=said, stderr=log)
        self.starts.append(time.time())

    @property
    def log(self):
        return self.folder / f"{self.name}.log"

    @property
    def said(self):
        return self.folder / f"{self.name}.said"

    def start(self, program=None):
        self.begin(program)
        until(lambda: self.ready()[0] == 200 or not self.is_running, lambda: f"{self.name} is {self.ready()}", STARTS_WITHIN)
        assert self.is_running, self.log.read_text()[-2000:]

    def ready(self):
        """What it says of itself: the status, and the rest."""
        try:
            answer = requests.get(f"{self.url}/readyz", timeout=5)
            return answer.status_code, answer.json()
        except (requests.RequestException, ValueError):
            return 0, {}

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.is_halted = False

    def halt(self):
        self.process.send_signal(signal.SIGSTOP)
        self.is_halted = True

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)
        self.is_halted = False

    def stop(self, within=60):
        """Stops it gently; answers its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=within)


class Cluster(Site):
    """Three nodes. Its clients ask any that runs, and ask again where one did not answer."""

    def __init__(self, folder, postgres, **options):
        self.folder, self.postgres, self.key = folder, postgres, ""
        self.database = f"cluster_{secrets.token_hex(4)}"
        postgres.sql("postgres", f"CREATE DATABASE {self.database}")
        self.chance = random.Random(self.database)
        self.nodes, self.left_alone = [], {}
        self.nodes += [Node(self, name, **options) for name in NAMES]
        for node in self.nodes:
            node.begin()
        self.leader()
        self.key = until(self.greeting, self.logs, STARTS_WITHIN)
        for node in self.nodes:
            until(lambda: node.ready()[0] == 200, self.logs, STARTS_WITHIN)
        self.sql(WATCHED)

    def sql(self, text):
        return self.postgres.sql(self.database, text)

    def greeting(self):
        said = "".join(node.said.read_text() for node in self.nodes)
        found = re.search(r"ew_live_\w+", said)
        return found and found.group()

    def logs(self):
        lines = lambda node: [line for line in node.log.read_text().splitlines() if "connection changed" not in line]
        return "\n".join("\n".join([f"{node.name}:", *lines(node)[-25:]]) for node in self.nodes)

    def node(self, name):
        return next(node for node in self.nodes if node.name == name)

    @property
    def living(self):
        return [node for node in self.nodes if node.is_running and not node.is_halted]

    @property
    def server(self):
        """Any node."""
        return self.chance.choice(self.living or self.nodes)

    def leader(self, other_than=None, within=LEADS_WITHIN):
        """Waits until somebody leads and answers, as a node that lives has it."""

        def leads():
            for node in self.living:
                status, said = node.ready()
                if status == 200 and said["leader"] != (other_than and other_than.name):
                    return self.node(said["leader"])
            return None

        return until(leads, lambda: f"nobody leads: {self.logs()}", within)

    def led_since(self):
        """When the last one began to lead, by the clock of this machine."""
        return float(self.sql("SELECT extract(epoch FROM at) FROM watched.leads ORDER BY at DESC LIMIT 1")[0][0])

    def followers(self):
        leader = self.leader()
        return [node for node in self.living if node is not leader]

    def call(self, method, path, **more):
        """Asks any node, and another one where that does not answer, as behind a proxy that leaves such a node alone for a while."""
        headers = self.headers() | more.pop("headers", {})
        if method == "POST":
            headers.setdefault("Idempotency-Key", secrets.token_hex(12))
        deadline = time.monotonic() + LEADS_WITHIN
        while True:
            now = time.monotonic()
            node = self.chance.choice([node for node in self.living if self.left_alone.get(node, now) <= now] or self.nodes)
            try:
                answer = requests.request(method, node.api + path, headers=headers, timeout=20, **more)
                if answer.ok or now > deadline or not self.may_repeat(answer):
                    assert answer.ok, answer.text
                    return answer.json()
            except (requests.RequestException, ValueError):
                if now > deadline:
                    raise
            self.left_alone[node] = time.monotonic() + 15
            time.sleep(0.05)

    @staticmethod
    def may_repeat(answer):
        return answer.status_code == 503 or '"request_in_progress"' in answer.text

    @property
    def api(self):
        return self.server.api

    def headers(self):
        return {"Authorization": f"Bearer {self.key}"}

    def client(self):
        """One that asks once."""
        session = requests.Session()
        session.headers.update(self.headers())
        return session

    def shown(self):
        """The nodes as the API has them, by name."""
        return {node["name"]: node for node in self.get("/nodes")["result"]}

    def check_writers(self):
        """Nobody wrote after another had begun to, unless it led again, or was started and killed before it said that it leads."""
        leads = [(node, float(at)) for node, at in self.sql("SELECT node, extract(epoch FROM at) FROM watched.leads ORDER BY at")]
        rows = self.sql("SELECT writer, extract(epoch FROM at) FROM watched.writes WHERE writer <> 'postgres' ORDER BY at")
        runs = [(writer, [float(at) for _, at in some]) for writer, some in groupby(rows, lambda row: row[0])]
        for (_, before), (writer, times) in zip(runs, runs[1:]):
            starts = [at for at in self.node(writer).starts if before[0] < at]
            led = [at for node, at in leads if node == writer and before[0] < at <= times[-1]]
            assert led or starts, f"{writer} wrote {len(times)} times from {times[0]} on, and did not lead: {leads}"
        return [writer for writer, _ in runs]

    def end(self):
        for node in self.nodes:
            if node.is_running:
                node.kill()
            node.to_postgres.close()
            node.to_leader.close()
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        self.postgres.sql("postgres", f"DROP DATABASE {self.database}")

    def all_are_well(self, within=40):
        """Waits until every node is ready, and all say the same of who leads."""

        def are_well():
            said = [node.ready() for node in self.nodes]
            return {status for status, _ in said} == {200} and len({one["leader"] for _, one in said}) == 1

        until(are_well, lambda: f"{[node.ready() for node in self.nodes]}: {self.logs()}", within)


@pytest.fixture(scope="module")
def database():
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def cluster(tmp_path, database, request):
    """Three nodes that live, on a store of their own; at the end it is looked who wrote."""
    nodes = Cluster(tmp_path, database, **getattr(request, "param", {}))
    try:
        yield nodes
        nodes.check_writers()
    finally:
        print(nodes.logs())  # shown where the test failed
        nodes.end()
