"""A Lambda Runtime API on loopback for one runtime client, served in the caller's own thread.

The client asks for an invocation with GET, and is answered when there is one; what became of it
comes with POST. One request is under way at a time. Endpoints are those of AWS's page "Using the
Lambda runtime API for custom runtimes".
"""

import socket
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from httptools import HttpRequestParser

from replay.replayer.process import Process

_RECEIVED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """What the client asked: next, response or error, init/error, restore/next or restore/error.

    `invocation_id` is the request id of the invocation that a response or an error belongs to.
    """

    endpoint: str
    invocation_id: str
    body: bytes
    headers: Mapping[str, str]


class RuntimeApi:
    """The server, on a listener that its client's process has made in its own network."""

    def __init__(self, process: Process, listener: socket.socket) -> None:
        self._process = process
        self._listener = listener
        self._connections: dict[socket.socket, _Connection] = {}
        self._asking: _Connection | None = None

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
        self._listener.close()
        for connection in self._connections.values():
            connection.close()

    def _read(self, ready: socket.socket) -> Request | None:
        if ready is self._listener:
            connection, _ = ready.accept()
            self._connections[connection] = _Connection(connection)
            return None
        self._asking = self._connections[ready]
        request = self._asking.receive()
        if request is None:
            self._connections.pop(ready).close()
        return request


class _Connection:
    """One connection of the client; httptools reads its HTTP, whose headers may fill a megabyte."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parser = HttpRequestParser(self)
        self._complete: deque[Request] = deque()
        self.on_message_begin()

    def receive(self) -> Request | None:
        """Return the next request; None where the client has hung up."""
        while not self._complete:
            received = self._receive_some()
            if not received:
                return None
            self._parser.feed_data(received)
        return self._complete.popleft()

    def send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Answer the request; raises EOFError where the client is gone."""
        fields = {**headers, "Content-Length": str(len(body))}.items()
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in fields), "", ""])
        try:
            self._connection.sendall(head.encode() + body)
        except ConnectionError as error:
            raise EOFError from error

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _receive_some(self) -> bytes:
        try:
            return self._connection.recv(_RECEIVED_BYTES)
        except ConnectionError:
            return b""

    def on_message_begin(self) -> None:
        """Begin a request; called by the parser, as what follows."""
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        """Take some of the path."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Take some of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Take the request as a whole."""
        *_, before, last = ("", *self._url.decode("latin-1").split("/"))
        endpoint = f"{before}/{last}" if before in ("init", "restore") else last
        self._complete.append(Request(endpoint, before, b"".join(self._body), self._headers))
