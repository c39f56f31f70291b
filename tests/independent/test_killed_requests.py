"""A server that is killed again and again makes no request twice that has an Idempotency-Key, and answers each as it did first."""

import http.client
import json
import threading
import time
from urllib.parse import urlsplit

import conftest

KILLS = 6
WRITERS = 4
LEAST = 400


class Site:
    """A server that comes back after each kill, on another port."""

    def __init__(self, folder):
        self.folder = folder
        self.process, self.server = conftest.start(folder)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process, self.server = conftest.start(self.folder, self.server.api_key)

    def post(self, path, body, key):
        """The status and the answer of one try."""
        connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=10)
        try:
            headers = {
                "Authorization": f"Bearer {self.server.api_key}",
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
                "Idempotency-Key": key,
            }
            connection.request("POST", f"/v1.1{path}", json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


def answered(site, path, body, key):
    """The answer, after as many tries as it takes."""
    while True:
        try:
            status, answer = site.post(path, body, key)
        except (OSError, http.client.HTTPException, ValueError):  # it was killed
            time.sleep(0.02)
            continue
        if status in (429, 503) or answer.get("code") == "request_in_progress":
            time.sleep(0.02)
            continue
        assert status == 201, answer
        return answer["result"]


def write(site, writer, stopped, answers):
    number = 0
    while not stopped.is_set():
        name, number = f"{writer}-{number}", number + 1
        body = {"name": name, "scopes": ["read:locations"]}
        answers[name] = (body, answered(site, "/api_keys", body, name))


def test_no_request_is_made_twice_when_the_server_is_killed(tmp_path):
    site = Site(tmp_path)
    try:
        stopped, answers = threading.Event(), {}
        writers = [
            threading.Thread(target=write, args=(site, writer, stopped, answers), daemon=True) for writer in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        for kill in range(1, KILLS + 1):
            deadline = time.monotonic() + 60
            while len(answers) < LEAST * kill / KILLS:
                assert time.monotonic() < deadline, f"{len(answers)} answers"
                time.sleep(0.01)
            site.kill()
        stopped.set()
        for writer in writers:
            writer.join(timeout=30)
            assert not writer.is_alive()

        with site.server.client() as client:
            rows, page = [], 1
            while True:
                answer = client.get(f"{site.server.api}/api_keys", params={"paginate_limit": 100, "paginate_page": page}).json()
                rows += answer["result"]
                page += 1
                if not answer["hasNextPage"]:
                    break
        made = [row["name"] for row in rows if row["name"] in answers]
        assert sorted(made) == sorted(answers), "each once"
        for name, (body, answer) in list(answers.items())[:: max(1, len(answers) // 50)]:
            assert site.post("/api_keys", body, name) == (201, {"ok": True, "message": "Created", "result": answer})
    finally:
        site.process.kill()
