"""The story of a home user over HTTP, SMTP and OCPP: a mail server (aiosmtpd) and a charge point that we did not write."""

import asyncio
import email
import email.policy
import re
import socket
import ssl
import time

import pytest
import requests
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from conftest import start, stop
from station import Link

ADA = "ada@example.com"
PASSWORD = "correct horse battery"


class Mailbox:
    """Keeps the letters that the mail server takes."""

    def __init__(self):
        self.letters = []

    async def handle_DATA(self, server, session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.letters.append((session.ssl is not None, letter))
        return "250 taken"

    def wait_for(self, count, within=15):
        """The newest letter, once there are this many: its subject and its text."""
        deadline = time.monotonic() + within
        while len(self.letters) < count:
            assert time.monotonic() < deadline, f"{len(self.letters)} letters instead of {count}"
            time.sleep(0.05)
        _, letter = self.letters[-1]
        return letter["Subject"], letter.get_content()

    def secret(self, count):
        _, text = self.wait_for(count)
        return re.search(r"https?://\S+/([\w-]+)\?organization=", text).group(1)


def serve_mail(mailbox, **options):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    return controller, port


class Portal:
    """What the home user's page would do."""

    def __init__(self, server):
        self.api, self.session = f"{server.api}/portal", requests.Session()

    def call(self, method, path, status, body=None):
        answer = self.session.request(method, self.api + path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json().get("result")

    def enter(self, tokens):
        self.session.headers["Authorization"] = f"Bearer {tokens['access_token']}"


class Operator:
    def __init__(self, server):
        self.server, self.client = server, server.client()

    def call(self, method, path, status, body=None):
        answer = self.client.request(method, self.server.api + path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()["result"]


async def until(holds, within=10):
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it never became true"
        await asyncio.sleep(0.05)


def test_the_story_of_a_home_user(tmp_path):
    mailbox = Mailbox()
    controller, port = serve_mail(mailbox)
    mail = {"EVENWATT_MAIL_HOST": "127.0.0.1", "EVENWATT_MAIL_PORT": str(port), "EVENWATT_MAIL_SECURITY": "none"}
    process, server = start(tmp_path, **mail)
    try:
        asyncio.run(story(server, mailbox))
    finally:
        stop(process)
        controller.stop()


async def story(server, mailbox):
    operator, portal = Operator(server), Portal(server)
    place = {"operatorName": "Home", "address": {}, "coordinates": [4.9, 52.4], "timezone": "Europe/Amsterdam"}
    place = operator.call("POST", "/locations", 201, place)
    group = {"name": "Garage", "maximum_capacity": 10, "algorithm": "Consumer-configured ToU", "location": place["_id"]}
    group = operator.call("POST", "/load_management/groups", 201, group)["_id"]
    station = operator.call("POST", "/chargestations", 201, {"name": "Garage", "location": place["_id"]})
    operator.call("POST", f"/chargestations/{station['_id']}/connectors", 201, {"type": "Type2", "power": 7})
    path = f"/load_management/groups/{group}"
    operator.call("POST", f"{path}/chargestations", 201, {"chargestation": station["_id"]})
    link = Link(station["connection_url"], "Garage")
    car = await link.connect()
    # Until it is sent a limit it may draw what it can.
    await until(lambda: car.limit_kw() == 0)

    # The operator invites, the user accepts and logs in.
    person = {"email": ADA, "firstname": "Ada", "lastname": "Lovelace"}
    user = operator.call("POST", "/home_users", 201, person)["_id"]
    secret = await asyncio.to_thread(mailbox.secret, 1)
    portal.call("POST", f"/invitations/{secret}/accept", 200, {"password": PASSWORD})
    portal.call("POST", f"/invitations/{secret}/accept", 404, {"password": PASSWORD})
    portal.enter(portal.call("POST", "/login", 200, {"email": ADA, "password": PASSWORD}))
    assert portal.call("GET", "/groups", 200) == []
    found = operator.call("GET", "/users?search=ada@", 200)
    assert [row["_id"] for row in found] == [user]
    operator.call("PUT", f"{path}/user", 200, {"user": user})
    subject, text = await asyncio.to_thread(mailbox.wait_for, 2)
    assert "Garage" in text, subject
    assert [row["name"] for row in portal.call("GET", "/groups", 200)] == ["Garage"]

    # In a window the car gets nothing; the priority charge gives it everything within seconds.
    always = {"windows": [{"from": "00:00", "to": "24:00"}]}
    portal.call("PUT", f"/groups/{group}/exclusion_times", 200, always)
    await car.plug_in()
    transaction = car.transaction
    await asyncio.sleep(1)
    assert car.limit_kw() == 0
    shown = lambda: operator.call("GET", f"{path}/status", 200)["members"][0]
    assert shown()["rule"] == "exclusion-window"
    charge = portal.call("POST", f"/groups/{group}/priority_charge", 201)
    assert (charge["answer"], charge["status"]) == ("approved", "active")
    await until(lambda: car.limit_kw() > 6.9, within=5)
    await car.status("Charging")

    # It ends on request, and what the operator changes the user sees: charging goes on in the same transaction.
    portal.call("DELETE", f"/groups/{group}/priority_charge", 200)
    await until(lambda: car.limit_kw() == 0, within=5)
    await car.status("SuspendedEVSE")
    off = {"windows": [{"from": "00:00", "to": "24:00", "enabled": False}]}
    operator.call("PUT", f"{path}/exclusion_times", 200, off)
    await until(lambda: car.limit_kw() > 6.9, within=5)
    assert portal.call("GET", f"/groups/{group}", 200)["exclusion_times"]["windows"][0]["enabled"] is False
    assert car.transaction == transaction
    sessions = operator.call("GET", "/sessions", 200)
    assert [session["status"] for session in sessions] == ["started"]
    reports = operator.call("GET", f"{path}/priority_charges", 200)
    assert [report["user"] for report in reports] == [user]

    # Removed is removed.
    operator.call("DELETE", f"{path}/user", 200)
    assert portal.call("GET", "/groups", 200) == []
    portal.call("POST", f"/groups/{group}/priority_charge", 404)
    operator.call("DELETE", f"/home_users/{user}", 200)
    portal.call("GET", "/groups", 401)
    await car.unplug()
    await link.close()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_e_mails_travel_encrypted_and_survive_a_restart(tmp_path, security):
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    (tmp_path / "authority.pem").write_bytes(authority.cert_pem.bytes())
    mailbox = Mailbox()

    def login(server, session, envelope, mechanism, given):
        right = isinstance(given, LoginPassword) and (given.login, given.password) == (b"post", b"secret")
        return AuthResult(success=right)

    options = {"authenticator": login, "auth_required": True}
    if security == "tls":
        options |= {"ssl_context": context, "auth_require_tls": False}  # it is TLS from the start
    else:
        options |= {"tls_context": context, "require_starttls": True}
    controller, port = serve_mail(mailbox, **options)
    mail = {
        "EVENWATT_MAIL_HOST": "localhost", "EVENWATT_MAIL_PORT": str(port), "EVENWATT_MAIL_SECURITY": security,
        "EVENWATT_MAIL_USER": "post", "EVENWATT_MAIL_PASSWORD": "secret",
        "EVENWATT_MAIL_FROM": "Harbour Charging <no-reply@example.com>",
        "EVENWATT_MAIL_AUTHORITY": str(tmp_path / "authority.pem"),
    }
    # A server that does not reach the mail server keeps the letter; one that does sends it.
    process, server = start(tmp_path, **{**mail, "EVENWATT_MAIL_PORT": "1"})
    person = {"email": ADA, "firstname": "Ada", "lastname": "Lovelace"}
    Operator(server).call("POST", "/home_users", 201, person)
    stop(process)
    process, server = start(tmp_path, api_key=server.api_key, **mail)
    try:
        subject, text = mailbox.wait_for(1, within=30)
        encrypted, letter = mailbox.letters[0]
        assert encrypted or security == "tls"
        assert letter["From"] == "My organization <no-reply@example.com>", "the operator's letter, from the server's address"
        portal = Portal(server)
        portal.call("POST", f"/invitations/{mailbox.secret(1)}/accept", 200, {"password": PASSWORD})
    finally:
        stop(process)
        controller.stop()
