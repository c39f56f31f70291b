"""Compressed messages (RFC 7692) with a client that we did not write: sizes, fragments, pings between them, and what is too large."""

import json
import random
import string
import uuid

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

LARGEST = 262_144


@pytest.fixture(scope="module")
def url(server):
    with server.client() as client:
        station = client.post(f"{server.api}/chargestations", json={"name": "Compressing"}).json()["result"]
        path = f"{server.api}/chargestations/{station['_id']}/connectors"
        client.post(path, json={"power": 7}).raise_for_status()
    return station["connection_url"]


def opened(url, **more):
    return connect(url, subprotocols=["ocpp1.6"], max_size=None, **more)


def answer(socket, number):
    """The answer to our call; calls of the server are refused on the way."""
    while True:
        frame = json.loads(socket.recv(timeout=20))
        if frame[0] in (3, 4) and frame[1] == number:
            return frame
        if frame[0] == 2:
            socket.send(json.dumps([4, frame[1], "NotSupported", "", {}]))


def call(data):
    number = uuid.uuid4().hex
    return number, json.dumps([2, number, "DataTransfer", {"vendorId": "Acme", "data": data}])


def test_the_client_s_default_offer_is_accepted(url):
    with opened(url) as socket:
        agreed = socket.response.headers["Sec-WebSocket-Extensions"]
        assert agreed == "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    with opened(url, compression=None) as socket:
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 1_000, 65_535, 65_536, 65_537, 131_072, 250_000])
@pytest.mark.parametrize("noisy", [False, True])
def test_messages_of_any_size_are_answered(url, size, noisy):
    letters = random.Random(size)
    data = "".join(letters.choices(string.ascii_letters, k=size)) if noisy else "Ä" * (size // 6)
    with opened(url) as socket:
        for _ in range(2):
            number, text = call(data)
            socket.send(text)
            assert answer(socket, number)[0] == 3


def test_fragments_with_pings_between_them_are_answered(url):
    with opened(url) as socket:
        for pieces in (1, 2, 7, 100):
            number, text = call("x" * 5_000)
            step = len(text) // pieces + 1
            fragments = [text[at : at + step] for at in range(0, len(text), step)]
            pongs = []

            def pieces_with_pings():
                for fragment in fragments:
                    pongs.append(socket.ping())
                    yield fragment

            socket.send(pieces_with_pings())
            assert answer(socket, number)[0] == 3
            assert all(pong.wait(10) for pong in pongs)


def test_a_thousand_messages_on_one_socket(url):
    with opened(url) as socket:
        for _ in range(1_000):
            number = uuid.uuid4().hex
            socket.send(json.dumps([2, number, "Heartbeat", {}]))
            assert answer(socket, number)[0] == 3


def test_what_unpacks_to_too_much_is_closed(url):
    with opened(url) as socket:
        number, text = call("0" * (LARGEST * 40))
        with pytest.raises(ConnectionClosedError) as closed:
            socket.send(text)
            answer(socket, number)
        assert closed.value.rcvd.code == 1009


def test_what_is_too_large_as_it_is_is_closed(url):
    with opened(url, compression=None) as socket:
        number, text = call("0" * LARGEST)
        with pytest.raises(ConnectionClosedError) as closed:
            socket.send(text)
            answer(socket, number)
        assert closed.value.rcvd.code == 1009
