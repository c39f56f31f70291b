"""The store is reached over TLS, and only at the server that it is meant to be: `sslmode=verify-full` knows an impostor.

PostgreSQL has a certificate of an authority that exists for these tests. The program has to be built with the feature
`postgres-tls`; EVENWATT_BINARY names one that is.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

import conftest
import pytest
import requests
import trustme
from postgres import Postgres, speaks_tls


@pytest.fixture(scope="module")
def folder():
    """Where certificates are, readable for PostgreSQL's user, too."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="evenwatt-tls."))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def postgres(folder):
    """A server whose certificate is for `localhost` and for nothing else, with authorities: its own and another."""
    if not speaks_tls(conftest.binary()):
        missing = "was built without the feature postgres-tls (cargo build --features postgres-tls, with libssl-dev)"
        pytest.skip(f"{conftest.binary()} {missing}")
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    stranger.cert_pem.write_to_path(folder / "stranger.pem")
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(folder / "db.key")
    issued.cert_chain_pems[0].write_to_path(folder / "db.crt")
    server = Postgres()
    try:
        server.speak_tls(folder / "db.crt", folder / "db.key")
        yield server
    finally:
        server.stop()


def url(postgres, host, **parameters):
    asked = "&".join(f"{name}={value}" for name, value in parameters.items())
    return f"postgres://postgres@{host}:{postgres.port}/postgres?{asked}"


def migrate(address):
    """What the program says when it opens the store; empty where it could."""
    variables = {"PATH": os.environ["PATH"], "DATABASE_URL": address}
    done = subprocess.run([conftest.binary(), "migrate"], env=variables, capture_output=True, text=True, timeout=120)
    assert (done.returncode == 0) != ("evenwatt:" in done.stderr), done.stderr
    return "" if done.returncode == 0 else done.stderr


def test_every_connection_of_a_server_is_over_tls(postgres, folder, tmp_path):
    """Also those of the threads that read and write, and of the lock."""
    postgres.run("CREATE DATABASE served")
    address = url(postgres, "localhost", sslmode="verify-full", sslrootcert=folder / "authority.pem")
    process, server = conftest.start(tmp_path, DATABASE_URL=address.replace("/postgres?", "/served?"))
    try:
        with server.client() as client:
            assert client.get(f"{server.api}/organization").json()["ok"]
        assert requests.get(f"{server.url}/readyz", timeout=10).status_code == 200
        seen = "FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE datname = 'served'"
        assert int(postgres.run(f"SELECT count(*) {seen}")) >= 3
        assert postgres.run(f"SELECT count(*) {seen} AND NOT ssl") == "0"
    finally:
        conftest.stop(process)


def test_who_it_is_made_for_is_let_in(postgres, folder):
    assert migrate(url(postgres, "localhost", sslmode="verify-full", sslrootcert=folder / "authority.pem")) == ""


def test_another_name_is_refused(postgres, folder):
    # The address is the same server's, but the certificate does not name it.
    complaint = migrate(url(postgres, "127.0.0.1", sslmode="verify-full", sslrootcert=folder / "authority.pem"))
    assert "does not match host name" in complaint, complaint


def test_another_authority_is_refused(postgres, folder):
    complaint = migrate(url(postgres, "localhost", sslmode="verify-full", sslrootcert=folder / "stranger.pem"))
    assert "certificate verify failed" in complaint, complaint


def test_a_server_without_tls_is_refused(folder):
    """Nobody in between can say that there is no TLS here."""
    if not speaks_tls(conftest.binary()):
        pytest.skip(f"{conftest.binary()} was built without the feature postgres-tls")
    plain = Postgres()
    try:
        complaint = migrate(url(plain, "localhost", sslmode="verify-full", sslrootcert=folder / "authority.pem"))
        assert "server does not support SSL" in complaint, complaint
    finally:
        plain.stop()
