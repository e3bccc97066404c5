"""Bodies of calls and answers, kept up to a cap, without getting into the way of who reads them."""

from hashlib import blake2b
from typing import Any

from replay.codec import Truncated
from replay.interaction import Body

_HEAD_BYTES = 4096
_PIECE_BYTES = 1 << 20


class BodyTape:
    """What has been read of a body: all up to `max_bytes`, beyond that a head and a digest."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._head_bytes = min(max_bytes, _HEAD_BYTES)
        self._kept = bytearray()
        self._digest = blake2b(digest_size=16)
        self._size_bytes = 0

    def add(self, piece: bytes) -> None:
        """Keep a piece."""
        self._size_bytes += len(piece)
        self._digest.update(piece)
        most = self._max_bytes if self._size_bytes <= self._max_bytes else self._head_bytes
        room = most - len(self._kept)
        if room < 0:
            del self._kept[most:]
        else:
            self._kept += piece[:room]

    def body(self) -> Body:
        """Return what was kept."""
        if self._size_bytes <= self._max_bytes:
            return bytes(self._kept)
        head = self._kept[: self._head_bytes].decode(errors="replace")
        return Truncated(self._size_bytes, self._digest.hexdigest(), head)


def capped(body: bytes, max_bytes: int) -> Body:
    """Return a body, or a head and a digest of one over the cap."""
    if len(body) <= max_bytes:
        return body
    tape = BodyTape(max_bytes)
    tape.add(body)
    return tape.body()


def body_of(source: Any, max_bytes: int) -> Body:
    """Return what a client was given to send; a file is left where it stood.

    None for what can be read only once, which is the library's to read.
    """
    if source is None:
        return b""
    if isinstance(source, str):
        return capped(source.encode(), max_bytes)
    if isinstance(source, bytes | bytearray | memoryview):
        return capped(bytes(source), max_bytes)
    return _body_of_file(source, max_bytes) if is_seekable(source) else None


def is_seekable(source: Any) -> bool:
    """Whether a file can be read, and be put back to where it stood."""
    if not all(hasattr(source, name) for name in ("read", "seek", "tell")):
        return False
    try:
        says = getattr(source, "seekable", None)
        if says is not None and not says():
            return False
        source.seek(source.tell())
    except (OSError, ValueError, TypeError, AttributeError, NotImplementedError):
        return False
    return True


def _body_of_file(file: Any, max_bytes: int) -> Body:
    tape, place = BodyTape(max_bytes), file.tell()
    try:
        while piece := file.read(_PIECE_BYTES):
            tape.add(piece.encode() if isinstance(piece, str) else piece)
    finally:
        file.seek(place)
    return tape.body()
