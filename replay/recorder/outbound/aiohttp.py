"""Calls that the host makes with aiohttp's client: each hop of a redirect is one.

In a recording the bytes that a connection hands to its parser are kept as well; in a replay the
parser of aiohttp is handed the recorded ones, over a connection that leads nowhere, so that what
the host sees is aiohttp's own work. Web sockets are left alone. Imports the standard library and
this package. Invariant: of a replayed answer no more is parsed than its reader has asked for.
"""

import asyncio
import functools
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from replay.interaction import Answer, Body, Header, HttpCall, Response, Stage, answer_document
from replay.recorder.guard import guarded
from replay.recorder.outbound.adapter import kept, latin, sent_body
from replay.recorder.outbound.aiohttp_answer import AnsweredHop, AnsweringHandler, Hop
from replay.recorder.outbound.body import BodyTape, capped
from replay.recorder.outbound.failure import failure_of
from replay.recorder.outbound.hook import hook
from replay.recorder.outbound.message import Dechunker, is_runtime_api
from replay.recorder.outbound.outlet import Unanswered, open_call
from replay.recorder.outbound.withheld import kept_headers, kept_url
from replay.settings import LAMBDA_MAX_BYTES

MODULE = "aiohttp.client"
"""After whose import `install` is to be called."""
_HOP = "replay_hop"
_HEAD_END = b"\r\n\r\n"


def install(module: Any) -> None:
    """Have the calls of `module`, which is aiohttp.client, seen from now on."""
    package = module.__name__.partition(".")[0]
    connector, messages, protocol, streams = (
        sys.modules[f"{package}.{name}"]
        for name in ("connector", "client_reqrep", "client_proto", "streams")
    )
    handler = type("AnsweringHandler", (AnsweringHandler, protocol.ResponseHandler), {})
    connect = functools.partial(_connect, connector.Connection, handler)
    hook(connector.BaseConnector, "connect", connect)
    hook(messages.ClientRequest, "send", _send)
    hook(messages.ClientResponse, "start", _start)
    hook(protocol.ResponseHandler, "data_received", _data_received)
    hook(streams.StreamReader, "_wait", _wait)


def _connect(connection_of: Any, handler_of: Any, original: Any) -> Any:
    async def connect(self: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
        unanswered = open_call(lambda: _described(req))
        if unanswered is None:
            return await original(self, req, *args, **kwargs)
        if (answer := unanswered.answer) is not None:
            answered = AnsweredHop(unanswered, answer, req)
            await answered.fail_at("request")
            protocol = handler_of(answered)
            connection = connection_of(self, req.connection_key, protocol, answered.loop)
            setattr(connection, _HOP, answered)
            return connection
        taped = _TapedHop(unanswered)
        try:
            connection = await original(self, req, *args, **kwargs)
        except Exception as error:
            guarded(taped.fail, error, "request")
            raise
        setattr(connection, _HOP, taped)
        return connection

    return connect


def _send(original: Any) -> Any:
    async def send(self: Any, conn: Any) -> Any:
        hop: Hop | None = getattr(conn, _HOP, None)
        if hop is None:
            return await original(self, conn)
        guarded(hop.begin, conn)
        try:
            return await original(self, conn)
        except Exception as error:
            guarded(hop.fail, error, "request")
            raise

    return send


def _start(original: Any) -> Any:
    async def start(self: Any, connection: Any) -> Any:
        hop: Hop | None = getattr(connection, _HOP, None)
        if hop is None:
            return await original(self, connection)
        await hop.answer(self)
        try:
            started = await original(self, connection)
        except Exception as error:
            guarded(hop.fail, error, "response")
            raise
        guarded(hop.started, self)
        return started

    return start


def _data_received(original: Any) -> Any:
    def data_received(self: Any, data: bytes) -> None:
        hop: _TapedHop | None = getattr(self, _HOP, None)
        if hop is not None:
            guarded(hop.add, data)
        original(self, data)

    return data_received


def _wait(original: Any) -> Any:
    async def wait(self: Any, *args: Any, **kwargs: Any) -> None:
        protocol = getattr(self, "_protocol", None)
        if isinstance(protocol, AnsweringHandler):
            protocol.hop.feed_soon()
        await original(self, *args, **kwargs)

    return wait


class _TapedHop(Hop):
    """A call that is sent, and what has come of its answer."""

    def __init__(self, unanswered: Unanswered) -> None:
        self._unanswered = unanswered
        self._body = BodyTape(unanswered.max_bytes)
        self._dechunker: Dechunker | None = None
        self._head: bytearray | None = bytearray()
        self._response: Any = None
        self._is_released = False

    def begin(self, connection: Any) -> None:
        protocol = connection.protocol
        setattr(protocol, _HOP, self)
        connection.add_callback(lambda: guarded(self._release, protocol))

    def add(self, data: bytes) -> None:
        """Keep what comes; interim answers are left out."""
        if self._head is None:
            (self._dechunker or self._body).add(data)
            return
        self._head += data
        head, end, rest = bytes(self._head).partition(_HEAD_END)
        if not end:
            return
        self._head = bytearray() if head.split(b" ", 2)[1].startswith(b"1") else None
        if self._head is None and _says_chunked(head):
            self._dechunker = Dechunker(self._body)
        self.add(rest)

    def started(self, response: Any) -> None:
        self._response = response
        self._unanswered.arrived(self._so_far)
        if self._is_released:
            self._unanswered.settle(self._so_far())

    def fail(self, error: Exception, stage: Stage) -> None:
        self._unanswered.settle(failure_of(error, stage))

    def _release(self, protocol: Any) -> None:
        """Take the end of the connection's use: what it carries next is another call's."""
        setattr(protocol, _HOP, None)
        self._is_released = True
        if self._response is not None:
            self._unanswered.settle(self._so_far())

    def _so_far(self) -> Answer:
        found, content = self._response, self._response.content
        chunks = None if self._dechunker is None else self._dechunker.sizes
        is_complete = content.is_eof()
        response = Response(
            found.status,
            found.reason or "",
            latin(found.raw_headers),
            self._body.body(),
            chunks,
            is_complete,
        )
        error = None if is_complete else _error_in(content)
        if error is None:
            return response
        return failure_of(error, "body", response=answer_document(response))


def _error_in(content: Any) -> BaseException | None:
    """Return what a body ended in; None where its reader has just stopped reading."""
    error: BaseException | None = content.exception()
    if error is not None and str(error) != "Connection closed":
        return error
    closing = sys.exc_info()[1]  # the library closes a connection on its way out of a timeout
    is_over = isinstance(closing, TimeoutError | asyncio.CancelledError)
    return closing if is_over else None


def _described(request: Any) -> HttpCall | None:
    url, headers = request.url, request.headers
    if "Upgrade" in headers or is_runtime_api(f"{url.host}:{url.port}"):
        return None
    body = kept(_sent(request.body), headers.get("Content-Type", ""))
    return HttpCall(
        request.method.upper(),
        kept_url(str(url)),
        kept_headers(_plain(headers.items()), of_request=True),
        body,
    )


def _plain(headers: Iterable[tuple[str, str]]) -> Iterator[Header]:
    return ((str(name), str(value)) for name, value in headers)  # some are of classes of their own


def _sent(payload: Any) -> Body:
    if not payload:
        return b""
    boundary = getattr(payload, "boundary", None)
    if boundary is None:
        return sent_body(getattr(payload, "_value", None))
    found = bytearray()
    for part, *encodings in payload:
        body = sent_body(getattr(part, "_value", None))
        if any(encodings) or not isinstance(body, bytes):
            return None
        head = getattr(part, "_binary_headers", b"\r\n")
        found += b"--%b\r\n%b%b\r\n" % (boundary.encode(), head, body)
    return capped(bytes(found) + b"--%b--\r\n" % boundary.encode(), LAMBDA_MAX_BYTES)


def _says_chunked(head: bytes) -> bool:
    lines = head.lower().split(b"\r\n")
    return any(it.startswith(b"transfer-encoding:") and b"chunked" in it for it in lines)
