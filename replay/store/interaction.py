"""Calls in the store: what is derived of their parts, and which parts a recording is read with.

A call that was made at import is the sandbox's. Its parts lie with one recording of the sandbox,
whichever came first, and every recording that watched for such calls is read with them, as if they
were its own; of copies the first counts.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from replay.errors import DamagedError
from replay.interaction import CALL_KINDS, AwsCall, Failure, HttpCall, Interaction, Response
from replay.part import ANSWERED, BEGUN, SENT
from replay.recording import Part, Recording
from replay.store import ledger
from replay.store.column import Values, storable
from replay.store.engine.database import Driver, driver
from replay.store.located import Located, Place, confirmed, in_order, located, sequence_of
from replay.store.packing import packed
from replay.store.tables import interaction as table
from replay.store.tables import recording

_KEPT_SANDBOXES = 16
_WATCHED = "all"
_DAMAGED_CRC = -1
"""Of a part that is moved although its checksum did not hold: nothing has this one."""
WATCHED = "CASE outbound WHEN 'all' THEN sandbox_id END"
"""A column of a query for recordings: the sandbox whose import calls a recording is read with."""
_POSITIONS = {SENT: "sent_n", ANSWERED: "answered_n"}
_NOTHING: Values = dict.fromkeys(table.c.keys())
_PARTS = (
    "SELECT recording_id, sent_n, answered_n, s.*, a.* FROM interaction"
    " LEFT JOIN part s ON s.n = sent_n LEFT JOIN part a ON a.n = answered_n"
)
_OWN = f"{_PARTS} WHERE recording_id = ?"
_row_values = itemgetter(*table.c.keys())
_HANDLERS = f"{_OWN} AND NOT at_import"
_SANDBOXES = f"{_OWN} AND at_import"
_OF_SANDBOX = f"{_PARTS} WHERE sandbox_id = ?"
_PLACED = (
    "SELECT sent_n, answered_n FROM interaction"
    " WHERE recording_id = ? AND at_import = ? AND sequence = ?"
)


class CallReader:
    """Reads the calls of one recording after another."""

    def __init__(self, raw: Driver) -> None:
        self._raw = raw
        self._imports: dict[object, list[Located]] = {}

    def calls_of(self, id: str, calls: Any, sandbox_id: Any) -> list[Located]:
        """Return the parts that a recording is read with besides begun and ended, in order.

        `calls` is that column of it, `sandbox_id` what `WATCHED` says.
        """
        found: list[Located] = []
        if sandbox_id is not None:
            found += [_under(id, one) for one in self._made_at_import(sandbox_id)]
        if calls:
            found += in_order(_located(self._raw, _HANDLERS, id))
        return found

    def _made_at_import(self, sandbox_id: object) -> list[Located]:
        if sandbox_id not in self._imports:
            if len(self._imports) == _KEPT_SANDBOXES:
                self._imports.clear()
            self._imports[sandbox_id] = in_order(_located(self._raw, _OF_SANDBOX, sandbox_id))
        return self._imports[sandbox_id]


def own(connection: Connection, id: str) -> list[Located]:
    """Return the parts of calls that lie with a recording, those of its sandbox included."""
    return list(_located(driver(connection), _OWN, id))


def _located(raw: Driver, statement: str, value: object) -> Iterator[Located]:
    for id, sent_n, answered_n, *columns in raw.execute(statement, (value,)):
        places = ((SENT, sent_n, columns[:5]), (ANSWERED, answered_n, columns[5:]))
        for kind, n, part_columns in places:
            if n is not None:
                yield confirmed(located(*part_columns), id, kind, n)


def _under(id: str, one: Located) -> Located:
    part = Part(id, one.part.kind, one.part.payload)
    return Located(one.n, part, one.is_intact, lies_with=one.holder, newer=one.newer)


def parts_of(parts: Iterable[Part]) -> list[Part]:
    """Return those of parts that are of calls."""
    return [one for one in parts if one.kind in CALL_KINDS]


def count(parts: Iterable[Part]) -> int:
    """Return how many calls of the handler the parts of calls are of, answered or not."""
    calls = [one for one in parts if not one.is_of_sandbox]
    sequences = {sequence_of(one) for one in calls}
    odd = [one for one in calls if sequence_of(one) is None] if None in sequences else []
    return len(sequences - {None}) + len(odd)


def rows_of(
    id: str, found: Sequence[Located], what: Recording | DamagedError
) -> dict[Place, Values]:
    """Return the rows of the calls among a recording's parts; `what` is what these make up."""
    rows: dict[Place, Values] = {}
    for one in found:
        if one.part.kind in CALL_KINDS:
            row = rows.setdefault(one.place, {**_NOTHING, "recording_id": id})
            row["at_import"], row["sequence"] = one.place
            row[_POSITIONS[one.part.kind]] = one.n
    if rows:
        sandbox_id = _sandbox_of(found, what)
        for row in rows.values():
            row["sandbox_id"] = sandbox_id if row["at_import"] else None
    for call in what.interactions if isinstance(what, Recording) else ():
        if (call.at_import, call.sequence) in rows:
            rows[call.at_import, call.sequence] |= _searched(call)
    return rows


def _sandbox_of(found: Sequence[Located], what: Recording | DamagedError) -> object:
    """Return the sandbox that a recording's import calls are of; the begun part alone tells it."""
    if isinstance(what, DamagedError):
        begun = [one.part for one in found if one.part.kind == BEGUN and one.is_intact]
        try:
            what = Recording.from_parts("", begun)
        except DamagedError:
            return None
    return storable(what.invocation.sandbox.id) if what.outbound == _WATCHED else None


def _searched(found: Interaction) -> Values:
    values: Values = {"at_us": found.at_us, "duration_us": found.duration_us}
    match found.call:
        case AwsCall() as call:
            values |= {"kind": "aws", "service": call.service, "operation": call.operation}
        case HttpCall() as call:
            values |= {"kind": "http", "host": _host_of(call.url)}
    match found.answer:
        case Response() as response:
            values["status"] = response.status
        case Failure() as failure:
            values["error_type"] = failure.error_type
    values["name"] = call.name if isinstance(call, AwsCall) or type(call.url) is str else None
    return {
        name: storable(value) if isinstance(value, str | int) else None
        for name, value in values.items()
    }


def _host_of(url: object) -> str | None:
    try:
        return urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:  # brackets that hold no address
        return None


def write(connection: Connection, ids: Sequence[str], rows: Sequence[Values]) -> None:
    """Put rows in the place of those that the recordings had."""
    raw = driver(connection)
    raw.executemany("DELETE FROM interaction WHERE recording_id = ?", [(id,) for id in ids])
    raw.insert(table, map(_row_values, rows))


def is_placed(connection: Connection, one: Located) -> bool:
    """Whether the row of a call's part says where it is, or a copy of it."""
    row = driver(connection).execute(_PLACED, (one.part.id, *one.place)).fetchone()
    return row is not None and row[one.part.kind == ANSWERED] is not None


def held(connection: Connection, sandboxes: Iterable[object]) -> set[tuple[object, ...]]:
    """Return what is there of the import calls of sandboxes: each with kind and sequence."""
    found: set[tuple[object, ...]] = set()
    for sandbox_id in sandboxes:
        for row in connection.execute(select(table).where(table.c.sandbox_id == sandbox_id)):
            positions = {kind: getattr(row, name) for kind, name in _POSITIONS.items()}
            found |= {
                (sandbox_id, kind, row.sequence) for kind, n in positions.items() if n is not None
            }
    return found


@dataclass(frozen=True, slots=True)
class Legacy:
    """The calls of its sandbox that lie with a recording, to be handed on when it is removed."""

    sandbox_id: object
    calls: list[Located]


def legacy_of(connection: Connection, id: str) -> Legacy | None:
    """Return what a recording holds for its sandbox; None: nothing."""
    holds = (table.c.recording_id == id) & table.c.sandbox_id.is_not(None)
    sandbox_id = connection.scalar(select(table.c.sandbox_id).where(holds).limit(1))
    if sandbox_id is None:
        return None
    return Legacy(sandbox_id, list(_located(driver(connection), _SANDBOXES, id)))


def hand_on(connection: Connection, left: Legacy, *, besides: Collection[str] = ()) -> None:
    """Insert the parts anew for another recording of the sandbox, if it has any more.

    Not for one of `besides`, which are about to be removed as well.
    """
    of_sandbox = recording.c.sandbox_id == left.sandbox_id
    watched = select(recording.c.id).where(of_sandbox, recording.c.outbound == _WATCHED)
    heirs = connection.scalars(watched.order_by(recording.c.id))
    heir = next((id for id in heirs if id not in besides), None)
    if heir is None:
        return
    there = held(connection, [left.sandbox_id])
    moved = (
        (heir, one.part.kind, _crc_under(heir, one), packed(one.part.payload))
        for one in left.calls
        if (left.sandbox_id, one.part.kind, one.place[1]) not in there
    )
    ledger.append(connection, moved)


def _crc_under(id: str, one: Located) -> int:
    return _under(id, one).part.crc if one.is_intact else _DAMAGED_CRC
