"""A machine on which the Debian package is installed, in a folder: what docs/OPERATING.md is run on.

The program, `evenwatt-admin`, configuration, unit and PostgreSQL are the real ones. Of the machine there is only what this page needs:
`sudo` runs what follows, `systemctl` starts and stops the server as its unit says, `journalctl` shows its log.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import trustme
from conftest import REPOSITORY, binary

PACKAGING = REPOSITORY / "packaging"
# What the package installs, as build-deb does.
FILES = {
    "docs/OPERATING.md": "usr/share/doc/evenwatt/OPERATING.md",
    "src/app/default.toml": "usr/share/doc/evenwatt/default.toml",
    "packaging/proxy/nginx.conf": "usr/share/doc/evenwatt/examples/nginx.conf",
    "packaging/proxy/Caddyfile": "usr/share/doc/evenwatt/examples/Caddyfile",
    "packaging/monitoring/alerts.yml": "usr/share/doc/evenwatt/examples/prometheus/alerts.yml",
    "packaging/monitoring/prometheus.yml": "usr/share/doc/evenwatt/examples/prometheus/prometheus.yml",
    "packaging/monitoring/dashboard.json": "usr/share/doc/evenwatt/examples/grafana/dashboard.json",
    "packaging/debian/evenwatt.toml": "etc/evenwatt/evenwatt.toml",
    "packaging/debian/environment": "etc/evenwatt/environment",
}

SUDO = """
case $1 in
    -u) [ "$2" != postgres ] || export PGHOST=127.0.0.1 PGUSER=postgres
        shift 2 ;;
    --preserve-env=*) shift ;;
esac
if [ "$1" = install ]; then # files are the server's or PostgreSQL's, whoever these are here
    set -- "${@//-g}"
    arguments=() owner= skip=
    for one; do
        case $skip$one in
            -o) skip=owner; continue ;;
            owner*) skip= owner=$one; continue ;;
            '') skip=group; continue ;;
            group*) skip=; continue ;;
        esac
        arguments+=("$one")
    done
    set -- "${arguments[@]}"
    if [ "$owner" = postgres ] && [ "$(id -u)" = 0 ]; then
        "$@"
        chown "$POSTGRES_OWNER" "${!#}"/*
        exit
    fi
fi
exec "$@"
"""

SYSTEMCTL = """
root=@ROOT@ pid=@ROOT@/run/evenwatt.pid
running() { [ -e "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; }
start() {
    running && return
    (
        unset "${!EVENWATT_@}" DATABASE_URL
        @ENVIRONMENT@
        while IFS= read -r line; do
            case $line in '' | '#'*) ;; *) export "$line" ;; esac
        done <@FILE@
        cd "$root/var/lib/evenwatt"
        umask 0077
        exec setsid @START@ </dev/null >/dev/null 2>>"$root/journal"
    ) &
    echo $! >"$pid"
}
stop() {
    if ! running; then return; fi
    kill -TERM "$(cat "$pid")"
    for _ in $(seq @PATIENCE@); do
        running || return 0
        sleep 0.1
    done
    echo "systemctl: the server does not stop" >&2
    return 1
}
case "$1 $2" in
    "start evenwatt" | "stop evenwatt") "$1" ;;
    "restart evenwatt") stop && start ;;
    "reload evenwatt")
        running && kill -@RELOAD@ "$(cat "$pid")"
        sleep 0.5 # a program that does not know the signal ends by it
        running ;;
    "status evenwatt")
        running || { echo "evenwatt.service: inactive" >&2; exit 3; }
        echo "evenwatt.service: active, $*"
        tail -n 20 "$root/journal" ;;
    "reload postgresql")
        kill -HUP "$POSTGRES_PID"
        for _ in $(seq 100); do
            [ "$(psql -h 127.0.0.1 -U postgres -d postgres -Atc 'SHOW ssl')" = on ] && exit
            sleep 0.1
        done
        exit 1 ;;
    *) echo "systemctl: $* is not known to this machine" >&2; exit 1 ;;
esac
"""

JOURNALCTL = """
[ "$1 $2" = "-u evenwatt" ] || { echo "journalctl: $* is not known to this machine" >&2; exit 1; }
cat @ROOT@/journal
"""

SETPRIV = """
while [[ $1 == --* ]]; do shift; done
exec "$@"
"""

SQLITE3 = """
exec python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1], isolation_level=None).execute(sys.argv[2])' "$@"
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def settings(unit: str, name: str) -> list[str]:
    """What a unit says under this name."""
    found = re.findall(rf"^{name}=(.*)$", unit, re.M)
    assert found, f"the unit has no {name}"
    return found


class Machine:
    """Its folder, its ports, and the commands that it knows."""

    def __init__(self, postgres=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="evenwatt-machine."))
        self.folder.chmod(0o755)  # PostgreSQL's user reads its key below it
        self.root, self.home = self.folder / "root", self.folder / "home"
        self.postgres, self.ports = postgres, {}
        for folder in ("etc/postgresql", "etc/systemd/system", "var/lib/evenwatt", "var/backups", "run", "usr/bin", "usr/sbin", "programs"):
            (self.root / folder).mkdir(parents=True)
        self.home.mkdir()
        for source, target in FILES.items():
            path = self.root / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.here((REPOSITORY / source).read_text()) if target.startswith("etc") else (REPOSITORY / source).read_text())
        shutil.copy(binary(), self.root / "usr/bin/evenwatt")
        self.make_programs()
        self.make_certificates()

    def here(self, text: str) -> str:
        """A text of the page with the paths, names and ports of this machine."""
        for name, port in re.findall(r"((?:127\.0\.0\.1|0\.0\.0\.0|charge\.example\.com|10\.0\.0\.1[0-9]):(\d{2,5}))\b", text):
            host = "localhost" if name.startswith("charge") else "127.0.0.1"
            text = text.replace(name, f"{host}:{self.ports.setdefault(port, free_port())}")
        text = text.replace("charge.example.com", "localhost").replace("db.example.com", "localhost")
        text = text.replace("tar -C / ", f"tar -C {self.root} ")
        return re.sub(r"(?<![\w.-])/(etc|var|usr/share/doc/evenwatt|usr/bin/evenwatt|usr/sbin/evenwatt-admin)\b", rf"{self.root}/\1", text)

    def program(self, name: str, text: str):
        path = self.root / "programs" / name
        path.write_text("#!/bin/bash\n" + text)
        path.chmod(0o755)

    def make_programs(self):
        unit = (PACKAGING / "systemd" / "evenwatt.service").read_text()
        file = settings(unit, "EnvironmentFile")[0].removeprefix("-")
        stop_seconds = int(settings(unit, "TimeoutStopSec")[0])
        reload = re.search(r"kill -(\w+) \$MAINPID", settings(unit, "ExecReload")[0]).group(1)
        exports = "; ".join(f"export {self.here(one)}" for one in settings(unit, "Environment"))
        systemctl = SYSTEMCTL.replace("@ENVIRONMENT@", exports).replace("@FILE@", self.here(file)).replace("@RELOAD@", reload)
        systemctl = systemctl.replace("@START@", self.here(settings(unit, "ExecStart")[0])).replace("@PATIENCE@", str(stop_seconds * 10))
        for name, text in (("systemctl", systemctl), ("journalctl", JOURNALCTL), ("sudo", SUDO), ("setpriv", SETPRIV)):
            self.program(name, text.replace("@ROOT@", str(self.root)))
        if not shutil.which("sqlite3"):
            self.program("sqlite3", SQLITE3)
        admin = self.here((PACKAGING / "debian" / "evenwatt-admin").read_text())
        self.program("evenwatt-admin", admin.replace('"$(id -u)" != 0', "1 != 1"))
        (self.root / "programs" / "evenwatt").symlink_to(self.root / "usr/bin/evenwatt")

    def make_certificates(self):
        """What lies in the folder from which the page copies: those of an authority that only this machine trusts."""
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.home / "db-ca.crt")
        (self.home / "passphrase").write_text("of this machine\n")
        for certificate, key in (("fullchain.pem", "privkey.pem"), ("db.crt", "db.key")):
            issued = authority.issue_cert("localhost")
            issued.private_key_pem.write_to_path(self.home / key)
            (self.home / certificate).write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
        trusted = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
        known = trusted.read_text() if trusted.exists() else ""
        (self.folder / "trusted.pem").write_text(known + authority.cert_pem.bytes().decode())

    def environment(self) -> dict[str, str]:
        found = {
            "PATH": f"{self.root}/programs:{os.environ['PATH']}",
            "HOME": str(self.home),
            "CURL_CA_BUNDLE": str(self.folder / "trusted.pem"),
            "SSL_CERT_FILE": str(self.folder / "trusted.pem"),
        }
        if self.postgres:
            found["PATH"] += f":{self.postgres.programs()}"
            found["PGPORT"], found["POSTGRES_PID"] = str(self.postgres.port), str(self.postgres.pid)
            found["POSTGRES_OWNER"] = ":".join(map(str, self.postgres.owner()))
        return found

    def run(self, script: str, seconds: int) -> subprocess.CompletedProcess:
        """Runs a script in the home folder, some time after the package was installed, which started the server."""
        start = "systemctl start evenwatt\ncurl -sf --retry 60 --retry-delay 1 --retry-connrefused http://127.0.0.1:8080/readyz\n"
        command = ["bash", "-euo", "pipefail", "-c", self.here(start + script)]
        return subprocess.run(
            command, cwd=self.home, env=self.environment(), text=True, timeout=seconds, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def journal(self, lines: int) -> str:
        log = self.root / "journal"
        return "\n".join(log.read_text().splitlines()[-lines:]) if log.exists() else ""

    def remove(self):
        pid = self.root / "run/evenwatt.pid"
        if pid.exists():
            try:
                os.kill(int(pid.read_text()), signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)
