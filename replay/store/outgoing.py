"""Recordings on their way out of the store: as fixtures, oldest first, parts byte for byte.

Reads page by page, so that no transaction stays open for long and memory stays bounded. A recording
that cannot be read comes out as the `DamagedError` that says why, in its place among the others.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Row

from replay.errors import DamagedError, StoreError
from replay.fixture import Fixture, recording_of
from replay.part import BEGUN, ENDED
from replay.recording import Part, Recording
from replay.store import intake, tags
from replay.store.batch import filled
from replay.store.column import marks
from replay.store.engine.database import Database, Driver, PageEnds, driver
from replay.store.engine.sqlite_error import damage_named
from replay.store.interaction import WATCHED, CallReader
from replay.store.located import Located, check, confirmed, in_order, located
from replay.store.packing import PackingError, unpacked
from replay.store.selection import Selection

Item = TypeVar("Item")
_PAGE = 200
_PORTION_BYTES = 8 * 2**20
_LISTED = "SELECT id FROM recording WHERE id = ?"
"""Answered by the index alone, as lists are: what it still tells has not been deleted."""
_SIZES = "SELECT id, size_bytes FROM recording WHERE id IN"
_ROWS = (
    "SELECT recording.id, damage, {1}, calls, {2}, begun_n, b.*, ended_n, e.*"
    " FROM recording"
    " LEFT JOIN part b ON b.n = begun_n LEFT JOIN part e ON e.n = ended_n"
    " WHERE recording.id IN {0} ORDER BY recording.id"
)


def rows(database: Database, selection: Selection, columns: str) -> Iterator[tuple[Any, ...]]:
    """Yield columns, `id` first, of what is selected, newest first, page by page."""
    size = min(_PAGE, selection.limit or _PAGE)
    last: str | None = None
    ends = PageEnds()
    while True:
        page = database.rows(selection.query(columns, limit=size, beyond=last))
        yield from page
        if len(page) < size:
            return
        last = page[-1][0]
        ends.add(last)


def pages(database: Database, selection: Selection) -> Iterator[list[str]]:
    """Yield the ids that the conditions of `selection` select, oldest first, page by page."""
    last: str | None = None
    ends = PageEnds()
    while True:
        query = selection.query("id", limit=_PAGE, beyond=last, oldest_first=True)
        ids = [row[0] for row in database.rows(query)]
        if not ids:
            return
        yield ids
        last = ids[-1]
        ends.add(last)


def chunks(found: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield ids, or what goes with them, in pieces of the size of a page."""
    for start in range(0, len(found), _PAGE):
        yield found[start : start + _PAGE]


def portions(sizes: Iterable[tuple[Any, ...]]) -> Iterator[list[str]]:
    """Yield the ids of recordings that may be in memory at once, given ids and sizes in bytes."""
    for some in filled(sizes, _size_of, most=_PAGE, most_bytes=_PORTION_BYTES):
        yield [id for id, _ in some]


def _size_of(row: tuple[Any, ...]) -> int:
    return row[1] if isinstance(row[1], int) else 0


def sized(database: Database, ids: Iterable[str]) -> Iterator[list[str]]:
    """Yield `ids` in portions, in their order."""
    coming = iter(ids)
    while page := list(islice(coming, _PAGE)):
        sizes = dict(database.rows(Selection.of_ids("id, size_bytes", page)))
        yield from portions((id, sizes.get(id)) for id in page)


def recordings(
    database: Database, portions: Iterable[Sequence[str]]
) -> Iterator[Recording | DamagedError]:
    """Yield the recordings of portions of ids, in their order, each of them answered for."""
    for ids in portions:
        found = dict(read(database, ids))
        yield from (recording_of(found.get(id) or _deleted(id)) for id in ids)


def _deleted(id: str) -> DamagedError:
    return DamagedError(
        f"recording {id}: another process has deleted it meanwhile",
        "replay list shows what there is",
    )


def read(database: Database, ids: Sequence[str]) -> Iterator[tuple[str, Fixture | DamagedError]]:
    """Yield each id of a page with its recording, or with the error that says what is damaged.

    One that another process has deleted meanwhile is left out.
    """
    left = dict.fromkeys(ids)
    # Where a page of the file is damaged, or a text is no UTF-8, the rest is read one by one.
    with suppress(StoreError), database.scanning() as raw:
        reader = CallReader(raw)
        for some in _portions_of(raw, ids) if database.reads_ahead else (ids,):
            for row in raw.execute(_rows_of(some), tuple(some)):
                found = _fixture(row, reader)
                left.pop(row[0], None)
                yield row[0], found
    for id in left:
        with database.reading() as connection:
            alone = _read_alone(driver(connection), id)
        if alone is not None:
            yield id, alone


def _portions_of(raw: Driver, ids: Sequence[str]) -> Iterator[list[str]]:
    """Yield ids of a page that the store has, some at a time, as memory has room for them."""
    return portions(raw.execute(f"{_SIZES} {marks(len(ids))} ORDER BY id", tuple(ids)))


def locate(connection: Connection, row: Row[Any]) -> list[Located]:
    """Return the parts that a recording is read from, checked, in order; `row` is its row."""
    if row.damage is not None:  # what it watched for is not known
        return in_order(intake.locate(connection, row))
    found = intake.locate_ends(connection, row)
    sandbox_id = row.sandbox_id if row.outbound == "all" else None
    if row.calls or sandbox_id is not None:
        found += CallReader(driver(connection)).calls_of(row.id, row.calls, sandbox_id)
    return in_order(found)


def _rows_of(ids: Sequence[str]) -> str:
    return _ROWS.format(marks(len(ids)), tags.JOINED, WATCHED)


def _read_alone(connection: Driver, id: str) -> Fixture | DamagedError | None:
    try:
        with damage_named(id):
            row = connection.execute(_rows_of([id]), (id,)).fetchone()
            if row is not None:
                return _fixture(row, CallReader(connection))
            if connection.execute(_LISTED, (id,)).fetchone() is None:
                return None
    except DamagedError as error:
        return error
    return DamagedError(f"recording {id}: its row cannot be found", "replay doctor --fix")


def _fixture(row: tuple[Any, ...], reader: CallReader) -> Fixture | DamagedError:
    id, damage, joined, calls, sandbox_id, begun_n, *columns = row
    if damage is not None:
        return DamagedError(str(damage))
    begun, ended_n, ended = columns[:5], columns[5], columns[6:]
    places = ((BEGUN, begun_n, begun), (ENDED, ended_n, ended))
    try:
        parts = [_part(id, kind, n, columns) for kind, n, columns in places if n is not None]
        if calls or sandbox_id is not None:
            found = reader.calls_of(id, calls, sandbox_id)
            check(id, found)
            parts[1:1] = [one.part for one in found]
    except DamagedError as error:
        return error
    return Fixture(id, tuple(parts), tags.split(joined) if joined else ())


def _part(id: str, kind: str, n: int, columns: Sequence[Any]) -> Part:
    _, found_id, found_kind, crc, payload = columns
    if (found_id, found_kind) == (id, kind) and type(payload) is bytes:
        try:
            part = Part(id, kind, unpacked(payload))
        except PackingError:
            part = Part(id, kind, b"")  # told below
        if part.crc == crc:
            return part
    one = confirmed(located(*columns), id, kind, n)
    check(id, [one])
    return one.part
