"""HTTP/1.1 messages as bytes: recorded answers for a library's own parser, chunks taken off a body.

Imports the standard library and this package. Invariant: what a parser of HTTP/1.1 makes of
`response_bytes(response)` is the response, its body coded and cut off as it was.
"""

from collections.abc import Iterator

from replay.interaction import Header, Response
from replay.recorder.outbound.body import BodyTape

_BODILESS = frozenset({204, 304})


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
