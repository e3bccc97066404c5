"""Payloads that came plain into the table `part`, put back packed: what an intake does besides.

The recorder writes them as they are, as packing takes it too long. Packing is done before the
transaction that writes what came of it, and that one is short enough for processes that capture
meanwhile. Invariant: a payload is replaced by what unpacks to it alone; killed at any moment, the
store holds each part, plain or packed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from replay.store.batch import fitting
from replay.store.engine.database import driver
from replay.store.located import Located
from replay.store.packing import packed

_AT_ONCE = 64
_AT_ONCE_BYTES = 2**19
"""To free the pages of so many takes 1 ms, of the 25 that a capturing process waits."""
# By its id and its checksum as well: another process may have redacted it, or deleted it and given
# its number to another.
_REPLACE = "UPDATE part SET payload = ? WHERE n = ? AND id = ? AND crc = ? AND length(payload) = ?"


@dataclass(frozen=True, slots=True)
class Smaller:
    """A payload as it is to be kept, which part it is of, and how many bytes it has now."""

    n: int
    id: str
    crc: int
    payload: bytes
    size_bytes: int


def smaller(parts: Iterable[Located]) -> list[Smaller]:
    """Return what packing makes smaller of parts that were read."""
    found: list[Smaller] = []
    for one in parts:
        plain = one.part.payload
        if one.is_intact and (kept := packed(plain)) is not plain:
            found.append(Smaller(one.n, one.part.id, one.part.crc, kept, len(plain)))
    return found


def portions(some: Iterable[Smaller]) -> Iterator[list[Smaller]]:
    """Return as many at a time as one short transaction may write."""
    return fitting(some, lambda one: one.size_bytes, most=_AT_ONCE, most_bytes=_AT_ONCE_BYTES)


def write(some: Iterable[Smaller], connection: Connection) -> None:
    """Replace payloads, where they are still there and plain."""
    rows = [(one.payload, one.n, one.id, one.crc, one.size_bytes) for one in some]
    driver(connection).executemany(_REPLACE, rows)
