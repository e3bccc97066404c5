"""Calls that the host makes with httpx, sync and async: each hop of a redirect is one.

Seen at the transports that open connections, so that clients, redirects, cookies, decoding and
what else httpx does are its own, in a replay too. Imports the standard library and this package.
Invariant: nothing is read of an answer that its reader did not ask for.
"""

import functools
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, TypeVar

from replay.codec import Truncated
from replay.errors import ReplayError
from replay.interaction import (
    Answer,
    Body,
    Failure,
    Header,
    HttpCall,
    Response,
    Stage,
    answer_document,
    answer_of,
)
from replay.recorder.guard import guarded
from replay.recorder.outbound.body import BodyTape, body_of, capped
from replay.recorder.outbound.outlet import Inside, Unanswered, open_call
from replay.recorder.outbound.withheld import kept_body, kept_headers, kept_url
from replay.settings import LAMBDA_MAX_BYTES

MODULE = "httpx"
"""After whose import `install` is to be called."""
PIECE_BYTES = 65_536
"""What a body that came in no chunks is handed out in: as much as httpcore reads at once."""
Raised = TypeVar("Raised", bound=BaseException)
_MARK = "is_seen_by_replay"
_MAX_CAUSES = 5
_PLAIN = str | bytes | int | float | None
_KEYWORDS = ("code", "message", "path", "status")
"""What constructors of exceptions want by name, and keep by it."""
_LIBRARIES = frozenset(
    {"aiohttp", "anyio", "asyncio", "builtins", "h11", "h2", "httpcore", "httpx", "socket", "ssl"}
)
"""Where the class of a recorded exception may come from: a recording names no others."""
_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"})
_BEFORE_THE_ANSWER = _UNSENT | {"LocalProtocolError", "ProxyError", "WriteError", "WriteTimeout"}


def install(module: Any) -> None:
    """Have the calls of `module`, which is httpx, seen from now on."""
    stream_of = _stream_class(module.SyncByteStream, "__iter__", "close")
    handle = functools.partial(_sync, module, stream_of)
    wrap(module.HTTPTransport, "handle_request", handle)
    stream_of = _stream_class(module.AsyncByteStream, "__aiter__", "aclose")
    handle = functools.partial(_async, module, stream_of)
    wrap(module.AsyncHTTPTransport, "handle_async_request", handle)


def wrap(owner: Any, name: str, wrapper_of: Callable[[Any], Any]) -> None:
    """Put a wrapper in the place of a method, unless there is one of ours already."""
    original = getattr(owner, name)
    if getattr(original, _MARK, False):  # `functools.wraps` hands it on to other people's wrappers
        return
    wrapper = functools.wraps(original)(wrapper_of(original))
    vars(wrapper)[_MARK] = True
    setattr(owner, name, wrapper)


def is_runtime_api(host: str, port: int) -> bool:
    """Whether an address is that of Lambda itself, which the host's calls do not go to."""
    return f"{host}:{port}" == os.environ.get("AWS_LAMBDA_RUNTIME_API")


def kept(body: Body, content_type: str) -> Body:
    """Return the body of a request without credentials, where it is there to be looked at."""
    return kept_body(body, content_type) if isinstance(body, bytes) else body


def sent_body(source: Any) -> Body:
    """Return what a library was given to send; None for what can be read only once."""
    is_seekable = getattr(source, "seekable", None)
    if is_seekable is not None and not is_seekable():
        return None
    return None if source is None else body_of(source, LAMBDA_MAX_BYTES)


def latin(headers: Iterable[tuple[bytes, bytes]]) -> tuple[Header, ...]:
    """Return the headers of an answer as they are kept: every byte is a character."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    return kept_headers(pairs, of_request=False)


def failure_of(error: BaseException, stage: Stage, **keywords: Any) -> Failure:
    """Return what a call ended in; in its body `response` is what had come of an answer."""
    return _failure(error, stage, _MAX_CAUSES, keywords)


def _failure(error: BaseException, stage: Stage, causes: int, keywords: dict[str, Any]) -> Failure:
    kind, cause = type(error), error.__cause__
    is_plain = all(isinstance(it, _PLAIN) for it in error.args)
    found = {name: vars(error)[name] for name in _KEYWORDS if name in vars(error)}
    return Failure(
        kind.__name__,
        kind.__module__,
        str(error),
        error.args if is_plain else (),
        {name: value for name, value in found.items() if isinstance(value, _PLAIN)} | keywords,
        stage,
        _failure(cause, stage, causes - 1, {}) if cause is not None and causes else None,
    )


def class_of(failure: Failure) -> type[Exception] | None:
    """Return the class of a recorded exception, where its library is loaded."""
    kind = _known_class_of(failure)
    return kind if kind is not None and issubclass(kind, Exception) else None


def _known_class_of(failure: Failure) -> type[BaseException] | None:
    is_known = failure.module.partition(".")[0] in _LIBRARIES
    found = getattr(sys.modules.get(failure.module), failure.error_type, None) if is_known else None
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def rebuilt(failure: Failure) -> Exception | None:
    """Return a recorded exception with its causes; None where it cannot be had."""
    error = _rebuilt(failure)
    return error if isinstance(error, Exception) else None


def _rebuilt(failure: Failure | None) -> BaseException | None:
    kind = _known_class_of(failure) if failure is not None else None
    if failure is None or kind is None:
        return None
    arguments = failure.arguments or ((failure.message,) if failure.message else ())
    for args, keywords in ((arguments, {}), ((), failure.keywords)):
        try:
            return caused(kind(*args, **keywords), failure.cause)
        except Exception:  # noqa: BLE001, S112 - it may be of another version
            continue
    return None


def caused(error: Raised, cause: Failure | None) -> Raised:
    """Return an exception as one that a recorded cause led to."""
    found = _rebuilt(cause)
    if found is not None:
        error.__cause__ = found
    return error


def unknown(failure: Failure) -> ReplayError:
    """Return what is raised in the place of an exception that cannot be had."""
    name = f"{failure.module}.{failure.error_type}"
    message = f"the recorded call ended in {name}, which cannot be raised here: {failure.message}"
    return ReplayError(message, "install the version of its library that was recorded with")


def received(answer: Answer) -> Response:
    """Return what came of an answer, be it that it ended in a failure."""
    if isinstance(answer, Response):
        return answer
    found = answer_of(answer.keywords["response"])
    assert isinstance(found, Response)
    return found


def truncated(body: Truncated) -> ReplayError:
    """Return what is raised where an answer is over the cap of the recording."""
    message = f"only the head of an answer of {body.size_bytes} bytes was kept"
    return ReplayError(message, "capture it again with a larger REPLAY_MAX_BYTES")


def pieces_of(response: Response) -> Iterator[bytes]:
    """Yield the body of an answer in the chunks that it came in."""
    body = response.body or b""
    if isinstance(body, Truncated):
        raise truncated(body)
    start = 0
    for size in response.chunks or ():
        yield body[start : start + size]
        start += size
    for place in range(start, len(body), PIECE_BYTES):
        yield body[place : place + PIECE_BYTES]


def ending_of(answer: Answer) -> Exception | None:
    """Return what comes after the body of an answer: None where that was its end."""
    if isinstance(answer, Failure):
        return rebuilt(answer) or unknown(answer)
    if answer.is_complete:
        return None
    return ReplayError("the handler reads more of an answer than it read in the recording")


def is_cancellation(failure: Failure) -> bool:
    """Whether a call ended because somebody else had no more use for it."""
    return failure.error_type in ("CancelledError", "Cancelled")  # asyncio's, trio's


async def forever() -> None:
    """Wait for whoever cancels the call once more."""
    from asyncio import Event

    await Event().wait()


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
    if is_runtime_api(url.host, url.port or 80):
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
        return capped(b"".join(stream), LAMBDA_MAX_BYTES)
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
        await forever()
    if (ending := ending_of(answer)) is not None:
        raise ending


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
