"""Calls through `http.client`, and what other libraries share that send theirs through it.

`HTTPConnection.endheaders` opens a call, `getresponse` has its answer: a real one is copied while
the host reads it, from under `HTTPResponse`; a recorded one comes out of a socket that is none, so
that `HTTPResponse` itself makes of the bytes what it would have made of them. A body that is sent
after `endheaders` is no part of the call: by then it must be known whether there is a network.

Imports the standard library and this package. Invariant: nothing is read ahead of the host.
"""

from collections.abc import Callable, Iterator
from typing import Any

from replay.interaction import Answer, Header, HttpCall, Response, Stage
from replay.recorder.guard import guarded
from replay.recorder.outbound.answer_socket import AnswerSocket
from replay.recorder.outbound.body import BodyTape
from replay.recorder.outbound.hook import hook
from replay.recorder.outbound.message import Dechunker, failure_of, http_call
from replay.recorder.outbound.outlet import Unanswered, is_inside, open_call
from replay.recorder.outbound.withheld import kept_headers

_EXCHANGE = "_replay_exchange"
_HTTPS_PORT = 443


def install(module: Any) -> None:
    """See every call of `http.client`, also through connections that there are already."""
    connection = module.HTTPConnection
    hook(connection, "endheaders", _endheaders)
    hook(connection, "getresponse", lambda original: _getresponse(original, module))


def _endheaders(original: Callable[..., None]) -> Callable[..., None]:
    def endheaders(self: Any, message_body: Any = None, *, encode_chunked: bool = False) -> None:
        exchange = None
        if not is_inside():
            unanswered = open_call(lambda: _call_of(self, message_body))
            if unanswered is not None and unanswered.answer is not None:
                _answer(self, unanswered)
            else:
                exchange = guarded(_begin, self, unanswered)
        try:
            original(self, message_body, encode_chunked=encode_chunked)
        except Exception as error:
            if exchange is not None:
                _forget(self)
                guarded(exchange.fail, error, "request")
            raise

    return endheaders


def _getresponse(original: Callable[..., Any], module: Any) -> Callable[..., Any]:
    def getresponse(self: Any) -> Any:
        exchange = Exchange.on(self)
        try:
            response = original(self)
        except module.ResponseNotReady:  # it was asked for too early: the call goes on
            raise
        except Exception as error:
            _forget(self)
            if exchange is not None:
                guarded(exchange.fail, error, "response")
            raise
        _forget(self)
        if exchange is not None:
            guarded(exchange.watch, response)
        return response

    return getresponse


def _forget(connection: Any) -> None:
    """Leave nothing of ours; after a recorded answer a connection counts as closed."""
    state_of(connection).pop(_EXCHANGE, None)
    if isinstance(getattr(connection, "sock", None), AnswerSocket):
        connection.sock = None


def _answer(connection: Any, unanswered: Unanswered) -> None:
    """Put a recorded answer where a connection sends; unguarded, or what fails here is sent."""
    if connection.sock is not None:
        connection.sock.close()
    connection.sock = AnswerSocket(unanswered, connection._method)
    state_of(connection).pop(_EXCHANGE, None)


def _begin(connection: Any, unanswered: Unanswered | None) -> "Exchange | None":
    """Return what becomes of a call that is sent."""
    _forget(connection)  # an answer that nobody asked for
    if unanswered is None:
        return None
    exchange = Exchange(unanswered)
    exchange.enter(connection)
    return exchange


def _call_of(connection: Any, body: Any) -> HttpCall | None:
    request, *lines = [line.decode("latin-1") for line in connection._buffer]
    method, target, _ = request.split(" ", 2)
    url = target if "://" in target.partition("?")[0] else _origin_of(connection) + target
    return http_call(method, url, _headers_of(lines), body)


def _origin_of(connection: Any) -> str:
    """Return the beginning of a connection's URLs; through a tunnel it is not the proxy's."""
    tunnel_host = connection._tunnel_host
    host, port = (
        (tunnel_host, connection._tunnel_port)
        if tunnel_host
        else (connection.host, connection.port)
    )
    scheme = "https" if connection.default_port == _HTTPS_PORT else "http"
    return origin(scheme, host, None if port == connection.default_port else port)


def state_of(connection: Any) -> dict[str, Any]:
    """Return where a connection keeps what is said of it; somebody's stand-in may have no place."""
    return getattr(connection, "__dict__", {})


def origin(scheme: str, host: str, port: int | None) -> str:
    """Return the beginning of a URL, up to its path."""
    name = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{scheme}://{name}" if port is None else f"{scheme}://{name}:{port}"


def _headers_of(lines: list[str]) -> Iterator[Header]:
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            yield name, value.strip()


class Exchange:
    """One call that is being sent over a connection, until it is settled."""

    def __init__(self, unanswered: Unanswered) -> None:
        self._unanswered = unanswered
        self._is_settled = False

    @staticmethod
    def on(connection: Any) -> "Exchange | None":
        """Return the call whose answer is what a connection gives next."""
        exchange: Exchange | None = state_of(connection).get(_EXCHANGE)
        return exchange

    def enter(self, connection: Any) -> None:
        """Wait for the answer that a connection gives next."""
        state_of(connection)[_EXCHANGE] = self

    def leave(self, connection: Any) -> None:
        """Wait no longer."""
        if Exchange.on(connection) is self:
            del state_of(connection)[_EXCHANGE]

    def settle(self, answer: Answer) -> None:
        """Take what came of the call; the first counts."""
        if not self._is_settled:
            self._is_settled = True
            self._unanswered.settle(answer)

    def fail(self, error: Exception, stage: Stage) -> None:
        """Take an exception for what came of the call."""
        if not self._is_settled:
            self.settle(failure_of(error, stage))

    def watch(self, response: Any) -> None:
        """Copy the body of an `HTTPResponse` while it is read."""
        tape = _AnswerTape(self, response, self._unanswered.max_bytes)
        if tape.is_at_end:
            self.settle(tape.answer())
            return
        response.fp = _TapedFile(response.fp, tape)
        self._unanswered.arrived(tape.answer)


class _AnswerTape:
    """What has been read of an answer; settles its call at the end of that."""

    def __init__(self, exchange: Exchange, response: Any, max_bytes: int) -> None:
        self._exchange = exchange
        self._head = (response.status, response.reason)
        self._headers = kept_headers(response.headers.items(), of_request=False)
        self._length = response.length
        self._body = BodyTape(max_bytes)
        is_chunked = response.chunked and self._length is None  # 0: nothing follows, as for HEAD
        self._dechunker = Dechunker(self._body) if is_chunked else None
        self._size_bytes = 0
        self._has_ended = False

    @property
    def is_at_end(self) -> bool:
        """Whether no more of the body is to come."""
        if self._dechunker is not None:
            return self._dechunker.is_done
        return self._has_ended if self._length is None else self._size_bytes >= self._length

    def answer(self) -> Response:
        """Return the answer as far as it has been read."""
        chunks = self._dechunker.sizes if self._dechunker is not None else None
        is_complete = self.is_at_end
        status, reason = self._head
        return Response(status, reason, self._headers, self._body.body(), chunks, is_complete)

    def add(self, piece: bytes, *, is_last: bool) -> None:
        """Keep what was read; `is_last` says that nothing came after it."""
        self._size_bytes += len(piece)
        if self._dechunker is not None:
            self._dechunker.add(piece)
        else:
            self._body.add(piece)
        self._has_ended = self._has_ended or is_last
        if is_last or self.is_at_end:
            self.end()

    def end(self) -> None:
        """Note that nothing more is read."""
        self._exchange.settle(self.answer())

    def fail(self, error: Exception) -> None:
        """Note that reading has failed."""
        self._exchange.settle(failure_of(error, "body", so_far=self.answer()))


class _TapedFile:
    """The file under an `HTTPResponse`, which copies what is read of it; all else is the file's."""

    def __init__(self, file: Any, tape: _AnswerTape) -> None:
        self._file = file
        self._tape = tape

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int | None = -1) -> bytes:
        piece: bytes = self._read(self._file.read, size)
        is_last = size is None or size < 0 or len(piece) < size
        guarded(self._tape.add, piece, is_last=is_last)
        return piece

    def read1(self, size: int = -1) -> bytes:
        return self._taped(self._read(self._file.read1, size), size)

    def readline(self, size: int = -1) -> bytes:
        return self._taped(self._read(self._file.readline, size), size)

    def readinto(self, buffer: Any) -> int:
        count: int = self._read(self._file.readinto, buffer)
        room = memoryview(buffer).cast("B")
        guarded(self._tape.add, bytes(room[:count]), is_last=count < len(room))
        return count

    def close(self) -> None:
        guarded(self._tape.end)
        self._file.close()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def __enter__(self) -> "_TapedFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, read: Callable[..., Any], size: Any) -> Any:
        try:
            return read(size)
        except Exception as error:
            guarded(self._tape.fail, error)
            raise

    def _taped(self, piece: bytes, size: int) -> bytes:
        guarded(self._tape.add, piece, is_last=not piece and size != 0)
        return piece
