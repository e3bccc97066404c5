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
from itertools import chain, repeat
from typing import Any

from replay.codec import Truncated
from replay.interaction import (
    Answer,
    Body,
    Failure,
    Header,
    HttpCall,
    Response,
    Stage,
    answer_document,
)
from replay.recorder.guard import guarded
from replay.recorder.outbound.body import BodyTape, capped
from replay.recorder.outbound.httpx import (
    PIECE_BYTES,
    caused,
    class_of,
    ending_of,
    failure_of,
    is_cancellation,
    is_runtime_api,
    kept,
    latin,
    rebuilt,
    received,
    sent_body,
    truncated,
    unknown,
    wrap,
)
from replay.recorder.outbound.message import Dechunker, response_bytes
from replay.recorder.outbound.outlet import Unanswered, open_call
from replay.recorder.outbound.withheld import kept_headers, kept_url
from replay.settings import LAMBDA_MAX_BYTES

MODULE = "aiohttp.client"
"""After whose import `install` is to be called."""
_HOP = "replay_hop"
_HEAD_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


def install(module: Any) -> None:
    """Have the calls of `module`, which is aiohttp.client, seen from now on."""
    package = module.__name__.partition(".")[0]
    connector, messages, protocol, streams = (
        sys.modules[f"{package}.{name}"]
        for name in ("connector", "client_reqrep", "client_proto", "streams")
    )
    handler = type("AnsweringHandler", (_AnsweringHandler, protocol.ResponseHandler), {})
    connect = functools.partial(_connect, connector.Connection, handler)
    wrap(connector.BaseConnector, "connect", connect)
    wrap(messages.ClientRequest, "send", _send)
    wrap(messages.ClientResponse, "start", _start)
    wrap(protocol.ResponseHandler, "data_received", _data_received)
    wrap(streams.StreamReader, "_wait", _wait)


def _connect(connection_of: Any, handler_of: Any, original: Any) -> Any:
    async def connect(self: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
        unanswered = open_call(lambda: _described(req))
        if unanswered is None:
            return await original(self, req, *args, **kwargs)
        if (answer := unanswered.answer) is not None:
            answered = _AnsweredHop(unanswered, answer, req)
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
        hop: _Hop | None = getattr(conn, _HOP, None)
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
        hop: _Hop | None = getattr(connection, _HOP, None)
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
        if isinstance(protocol, _AnsweringHandler):
            protocol.hop.feed_soon()
        await original(self, *args, **kwargs)

    return wait


class _Hop:
    """One call under way, as the wrapped methods see it."""

    def begin(self, connection: Any) -> None:
        """Note that the request is about to be written."""

    async def answer(self, response: Any) -> None:
        """Have an answer come, where it does not come by itself."""

    def started(self, response: Any) -> None:
        """Note that the head of an answer is there."""

    def fail(self, error: Exception, stage: Stage) -> None:
        """Note what the call ended in."""


class _TapedHop(_Hop):
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


class _AnsweredHop(_Hop):
    """A call that is answered with what was recorded."""

    def __init__(self, unanswered: Unanswered, answer: Answer, request: Any) -> None:
        self.loop = asyncio.get_running_loop()
        self.protocol: Any = None
        self._unanswered, self._answer, self._request = unanswered, answer, request
        self._pieces: Iterator[bytes] = iter(())
        self._content: Any = None

    async def fail_at(self, stage: Stage) -> None:
        """Raise the recorded exception where that is how far the call had come."""
        if isinstance(self._answer, Failure) and self._answer.stage == stage:
            await self._unanswered.wait_async()
            raise _exception_of(self._answer, self._request)

    async def answer(self, response: Any) -> None:
        writer, waits = getattr(response, "_writer", None), getattr(response, "_continue", None)
        if writer is not None and waits is None:
            await asyncio.wait([writer])  # the answer came once the request was written
        await self.fail_at("response")
        await self._unanswered.wait_async()
        self._pieces = _wire_pieces(received(self._answer), self._request.method)
        self._feed()

    def started(self, response: Any) -> None:
        self._content = response.content

    def feed_soon(self) -> None:
        """Have the next piece parsed, for a reader that has come to the end of the last."""
        self.loop.call_soon(self._feed)

    def _feed(self) -> None:
        if self.protocol.transport is None:
            return  # it was closed
        if (piece := next(self._pieces, None)) is not None:
            self.protocol.data_received(piece)
        elif isinstance(self._answer, Failure) and is_cancellation(self._answer):
            return  # whoever cancelled it does so again
        elif (ending := self._ending()) is not None:
            self._content.set_exception(ending)
        else:
            self.protocol.connection_lost(None)  # the end of a body that tells no length

    def _ending(self) -> Exception | None:
        if isinstance(self._answer, Failure):
            return _exception_of(self._answer, self._request)
        return ending_of(self._answer)


class _AnsweringHandler:
    """aiohttp's end of a connection that leads nowhere; the rest of it is aiohttp's."""

    def __init__(self, hop: _AnsweredHop) -> None:
        super().__init__(loop=hop.loop)  # type: ignore[call-arg]
        self.hop, hop.protocol = hop, self
        self.connection_made(_Nowhere(hop.loop, self))  # type: ignore[attr-defined]
        self.force_close()  # type: ignore[attr-defined]

    def _reschedule_timeout(self) -> None:
        """Start no clock: whether one ran out is what the recording tells."""


class _Nowhere(asyncio.Transport):
    """The transport of a connection that leads nowhere."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: Any) -> None:
        super().__init__()
        self._loop, self._protocol, self._is_closing = loop, protocol, False

    def write(self, data: object) -> None:
        """Take what nobody reads."""

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def pause_reading(self) -> None:
        """Do nothing: nothing comes unasked."""

    def resume_reading(self) -> None:
        """Do nothing, as above."""


def _exception_of(failure: Failure, request: Any) -> Exception:
    """Return a recorded exception, built as its class wants it."""
    kind, library = class_of(failure), sys.modules["aiohttp.client_exceptions"]
    if kind is not None and issubclass(kind, library.ClientConnectorError):
        cause = (failure.cause and rebuilt(failure.cause)) or OSError(failure.message)
        is_unix = issubclass(kind, library.UnixClientConnectorError)
        places = (request.session.connector.path,) if is_unix else ()
        return caused(kind(*places, request.connection_key, cause), failure.cause)
    if kind is not None and issubclass(kind, library.ClientResponseError):
        return caused(kind(request.request_info, (), **failure.keywords), failure.cause)
    return rebuilt(failure) or unknown(failure)


def _wire_pieces(response: Response, method: str) -> Iterator[bytes]:
    """Yield an answer as it comes over the wire: its head with the first chunk, then the others."""
    if isinstance(response.body, Truncated):
        raise truncated(response.body)
    wire = response_bytes(response, method=method)
    sizes = [len(b"%x\r\n" % size) + size + 2 for size in response.chunks or ()]
    if sizes and response.is_complete:
        sizes[-1] += len(_LAST_CHUNK)
    start, end = 0, wire.index(_HEAD_END) + len(_HEAD_END)
    for size in chain(sizes, repeat(PIECE_BYTES)):
        end += size
        yield wire[start:end]
        if end >= len(wire):
            return
        start = end


def _described(request: Any) -> HttpCall | None:
    url, headers = request.url, request.headers
    if "Upgrade" in headers or is_runtime_api(url.host, url.port):
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
