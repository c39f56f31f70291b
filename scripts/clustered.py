"""Nodes of a cluster on loopback, each a process of its own, for scripts/cluster-demo and scripts/bench-cluster.

EVENWATT_BINARY names another program than the release build.
"""

import json
import os
import pathlib
import random
import re
import secrets
import socket
import subprocess
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
OPTIONS = {
    "EVENWATT_CLUSTER_SECRET": secrets.token_hex(20),
    "EVENWATT_HTTP_RATE_PER_SECOND": "1000000",
    "EVENWATT_HTTP_RATE_BURST": "1000000",
    "EVENWATT_OCPP_CONNECTS_PER_MINUTE": "1000000",
    "EVENWATT_OCPP_CONNECTS_BURST": "1000000",
}


def binary():
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    return pathlib.Path(os.environ.get("EVENWATT_BINARY", target / "release" / "evenwatt")).resolve()


def free_port():
    """One that no outgoing connection is given meanwhile."""
    while True:
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", random.randint(20_000, 32_000)))
            except OSError:
                continue
            return tried.getsockname()[1]


class Node:
    """One process of the cluster."""

    def __init__(self, name, folder, public):
        self.name, self.folder, self.process = name, folder, None
        self.port, self.is_ready = free_port(), False
        self.options = OPTIONS | {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": os.environ["TEST_POSTGRES_URL"],
            "EVENWATT_HTTP_LISTEN": f"127.0.0.1:{self.port}",
            "EVENWATT_HTTP_PUBLIC_URL": public,
            "EVENWATT_CLUSTER_NODE": name,
            "EVENWATT_CLUSTER_LISTEN": f"127.0.0.1:{free_port()}",
        }

    def start(self):
        with (self.folder / f"{self.name}.said").open("a") as said, (self.folder / f"{self.name}.log").open("a") as log:
            self.process = subprocess.Popen([binary()], cwd=self.folder, env=self.options, stdout=said, stderr=log)

    def key(self):
        return re.search(r"ew_live_\w+", (self.folder / f"{self.name}.said").read_text())

    def text(self, path, key="", body=None, within=60):
        """What it answers."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body and json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=within) as answer:
            return answer.read().decode()

    def ask(self, path, key="", within=5):
        return json.loads(self.text(path, key, None, within))

    def post(self, path, key, body):
        return json.loads(self.text(path, key, body))

    def is_up(self):
        """Whether it can be given requests."""
        try:
            return self.ask("/readyz")["ok"]
        except (OSError, ValueError):
            return False

    def leader(self):
        """Who leads, as this node says that is ready."""
        try:
            return self.ask("/readyz")["leader"]
        except (OSError, ValueError):
            return None
