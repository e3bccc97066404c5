"""Calls that the host makes with httpx, sync and async: each hop of a redirect is one.

Seen at the transports that open connections, so that clients, redirects, cookies, decoding and
what else httpx does are its own, in a replay too. Imports the standard library and this package.
Invariant: nothing is read of an answer that its reader did not ask for.
"""

import functools
from collections.abc import AsyncIterator, Iterator
from typing import Any

from replay.interaction import Answer, Body, Failure, HttpCall, Response, answer_document
from replay.recorder.guard import guarded
from replay.recorder.outbound.adapter import (
    ending_of,
    kept,
    latin,
    pieces_of,
    received,
    sent_body,
)
from replay.recorder.outbound.body import BodyTape
from replay.recorder.outbound.failure import failure_of, is_cancellation, rebuilt, unknown
from replay.recorder.outbound.hook import hook
from replay.recorder.outbound.message import is_runtime_api
from replay.recorder.outbound.outlet import Inside, Unanswered, open_call
from replay.recorder.outbound.withheld import kept_headers, kept_url
from replay.settings import LAMBDA_MAX_BYTES

MODULE = "httpx"
"""After whose import `install` is to be called."""
_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"})
_BEFORE_THE_ANSWER = _UNSENT | {"LocalProtocolError", "ProxyError", "WriteError", "WriteTimeout"}


def install(module: Any) -> None:
    """Have the calls of `module`, which is httpx, seen from now on."""
    stream_of = _stream_class(module.SyncByteStream, "__iter__", "close")
    handle = functools.partial(_sync, module, stream_of)
    hook(module.HTTPTransport, "handle_request", handle)
    stream_of = _stream_class(module.AsyncByteStream, "__aiter__", "aclose")
    handle = functools.partial(_async, module, stream_of)
    hook(module.AsyncHTTPTransport, "handle_async_request", handle)


def _stream_class(base: Any, iterate: str, close: str) -> Any:
    """Return a class of streams that take their pieces, and what closes them, from functions."""
    methods = {
        "__init__": lambda self, pieces, close: self.__dict__.update(pieces=pieces, end=close),
        iterate: lambda self: self.pieces(),
        close: lambda self: self.end(),
    }
    return type("SeenStream", (base,), methods)


def _sync(module: Any, stream_of: Any, original: Any) -> Any:
    def handle_request(self: Any, request: Any) -> Any:
        unanswered = open_call(lambda: _described(request))
        if unanswered is None:
            return original(self, request)
        if (answer := unanswered.answer) is not None:
            for _ in () if _was_never_sent(answer) else request.stream:
                pass  # whoever yields it sees it read
            unanswered.wait()
            stream = stream_of(lambda: _pieces(answer), lambda: None)
            return _response(module, answer, stream)
        try:
            with Inside():
                response = original(self, request)
        except Exception as error:
            guarded(_fail, unanswered, error)
            raise
        tape = guarded(_Tape, unanswered, response)
        if tape is not None:
            response.stream = stream_of(tape.pieces, tape.close)
        return response

    return handle_request


def _async(module: Any, stream_of: Any, original: Any) -> Any:
    async def handle_async_request(self: Any, request: Any) -> Any:
        unanswered = open_call(lambda: _described(request))
        if unanswered is None:
            return await original(self, request)
        if (answer := unanswered.answer) is not None:
            if not _was_never_sent(answer):
                async for _ in request.stream:
                    pass
            await unanswered.wait_async()
            stream = stream_of(lambda: _pieces_async(answer), _nothing)
            return _response(module, answer, stream)
        try:
            response = await original(self, request)
        except Exception as error:
            guarded(_fail, unanswered, error)
            raise
        tape = guarded(_Tape, unanswered, response)
        if tape is not None:
            response.stream = stream_of(tape.pieces_async, tape.close_async)
        return response

    return handle_async_request


def _described(request: Any) -> HttpCall | None:
    url = request.url
    if is_runtime_api(f"{url.host}:{url.port or 80}"):
        return None
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw
    ]
    body = kept(_sent(request.stream), request.headers.get("content-type", ""))
    return HttpCall(
        request.method.upper(), kept_url(str(url)), kept_headers(headers, of_request=True), body
    )


def _sent(stream: Any) -> Body:
    fields = getattr(stream, "fields", None)
    if fields is None:
        return sent_body(getattr(stream, "_stream", None))
    files = [field.file for field in fields if hasattr(field, "file")]
    if any(sent_body(file) is None for file in files):
        return None
    places = [(file, file.tell()) for file in files if hasattr(file, "tell")]
    try:
        tape = BodyTape(LAMBDA_MAX_BYTES)
        for piece in stream:
            tape.add(piece)
        return tape.body()
    finally:
        for file, place in places:
            file.seek(place)


def _was_never_sent(answer: Answer) -> bool:
    return isinstance(answer, Failure) and answer.error_type in _UNSENT


def _fail(unanswered: Unanswered, error: Exception) -> None:
    is_early = type(error).__name__ in _BEFORE_THE_ANSWER
    unanswered.settle(failure_of(error, "request" if is_early else "response"))


def _response(module: Any, answer: Answer, stream: Any) -> Any:
    if isinstance(answer, Failure) and answer.stage != "body":
        raise rebuilt(answer) or unknown(answer)
    found = received(answer)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in found.headers]
    reason = found.reason.encode("latin-1")
    extensions = {"http_version": b"HTTP/1.1", "reason_phrase": reason}
    return module.Response(found.status, headers=headers, stream=stream, extensions=extensions)


def _pieces(answer: Answer) -> Iterator[bytes]:
    yield from pieces_of(received(answer))
    if (ending := ending_of(answer)) is not None:
        raise ending


async def _pieces_async(answer: Answer) -> AsyncIterator[bytes]:
    for piece in pieces_of(received(answer)):
        yield piece
    if isinstance(answer, Failure) and is_cancellation(answer):
        await _forever()
    if (ending := ending_of(answer)) is not None:
        raise ending


async def _forever() -> None:
    """Wait for whoever cancels the call once more."""
    from asyncio import Event

    await Event().wait()


async def _nothing() -> None:
    """Close what needs no closing."""


class _Tape:
    """What has come of an answer."""

    def __init__(self, unanswered: Unanswered, response: Any) -> None:
        self._unanswered, self._response, self._stream = unanswered, response, response.stream
        self._body = BodyTape(unanswered.max_bytes)
        self._sizes: list[int] = []
        unanswered.arrived(self._so_far)

    def _add(self, piece: bytes) -> None:
        self._body.add(piece)
        self._sizes.append(len(piece))

    def _end(self, *, is_complete: bool) -> None:
        self._unanswered.settle(self._so_far(is_complete=is_complete))  # the first counts

    def _fail(self, error: BaseException) -> None:
        failure = failure_of(error, "body", response=answer_document(self._so_far()))
        if isinstance(error, Exception) or is_cancellation(failure):
            self._unanswered.settle(failure)

    def _so_far(self, *, is_complete: bool = False) -> Response:
        headers = self._response.headers
        is_chunked = "chunked" in headers.get("transfer-encoding", "")
        return Response(
            self._response.status_code,
            self._response.reason_phrase,
            latin(headers.raw),
            self._body.body(),
            tuple(self._sizes) if is_chunked else None,
            is_complete or headers.get("content-length") == str(sum(self._sizes)),
        )

    def pieces(self) -> Iterator[bytes]:
        """Yield the body, and keep it."""
        try:
            for piece in self._stream:
                guarded(self._add, piece)
                yield piece
        except Exception as error:
            guarded(self._fail, error)
            raise
        guarded(self._end, is_complete=True)

    async def pieces_async(self) -> AsyncIterator[bytes]:
        """As `pieces`, in an event loop."""
        try:
            async for piece in self._stream:
                guarded(self._add, piece)
                yield piece
        except BaseException as error:
            guarded(self._fail, error)
            raise
        guarded(self._end, is_complete=True)

    def close(self) -> None:
        """Close the stream, which may have come to its end or not."""
        guarded(self._end, is_complete=False)
        self._stream.close()

    async def close_async(self) -> None:
        """As `close`, in an event loop."""
        guarded(self._end, is_complete=False)
        await self._stream.aclose()
