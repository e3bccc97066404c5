"""Parts become searchable recordings: incrementally, each part once.

Every part after the last one taken is read, and the row of its recording derived anew from all the
parts that there are. A damaged part costs its own
recording, never the others. Runs inside one write transaction of the caller.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from replay.errors import DamagedError
from replay.event import source_of
from replay.outcome import Exited, Raised, Returned, TimedOut
from replay.part import BEGUN, ENDED, FORMAT, part_crc
from replay.recorder.ulid import milliseconds_of
from replay.recording import Part, Recording, digest
from replay.store.tables import intake as table
from replay.store.tables import part, recording

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many parts of how many have been taken in."""
Values: TypeAlias = dict[str, Any]

_BATCH = 500
POSITIONS = {BEGUN: "begun_n", ENDED: "ended_n"}
"""For each kind of part, in the order of a recording, the column that says where it is."""


_NOTHING: Values = dict.fromkeys(recording.c.keys())


@dataclass(frozen=True, slots=True)
class Located:
    """A part as it lies in the store: its number there, and whether its checksum held."""

    n: int
    part: Part
    is_intact: bool


def take_in(connection: Connection, progress: Progress) -> None:
    """Derive the rows of all parts that are new; `progress` is told how many of how many."""
    taken_n = connection.scalar(select(table.c.taken_n).where(table.c.name == "part"))
    if taken_n is None:
        taken_n = 0
        connection.execute(insert(table).values(name="part", taken_n=0))
    last_n = connection.scalar(select(func.max(part.c.n))) or 0
    total = last_n - taken_n
    while taken_n < last_n:
        rows = _rows_after(connection, taken_n)
        _derive(connection, [located(*tuple(row)) for row in rows])
        taken_n = rows[-1].n
        advance(connection, taken_n)
        progress(total - (last_n - taken_n), total)


def is_complete(connection: Connection) -> bool:
    """Whether every part has been taken in."""
    taken_n = connection.scalar(select(table.c.taken_n).where(table.c.name == "part"))
    return taken_n is not None and taken_n == (connection.scalar(select(func.max(part.c.n))) or 0)


def rewind(connection: Connection) -> None:
    """Forget that parts were taken which are gone: SQLite gives their numbers out again."""
    last_n = connection.scalar(select(func.max(part.c.n))) or 0
    connection.execute(update(table).where(table.c.taken_n > last_n).values(taken_n=last_n))


def forget(connection: Connection) -> None:
    """Drop everything that is derived, so that the next intake derives it again."""
    connection.execute(delete(recording))
    connection.execute(delete(table))


def advance(connection: Connection, n: int) -> None:
    """Note that the parts up to number `n` have been taken in."""
    connection.execute(update(table).where(table.c.name == "part").values(taken_n=n))


def locate(connection: Connection, row: Row[Any]) -> list[Located]:
    """Return the parts of one recording's row, checked, the begun part first.

    A part that is not where the row says, or is another recording's, is there as not intact.
    """
    places = {kind: getattr(row, column) for kind, column in POSITIONS.items()}
    found = connection.execute(select(part).where(part.c.n.in_(places.values())))
    parts = {row.n: located(*tuple(row)) for row in found}
    return [confirmed(parts.get(n), row.id, kind, n) for kind, n in places.items() if n is not None]


def confirmed(one: Located | None, id: str, kind: str, n: int) -> Located:
    """Return the part that was found, if it is the one that was looked for; else a damaged one."""
    if one is not None and (one.part.id, one.part.kind) == (id, kind):
        return one
    return Located(n, Part(id, kind, b""), is_intact=False)


def read(id: str, found: Sequence[Located]) -> Recording:
    """Return the recording that the parts make up; raises DamagedError, naming it."""
    check(id, found)
    return Recording.from_parts(id, [one.part for one in found])


def check(id: str, found: Iterable[Located]) -> None:
    """Raise DamagedError, naming the recording, where a checksum does not hold."""
    for one in found:
        if not one.is_intact:
            raise DamagedError(
                f"recording {id}: its {one.part.kind} part is damaged (checksum)",
                "the bytes in the store have changed; restore it from a copy",
            )


def _rows_after(connection: Connection, n: int) -> list[Row[Any]]:
    statement = select(part).where(part.c.n > n).order_by(part.c.n).limit(_BATCH)
    return list(connection.execute(statement))


def located(n: int, id: Any, kind: Any, crc: Any, payload: Any) -> Located:
    """Return a row of `part` as what it is: SQLite keeps any type in any column."""
    id, kind, payload = str(id), str(kind), payload or b""
    if not isinstance(payload, bytes):
        payload = str(payload).encode(errors="replace")
    return Located(n, Part(id, kind, payload), part_crc(id, kind, payload) == crc)


def _derive(connection: Connection, batch: list[Located]) -> None:
    by_id: dict[str, dict[str, Located]] = {}
    for one in batch:
        # The first part of a kind counts: a spooled copy of it may have been committed as well.
        by_id.setdefault(one.part.id, {}).setdefault(one.part.kind, one)
    known = connection.execute(select(recording).where(recording.c.id.in_(by_id))).all()
    for row in known:
        earlier = {one.part.kind: one for one in locate(connection, row)}
        by_id[row.id] |= earlier
    values = [_values(id, parts) for id, parts in by_id.items()]
    old = {row.id for row in known}
    _write(connection, insert(recording), [row for row in values if row["id"] not in old])
    changed = [{"b_id": row.pop("id"), **row} for row in values if row["id"] in old]
    _write(connection, update(recording).where(recording.c.id == bindparam("b_id")), changed)


def _write(connection: Connection, statement: Any, rows: list[Values]) -> None:
    if rows:
        connection.execute(statement, rows)


def _values(id: str, parts: dict[str, Located]) -> Values:
    """Return the row of one recording, from all the parts that there are."""
    found = sorted(parts.values(), key=lambda one: (one.part.kind != BEGUN, one.n))
    positions = {POSITIONS[kind]: one.n for kind, one in parts.items() if kind in POSITIONS}
    try:
        what: Recording | DamagedError = read(id, found)
    except DamagedError as error:
        what = error
    return values_of(id, [one.part for one in found], what) | positions


def values_of(id: str, parts: Sequence[Part], what: Recording | DamagedError) -> Values:
    """Return a row, without where the parts are; of one that cannot be read, what else is known."""
    values: Values = {
        **_NOTHING,
        "id": id,
        "short_id": id[-8:],
        "reversed_id": id[::-1],
        "size_bytes": sum([len(one.payload) for one in parts]),
        "digest": digest(parts),
    }
    if isinstance(what, DamagedError):
        return values | {"damage": str(what), "captured_at_us": milliseconds_of(id) * 1000}
    values |= _values_of(what)
    for name in _CAPTURED:
        values[name] = storable(values[name])
    return values


_CAPTURED = (
    *("function_name", "function_version", "alias", "handler", "request_id", "source"),
    *("remaining_ms", "error_type", "captured_at_us", "duration_us", "sandbox_id"),
    "sandbox_sequence",
)
"""Columns whose values came from outside and may be anything."""


def storable(value: object) -> object:
    """Return a captured value as a column can hold it: encodable text, an integer of 64 bits."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="backslashreplace").decode()
    return None if isinstance(value, int) and abs(value) >= 2**63 else value


def _values_of(found: Recording) -> Values:
    invocation = found.invocation
    context = invocation.context
    return {
        "format": FORMAT,
        "captured_at_us": invocation.captured_at_us,
        "function_name": invocation.function_name,
        "function_version": context.text("function_version"),
        "alias": context.alias,
        "handler": invocation.handler,
        "request_id": context.text("aws_request_id"),
        "source": source_of(invocation.event),
        "remaining_ms": invocation.remaining_ms,
        "outcome": outcome_kind(found),
        "error_type": found.outcome.error_type if isinstance(found.outcome, Raised) else None,
        "duration_us": found.duration_us,
        "sandbox_id": invocation.sandbox.id,
        "sandbox_sequence": invocation.sandbox.sequence,
        "cold": invocation.sandbox.cold,
    }


def outcome_kind(found: Recording) -> str:
    """Return the word for a recording's outcome."""
    match found.outcome:
        case None:
            return "unfinished"
        case Returned():
            return "returned"
        case Raised():
            return "raised"
        case TimedOut():
            return "timed_out"
        case Exited():
            return "exited"
