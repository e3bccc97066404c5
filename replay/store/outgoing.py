"""Recordings on their way out of the store: as fixtures, oldest first, parts byte for byte.

Reads page by page, so that no transaction stays open for long and memory stays bounded. A recording
that cannot be read comes out as the `DamagedError` that says why, in its place among the others.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Row, select

from replay.errors import DamagedError, StoreError
from replay.fixture import Fixture
from replay.part import BEGUN, ENDED
from replay.store import intake, query, tags
from replay.store.database import Database, damage_named
from replay.store.selection import Selection
from replay.store.tables import part, recording

_PAGE = 200
_BEGUN, _ENDED = part.alias("begun"), part.alias("ended")
_ROWS = (
    select(recording.c.id, recording.c.damage, tags.TAGS, recording.c.begun_n, *_BEGUN.c)
    .add_columns(recording.c.ended_n, *_ENDED.c)
    .outerjoin_from(recording, _BEGUN, _BEGUN.c.n == recording.c.begun_n)
    .outerjoin(_ENDED, _ENDED.c.n == recording.c.ended_n)
    .order_by(recording.c.id)
)


def pages(database: Database, selection: Selection) -> Iterator[list[str]]:
    """Yield the ids that the conditions of `selection` select, oldest first, page by page."""
    statement = select(recording.c.id).where(*query.conditions(selection)).order_by(recording.c.id)
    last = ""
    while True:
        with database.reading() as connection:
            page = statement.where(recording.c.id > last).limit(_PAGE)
            ids = list(connection.scalars(page))
        if not ids:
            return
        yield ids
        last = ids[-1]


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield `ids` in pieces of the size of a page."""
    for start in range(0, len(ids), _PAGE):
        yield ids[start : start + _PAGE]


def read(database: Database, ids: Sequence[str]) -> Iterator[tuple[str, Fixture | DamagedError]]:
    """Yield each id of a page with its recording, or with the error that says what is damaged."""
    left = dict.fromkeys(ids)
    # Where a page of the file is damaged, the rest is read one by one.
    with suppress(StoreError), database.reading() as connection:
        for row in connection.execute(_ROWS.where(recording.c.id.in_(ids))):
            left.pop(row[0], None)
            yield row[0], _fixture(row)
    for id in left:
        with database.reading() as connection:
            yield id, _read_alone(connection, id)


def _read_alone(connection: Connection, id: str) -> Fixture | DamagedError:
    try:
        with damage_named(id):
            row = connection.execute(_ROWS.where(recording.c.id == id)).one_or_none()
    except DamagedError as error:
        return error
    if row is None:
        return DamagedError(f"recording {id}: its row cannot be found", "replay doctor --fix")
    return _fixture(row)


def _fixture(row: Row[Any]) -> Fixture | DamagedError:
    id, damage, joined, begun_n, *columns = tuple(row)
    if damage is not None:
        return DamagedError(str(damage))
    begun, ended_n, ended = columns[:5], columns[5], columns[6:]
    places = ((BEGUN, begun_n, begun), (ENDED, ended_n, ended))
    found = [
        intake.confirmed(intake.located(*part_row), id, kind, n)
        for kind, n, part_row in places
        if n is not None
    ]
    try:
        intake.check(id, found)
    except DamagedError as error:
        return error
    return Fixture(id, tuple(one.part for one in found), tags.split(joined))
