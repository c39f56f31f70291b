"""A driver who logs in by the link of a letter: over HTTP with other people's client and its jar of cookies, a mail server (aiosmtpd) and a
charge point (ocpp) that we did not write."""

import asyncio
import re

import requests
from conftest import start, stop
from ocpp.routing import on
from ocpp.v16 import call_result
from ocpp.v16.enums import Action
from station import Link, Station
from test_home_charging import ADA, Mailbox, Operator, serve_mail, until


class Charger(Station):
    """Starts and stops as it is asked; each time it charges 1 kWh."""

    @on(Action.remote_start_transaction)
    def remote_start(self, id_tag, **_):
        self.asked = asyncio.create_task(self.plug_in(id_tag))
        return call_result.RemoteStartTransaction(status="Accepted")

    @on(Action.remote_stop_transaction)
    def remote_stop(self, transaction_id):
        assert transaction_id == self.transaction
        self.asked = asyncio.create_task(self.unplug())
        return call_result.RemoteStopTransaction(status="Accepted")


class ChargerLink(Link):
    kind = Charger


class Browser:
    """What the driver's pages would do."""

    def __init__(self, server):
        self.api, self.session = f"{server.api}/driver", requests.Session()

    def call(self, method, path, status, body=None):
        answer = self.session.request(method, self.api + path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json().get("result") if answer.content else None

    def names(self):
        return sorted(station["name"] for station in self.call("GET", "/chargestations", 200))


def test_a_driver_logs_in_by_a_letter_and_charges_without_a_card(tmp_path):
    mailbox = Mailbox()
    controller, port = serve_mail(mailbox)
    mail = {"EVENWATT_MAIL_HOST": "127.0.0.1", "EVENWATT_MAIL_PORT": str(port), "EVENWATT_MAIL_SECURITY": "none"}
    process, server = start(tmp_path, **mail)
    try:
        asyncio.run(story(server, mailbox))
    finally:
        stop(process)
        controller.stop()
    log = (tmp_path / "log.txt").read_text() + (tmp_path / "said.txt").read_text()
    assert "#login/" not in log and secret_of(mailbox) not in log, "no log has the secret of a link"


def secret_of(mailbox):
    _, text = mailbox.wait_for(1)
    return re.search(r"/map#login/([\w-]+)", text).group(1)


async def story(server, mailbox):
    operator, phone, stranger = Operator(server), Browser(server), Browser(server)
    for name, visible in [("Street", True), ("Yard", False)]:
        fields = {"name": name, "visible": visible, "security": {"type": "none"}}
        station = operator.call("POST", "/chargestations", 201, fields)
        operator.call("POST", f"/chargestations/{station['_id']}/connectors", 201, {"type": "Type2", "power": 7})
    code = operator.call("GET", f"/evses?chargestation={station['_id']}", 200)[0]["code"]
    ada = {"firstname": "Ada", "lastname": "Lovelace", "email": ADA, "private_group": True}
    ada = operator.call("POST", "/users", 201, ada)["_id"]

    assert phone.names() == ["Street"]
    assert phone.call("GET", "/account", 204) is None
    phone.call("POST", "/login", 202, {"email": "nobody@example.com"})
    phone.call("POST", "/login", 202, {"email": ADA})
    secret = await asyncio.to_thread(secret_of, mailbox)
    phone.call("POST", f"/login/{secret}", 200)
    stranger.call("POST", f"/login/{secret}", 404)
    assert len(mailbox.letters) == 1, "nobody has no letter"
    assert [cookie.name for cookie in phone.session.cookies] == ["evenwatt_driver"]
    assert phone.names() == ["Street", "Yard"] and stranger.names() == ["Street"]
    # The jar sends the cookie with nothing else.
    assert phone.session.get(f"{server.api}/sessions").status_code == 401

    link = ChargerLink(station["connection_url"], "Yard")
    await link.connect()
    charge = lambda who, method, path, status, body=None: asyncio.to_thread(
        who.call, method, f"/evses/{code}/sessions{path}", status, body
    )
    await charge(stranger, "POST", "", 422, {})
    session = (await charge(phone, "POST", "", 201, {}))["_id"]
    await until(lambda: link.station.transaction is not None)
    assert (await charge(phone, "GET", f"/{session}", 200))["status"] == "started"
    await charge(stranger, "GET", f"/{session}", 404)
    await charge(stranger, "POST", f"/{session}/stop", 404)
    await charge(phone, "POST", f"/{session}/stop", 200)
    await until(lambda: phone.call("GET", "/sessions", 200)[0]["status"] == "ended")
    own = phone.call("GET", "/sessions", 200)
    assert [(one["_id"], one["name"], one["code"]) for one in own] == [(session, "Yard", code)]
    assert operator.call("GET", f"/sessions/{session}", 200)["user"] == ada
    stranger.call("GET", "/sessions", 401)

    phone.call("POST", "/logout", 200)
    # That of the session is left, and opens it for a week.
    assert [cookie.name for cookie in phone.session.cookies] == [f"evenwatt_driver_{session}"]
    phone.call("GET", "/sessions", 401)
    await link.close()
