"""Tags of recordings: what a person has said of them, and nothing that could be derived again."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from replay.store.engine.database import driver
from replay.store.tables import tag

_CHUNK = 500
_ADD = (
    "INSERT INTO tag (recording_id, name) SELECT id, ? FROM recording WHERE id = ?"
    " ON CONFLICT DO NOTHING"
)

JOINED = "(SELECT group_concat(name, ' ') FROM tag WHERE recording_id = recording.id)"
"""A column of a query for recordings: the names, with a space between them; none holds a space."""


def split(joined: str | None) -> tuple[str, ...]:
    """Return the names that a value of `JOINED` holds, in order."""
    return tuple(sorted((joined or "").split()))


def of(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the tags of those of `ids` that have some."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for start in range(0, len(ids), _CHUNK):
        wanted = tag.c.recording_id.in_(ids[start : start + _CHUNK])
        for row in connection.execute(select(tag).where(wanted)):
            found[row.recording_id].append(row.name)
    return {id: tuple(sorted(names)) for id, names in found.items()}


def add(connection: Connection, rows: Sequence[tuple[str, str]]) -> None:
    """Give tags, as pairs of recording id and name; one that is there already stays.

    A recording that another process has deleted meanwhile gets none.
    """
    if rows:
        driver(connection).executemany(_ADD, [(name, id) for id, name in rows])


def remove(connection: Connection, id: str, names: Sequence[str]) -> None:
    """Take tags away; one that is not there is no error."""
    connection.execute(delete(tag).where(tag.c.recording_id == id, tag.c.name.in_(names)))
