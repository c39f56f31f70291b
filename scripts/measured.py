"""A server that is measured: started from its release build on a free port of loopback, in a folder that goes away with it.

For scripts/load and scripts/memory. EVENWATT_BINARY names another binary.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]


def binary() -> pathlib.Path:
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    return pathlib.Path(os.environ.get("EVENWATT_BINARY", target / "release" / "evenwatt")).resolve()


class Server:
    """One server; it can be stopped and started again on the same store."""

    def __init__(self, folder: pathlib.Path, database: str = "", **options: str):
        self.folder, self.options, self.key, self.process = folder, options, "", None
        self.database = database or f"sqlite://{folder}/evenwatt.db"

    def start(self) -> None:
        environment = {"PATH": os.environ["PATH"], "DATABASE_URL": self.database, **self.options}
        said, log = self.folder / "said", self.folder / "log"
        with said.open("w") as out, log.open("w") as err:
            command = [str(binary()), "--listen", "127.0.0.1:0"]
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=out, stderr=err)
        deadline = time.monotonic() + 60
        while "curl" not in said.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {said.read_text()}{log.read_text()}")
            time.sleep(0.05)
        greeting = said.read_text()
        self.url = re.search(r"http://[\d.]+:\d+", greeting).group()
        key = re.search(r"ew_live_\w+", greeting)
        self.key = key.group() if key else self.key

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
            self.process = None

    def get(self, path: str) -> bytes:
        """The answer to a request, with the key."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.key}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def post(self, path: str, body: dict) -> dict:
        """What was made."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/v1.1{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["result"]

    def resident_mb(self) -> float:
        """Memory that it occupies, in MB (10^6 bytes)."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024 / 1e6


@contextlib.contextmanager
def running(database: str = "", **options: str):
    """A server that runs."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(pathlib.Path(folder), database, **options)
        try:
            server.start()
            yield server
        finally:
            server.stop()
