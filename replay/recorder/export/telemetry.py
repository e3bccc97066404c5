"""What the platform says of invocations: a listener for events of Lambda's Telemetry API."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Condition, Thread
from typing import Any

import orjson

_HOST = "sandbox.localdomain"
"""The only name that events are sent to (AWS: Lambda Telemetry API reference)."""
_MAX_KEPT = 1_000


class Telemetry:
    """Knows whose runtime is done; `on_done` is called each time that one is.

    A retry has the id of the first attempt, and the end of an invocation may be told before its
    beginning was: an id counts up at the one and down at the other.
    """

    def __init__(self, on_done: Callable[[], None]) -> None:
        self.on_done = on_done
        self._open: dict[str, int] = {}
        self._changed = Condition()
        self._is_silent = False

    def listen(self) -> str:
        """Take in events from now on, until the process ends; return where to send them."""
        server = _server()
        server.telemetry = self
        Thread(target=server.serve_forever, daemon=True).start()
        return f"http://{server.name}:{server.server_address[1]}"

    def begun(self, request_id: str) -> None:
        """Note that an invocation has begun; an earlier one of its id is over, if there was one."""
        with self._changed:
            self._put(request_id, min(self._open.get(request_id, 0), 0) + 1)

    def wait_for(self, request_id: str, limit_s: float) -> bool:
        """Wait until the runtime is done with a request; False where nobody said so in time.

        Then nobody is waited for again until something is heard: the sandbox would be held, and
        paid for, up to the deadline each time.
        """
        with self._changed:
            limit_s = 0 if self._is_silent else limit_s
            is_done = self._changed.wait_for(lambda: self._open.get(request_id, 0) <= 0, limit_s)
            self._is_silent = not is_done
        return is_done

    def take(self, request_ids: list[str]) -> None:
        """Note that the runtime is done with some requests."""
        with self._changed:
            for id in request_ids:
                self._put(id, self._open.get(id, 0) - 1)
            self._is_silent = self._is_silent and not request_ids
            self._changed.notify_all()

    def _put(self, request_id: str, count: int) -> None:
        self._open.pop(request_id, None)
        if count:
            self._open[request_id] = count
        while len(self._open) > _MAX_KEPT:
            del self._open[next(iter(self._open))]


def done_in(batch: bytes) -> list[str]:
    """Return the requests that a batch says the runtime is done with; the rest of it is ignored."""
    try:
        events = orjson.loads(batch)
    except ValueError:
        return []
    done = [it for it in _dicts(events) if it.get("type") == "platform.runtimeDone"]
    ids = [it.get("requestId") for it in _dicts([it.get("record") for it in done])]
    return [id for id in ids if isinstance(id, str)]


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [it for it in values if isinstance(it, dict)] if isinstance(values, list) else []


class _Server(ThreadingTCPServer):
    """Not the one of `http.server`, which looks up its own name: without DNS that takes long."""

    daemon_threads = True
    telemetry: Telemetry
    name: str
    """How whoever sends events knows this machine."""


def _server() -> _Server:
    try:
        name, server = _HOST, _Server((_HOST, 0), _Listener)
    except OSError:  # not in Lambda
        name, server = "127.0.0.1", _Server(("127.0.0.1", 0), _Listener)
    server.name = name
    return server


class _Listener(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        done = done_in(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        self.server.telemetry.take(done)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.wfile.flush()
        if done:
            self.server.telemetry.on_done()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
