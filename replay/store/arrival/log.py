"""The other end of the recorder's log: its lines become the parts of recordings again.

Lines are looked for as bytes and anywhere: after the time that `aws logs tail` puts before them,
inside the strings of `filter-log-events`, which have nothing of them to escape, behind what a
handler printed without a newline. Whoever can write to a log can write such lines, so nothing that
they say is believed but by its checksum, and no memory is taken on their word.
"""

import re
import zlib
from binascii import a2b_base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

from replay.document import MAX_BYTES
from replay.errors import DamagedError, ReplayError
from replay.fixture import Fixture
from replay.recorder.log import MAX_LINE_BYTES, PLAIN, PREFIX
from replay.recording import Part
from replay.store.arrival.inflate import inflate
from replay.store.located import Located, in_order

MAX_PIECES = MAX_BYTES // MAX_LINE_BYTES * 2
"""More than a part of the greatest size has, as base64."""
_CHUNK_BYTES = 4 * 2**20
_WHOLE_BYTES = len(PREFIX) + MAX_LINE_BYTES
_PREFIX = re.compile(re.escape(PREFIX))
_EXPORT = re.compile(rb'\x28\xb5\x2f\xfd|(\xef\xbb\xbf)?\s*\{\s*"(format|digest)"\s*:')
"""How an export begins, packed or not."""
_DOCUMENT = re.compile(rb"(\xef\xbb\xbf)?\s*\{")
_HEAD = re.compile(
    rb"([0-7][0-9a-hjkmnp-tv-z]{25}) (begun|sent|answered|ended) (\d{1,6})/(\d{1,6})"
    rb" ([0-9a-f]{8}) ([pz]) "
)
_REST = re.compile(rb"([A-Za-z0-9+/]{1,%d}={0,2}) ([0-9a-f]{8})" % MAX_LINE_BYTES)
_SHOWN_BYTES = 40
_AGAIN = "download the log again, from before the invocation until after it"


@dataclass(frozen=True, slots=True)
class _Key:
    """What the lines of one part have in common."""

    id: str
    kind: str
    count: int
    crc: int
    packing: bytes


_Piece: TypeAlias = tuple[_Key, int]


@dataclass(slots=True)
class _Found:
    """What a log holds: the pieces of each part, and what was damaged."""

    pieces: dict[_Key, dict[int, bytes]] = field(default_factory=dict)
    damaged: set[_Piece] = field(default_factory=set)
    unknown: list[bytes] = field(default_factory=list)

    def add(self, text: bytes, start: int) -> None:
        """Take the line that begins behind a prefix; a second copy of it is left out."""
        head = _HEAD.match(text, start)
        piece = _piece_of(head) if head else None
        if head is None or piece is None:
            self.unknown.append(text[start : start + _SHOWN_BYTES])
            return
        key, number = piece
        pieces = self.pieces.setdefault(key, {})
        rest = _REST.match(text, head.end())
        if rest and zlib.crc32(text[start : rest.end(1)]) == int(rest[2], 16):
            pieces.setdefault(number, rest[1])
        else:
            self.damaged.add(piece)

    def by_id(self) -> dict[str, list[_Key]]:
        """Return the parts of each recording, in the order of the log; ids sorted."""
        found: dict[str, list[_Key]] = {id: [] for id in sorted({key.id for key in self.pieces})}
        for key in self.pieces:
            found[key.id].append(key)
        return found


def is_log(file: BinaryIO) -> bool:
    """Whether a file has lines of the recorder's and is no export; it must be one that can seek."""
    begun_at = file.tell()
    try:
        text = file.read(_CHUNK_BYTES)
        if _EXPORT.match(text):
            return False
        while text and PREFIX not in text:
            chunk = file.read(_CHUNK_BYTES)
            text = text[-len(PREFIX) :] + chunk if chunk else b""
        return bool(text)
    finally:
        file.seek(begun_at)


def refuse_other_log(file: BinaryIO, name: str) -> None:
    """Raise ReplayError for lines of text of which none is ours and none a document."""
    begun_at = file.tell()
    text = file.read(_CHUNK_BYTES)
    file.seek(begun_at)
    lines = text.split(b"\n")
    if len(lines) > 1 and b"\0" not in text and not any(map(_DOCUMENT.match, lines)):
        raise ReplayError(
            f"{name} is a log without a line of the recorder's, or no export of recordings",
            "set REPLAY_STORE=stdout: for the function, and download what it has logged since",
        )


def read(log: BinaryIO, name: str) -> Iterator[Fixture | DamagedError]:
    """Yield the recordings of a log by id, each as far as it is there, and what is damaged.

    `name` is what messages call the log. A recording of which a line is missing or damaged is an
    error as a whole: without its ended part it would be taken for unfinished.
    """
    found = _Found()
    for text, start in _lines(log):
        found.add(text, start)
    for line in found.unknown:
        shown = line.decode(errors="backslashreplace")
        yield DamagedError(f"{name}: a line of the recorder's is damaged: {shown}", _AGAIN)
    for id, keys in found.by_id().items():
        try:
            yield Fixture(id, _ordered(_parts(keys, found)))
        except DamagedError as error:
            yield DamagedError(f"{name}: {error.message}", error.hint)


def _lines(log: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield where each line begins behind its prefix, with text that has all of it."""
    text = b""
    is_at_end = False
    while not is_at_end:
        chunk = log.read(_CHUNK_BYTES)
        is_at_end = not chunk
        text += chunk
        end = len(text) if is_at_end else max(0, len(text) - _WHOLE_BYTES)
        for found in _PREFIX.finditer(text):
            if found.start() < end:
                yield text, found.end()
        text = text[end:]


def _piece_of(head: re.Match[bytes]) -> _Piece | None:
    number, count = int(head[3]), int(head[4])
    if not 1 <= number <= count <= MAX_PIECES:
        return None
    return _Key(head[1].decode(), head[2].decode(), count, int(head[5], 16), head[6]), number


def _parts(keys: Iterable[_Key], found: _Found) -> list[Part]:
    parts: list[Part] = []
    room_bytes = MAX_BYTES
    for key in keys:
        _check_whole(key, found)
        parts.append(_joined(key, found.pieces[key], room_bytes))
        room_bytes -= len(parts[-1].payload)
    return parts


def _check_whole(key: _Key, found: _Found) -> None:
    pieces = found.pieces[key]
    lost = key.count - len(pieces)
    if not lost:
        return
    is_damaged = any((key, n) in found.damaged for n in range(1, key.count + 1) if n not in pieces)
    why = "damaged (checksum)" if is_damaged else "not there"
    raise DamagedError(
        f"recording {key.id}: of {key.count:,} lines of its {key.kind} part {lost:,} are {why}",
        _AGAIN,
    )


def _joined(key: _Key, pieces: dict[int, bytes], room_bytes: int) -> Part:
    """Return the part whose pieces are all there; raises DamagedError."""
    text = b"".join(pieces[number] for number in range(1, key.count + 1))
    try:
        payload = _unpacked(a2b_base64(text), key.packing, room_bytes)
    except ValueError as error:
        raise DamagedError(f"recording {key.id}: its {key.kind} part: {error}", _AGAIN) from error
    part = Part(key.id, key.kind, payload)
    if part.crc != key.crc:
        raise DamagedError(f"recording {key.id}: its {key.kind} part is damaged (checksum)", _AGAIN)
    return part


def _unpacked(content: bytes, packing: bytes, room_bytes: int) -> bytes:
    """Return a payload; raises ValueError, never with more than `room_bytes` in memory."""
    if packing == PLAIN:
        return content
    return inflate(content, room_bytes=room_bytes)


def _ordered(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Return parts as the store has them; raises DamagedError where two are in one place."""
    found = [Located(n, part, is_intact=True) for n, part in enumerate(parts, 1)]
    ordered = in_order(found)
    if len(ordered) < len(found):
        id = found[0].part.id
        raise DamagedError(
            f"recording {id}: there are two, with different content",
            f"replay show {id}; import into another store: replay import --store PATH FILE",
        )
    return tuple(one.part for one in ordered)
