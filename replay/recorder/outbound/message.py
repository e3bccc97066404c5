"""HTTP messages and what comes in their place: answers as bytes, bodies, exceptions.

Imports the standard library and this package. Invariant: what a parser of HTTP/1.1 makes of
`response_bytes(response)` is the response, its body coded and cut off as it was.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from replay.codec import Truncated
from replay.interaction import (
    Body,
    Failure,
    Header,
    HttpCall,
    Response,
    Stage,
    answer_document,
    answer_of,
)
from replay.recorder.outbound.body import BodyTape, body_of, capped
from replay.recorder.outbound.withheld import kept_body, kept_headers, kept_url

_BODILESS = frozenset({204, 304})
_MAX_REQUEST_BYTES = 1 << 20
_MAX_CAUSES = 3
_SSL_DETAILS = ("library", "reason", "verify_code", "verify_message")
_SO_FAR = "response"
_LIBRARIES = frozenset(
    {*("builtins", "http", "select", "socket", "ssl", "urllib", "urllib3", "requests", "zlib")}
)
"""Where the class of a recorded exception may come from: a recording names no others."""
_IS = "is"
_CAUSE = "cause"


def http_call(method: str, url: str, headers: Iterable[Header], body: Any) -> HttpCall | None:
    """Return the request that a client is about to send; None if it is one of Lambda's own."""
    if is_runtime_api(url.partition("://")[2].partition("/")[0]):
        return None
    named = tuple(headers)
    types = [value for name, value in named if name.lower() == "content-type"]
    kept = kept_headers(named, of_request=True)
    return HttpCall(method.upper(), kept_url(url), kept, _request_body(body, "".join(types[:1])))


def is_runtime_api(address: str) -> bool:
    """Whether HOST:PORT is the Lambda Runtime API, which the runtime itself may poll with us."""
    return bool(address) and address == os.environ.get("AWS_LAMBDA_RUNTIME_API")


def _request_body(source: Any, content_type: str) -> Body:
    if isinstance(source, list | tuple) and all(isinstance(piece, bytes) for piece in source):
        source = b"".join(source)
    body = body_of(source, _MAX_REQUEST_BYTES)
    if isinstance(body, Truncated):
        return replace(body, head="")  # credentials can be told only in a whole document
    return body and capped(kept_body(body, content_type), _MAX_REQUEST_BYTES)


def response_bytes(response: Response, *, method: str = "GET") -> bytes:
    """Return an answer as it comes over the wire, by RFC 9112.

    The body follows in chunks of the recorded sizes, and in one where only the headers tell of
    chunks; that of an answer which did not come to its end is cut off where reading stopped. With
    neither chunks nor a length the connection's end is the body's. Its body must be bytes.
    """
    if not isinstance(response.body, bytes):
        raise TypeError("only an answer whose whole body was kept can be given again")
    is_chunked = response.chunks is not None or _says_chunked(response.headers)
    head = _head_bytes(response, adds_chunked=is_chunked and not _says_chunked(response.headers))
    if method == "HEAD" or response.status in _BODILESS or response.status < 200:
        return head
    return head + (b"".join(_chunks_of(response)) if is_chunked else response.body)


def _head_bytes(response: Response, *, adds_chunked: bool) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {response.reason}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    if adds_chunked:
        lines.append("Transfer-Encoding: chunked")
    return b"".join(_line_bytes(line) + b"\r\n" for line in (*lines, ""))


def _line_bytes(line: str) -> bytes:
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:  # a client that decodes headers as UTF-8
        return line.encode("utf-8", "surrogateescape")


def _says_chunked(headers: tuple[Header, ...]) -> bool:
    return any(
        name.lower() == "transfer-encoding" and "chunked" in value.lower()
        for name, value in headers
    )


def _chunks_of(response: Response) -> Iterator[bytes]:
    body, start = response.body, 0
    assert isinstance(body, bytes)
    for size in response.chunks or ():
        piece = body[start : start + size]
        start += size
        yield b"%x\r\n%b" % (size, piece)
        if len(piece) < size:
            return  # it was cut off in here
        yield b"\r\n"
    if start < len(body):
        yield b"%x\r\n%b\r\n" % (len(body) - start, body[start:])
    if response.is_complete:
        yield b"0\r\n\r\n"


class Dechunker:
    """Takes the chunks off a body that comes piece by piece, and keeps it on a tape."""

    def __init__(self, tape: BodyTape) -> None:
        self._tape = tape
        self._sizes: list[int] = []
        self._left = 0
        self._line = bytearray()
        self.is_done = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of the chunks that have begun."""
        return tuple(self._sizes)

    def add(self, piece: bytes) -> None:
        """Take what came; raises ValueError where it is not chunked."""
        while piece and not self.is_done:
            piece = self._data_taken(piece) if self._left else self._line_taken(piece)

    def _data_taken(self, piece: bytes) -> bytes:
        data = piece[: self._left]
        self._tape.add(data)
        self._left -= len(data)
        return piece[len(data) :]

    def _line_taken(self, piece: bytes) -> bytes:
        line, end, rest = piece.partition(b"\n")
        self._line += line
        if end:
            size = self._line.partition(b";")[0].strip()
            self._line.clear()
            if size:  # else it is the end of the chunk before
                self._begin_chunk(int(size, 16))
        return rest

    def _begin_chunk(self, size: int) -> None:
        self._left = size
        if size:
            self._sizes.append(size)
        else:
            self.is_done = True


def failure_of(
    error: BaseException,
    stage: Stage,
    *,
    arguments: tuple[Any, ...] | None = None,
    so_far: Response | None = None,
    names: Mapping[str, object] | None = None,
    depth: int = 0,
) -> Failure:
    """Return an exception as a value.

    `arguments` are what its class was given, if not `error.args`. Of these, what is no plain data
    becomes a mark: one of `names`, or the cause. `so_far` is the part of an answer that came before
    the exception.
    """
    given = error.args if arguments is None else arguments
    cause = _cause_of(error, given)
    keywords: dict[str, object] = _details_of(error)
    if so_far is not None:
        keywords[_SO_FAR] = answer_document(so_far)
    return Failure(
        type(error).__qualname__,
        type(error).__module__,
        str(error),
        tuple(_plain(one, cause, names or {}) for one in given),
        keywords,
        stage,
        failure_of(cause, stage, names=names, depth=depth + 1)
        if cause is not None and depth < _MAX_CAUSES
        else None,
    )


def _cause_of(error: BaseException, given: tuple[Any, ...]) -> BaseException | None:
    """Return what an exception stands for; its context may be the host's, but for an OSError."""
    told = (*given, error.__cause__)
    if not isinstance(error, OSError) and isinstance(error.__context__, OSError):
        told = (*told, error.__context__)
    return next((one for one in told if isinstance(one, BaseException)), None)


def _details_of(error: BaseException) -> dict[str, object]:
    """Return what OpenSSL says of an error, which is in no argument of its class."""
    details = {name: vars(error)[name] for name in _SSL_DETAILS if name in vars(error)}
    return {name: value for name, value in details.items() if isinstance(value, str | int)}


def _plain(value: object, cause: object, names: Mapping[str, object]) -> object:
    """Return a value, or the mark of what it is; a URL is one too, for it may hold credentials."""
    for name, one in (*names.items(), (_CAUSE, cause)):
        if value is one and value is not None:
            return {_IS: name}
    if value is None or type(value) in (str, bytes, int, float, bool):
        return value
    return type(value).__qualname__


def exception_of(failure: Failure, names: Mapping[str, object] | None = None) -> Exception:
    """Return the exception that a failure tells of, with what `names` holds for its marks.

    Its class is one that this process has loaded; nothing is imported at a recording's word. Where
    there is no such class it is a ConnectionError.
    """
    names = names or {}
    cause = exception_of(failure.cause, names) if failure.cause is not None else None
    known = {**names, _CAUSE: cause}
    given = [known.get(one[_IS]) if isinstance(one, dict) else one for one in failure.arguments]
    error = _built(_class_of(failure), given, failure.message)
    for name in _SSL_DETAILS:
        if name in failure.keywords:
            setattr(error, name, failure.keywords[name])
    error.__cause__ = error.__context__ = cause
    return error


def _class_of(failure: Failure) -> type[Exception]:
    is_known = failure.module.partition(".")[0] in _LIBRARIES
    found: object = sys.modules.get(failure.module) if is_known else None
    for name in failure.error_type.split("."):
        found = getattr(found, name, None)
    is_usable = isinstance(found, type) and issubclass(found, Exception)
    return found if is_usable else ConnectionError  # type: ignore[return-value]


def _built(kind: type[Exception], given: list[object], message: str) -> Exception:
    """Return an exception of a class, made by its constructor if that will have it."""
    try:
        error = kind(*given)
    except Exception:  # noqa: BLE001 - a class of the host's may ask for anything
        error = kind.__new__(kind)
        error.args = (message,)
        return error
    if str(error) != message and len(error.args) == len(given):
        error.args = tuple(given)  # it makes its message of them, and they are that message
    return error


def so_far_of(failure: Failure) -> Response | None:
    """Return the part of an answer that came before a failure; without a body that was not kept."""
    document = failure.keywords.get(_SO_FAR)
    response = answer_of(document) if document is not None else None
    if not isinstance(response, Response) or isinstance(response.body, bytes):
        return response if isinstance(response, Response) else None
    return replace(response, body=b"", chunks=response.chunks and ())
