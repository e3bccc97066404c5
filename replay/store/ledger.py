"""The table `part`: what is appended to it is numbered in the order of the commits.

No engine gives the numbers: a sequence would number in the order of its calls, and a part that is
committed after one with a higher number would never be taken in.
"""

from collections.abc import Iterable
from typing import TypeAlias

from sqlalchemy import Connection, func, select

from replay.recording import Part
from replay.store.engine.database import driver
from replay.store.tables import part

Row: TypeAlias = tuple[str, str, int, bytes]
"""Id, kind, checksum and payload."""
_LAST = select(func.max(part.c.n))


def last_n(connection: Connection) -> int:
    """Return the number of the last part, 0 where there is none."""
    return connection.scalar(_LAST) or 0


def row_of(one: Part) -> Row:
    """Return the row of a part, without its number."""
    return one.id, one.kind, one.crc, one.payload


def append(connection: Connection, rows: Iterable[Row]) -> None:
    """Insert rows behind the last one; within a transaction that writes."""
    first_n = last_n(connection) + 1
    driver(connection).insert(part, ((n, *row) for n, row in enumerate(rows, first_n)))
