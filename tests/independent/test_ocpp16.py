"""Core messages with a charge point that we did not write; the package checks both directions against the schemas."""

import asyncio
from datetime import datetime, timedelta, timezone

import pytest
from ocpp.v16 import call
from station import Link, now


def story(server, act):
    """Creates a station, connects, and runs `act(station, api)` against it."""

    async def run():
        with server.client() as client:
            station = client.post(f"{server.api}/chargestations", json={"name": "Independent"}).json()["result"]
            path = f"{server.api}/chargestations/{station['_id']}/connectors"
            client.post(path, json={"power": 7}).raise_for_status()
            link = Link(station["connection_url"], station["name"])
            connected = await link.connect()
            await act(connected, client, f"{server.api}/chargestations/{station['_id']}")
            await link.close()

    asyncio.run(asyncio.wait_for(run(), 60))


def test_every_message_of_a_charge_point_is_answered_by_the_book(server):
    async def act(station, client, path):
        await station.call(call.Heartbeat())
        await station.call(call.Authorize(id_tag="CARD"))
        answer = await station.plug_in()
        assert answer.transaction_id > 0
        await station.meter(10, 3000)
        await station.call(call.DataTransfer(vendor_id="V", message_id="M", data="D"))
        await station.call(call.DiagnosticsStatusNotification(status="Idle"))
        await station.call(call.FirmwareStatusNotification(status="Installed"))
        await station.call(call.LogStatusNotification(status="Uploaded", request_id=1))
        await station.call(call.SecurityEventNotification(type="StartupOfTheDevice", timestamp=now(), tech_info="cold"))
        await station.call(call.SignedFirmwareStatusNotification(status="Installed", request_id=1))
        await station.call(call.SignCertificate(csr="-----BEGIN CERTIFICATE REQUEST-----"))
        await station.unplug()
        assert client.get(path).json()["result"]["connectors"][0]["status"] == "Available"

    story(server, act)


COMMANDS = [
    ("trigger_message", {"message": "Heartbeat"}, "TriggerMessage"),
    ("change_availability", {"type": "Inoperative", "connectorId": 1}, "ChangeAvailability"),
    ("clear_cache", {}, "ClearCache"),
    ("get_local_list_version", {}, "GetLocalListVersion"),
    ("send_local_list", {"listVersion": 1, "localAuthorizationList": [{"idTag": "A", "idTagInfo": {"status": "Accepted"}}]}, "SendLocalList"),
    ("update_firmware", {"location": "https://firmware.example.com/1"}, "UpdateFirmware"),
    ("get_diagnostics", {"location": "ftp://files.example.com/"}, "GetDiagnostics"),
    ("data_transfer", {"vendorId": "V"}, "DataTransfer"),
    ("get_composite_schedule", {"connectorId": 1, "duration": 60}, "GetCompositeSchedule"),
    ("clear_charging_profile", {"id": 1}, "ClearChargingProfile"),
    ("set_default_power_limit", {"unit": "current", "limit": 16.1}, "SetChargingProfile"),
    ("reset", {"type": "Soft"}, "Reset"),
    ("get_log", {"logType": "SecurityLog", "remoteLocation": "https://files.example.com/in"}, "GetLog"),
    ("extended_trigger_message", {"message": "SignChargePointCertificate"}, "ExtendedTriggerMessage"),
    ("install_certificate", {"certificateType": "ManufacturerRootCertificate", "certificate": "PEM"}, "InstallCertificate"),
    ("get_installed_certificate_ids", {"certificateType": "CentralSystemRootCertificate"}, "GetInstalledCertificateIds"),
    (
        "delete_certificate",
        {"certificateHashData": {"hashAlgorithm": "SHA256", "issuerNameHash": "00", "issuerKeyHash": "00", "serialNumber": "1"}},
        "DeleteCertificate",
    ),
    (
        "signed_update_firmware",
        {"location": "https://firmware.example.com/1", "signingCertificate": "PEM", "signature": "c2ln"},
        "SignedUpdateFirmware",
    ),
]


@pytest.mark.parametrize(("command", "body", "action"), COMMANDS, ids=[action for _, _, action in COMMANDS])
def test_every_command_is_sent_by_the_book(server, command, body, action):
    async def act(station, client, path):
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(None, lambda: client.post(f"{path}/{command}?wait=false", json=body))
        assert answer.status_code == 202, answer.text
        for _ in range(200):
            if any(sent == action for sent, _, _ in station.sent):
                break
            await asyncio.sleep(0.02)
        sent = [(payload, text) for sent, payload, text in station.sent if sent == action]
        assert sent, f"{action} never came: {[name for name, _, _ in station.sent]}"
        if command == "set_default_power_limit":
            assert '"limit":16.1' in sent[0][1].replace(" ", ""), sent[0][1]

    story(server, act)


def test_what_is_reached_by_other_paths_is_sent_by_the_book(server):
    """Reservations, sessions, unlocking and configuration: their messages come from resources, not from commands."""

    async def act(station, client, path):
        loop = asyncio.get_running_loop()

        async def ask(method, url, **body):
            send = lambda: client.request(method, url if url.startswith("http") else path + url, json=body or None)
            answer = await loop.run_in_executor(None, send)
            assert answer.status_code < 300, answer.text
            return answer.json()["result"]

        async def sent(action):
            for _ in range(200):
                if found := [payload for name, payload, _ in station.sent if name == action]:
                    return found[-1]
                await asyncio.sleep(0.02)
            raise AssertionError(f"{action} never came")

        connector = (await ask("GET", ""))["connectors"][0]
        await ask("PATCH", f"{server.api}/evses/{connector['evse']}", reservable=True)
        until = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
        body = {"connector": connector["_id"], "id_tag": "CARD", "expires_at": until}
        reservation = await ask("POST", f"{server.api}/reservations", **body)
        assert reservation["status"] == "active"
        number = (await sent("ReserveNow"))["reservationId"]
        await ask("DELETE", f"{server.api}/reservations/{reservation['_id']}")
        assert (await sent("CancelReservation"))["reservationId"] == number

        await ask("POST", f"{server.api}/connectors/{connector['_id']}/unlock")
        assert (await sent("UnlockConnector"))["connectorId"] == 1
        await ask("PATCH", "/configurations", key="HeartbeatInterval", value=60)
        assert (await sent("ChangeConfiguration")) == {"key": "HeartbeatInterval", "value": "60"}
        await ask("POST", f"{server.api}/sessions", connector=connector["_id"])
        card = (await sent("RemoteStartTransaction"))["idTag"]
        await station.plug_in(tag=card)
        session = (await ask("GET", f"{server.api}/sessions?status=started&chargestation={path.rsplit('/', 1)[1]}"))[0]
        await ask("POST", f"{server.api}/sessions/{session['_id']}/stop")
        assert (await sent("RemoteStopTransaction"))["transactionId"] == station.transaction

    story(server, act)
