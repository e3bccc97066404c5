"""Parts that came on their own - spooled, shipped, logged - into the store, each exactly once.

A recording has one part of each slot: its begun part, its ended part, and two of each call. What a
slot holds already stays, whatever came: it may have been redacted since.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

from sqlalchemy import Connection

from replay.interaction import CALL_KINDS
from replay.packed_file import MAGIC
from replay.part import ANSWERED, BEGUN, ENDED, SENT
from replay.recording import Part
from replay.store import intake, ledger
from replay.store.batch import filled
from replay.store.column import marks
from replay.store.engine.database import Database, driver
from replay.store.located import HEAD_BYTES, located, sequence_of

Slot: TypeAlias = tuple[object, ...]
"""Id and kind; of a call's part, whether of the import, and its sequence, or else its checksum."""
_BATCH = 200
_BATCH_BYTES = 2**20
_MAX_TAIL = 20_000
"""Slots of parts that are not taken in yet, before they are."""
_TAIL = (
    "SELECT n, id, kind, crc, CASE WHEN substr(payload, 1, 4) = ? THEN payload"
    " ELSE substr(payload, 1, ?) END FROM part WHERE n > ? ORDER BY n"
)
"""The heads of payloads; of one that is packed the whole, as its head is in it."""
_SEEN = "SELECT id, kind, crc FROM part WHERE n = ?"
_ENDS = "SELECT id, begun_n, ended_n FROM recording WHERE id IN"
_CALLS = (
    "SELECT recording_id, at_import, sequence, sent_n, answered_n FROM interaction"
    " WHERE recording_id IN"
)


class Inbox:
    """Takes parts into the store that it does not hold.

    The derived tables tell what it holds, and the parts that came since they were derived.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tail: set[Slot] = set()
        self._seen_n = 0
        self._seen: tuple[object, ...] | None = None

    def take(self, parts: Iterable[Part]) -> int:
        """Insert those parts that are new, some at a time; return how many."""
        batches = filled(parts, _size_of, most=_BATCH, most_bytes=_BATCH_BYTES)
        return sum(map(self._take, batches))

    def _take(self, batch: list[Part]) -> int:
        if len(self._tail) > _MAX_TAIL:
            intake.take_in_by_steps(self._database)
            self._seen = None
        return self._database.write(partial(self._insert, batch))

    def _insert(self, batch: Sequence[Part], connection: Connection) -> int:
        self._learn(connection)
        held = self._tail.union(_held(connection, sorted({one.id for one in batch})))
        fresh = {slot_of(one): one for one in reversed(batch)}  # of two, the first
        new = [one for slot, one in reversed(fresh.items()) if slot not in held]
        ledger.append(connection, map(ledger.row_of, new))
        return len(new)

    def _learn(self, connection: Connection) -> None:
        """Look at what came since; at all that is not taken in, where that is not known."""
        found = driver(connection).execute(_SEEN, (self._seen_n,)).fetchone()
        if self._seen is None or found != self._seen:
            # Once the last parts are deleted, their numbers are given again.
            self._tail.clear()
            self._seen_n, self._seen = intake.taken_n(connection), None
        tail = (MAGIC, HEAD_BYTES, self._seen_n)
        for n, id, kind, crc, head in driver(connection).execute(_TAIL, tail):
            self._tail.add(_slot(id, kind, crc, located(n, id, kind, crc, head).part))
            self._seen_n, self._seen = n, (id, kind, crc)


def slot_of(one: Part) -> Slot:
    """Return what a recording has one part of."""
    return _slot(one.id, one.kind, one.crc, one)


def _slot(id: str, kind: str, crc: int, head: Part) -> Slot:
    if kind not in CALL_KINDS:
        return id, kind
    sequence = sequence_of(head)
    return (id, kind, crc) if sequence is None else (id, kind, head.is_of_sandbox, sequence)


def _held(connection: Connection, ids: Sequence[str]) -> Iterator[Slot]:
    """Yield the slots that the derived tables know of recordings."""
    raw = driver(connection)
    these = marks(len(ids))
    for id, begun_n, ended_n in raw.execute(f"{_ENDS} {these}", ids):
        yield from _present(((id, BEGUN), begun_n), ((id, ENDED), ended_n))
    for id, at_import, sequence, sent_n, answered_n in raw.execute(f"{_CALLS} {these}", ids):
        place = (bool(at_import), sequence)
        yield from _present(((id, SENT, *place), sent_n), ((id, ANSWERED, *place), answered_n))


def _present(*slots: tuple[Slot, int | None]) -> Iterator[Slot]:
    return (slot for slot, n in slots if n is not None)


def _size_of(one: Part) -> int:
    return len(one.payload)
