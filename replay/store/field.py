"""The values of events at declared paths, so that `--where` need not look into every event.

Derived when a filter asks for a declared path, from what was captured since the last time; `intake`
says how far each path is. Invariant: a recording that has the value is among those that the table
gives for it. It may give others as well, since long values are cut: the event itself decides.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from sqlalchemy import Connection

from replay.errors import DamagedError
from replay.fixture import Fixture, recording_of
from replay.jsonpath import check_path, find
from replay.recording import Recording
from replay.store import outgoing
from replay.store.column import marks
from replay.store.engine.database import Database, driver
from replay.store.selection import Query, Selection

_PAGE = 64
"""Its rows are written in 1 ms, of the 25 that a capturing process waits."""
_MAX_CHARACTERS = 200
_TAKEN = "SELECT taken_n FROM intake WHERE name = ?"
_ADVANCE = (
    "INSERT INTO intake (name, taken_n) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET taken_n = excluded.taken_n"
)
_BEGUN = "SELECT n, id FROM part WHERE kind = 'begun' AND n > ? AND n <= ? ORDER BY n LIMIT ?"
_CRCS = "SELECT recording.id, crc FROM recording JOIN part ON n = begun_n WHERE recording.id IN"
_INSERT = "INSERT INTO field (recording_id, path, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_INDEXED = "SELECT substr(name, 7) FROM intake WHERE name LIKE 'field %'"
Row: TypeAlias = tuple[str, str, str]


def _tell_nobody(_path: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Lookup:
    """Which paths are declared, and who is told of a path that costs a look into each event."""

    paths: Sequence[str] = ()
    scanning: Callable[[str], None] = _tell_nobody


UNDECLARED = Lookup()


def narrowed(database: Database, selection: Selection, lookup: Lookup) -> Selection:
    """Return the selection with the fields that the table knows; raises ReplayError."""
    if not (selection.where and lookup.paths):
        return selection
    for path in lookup.paths:
        check_path(path, "index in [tool.replay]")
    keys = ((path, _key(value)) for path, value in selection.where if path in lookup.paths)
    fields = tuple((path, key) for path, key in keys if key is not None)
    for path, _ in fields:
        while not _is_taken_in(database, path):
            pass
    return replace(selection, fields=fields)


def _is_taken_in(database: Database, path: str) -> bool:
    """Whether all fields are derived; if not, some of what has been captured since are by now.

    Nothing is read or derived within the transaction that writes them: what another process has
    changed meanwhile is derived once more, what it has deleted is left out.
    """
    name = f"field {path}"
    taken_n, last_n = _number(database, name), _number(database, "part")
    if taken_n >= last_n:
        return True
    begun = database.rows(Query(_BEGUN, (taken_n, last_n, _PAGE)))
    ids = sorted({id for _, id in begun})
    found = [one for _, one in outgoing.read(database, ids) if isinstance(one, Fixture)]
    rows = [row for one in found for row in _rows(recording_of(one), [path])]

    def write(connection: Connection) -> None:
        raw = driver(connection)
        there = dict(raw.execute(f"{_CRCS} {marks(len(ids))}", ids).fetchall())
        is_same = all(there.get(one.id, one.parts[0].crc) == one.parts[0].crc for one in found)
        taken = raw.execute(_TAKEN, (name,)).fetchone() or (0,)
        if is_same and taken == (taken_n,):
            raw.executemany(_INSERT, [row for row in rows if row[0] in there])
            raw.execute(_ADVANCE, (name, begun[-1][0] if len(begun) == _PAGE else last_n))

    database.write(write)
    return False


def _number(database: Database, name: str) -> int:
    rows = database.rows(Query(_TAKEN, (name,)))
    return int(rows[0][0]) if rows else 0


def _rows(what: Recording | DamagedError, paths: Iterable[str]) -> Iterator[Row]:
    if isinstance(what, DamagedError) or not isinstance(what.invocation.event, dict | list):
        return
    for path in paths:
        for value in find(path, what.invocation.event, f"recording {what.id}").values():
            key = _key(value)
            if key is not None:
                yield what.id, path, key


def derive(connection: Connection, id: str, what: Recording) -> None:
    """Put the fields of a recording that was written anew in the place of those it had."""
    raw = driver(connection)
    forget(connection, [id])
    paths = [path for (path,) in raw.execute(_INDEXED)]
    raw.executemany(_INSERT, _rows(what, paths))


def forget(connection: Connection, ids: Iterable[str]) -> None:
    """Drop the fields of recordings."""
    raw = driver(connection)
    raw.executemany("DELETE FROM field WHERE recording_id = ?", [(id,) for id in ids])


def _key(value: object) -> str | None:
    """Return what stands for a value, None for one that is not looked up: equal ones are alike."""
    match value:
        case bool() | None:
            return json.dumps(value)
        case int():
            return str(value) if abs(value) < 2**63 else "large"
        case float():
            return repr(value + 0.0)  # there are two zeros
        case str():
            return json.dumps(value[:_MAX_CHARACTERS])
        case _:
            return None
