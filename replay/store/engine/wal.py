"""Reads a write-ahead log as SQLite does, to tell what SQLite leaves out without a word.

From the first frame whose checksum does not hold, SQLite takes a WAL for ended. Frames after that
which carry the salts of this log were commits once, and are lost. Layout: "The Write-Ahead Log" in
https://sqlite.org/fileformat2.html#the_write_ahead_log. Imports the standard library only.
"""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

_HEADER_BYTES, _FRAME_BYTES = 32, 24
_MAGIC = 0x377F0682
_MAX_PAGE_BYTES = 65536


class _Sum(NamedTuple):
    """SQLite's rolling checksum of a log."""

    first: int = 0
    second: int = 0

    def add(self, words: Iterable[int]) -> "_Sum":
        """Return the checksum with more words, of which there is an even number."""
        first, second = self
        pairs = iter(words)
        for word in pairs:
            first = (first + word + second) & 0xFFFFFFFF
            second = (second + next(pairs) + first) & 0xFFFFFFFF
        return _Sum(first, second)


def lost_frames(wal: Path) -> int:
    """Return how many frames of the log SQLite leaves out although they are of this log."""
    try:
        with wal.open("rb") as file:
            return _lost_frames(file)
    except FileNotFoundError:
        return 0


def _lost_frames(file: BinaryIO) -> int:
    header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        return 0
    magic, _, page_bytes, _, *salts = struct.unpack(">6I", header[:24])
    order = ">" if magic & 1 else "<"
    sum_ = _Sum().add(_words(order, header[:24]))
    is_sound = magic | 1 == _MAGIC | 1 and sum_ == struct.unpack(">2I", header[24:])
    if not 512 <= page_bytes <= _MAX_PAGE_BYTES:
        return 1  # how many there were cannot be told any more
    lost = 0
    while len(frame := file.read(_FRAME_BYTES + page_bytes)) == _FRAME_BYTES + page_bytes:
        if is_sound:
            sum_ = sum_.add(_words(order, frame[:8])).add(_words(order, frame[_FRAME_BYTES:]))
        is_ours = list(struct.unpack(">2I", frame[8:16])) == salts
        is_sound = is_sound and is_ours and sum_ == struct.unpack(">2I", frame[16:24])
        lost += is_ours and not is_sound
    return lost


def _words(order: str, content: bytes) -> tuple[int, ...]:
    return struct.unpack(f"{order}{len(content) // 4}I", content)
