"""A PostgreSQL server of the tests' own, which also speaks TLS where it is asked to."""

import os
import pathlib
import re
import shutil
import subprocess
import time

import conftest


class Postgres:
    """Runs beside the test, by scripts/with-postgres; ends with `stop`."""

    def __init__(self):
        said = 'echo "$TEST_POSTGRES_URL $TEST_POSTGRES_PID"; exec cat'
        command = [conftest.REPOSITORY / "scripts" / "with-postgres", "sh", "-c", said]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        url, pid = self.process.stdout.readline().split()
        self.port, self.pid = int(re.search(r":(\d+)/", url).group(1)), int(pid)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)

    @staticmethod
    def programs() -> pathlib.Path:
        """The folder of its programs, which Debian keeps out of PATH."""
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        return found[-1] if found else pathlib.Path(shutil.which("psql")).parent

    def run(self, sql: str) -> str:
        """Runs a statement as its administrator, and gives what it returns."""
        command = [self.programs() / "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", "postgres"]
        return subprocess.run([*command, "-qAt", "-c", sql], check=True, capture_output=True, text=True).stdout.strip()

    def owner(self) -> tuple[int, int]:
        """Whose process it is, and so whose files it reads."""
        about = os.stat(f"/proc/{self.pid}")
        return about.st_uid, about.st_gid

    def speak_tls(self, certificate: pathlib.Path, key: pathlib.Path):
        """Speaks TLS from now on, with files that are its own."""
        for path in (certificate, key):
            if os.getuid() == 0:
                os.chown(path, *self.owner())
            path.chmod(0o600)
        for name, value in (("ssl_cert_file", certificate), ("ssl_key_file", key), ("ssl", "on")):
            self.run(f"ALTER SYSTEM SET {name} = '{value}'")
        self.run("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 20
        while self.run("SHOW ssl") != "on":
            assert time.monotonic() < deadline, "PostgreSQL does not turn TLS on"
            time.sleep(0.1)


def speaks_tls(binary: pathlib.Path) -> bool:
    """Whether the program was built with the feature `postgres-tls`: without it, it refuses the mode before it connects."""
    url = "postgres://nobody@127.0.0.1:1/nothing?sslmode=verify-full"
    variables = {"PATH": os.environ["PATH"], "DATABASE_URL": url}
    tried = subprocess.run([binary, "migrate"], env=variables, capture_output=True, text=True, timeout=60)
    assert tried.returncode != 0
    return "SSL support is not compiled in" not in tried.stderr
