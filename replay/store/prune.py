"""Recordings leave the store: some at a time, each with all that is there of it.

A recording is deleted, never changed. Its sandbox's calls at import, which lie with one recording,
go to another one that stays. Transactions are short, so that processes which capture meanwhile need
no spool; killed at any moment, the store holds each recording wholly or not at all.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import Connection, delete, select

from replay.store import intake, interaction
from replay.store.database import Database, driver
from replay.store.tables import interaction as interaction_table
from replay.store.tables import recording, tag

Progress: TypeAlias = Callable[[int, int | None], None]
_AT_ONCE = 50
_DERIVED = (recording.c.id, interaction_table.c.recording_id, tag.c.recording_id)


def remove(
    database: Database, ids: Sequence[str], progress: Progress, *, for_good: bool = False
) -> None:
    """Delete recordings, their parts and their tags; `for_good` overwrites what they leave.

    Tells `progress` how many of how many. Raises StoreError.
    """
    leaving = frozenset(ids)
    numbers = _numbers_of(database, leaving)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        with database.writing() as connection:
            if for_good:
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            _remove(connection, some, numbers, leaving)
        progress(min(start + _AT_ONCE, len(ids)), len(ids))


def _numbers_of(database: Database, ids: Collection[str]) -> dict[str, list[int]]:
    """Return where the parts of recordings are, copies included: no index tells of those."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    with database.reading() as connection:
        for n, id in driver(connection).execute("SELECT n, id FROM part"):
            if id in ids:
                found[id].append(n)
    return found


def _remove(
    connection: Connection,
    ids: Sequence[str],
    numbers: Mapping[str, list[int]],
    leaving: Collection[str],
) -> None:
    intake.take_in(connection, lambda _done, _total: None)  # what has come since is theirs as well
    left = [interaction.legacy_of(connection, id) for id in ids]
    gone = {(n, id) for id in ids for n in (*numbers.get(id, ()), *_places(connection, id))}
    # By its id as well: another process may have deleted it, and a new part have its number.
    driver(connection).executemany("DELETE FROM part WHERE n = ? AND id = ?", gone)
    for column in _DERIVED:
        connection.execute(delete(column.table).where(column.in_(ids)))
    intake.rewind(connection)
    for legacy in left:
        if legacy is not None:
            interaction.hand_on(connection, legacy, besides=leaving)
            intake.take_in(connection, lambda _done, _total: None)


def _places(connection: Connection, id: str) -> list[int]:
    """Return where the parts of a recording are by what was derived of it."""
    row = connection.execute(
        select(recording.c.begun_n, recording.c.ended_n).where(recording.c.id == id)
    ).one_or_none()
    calls = connection.execute(
        select(interaction_table.c.sent_n, interaction_table.c.answered_n).where(
            interaction_table.c.recording_id == id
        )
    )
    return [n for places in (row or (), *calls) for n in places if n is not None]
