"""A Lambda Runtime API on loopback for one runtime client, served in the caller's own thread.

The client asks for an invocation with GET, and is answered when there is one; what became of it
comes with POST. One request is under way at a time. Endpoints are those of AWS's page "Using the
Lambda runtime API for custom runtimes".
"""

import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from replay.errors import ReplayError
from replay.replayer.process import Process


@dataclass(frozen=True, slots=True)
class Request:
    """What the client asked: the last words of its path, such as "next" or "init/error"."""

    endpoint: str
    body: bytes
    headers: Mapping[str, str]


class RuntimeApi:
    """The server; `address` is host and port, as in `AWS_LAMBDA_RUNTIME_API`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        try:
            self._listener = socket.create_server(("127.0.0.1", 0))
        except OSError as error:
            raise ReplayError(
                f"no port on 127.0.0.1 for the runtime client: {error}",
                "replay with --runtime builtin, which needs none",
            ) from error
        self._connections: dict[socket.socket, _Connection] = {}
        self._asking: _Connection | None = None
        host, port = self._listener.getsockname()
        self.address = f"{host}:{port}"

    def receive(self, limit_s: float | None) -> Request | None:
        """Return the next request, None once `limit_s` has passed; EOFError: the client ended."""
        while True:
            readers = [self._listener, *self._connections]
            ready = self._process.wait_for(readers, limit_s)
            if not ready:
                return None
            request = self._read(ready[-1])
            if request is not None:
                return request

    def answer(self, status: int, body: bytes = b"{}", **headers: str) -> None:
        """Answer the request that was received last; raises EOFError where the client is gone."""
        if self._asking is None:
            raise EOFError
        fields = {"Content-Type": "application/json", **headers}
        self._asking.send(status, body, {k.replace("_", "-"): v for k, v in fields.items()})

    def close(self) -> None:
        """Stop listening and hang up."""
        for connection in (self._listener, *self._connections):
            connection.close()

    def _read(self, ready: socket.socket) -> Request | None:
        if ready is self._listener:
            connection, address = ready.accept()
            self._connections[connection] = _Connection(connection, address)
            return None
        self._asking = self._connections[ready]
        request = self._asking.receive()
        if request is None:
            self._connections.pop(ready).connection.close()
        return request


class _Connection(BaseHTTPRequestHandler):
    """One connection of the client; the standard library reads and writes its HTTP."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def __init__(self, connection: socket.socket, address: Any) -> None:
        self._request: Request | None = None
        self.close_connection = True
        super().__init__(connection, address, None)  # type: ignore[arg-type]

    def handle(self) -> None:
        """Read nothing yet: `receive` does."""

    def finish(self) -> None:
        """Stay open."""

    def receive(self) -> Request | None:
        """Return the next request; None where the client has hung up."""
        self._request = None
        with suppress(ConnectionError):
            self.handle_one_request()
        return self._request

    def do_GET(self) -> None:
        """Take a request for an invocation."""
        self._take(b"")

    def do_POST(self) -> None:
        """Take what became of an invocation."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            return self._take(b"".join(iter(self._read_chunk, b"")))
        return self._take(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _take(self, body: bytes) -> None:
        *_, before, last = ("", *self.path.split("/"))
        endpoint = last if before == "invocation" or last == "response" else f"{before}/{last}"
        is_outcome = endpoint.endswith("/error") and before not in ("init", "restore")
        self._request = Request("error" if is_outcome else endpoint, body, dict(self.headers))

    def _read_chunk(self) -> bytes:
        size = int(self.rfile.readline(), 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Answer the request; raises EOFError where the client is gone."""
        self.send_response_only(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
            self.wfile.flush()
        except ConnectionError as error:
            raise EOFError from error

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
