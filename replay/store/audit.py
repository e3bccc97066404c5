"""Holds everything derived in a store against its parts, and the parts against their checksums.

Walks the parts by number and the recordings by id, page by page, so that a million of either need
little memory; only what is damaged is kept, to be named. Nothing is changed.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, select

from replay.errors import DamagedError, StoreError
from replay.fixture import Fixture
from replay.interaction import CALL_KINDS
from replay.part import BEGUN
from replay.recording import Part
from replay.store import intake, loss, outgoing
from replay.store import interaction as calls
from replay.store.check import Check
from replay.store.engine.database import Database, PageEnds
from replay.store.located import HEAD_BYTES, POSITIONS, Located, located
from replay.store.selection import Selection
from replay.store.tables import interaction, part, recording, tag

_PAGE = 200
_FIX = "derive them again from the parts: replay doctor --fix"
_RESTORE = "their bytes have changed: restore the store from a copy, or import them from an export"
_UNREAD = "save what is left: sqlite3 STORE .recover | sqlite3 saved.db; replay import saved.db"


@dataclass(slots=True)
class _Findings:
    """What was found so far."""

    parts: int = 0
    recordings: int = 0
    damaged: dict[str, str] = field(default_factory=dict)
    drifted: dict[str, str] = field(default_factory=dict)
    lost_parts: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)


def examine(database: Database, progress: Callable[[int, int | None], None]) -> Iterator[Check]:
    """Yield a check of each kind; `progress` is told how many parts and recordings are done."""
    found = _Findings()
    total = _total(database)
    for walk in (_walk_parts, _walk_recordings, _walk_calls):
        try:
            for _ in walk(database, found):
                progress(found.parts + found.recordings, total)
        except StoreError as error:
            found.unread.append(error.message)
    yield _readable(found)
    yield _damage(found)
    yield _drift(found)
    yield _without_begun(found)
    yield loss.check(database.files, found.lost_parts)
    yield from _stray_tags(database)


def _total(database: Database) -> int | None:
    try:
        with database.reading() as connection:
            counts = [select(func.count()).select_from(table) for table in (part, recording)]
            return sum(connection.scalar(count) or 0 for count in counts)
    except StoreError:
        return None


def _walk_parts(database: Database, found: _Findings) -> Iterator[None]:
    n: Any = None
    ends = PageEnds()
    while True:
        statement = select(part).order_by(part.c.n).limit(_PAGE)
        with database.snapshot() as connection:
            page = statement if n is None else statement.where(part.c.n > n)
            # Row by row: a page of large payloads may not fit into memory.
            batch = [_without_payload(row) for row in connection.execute(page)]
            ids = {one.part.id for one in batch}
            rows = connection.execute(select(recording).where(recording.c.id.in_(ids))).all()
            by_id = {row.id: row for row in rows}
            for one in batch:
                _check_part(one, by_id.get(one.part.id), found)
                _check_call(connection, one, found)
            if not batch:
                return
            n = batch[-1].n
            ends.add(n)
        found.parts += len(batch)
        yield


def _without_payload(row: Row[Any]) -> Located:
    """Return a part of which only the head is kept: it tells the place of a call."""
    one = located(*tuple(row))
    head = Part(one.part.id, one.part.kind, one.part.payload[:HEAD_BYTES])
    return Located(one.n, head, one.is_intact, newer=one.newer)


def _check_part(one: Located, row: Row[Any] | None, found: _Findings) -> None:
    id, kind = one.part.id, one.part.kind
    if not one.is_intact:
        why = one.newer or "is damaged (checksum)"
        found.damaged[id] = f"its {kind} part (number {one.n}) {why}"
    elif row is None:
        found.drifted[id] = f"its {kind} part is there, the recording is not"
    elif kind in POSITIONS and getattr(row, POSITIONS[kind]) is None:
        found.drifted[id] = f"its {kind} part is there, the recording has none"


def _check_call(connection: Connection, one: Located, found: _Findings) -> None:
    id, kind = one.part.id, one.part.kind
    if one.is_intact and kind in CALL_KINDS and not calls.is_placed(connection, one):
        found.drifted.setdefault(id, f"its {kind} part is there, the call is not")


def _walk_recordings(database: Database, found: _Findings) -> Iterator[None]:
    for ids in outgoing.pages(database, Selection()):
        rows = _rows(database, ids)
        for id, one in outgoing.read(database, ids):
            _check_recording(str(id), one, rows.get(id), found)
        found.recordings += len(ids)
        yield


def _rows(database: Database, ids: Sequence[str]) -> dict[str, Row[Any]]:
    try:
        with database.reading() as connection:
            rows = connection.execute(select(recording).where(recording.c.id.in_(ids)))
            return {row.id: row for row in rows}
    except StoreError:
        return {}


def _check_recording(
    id: str, one: Fixture | DamagedError, row: Row[Any] | None, found: _Findings
) -> None:
    try:
        if isinstance(one, DamagedError):
            raise one
        recorded = one.recording
    except DamagedError as error:
        found.damaged.setdefault(id, error.message.removeprefix(f"recording {id}: "))
        return
    if recorded.lost_parts:
        sandbox = recorded.invocation.sandbox.id
        found.lost_parts[sandbox] = max(found.lost_parts[sandbox], recorded.lost_parts)
    fresh = intake.values_of(id, one.parts, recorded)
    names = [name for name in fresh if name not in POSITIONS.values()]
    odd = [name for name in names if row is None or getattr(row, name) != fresh[name]]
    if odd:
        found.drifted[id] = f"{', '.join(odd)} not as derived from its parts"


def _walk_calls(database: Database, found: _Findings) -> Iterator[None]:
    last = ""
    ends = PageEnds()
    while True:
        beyond = select(interaction.c.recording_id).where(interaction.c.recording_id > last)
        page = beyond.distinct().order_by(interaction.c.recording_id).limit(_PAGE)
        with database.snapshot() as connection:
            ids = list(connection.scalars(page))
            for id in ids:
                if not _are_calls_as_derived(connection, id):
                    found.drifted.setdefault(str(id), "its calls are not as derived from its parts")
            if not ids:
                return
            last = ids[-1]
            ends.add(last)
        yield


def _are_calls_as_derived(connection: Connection, id: str) -> bool:
    row = connection.execute(select(recording).where(recording.c.id == id)).one_or_none()
    if row is None:
        return False
    stored = connection.execute(select(interaction).where(interaction.c.recording_id == id))
    fresh = intake.derived(id, intake.locate(connection, row)).calls.values()
    return {tuple(one) for one in stored} == {tuple(one.values()) for one in fresh}


def _named(what: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"recording {id}: {why}" for id, why in sorted(what.items()))


def _readable(found: _Findings) -> Check:
    if found.unread:
        return Check("tables", "bad", "; ".join(found.unread), _UNREAD)
    return Check("tables", "ok", f"{found.parts:,} parts, {found.recordings:,} recordings")


def _damage(found: _Findings) -> Check:
    if not found.damaged:
        return Check("checksums", "ok", "every recording can be read, every checksum holds")
    message = f"{len(found.damaged):,} recordings are damaged"
    return Check("checksums", "bad", message, _RESTORE, _named(found.damaged))


def _drift(found: _Findings) -> Check:
    drifted = {id: why for id, why in found.drifted.items() if id not in found.damaged}
    if not drifted:
        return Check("derived", "ok", "digests and columns are as derived from the parts")
    message = f"{len(drifted):,} recordings differ from their parts"
    return Check("derived", "bad", message, _FIX, _named(drifted))


def _without_begun(found: _Findings) -> Check:
    headless = [id for id, why in found.damaged.items() if f"its {BEGUN} part is missing" in why]
    if not headless:
        return Check("begun", "ok", "every recording has its begun part")
    message = f"{len(headless):,} recordings have an ended part only"
    hint = "the begun part was lost, or waits in a spool that was left elsewhere"
    return Check("begun", "bad", message, hint, tuple(sorted(headless)))


def _stray_tags(database: Database) -> Iterator[Check]:
    stray = select(tag.c.recording_id).distinct()
    stray = stray.where(tag.c.recording_id.not_in(select(recording.c.id)))
    try:
        with database.reading() as connection:
            ids = [str(id) for id in connection.scalars(stray)]
    except StoreError:
        return
    if ids:
        hint = "they do no harm, and count again when the recording is imported"
        message = f"tags of {len(ids):,} recordings that are not here"
        yield Check("tags", "warn", message, hint, tuple(sorted(ids)))
