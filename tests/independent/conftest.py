"""The server as a program of others meets it: started from its binary, reached only over the network.

Nothing here knows the code; what these tests say is read from the public documents and from other people's libraries.
"""

import os
import pathlib
import re
import signal
import subprocess
import time
from dataclasses import dataclass

import pytest
import requests

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def binary() -> pathlib.Path:
    """The debug build, where cargo puts it, or the one that EVENWATT_BINARY names."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    return pathlib.Path(os.environ.get("EVENWATT_BINARY", target / "debug" / "evenwatt"))


@dataclass
class Server:
    """A running server and a key that may do everything."""

    url: str
    api_key: str
    folder: pathlib.Path

    @property
    def api(self) -> str:
        return f"{self.url}/v1.1"

    @property
    def websocket_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    def client(self) -> requests.Session:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.api_key}"
        return session


def start(folder: pathlib.Path, api_key: str = "", **options: str):
    """Starts a server in a folder of its own; options are environment variables. At a second start no key is shown."""
    environment = {
        "PATH": os.environ["PATH"],
        "EVENWATT_STORE_SYNCHRONOUS": "normal",
        # A test that fires as fast as it can must meet the API, not its rate limit.
        "EVENWATT_HTTP_RATE_PER_SECOND": "100000",
        "EVENWATT_HTTP_RATE_BURST": "100000",
        **options,
    }
    said, log = folder / "said.txt", folder / "log.txt"
    with said.open("w") as out, log.open("w") as err:
        command = [str(binary()), "--listen", "127.0.0.1:0"]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=err)
    deadline = time.monotonic() + 30
    while "curl" not in said.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"the server did not start: {said.read_text()}{log.read_text()}")
        time.sleep(0.05)
    greeting = said.read_text()
    url = re.search(r"http://[\d.]+:\d+", greeting).group()
    key = re.search(r"ew_live_\w+", greeting)
    return process, Server(url, key.group() if key else api_key, folder)


def stop(process: subprocess.Popen) -> None:
    """Stops it gently; a server that does not end is a failure of its own."""
    process.send_signal(signal.SIGTERM)
    try:
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests that do not mind each other."""
    process, running = start(tmp_path_factory.mktemp("server"))
    yield running
    stop(process)


@pytest.fixture
def own_server(tmp_path):
    """A server for one test alone."""
    process, running = start(tmp_path)
    yield running
    stop(process)


@pytest.fixture
def client(server):
    """An integrator's client of the shared server."""
    with server.client() as session:
        yield session
