"""Recordings on their way into the store from a file: checked, then inserted in bulk.

Each batch is one transaction, short enough for processes that capture meanwhile. What is derived of
a recording is derived before the transaction begins; within it nothing is read twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, select

from replay.errors import DamagedError
from replay.fixture import Fixture
from replay.recording import Part, Recording
from replay.store import intake, interaction, ledger, tags
from replay.store.arrival.merge import merge
from replay.store.batch import filled
from replay.store.column import Values
from replay.store.engine.database import driver
from replay.store.located import POSITIONS, Located, in_order, sequence_of
from replay.store.packing import packed
from replay.store.step import recording_values
from replay.store.tables import part, recording

_BATCH = 300
_BATCH_BYTES = 8 * 2**20


@dataclass(slots=True)
class Taken:
    """What became of recordings: new ones, those that the store had, and those that differ.

    Of those that it had, some were completed, of others a part was replaced; see merge.py.
    """

    new: int = 0
    known: int = 0
    completed: int = 0
    replaced: int = 0
    conflicts: list[DamagedError] = field(default_factory=list)

    def add(self, other: "Taken") -> None:
        """Count another batch in."""
        self.new += other.new
        self.known += other.known
        self.completed += other.completed
        self.replaced += other.replaced
        self.conflicts += other.conflicts


@dataclass(frozen=True, slots=True)
class Prepared:
    """A fixture, read and found sound, with the row that is derived of it.

    `kept` are the payloads of its parts as the store keeps them. `with_calls` is what it reads as,
    where it has calls; others are not kept that long.
    """

    fixture: Fixture
    values: Values
    kept: Sequence[bytes]
    with_calls: Recording | None

    def parts(self) -> Iterator[tuple[Part, bytes]]:
        """Yield each part with its payload as the store keeps it."""
        return zip(self.fixture.parts, self.kept, strict=True)

    @property
    def size_bytes(self) -> int:
        """What it takes in memory, the calls of its sandbox included."""
        if self.with_calls is None:
            return int(self.values["size_bytes"])
        return sum([len(one.payload) for one in self.fixture.parts])


def prepared(fixture: Fixture) -> Prepared:
    """Return the fixture with its row; raises DamagedError where it cannot be read."""
    has_calls = bool(interaction.parts_of(fixture.parts))
    if has_calls:
        fixture = replace(fixture, parts=tuple(_in_order(fixture.parts)))
    what = fixture.recording
    values = intake.values_of(fixture.id, fixture.parts, what)
    kept = [packed(one.payload) for one in fixture.parts]
    return Prepared(fixture, values, kept, what if has_calls else None)


def _in_order(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield parts as the store will give them back, whoever has written the file."""
    found = [Located(n, one, is_intact=True) for n, one in enumerate(parts, 1)]
    return (one.part for one in in_order(found))


def batches(found: Iterable[Prepared]) -> Iterator[list[Prepared]]:
    """Return the prepared fixtures in batches, small in number and in bytes."""
    return filled(found, lambda one: one.size_bytes, most=_BATCH, most_bytes=_BATCH_BYTES)


def take(connection: Connection, batch: Sequence[Prepared]) -> Taken:
    """Insert what the store does not have; bring up to it what it has under another digest."""
    intake.take_in(connection)
    taken = Taken()
    digests = digests_of(connection, [one.fixture.id for one in batch])
    new: dict[str, Prepared] = {}
    others: list[Prepared] = []
    for one in batch:
        id, digest = one.fixture.id, one.values["digest"]
        if id not in digests and id not in new:
            new[id] = one
        elif digest != (new[id].values["digest"] if id in new else digests[id]):
            others.append(one)
        else:
            taken.known += 1
    _insert(connection, list(new.values()))
    taken.new = len(new)
    for one in others:
        _merge(connection, one.fixture, taken)
    return taken


def digests_of(connection: Connection, ids: Sequence[str]) -> dict[str, str | None]:
    """Return the digests of those of `ids` that the store has."""
    known = select(recording.c.id, recording.c.digest).where(recording.c.id.in_(ids))
    return {row.id: row.digest for row in connection.execute(known)}


def _merge(connection: Connection, coming: Fixture, taken: Taken) -> None:
    try:
        change = merge(connection, coming)
    except DamagedError as error:
        taken.conflicts.append(error)
        return
    tags.add(connection, [(coming.id, name) for name in coming.tags])
    taken.known += 1
    taken.completed += change == "completed"
    taken.replaced += change == "replaced"


def _insert(connection: Connection, new: Sequence[Prepared]) -> None:
    if not new:
        return
    n = ledger.last_n(connection)
    held = interaction.held(connection, _sandboxes(new))
    parts: list[tuple[object, ...]] = []
    calls: list[Values] = []
    for one in new:
        found: list[Located] = []
        for added, kept in _own_parts(one, held) if one.with_calls else one.parts():
            n += 1
            parts.append((n, added.id, added.kind, added.crc, kept))
            if added.kind in POSITIONS:
                one.values[POSITIONS[added.kind]] = n
            else:
                found.append(Located(n, added, is_intact=True))
        if one.with_calls:
            calls += interaction.rows_of(one.fixture.id, found, one.with_calls).values()
    driver(connection).insert(part, parts)
    driver(connection).insert(recording, [recording_values(one.values) for one in new])
    interaction.write(connection, [one.fixture.id for one in new if one.with_calls], calls)
    tags.add(connection, [(one.fixture.id, name) for one in new for name in one.fixture.tags])
    intake.advance(connection, n)


def _sandboxes(new: Iterable[Prepared]) -> set[object]:
    """Return the sandboxes of which a file has calls that were made at import."""
    found: set[object] = set()
    for one in new:
        if one.with_calls and any(call.at_import for call in one.with_calls.interactions):
            found.add(one.values["sandbox_id"])
    return found


def _own_parts(one: Prepared, held: set[tuple[object, ...]]) -> Iterator[tuple[Part, bytes]]:
    """Yield the parts of a recording, but import calls that the store has of its sandbox."""
    sandbox_id = one.values["sandbox_id"]
    for added, kept in one.parts():
        if added.is_of_sandbox and one.values["outbound"] == "all":
            key = (sandbox_id, added.kind, sequence_of(added))
            if key in held:
                continue
            held.add(key)
        yield added, kept
