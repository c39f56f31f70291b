"""An endpoint that webhooks are sent to: keeps every request and answers as it is asked to."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """What arrived, as it arrived."""

    headers: dict
    body: bytes

    @property
    def event(self) -> dict:
        return json.loads(self.body)


class Listener(ThreadingHTTPServer):
    """Endpoints that are stopped leave threads behind that wait for a next request."""

    daemon_threads = True
    request_queue_size = 128


@dataclass
class Receiver:
    """Requests in the order in which they arrived."""

    requests: list = field(default_factory=list)

    def __enter__(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.append(Request(headers, body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = Listener(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/events"
