"""Webhooks as their receivers see them; the programs of docs/WEBHOOKS.md verify what arrives."""

import json
import re
import subprocess
import time

import conftest
import pytest
from receiver import Receiver

OPTIONS = {"EVENWATT_WEBHOOKS_ALLOW_PRIVATE": "true", "EVENWATT_WEBHOOKS_ALLOW_HTTP": "true"}
PAGE = (conftest.REPOSITORY / "docs" / "WEBHOOKS.md").read_text()


def program(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def wait_for(receiver: Receiver, count: int) -> None:
    deadline = time.monotonic() + 30
    while len(receiver.requests) < count:
        assert time.monotonic() < deadline, f"{len(receiver.requests)} of {count} arrived"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """A request with one signature, one with two, and the secrets before and after."""
    process, server = conftest.start(tmp_path_factory.mktemp("server"), **OPTIONS)
    with Receiver() as receiver, server.client() as client:
        made = client.post(f"{server.api}/webhooks", json={"url": receiver.url, "events": "location.*"}).json()["result"]
        webhook = f"{server.api}/webhooks/{made['_id']}"
        place = {"operatorName": "Zürich ⚡", "address": {}, "coordinates": [8.5, 47.4]}
        assert client.post(f"{server.api}/locations", json=place).status_code == 201
        wait_for(receiver, 1)
        rotated = client.post(f"{webhook}/rotate_secret").json()["result"]
        assert client.post(f"{webhook}/test").status_code == 201
        wait_for(receiver, 2)
    conftest.stop(process)
    return receiver.requests, made["secret"], rotated["secret"]


def python_says(secret, header, body, now_ms):
    names = {}
    exec(program("python"), names)  # noqa: S102 - it is our own page
    return names["is_genuine"](secret, header, body, now_ms)


def javascript_says(secret, header, body, now_ms, folder):
    module = folder / "verify.mjs"
    module.write_text(program("javascript"))
    question = json.dumps([secret, header, body.hex(), now_ms])
    script = (
        f"import {{ isGenuine }} from {json.dumps(str(module))};"
        f"const [secret, header, body, now] = {question};"
        "console.log(isGenuine(secret, header, Buffer.from(body, 'hex'), now));"
    )
    command = ["node", "--input-type=module", "-e", script]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout)


@pytest.fixture(params=["python", "javascript"])
def verify(request, tmp_path):
    if request.param == "python":
        return python_says
    return lambda *question: javascript_says(*question, tmp_path)


def test_the_programs_of_the_page_accept_what_is_genuine_and_nothing_else(signed, verify):
    (first, second), old, new = signed
    header, body = first.headers["edrv-signature"], first.body
    sent = int(re.match(r"t=(\d+),", header)[1])
    assert header.count("v1=") == 1 and "Zürich".encode() in body

    assert verify(old, header, body, sent)
    assert verify(old, header, body, sent + 179_000)
    assert not verify(old, header, body, sent + 181_000), "too old"
    assert not verify(new, header, body, sent), "another secret"
    assert not verify(old, header, body + b" ", sent), "another body"
    assert not verify(old, header.replace(f"t={sent}", f"t={sent + 1}"), body, sent), "another time"
    for nonsense in ["", "t=", "v1=00", f"t={sent}", f"t={sent},v1=", f"t={sent},v1=zz", "t=x,v1=é"]:
        assert not verify(old, nonsense, body, sent), nonsense

    header, body = second.headers["edrv-signature"], second.body
    sent = int(re.match(r"t=(\d+),", header)[1])
    assert header.count("v1=") == 2, "both secrets sign for a day"
    assert verify(old, header, body, sent) and verify(new, header, body, sent)


def test_proxies_of_the_environment_are_not_used(tmp_path):
    with Receiver() as receiver, Receiver() as proxy:
        proxies = {name: proxy.url for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"]}
        process, server = conftest.start(tmp_path, **OPTIONS, **proxies)
        with server.client() as client:
            made = client.post(f"{server.api}/webhooks", json={"url": receiver.url}).json()["result"]
            assert client.post(f"{server.api}/webhooks/{made['_id']}/test").status_code == 201
            wait_for(receiver, 1)
        conftest.stop(process)
        assert proxy.requests == []
