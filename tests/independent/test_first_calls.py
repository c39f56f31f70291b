"""The first things that somebody does who has just read the README."""

import requests


def test_the_first_calls_work(server, client):
    assert client.get(f"{server.url}/healthz").json()["ok"] is True
    organization = client.get(f"{server.api}/organization")
    assert organization.status_code == 200 and organization.json()["ok"]

    depot = {
        "operatorName": "Depot North",
        "address": {"streetAndNumber": "Havenweg 1", "city": "Amsterdam", "country": "NL"},
        "coordinates": [4.8952, 52.3702],
    }
    created = client.post(f"{server.api}/locations", json=depot)
    assert created.status_code == 201, created.text
    location = created.json()["result"]

    listed = client.get(f"{server.api}/locations", params={"search": "depot"}).json()
    assert location["_id"] in [row["_id"] for row in listed["result"]]
    assert {"totalDocs", "page", "totalPages", "hasNextPage"} <= listed.keys()
    assert client.delete(f"{server.api}/locations/{location['_id']}").status_code == 200


def test_strangers_are_refused(server):
    answer = requests.get(f"{server.api}/locations", headers={"Authorization": "Bearer ew_live_nobody"})
    assert (answer.status_code, answer.json()["ok"]) == (401, False)


def test_the_document_and_its_page_are_served(server, client):
    document = client.get(f"{server.url}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    page = client.get(f"{server.url}/swagger-ui/")
    assert page.status_code == 200 and "swagger" in page.text
