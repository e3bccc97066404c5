"""Recordings leave the store: some at a time, each with all that is there of it.

A recording is deleted, never changed. Its sandbox's calls at import, which lie with one recording,
go to another one that stays. Transactions are short, with rests between them, so that processes
which capture meanwhile need no spool; killed at any moment, the store holds each recording wholly
or not at all.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from sqlalchemy import Connection

from replay.store import intake, interaction, outgoing
from replay.store.batch import fitting
from replay.store.column import marks
from replay.store.engine.database import Database, driver

Progress: TypeAlias = Callable[[int, int | None], None]
_AT_ONCE = 16
_AT_ONCE_BYTES = 2**20
"""Deleting a MiB takes 2 ms, of the 25 that a capturing process waits."""
_REST = 2.0
"""Times as long as a transaction: who waits for its end looks only every few milliseconds."""
_DERIVED = (
    "DELETE FROM recording WHERE id",
    "DELETE FROM interaction WHERE recording_id",
    "DELETE FROM tag WHERE recording_id",
    "DELETE FROM field WHERE recording_id",
)
_PLACES = (
    "SELECT id, begun_n, ended_n FROM recording WHERE id",
    "SELECT recording_id, sent_n, answered_n FROM interaction WHERE recording_id",
)
_SIZES = "SELECT n, id, length(payload) FROM part"
_HOLDERS = (
    "SELECT DISTINCT recording_id FROM interaction WHERE sandbox_id IS NOT NULL AND recording_id"
)
_BEHIND = (
    _HOLDERS,
    "SELECT 1 FROM part WHERE n > (SELECT taken_n FROM intake WHERE name = 'part') AND id",
)
"""Where one finds something, all that has come since counts: an heir, or more of what leaves."""
_Numbers: TypeAlias = Mapping[str, Sequence[tuple[int, int]]]
"""For each id, the numbers of its parts and how many bytes each has."""


def remove(
    database: Database, ids: Sequence[str], progress: Progress, *, for_good: bool = False
) -> None:
    """Delete recordings, their parts and their tags; `for_good` overwrites what they leave.

    Tells `progress` how many of how many. Raises StoreError.
    """
    leaving = frozenset(ids)
    numbers = _numbers_of(database, leaving)
    done = 0
    for some in _batches(ids, numbers):
        _keep_up(database)
        removing = partial(_remove, ids=some, numbers=numbers, leaving=leaving)
        began = database.write(removing, for_good=for_good)
        time.sleep(_REST * (time.monotonic() - began))
        done += len(some)
        progress(done, len(ids))


def _numbers_of(database: Database, ids: Collection[str]) -> _Numbers:
    """Return where the parts of recordings are, copies included: no column tells of those."""
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    pages = outgoing.chunks(sorted(ids)) if database.finds_parts else [()]
    with database.reading() as connection:
        for page in pages:
            where = f" WHERE id IN {marks(len(page))}" if page else ""
            for n, id, size_bytes in driver(connection).execute(f"{_SIZES}{where}", page):
                if id in ids:
                    found[id].append((n, size_bytes or 0))
    return found


def _batches(ids: Sequence[str], numbers: _Numbers) -> Iterator[list[str]]:
    """Return the ids of what is deleted at once: one, or as many as take no longer than it may."""

    def size_of(id: str) -> int:
        return sum(size for _, size in numbers.get(id, ()))

    return fitting(ids, size_of, most=_AT_ONCE, most_bytes=_AT_ONCE_BYTES)


def _keep_up(database: Database) -> None:
    """Take in what has been captured meanwhile: deriving it would make a transaction long."""
    with database.reading() as connection:
        is_complete = intake.is_complete(connection)
    if not is_complete:
        intake.take_in_by_steps(database)


def _remove(
    connection: Connection, ids: Sequence[str], numbers: _Numbers, leaving: Collection[str]
) -> float:
    """Delete recordings; return when that began."""
    began = time.monotonic()
    raw = driver(connection)
    these = f"IN {marks(len(ids))}"
    if any(raw.execute(f"{statement} {these} LIMIT 1", ids).fetchone() for statement in _BEHIND):
        intake.take_in(connection)
    holders = raw.execute(f"{_HOLDERS} {these}", ids).fetchall()
    left = [interaction.legacy_of(connection, id) for (id,) in holders]
    gone = {(n, id) for id in ids for n, _ in numbers.get(id, ())}
    for statement in _PLACES:
        for id, *places in raw.execute(f"{statement} {these}", ids):
            gone |= {(n, id) for n in places if n is not None}
    # By its id as well: another process may have deleted it, and a new part have its number.
    raw.executemany("DELETE FROM part WHERE n = ? AND id = ?", gone)
    for statement in _DERIVED:
        raw.execute(f"{statement} {these}", ids)
    intake.rewind(connection)
    for legacy in left:
        if legacy is not None:
            interaction.hand_on(connection, legacy, besides=leaving)
            intake.take_in(connection)
    return began
