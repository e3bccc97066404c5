"""Ships what the recorder has written: part after part, each object acknowledged before the next.

Reads the store as another connection would, never for longer than a page of parts. A part is taken
out of the store only after its object was acknowledged, and only where the store nears its cap.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from time import sleep, time

from replay.recorder.connection import connect, look, size_bytes
from replay.recorder.export import spooled
from replay.recorder.export.position import Position, new_position, position_in
from replay.recorder.export.shipment import Row, shipment_of

MAX_BYTES = 2**20
"""Bytes of payloads in one object; a part that is longer has one of its own."""
EVERY_S = 30.0
_MAX_PAUSE_S = 480.0
_PAGE = 64
_REST_S = 0.005
"""Between transactions that delete: the recorder waits 25 ms for its own."""
_WAITING = "SELECT total(length(payload)) FROM part WHERE n > ?"
_AFTER = "SELECT n, id, kind, crc, payload FROM part WHERE n > ? ORDER BY n"
_CRC = "SELECT crc FROM part WHERE n = ?"
# The last one that was shipped stays: by it the position is known, and SQLite gives out no number
# a second time.
_SHIPPED = "SELECT n, length(payload) FROM part WHERE n < ? ORDER BY n LIMIT ?"
_DROP = "DELETE FROM part WHERE n <= ?"


class Exporter:
    """Ships the parts of one store by `put`, which returns once an object is acknowledged."""

    def __init__(
        self, store: str, put: Callable[[str, bytes], None], *, max_store_bytes: int | None = None
    ) -> None:
        self._store = os.path.abspath(store)
        self._put = put
        self._max_store_bytes = max_store_bytes
        # By the wall clock: a sandbox is frozen most of the time, and not every clock goes on.
        self._shipped_s = time()
        self._failures = 0

    def is_due(self) -> bool:
        """Whether it is time to ship: 30 s after the last time, or 1 MiB is waiting.

        After a failure it is not before a pause is over, whatever waits: 30 s, then twice as long.
        """
        return self.has_waited(EVERY_S) or (
            not self._failures and self._waiting_bytes() >= MAX_BYTES
        )

    def has_waited(self, seconds: float) -> bool:
        """Whether the last time is so long ago, or, after a failure, as long as the pause is."""
        pause_s = min(EVERY_S * 2 ** (self._failures - 1), _MAX_PAUSE_S) if self._failures else 0.0
        return abs(time() - self._shipped_s) >= max(seconds, pause_s)  # it may be set back

    def ship(self) -> int:
        """Ship what there is; return how many parts were.

        Raises what `put` raises, OSError and sqlite3.Error; what was not acknowledged stays where
        it is.
        """
        try:
            shipped = self._ship()
        except BaseException:
            self._failures += 1
            raise
        finally:
            self._shipped_s = time()
        self._failures = 0
        return shipped

    def _ship(self) -> int:
        with _reading(self._store) as connection:
            position = _position(connection, self._store)
            if not position.n:
                position.save(self._store)  # what has to be shipped again has the same name then
            shipped = self._ship_spools(position.sandbox_id)
            while connection is not None:
                rows = next(_batches(_rows(connection, position.n)), [])
                if not rows:
                    break
                self._send(position.sandbox_id, rows)
                shipped += len(rows)
                position = position.at(rows[-1].n, rows[-1].crc)
                position.save(self._store)
            if connection is not None and self._is_near_cap():
                _drop(connection, position.n)
        return shipped

    def _ship_spools(self, sandbox_id: str) -> int:
        shipped = 0
        for claimed in spooled.claim(self._store):
            with suppress(FileNotFoundError):  # another process has taken it in meanwhile
                for rows in _batches(spooled.rows(claimed)):
                    self._send(sandbox_id, rows)
                    shipped += len(rows)
                os.unlink(claimed)
        return shipped

    def _send(self, sandbox_id: str, rows: list[Row]) -> None:
        shipment = shipment_of(sandbox_id, rows)
        self._put(shipment.name, shipment.body)

    def _waiting_bytes(self) -> int:
        with suppress(sqlite3.Error), _reading(self._store) as connection:
            if connection is not None:
                position = _position(connection, self._store)
                return int(connection.execute(_WAITING, (position.n,)).fetchone()[0])
        return 0  # what cannot be read is told of when it is to be shipped

    def _is_near_cap(self) -> bool:
        most = self._max_store_bytes
        files = self._store, f"{self._store}-wal"
        return most is not None and sum(map(size_bytes, files)) >= most // 2


@contextmanager
def _reading(store: str) -> Iterator[sqlite3.Connection | None]:
    """Yield a connection to a store; None where there is none, or it is being replaced."""
    found = look(store)[0]
    connection = connect(store, found, "NORMAL") if found else None
    try:
        yield connection
    finally:
        if connection is not None:
            connection.close()


def _position(connection: sqlite3.Connection | None, store: str) -> Position:
    """Return how far a store was shipped; one that is another by now is shipped from its start."""
    position = position_in(store)
    if connection is None or not position.n:
        return position
    row = connection.execute(_CRC, (position.n,)).fetchone()
    return position if row == (position.crc,) else new_position()


def _rows(connection: sqlite3.Connection, after_n: int) -> Iterator[Row]:
    for n, id, kind, crc, payload in connection.execute(_AFTER, (after_n,)):
        yield Row(n, str(id), str(kind), int(crc or 0), bytes(payload or b""))


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield the rows of one object after the other."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        if batch and size + len(row.payload) > MAX_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += len(row.payload)
    if batch:
        yield batch


def _drop(connection: sqlite3.Connection, shipped_n: int) -> None:
    """Delete what was shipped, some at a time; what is left is deleted the next time."""
    with suppress(sqlite3.OperationalError):  # the recorder is writing
        # Some builds of SQLite overwrite what is deleted, which takes ten times as long.
        connection.execute("PRAGMA secure_delete = OFF")
        while rows := connection.execute(_SHIPPED, (shipped_n, _PAGE)).fetchall():
            connection.execute(_DROP, (_within(rows),))
            sleep(_REST_S)


def _within(rows: list[tuple[int, int]]) -> int:
    """Return the number of the last of some parts that are not more than an object has."""
    room_bytes = MAX_BYTES
    for n, length in rows:
        room_bytes -= length or 0
        if room_bytes <= 0:
            return n
    return rows[-1][0]
