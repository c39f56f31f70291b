"""`evenwatt doctor` and `evenwatt healthcheck`, beside a server and without one: what they see, and what they end with."""

import json
import os
import socket
import subprocess

import conftest
import pytest


def evenwatt(folder, *arguments, **options):
    environment = {"PATH": os.environ["PATH"], **options}
    command = [str(conftest.binary()), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=90)


def examined(folder, expected, *arguments, **options):
    """The findings, by the check that found them."""
    done = evenwatt(folder, "doctor", "--json", *arguments, **options)
    assert done.returncode == expected, done
    found = {}
    for finding in json.loads(done.stdout):
        found.setdefault(finding["check"], []).append((finding["state"], finding["says"]))
        assert (finding["state"] == "ok") == ("advice" not in finding), finding
    return found


def states(found, check):
    return {state for state, _ in found[check]}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def running(tmp_path):
    port = free_port()
    options = {"EVENWATT_HTTP_LISTEN": f"127.0.0.1:{port}", "EVENWATT_HTTP_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    environment = {"PATH": os.environ["PATH"], "EVENWATT_STORE_SYNCHRONOUS": "normal", **options}
    with (tmp_path / "log.txt").open("w") as log:
        process = subprocess.Popen([str(conftest.binary())], cwd=tmp_path, env=environment, stdout=log, stderr=log)
    for _ in range(300):
        if evenwatt(tmp_path, "healthcheck", "--ready", **options).returncode == 0:
            break
    yield tmp_path, options
    conftest.stop(process)


def test_a_healthy_server_is_seen_to_be_one(running):
    folder, options = running
    said = evenwatt(folder, "healthcheck", **options)
    assert said.returncode == 0 and "/healthz answers" in said.stdout
    everywhere = options | {"EVENWATT_HTTP_LISTEN": options["EVENWATT_HTTP_LISTEN"].replace("127.0.0.1", "0.0.0.0")}
    assert evenwatt(folder, "healthcheck", "--ready", **everywhere).returncode == 0

    found = examined(folder, 0, **options)
    for check in ("configuration", "file rights", "server", "schema", "disk", "mail server", "public URL", "ports"):
        assert states(found, check) == {"ok"}, found[check]
    assert "is our own server's" in found["ports"][0][1]
    assert "answered by this installation" in found["public URL"][0][1]
    assert states(found, "keys") == {"warning"}
    lines = evenwatt(folder, "doctor", **options).stdout.splitlines()
    assert len(lines) == sum(map(len, found.values()))
    assert all(line.split()[0] in ("ok", "warning", "failed") for line in lines)


def test_another_server_at_the_public_url_is_seen(running, server):
    folder, options = running
    found = examined(folder, 1, **options | {"EVENWATT_HTTP_PUBLIC_URL": server.url})
    assert states(found, "public URL") == {"failed"}


def test_what_is_wrong_is_named_and_fails(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        secret = tmp_path / "secret"
        secret.write_text("s" * 40)
        secret.chmod(0o644)
        options = {
            "EVENWATT_HTTP_LISTEN": f"127.0.0.1:{port}",
            "EVENWATT_MAIL_HOST": "127.0.0.1",
            "EVENWATT_MAIL_PORT": str(free_port()),
            "EVENWATT_MAIL_SECURITY": "none",
            "EVENWATT_PORTAL_SIGNING_KEY_FILE": str(secret),
            "EVENWATT_PANEL_SECRET_KEY": "short",
            "EVENWATT_OIDC_NOBODY_ISSUER": f"http://127.0.0.1:{free_port()}",
            "EVENWATT_OIDC_NOBODY_CLIENT_ID": "evenwatt",
            "EVENWATT_OIDC_NOBODY_CLIENT_SECRET": "secret",
        }
        found = examined(tmp_path, 1, **options)
    assert states(found, "ports") == {"failed"} and "another program" in found["ports"][0][1]
    assert states(found, "mail server") == {"failed"}
    assert states(found, "login provider") == {"failed"}
    assert states(found, "file rights") == {"warning"} and str(secret) in found["file rights"][0][1]
    assert "panel.secret_key" in found["configuration"][0][1]
    assert states(found, "store") == {"ok"}, "the first start makes it"
    assert not (tmp_path / "evenwatt.db").exists(), "looking makes nothing"

    wrong = examined(tmp_path, 1, EVENWATT_HTTP_COLOUR="red")
    assert list(wrong) == ["configuration"] and "EVENWATT_HTTP_COLOUR" in wrong["configuration"][0][1]
    gone = evenwatt(tmp_path, "healthcheck", **{"EVENWATT_HTTP_LISTEN": f"127.0.0.1:{free_port()}"})
    assert gone.returncode == 1 and "does not answer" in gone.stderr


def certificate(folder, name, days, host="charge.example.com", signed_by=None):
    """A certificate that is valid for so many days, made with OpenSSL."""
    key, file = folder / f"{name}.key", folder / f"{name}.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", file]
    made += ["-days", str(days), "-subj", f"/CN={name}"]
    made += ["-addext", f"subjectAltName=DNS:{host}"]
    if signed_by:
        made += ["-CA", signed_by[0], "-CAkey", signed_by[1]]
    subprocess.run(made, check=True, capture_output=True)
    key.chmod(0o600)
    return file, key


def test_certificates_are_looked_at(tmp_path):
    good, key = certificate(tmp_path, "good", 90)

    def found(file, key, host="charge.example.com"):
        options = {
            "EVENWATT_HTTP_LISTEN": f"127.0.0.1:{free_port()}",
            "EVENWATT_HTTP_PUBLIC_URL": f"wss://{host}",
            "EVENWATT_TLS_LISTEN": f"127.0.0.1:{free_port()}",
            "EVENWATT_TLS_CERTIFICATE": str(file),
            "EVENWATT_TLS_KEY": str(key),
        }
        done = evenwatt(tmp_path, "doctor", "--json", **options)
        of_certificates = [one for one in json.loads(done.stdout) if one["check"] == "certificates"]
        return {one["state"] for one in of_certificates}, " ".join(one["says"] for one in of_certificates)

    assert found(good, key)[0] == {"ok"}
    state, says = found(good, key, "other.example.com")
    assert state == {"failed"} and "not for other.example.com" in says
    other, other_key = certificate(tmp_path, "other", 10)
    assert found(good, other_key)[0] == {"failed"}
    state, says = found(other, other_key)
    assert state == {"warning"} and "more day(s)" in says
    lower, lower_key = certificate(tmp_path, "lower", 60, signed_by=(good, key))
    state, says = found(lower, lower_key)
    assert state == {"warning"} and "only the server's own" in says
    chain = tmp_path / "chain.pem"
    chain.write_text(lower.read_text() + good.read_text())
    assert found(chain, lower_key)[0] == {"ok"}
    chain.write_text(lower.read_text() + other.read_text())
    assert "failed" in found(chain, lower_key)[0]
