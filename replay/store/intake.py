"""Parts become searchable recordings: incrementally, each part once.

Every part after the last one taken is read, and the row of its recording derived anew from all the
parts that there are. A damaged part costs its own recording, never the others. Runs in one write
transaction of the caller, or in many short ones.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from time import sleep
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, delete, select, update

from replay.errors import DamagedError
from replay.event import source_of
from replay.outcome import Exited, Raised, Returned, TimedOut
from replay.part import FORMAT
from replay.recorder.ulid import milliseconds_of
from replay.recording import Part, Recording, digest
from replay.store import interaction, ledger, shrink
from replay.store.column import Values, storable
from replay.store.engine.database import Database, PageEnds, driver
from replay.store.located import POSITIONS, Located, Place, check, confirmed, in_order, located
from replay.store.step import Step
from replay.store.tables import field as field_table
from replay.store.tables import intake as table
from replay.store.tables import interaction as interaction_table
from replay.store.tables import part, recording

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many parts of how many have been taken in."""

_BATCH = 500
_SMALL_BATCH = 64
"""Its rows are written in 1 ms, of the 25 that a capturing process waits."""
_REST_S = 0.0005
"""A process that has just slept is unlikely to be suspended in the transaction that follows."""
_MAX_BATCH = 20_000
"""Below the number of values that a statement of SQLite may have."""
_BATCH_BYTES = 64 * 2**20
_TAKEN = select(table.c.taken_n).where(table.c.name == "part")
_START = "INSERT INTO intake (name, taken_n) VALUES ('part', 0) ON CONFLICT DO NOTHING"
_NOTHING: Values = dict.fromkeys(recording.c.keys())


@dataclass(frozen=True, slots=True)
class Derived:
    """The row of a recording, and those of the calls whose parts lie with it."""

    values: Values
    calls: dict[Place, Values]


def tell_nobody(_done: int, _total: int | None) -> None:
    """Be told of progress where nobody waits for it."""


def take_in(connection: Connection, progress: Progress = tell_nobody) -> None:
    """Derive the rows of all new parts in the caller's transaction; `progress` is told how many."""
    start(connection)
    for step in _steps(lambda: nullcontext(connection), _BATCH, progress):
        shrink.write(step.smaller, connection)
        step.write(connection)
        advance(connection, step.taken_n)


def take_in_by_steps(database: Database, progress: Progress = tell_nobody) -> None:
    """Derive the rows of all new parts, each batch in a transaction of a few milliseconds.

    Nothing is read or derived within it, so that a process which captures meanwhile need not wait
    for longer than it does.
    """
    database.write(start)
    while not all(
        _write_step(database, step) for step in _steps(database.reading, _SMALL_BATCH, progress)
    ):
        pass  # another process takes them in as well: from where it is by now


def _write_step(database: Database, step: Step) -> bool:
    """Write what a batch changes; False where other parts are taken in than it was derived from."""
    for portion in shrink.portions(step.smaller):
        sleep(_REST_S)
        database.write(partial(shrink.write, portion))
    sleep(_REST_S)

    def write(connection: Connection) -> bool:
        if taken_n(connection) != step.from_n:
            return False
        step.write(connection)
        advance(connection, step.taken_n)
        return True

    return database.write(write)


def _steps(
    reading: Callable[[], AbstractContextManager[Connection]], size: int, progress: Progress
) -> Iterator[Step]:
    """Yield what each batch changes, of the parts that there are by now."""
    with reading() as connection:
        at_n = first_n = taken_n(connection)
        last_n = ledger.last_n(connection)
    ends = PageEnds()
    batch_size = size
    while at_n < last_n:
        ends.add(at_n)
        with reading() as connection:
            batch = _parts_after(connection, at_n, batch_size)
            step = _derive(connection, batch, at_n, batch[-1].n if batch else last_n)
        # As many parts as the longest recording has by now, which is read again: so the time that
        # one of many calls takes grows with their number, not with its square.
        batch_size = min(max(size, step.longest), _MAX_BATCH)
        at_n = step.taken_n
        yield step
        progress(min(at_n, last_n) - first_n, last_n - first_n)


def start(connection: Connection) -> None:
    """Note that nothing has been taken in, where that is not noted."""
    if connection.scalar(_TAKEN) is None:
        driver(connection).execute(_START)


def taken_n(connection: Connection) -> int:
    """Return the number of the last part that has been taken in."""
    return connection.scalar(_TAKEN) or 0


def is_complete(connection: Connection) -> bool:
    """Whether every part has been taken in."""
    found = connection.scalar(_TAKEN)
    return found is not None and found == ledger.last_n(connection)


def rewind(connection: Connection) -> None:
    """Forget that parts were taken which are gone: SQLite gives their numbers out again."""
    last_n = ledger.last_n(connection)
    connection.execute(update(table).where(table.c.taken_n > last_n).values(taken_n=last_n))


def forget(connection: Connection) -> None:
    """Drop everything that is derived, so that the next intake derives it again."""
    connection.execute(delete(interaction_table))
    connection.execute(delete(field_table))
    connection.execute(delete(recording))
    connection.execute(delete(table).where(table.c.name != "part"))
    advance(connection, 0)  # who writes to a server holds this row


def advance(connection: Connection, n: int) -> None:
    """Note that the parts up to number `n` have been taken in."""
    connection.execute(update(table).where(table.c.name == "part").values(taken_n=n))


def locate(connection: Connection, row: Row[Any]) -> list[Located]:
    """Return the parts that lie with a recording, checked; `row` is its row."""
    return [*locate_ends(connection, row), *interaction.own(connection, row.id)]


def locate_ends(connection: Connection, row: Row[Any]) -> list[Located]:
    """Return the begun and the ended part of a recording's row, checked, as far as it has them.

    A part that is not where the row says, or is another recording's, is there as not intact.
    """
    places = {kind: getattr(row, column) for kind, column in POSITIONS.items()}
    found = connection.execute(select(part).where(part.c.n.in_(places.values())))
    parts = {row.n: located(*tuple(row)) for row in found}
    return [confirmed(parts.get(n), row.id, kind, n) for kind, n in places.items() if n is not None]


def read(id: str, found: Sequence[Located]) -> Recording:
    """Return the recording that the parts make up; raises DamagedError, naming it."""
    check(id, found)
    return Recording.from_parts(id, [one.part for one in found])


def _parts_after(connection: Connection, n: int, limit: int) -> list[Located]:
    statement = select(part).where(part.c.n > n).order_by(part.c.n).limit(limit)
    batch: list[Located] = []
    size_bytes = 0
    with connection.execute(statement) as rows:
        for row in rows:
            batch.append(located(*tuple(row)))
            size_bytes += len(batch[-1].part.payload)
            if size_bytes > _BATCH_BYTES:
                break
    return batch


def _derive(connection: Connection, batch: list[Located], from_n: int, taken_n: int) -> Step:
    """Return what is derived of the recordings of a batch."""
    by_id: dict[str, list[Located]] = {one.part.id: [] for one in batch}
    known = connection.execute(select(recording).where(recording.c.id.in_(by_id))).all()
    for row in known:
        by_id[row.id] += locate(connection, row)
    for one in batch:
        by_id[one.part.id].append(one)
    all_derived = {id: derived(id, found) for id, found in by_id.items()}
    old = {row.id for row in known}
    with_calls = {id: one for id, one in all_derived.items() if one.calls}
    return Step(
        from_n=from_n,
        taken_n=taken_n,
        new=[one.values for id, one in all_derived.items() if id not in old],
        changed=[all_derived[id].values for id in old],
        with_calls=list(with_calls),
        calls=[row for one in with_calls.values() for row in one.calls.values()],
        longest=max(map(len, by_id.values()), default=0),
        smaller=shrink.smaller(batch),
    )


def derived(id: str, located: Iterable[Located]) -> Derived:
    """Return what is derived of one recording, from all the parts that lie with it."""
    found = in_order(located)
    try:
        what: Recording | DamagedError = read(id, found)
    except DamagedError as error:
        what = error
    values = values_of(id, [one.part for one in found], what)
    for one in found:
        if one.part.kind in POSITIONS:
            values[POSITIONS[one.part.kind]] = one.n
    return Derived(values, interaction.rows_of(id, found, what))


def values_of(id: str, parts: Sequence[Part], what: Recording | DamagedError) -> Values:
    """Return a row, without where the parts are; of one that cannot be read, what else is known.

    Calls of the import count for nothing: whichever recording they lie with, the row is the same.
    """
    calls = interaction.parts_of(parts)
    own = [one for one in parts if not one.is_of_sandbox] if calls else parts
    values: Values = {
        **_NOTHING,
        "id": id,
        "short_id": id[-8:],
        "reversed_id": id[::-1],
        "size_bytes": sum([len(one.payload) for one in own]),
        "digest": digest(own),
        "calls": interaction.count(calls) if calls else 0,
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
    *("sandbox_sequence", "outbound"),
)
"""Columns whose values came from outside and may be anything."""


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
        "outbound": found.outbound,
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
