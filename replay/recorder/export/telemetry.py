"""What the platform says of invocations: a listener for events of Lambda's Telemetry API."""

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any, Self

import orjson

_HOST = "sandbox.localdomain"
"""The only name that events are sent to (AWS: Lambda Telemetry API reference)."""
_MAX_KEPT = 1_000


class Telemetry:
    """While it is entered, requests whose runtime is done are known; `uri` is where to send it."""

    def __init__(self) -> None:
        host = _host()
        self._server = _Server((host, 0), _Listener)
        self._server.telemetry = self
        self.uri = f"http://{host}:{self._server.server_port}"
        self._done: dict[str, None] = {}
        self._changed = Condition()

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, request_id: str, limit_s: float) -> bool:
        """Wait until the runtime is done with a request; False where nobody said so in time."""
        with self._changed:
            return self._changed.wait_for(lambda: request_id in self._done, limit_s)

    def take(self, events: Any) -> None:
        """Take in a batch of events."""
        with self._changed:
            for event in events:
                if event["type"] == "platform.runtimeDone":
                    self._done[event["record"]["requestId"]] = None
            while len(self._done) > _MAX_KEPT:
                del self._done[next(iter(self._done))]
            self._changed.notify_all()


def _host() -> str:
    try:
        socket.getaddrinfo(_HOST, None)
    except OSError:  # not in Lambda
        return "127.0.0.1"
    return _HOST


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    telemetry: Telemetry


class _Listener(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.telemetry.take(orjson.loads(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
