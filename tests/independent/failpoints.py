"""Where a server ends, fails, or finds no room on its disk: what is said to `failpoints.c`, and which steps it has seen."""

import ctypes
import mmap
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).with_name("failpoints.c")
LOG_WRITE, LOG_SYNC, FILE_WRITE, FILE_SYNC, POSTGRES_SEND, POSTGRES_RECEIVE, ANSWER = range(1, 8)
BEFORE, HALF, AFTER, FAILED = range(4)
STEPS = {
    LOG_WRITE: "write to the log of SQLite",
    LOG_SYNC: "fsync of the log of SQLite",
    FILE_WRITE: "write to the file of SQLite",
    FILE_SYNC: "fsync of the file of SQLite",
    POSTGRES_SEND: "send to PostgreSQL",
    POSTGRES_RECEIVE: "receive from PostgreSQL",
    ANSWER: "send to a station or a client",
}


class Orders(ctypes.Structure):
    """The layout is that of `struct orders` in failpoints.c."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("step", "how", "left", "room", "postgres_port", "refused")),
        ("seen", ctypes.c_int64 * 8),
    ]


class Failpoints:
    """Preloaded into servers that are started with `options`, one at a time."""

    def __init__(self, folder, postgres_port=0):
        library, file = folder / "failpoints.so", folder / "failpoints.orders"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE], check=True)
        file.write_bytes(bytes(ctypes.sizeof(Orders)))
        with file.open("r+b") as opened:
            self.memory = mmap.mmap(opened.fileno(), 0)
        self.orders = Orders.from_buffer(self.memory)
        self.orders.room, self.orders.postgres_port = -1, postgres_port
        self.options = {"LD_PRELOAD": str(library), "FAILPOINTS": str(file)}

    def end_at(self, step, how, left):
        """The server is killed at a step of this kind, after so many others, or the step fails."""
        self.orders.step = 0
        self.orders.how, self.orders.left = how, left
        self.orders.step = step

    def disarm(self):
        self.orders.step = 0

    @property
    def came(self):
        """Whether the server came to the step that was named last."""
        return self.orders.left <= 0

    def seen(self):
        return {STEPS[step]: self.orders.seen[step] for step in STEPS if self.orders.seen[step]}
