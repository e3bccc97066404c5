"""A recording that comes to a store which has it already, under another digest.

Of each slot the part of the higher generation stays, which is the one that was redacted last; a
part that only one side has is kept. Invariant: where both are of one generation, and a part of both
differs, neither is taken for the other: the store's is left as it is, and told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlalchemy import Connection

from replay.errors import DamagedError
from replay.fixture import Fixture
from replay.recording import Part, Recording
from replay.store import intake, ledger, outgoing, reference, rewrite
from replay.store.located import Located, check

Change: TypeAlias = Literal["none", "completed", "replaced"]


@dataclass(frozen=True, slots=True)
class _Merged:
    """Parts of the store that others take the place of, and parts that it has not."""

    rewritten: list[tuple[Located, Part]]
    added: list[Part]


def merge(connection: Connection, coming: Fixture) -> Change:
    """Bring a recording that the store has up to what comes; return what that has changed.

    Raises DamagedError where the two cannot be one recording, and where the store's is damaged.
    """
    row = reference.row_of(connection, coming.id)
    held = outgoing.locate(connection, row)
    check(coming.id, held)
    merged = _merged(held, coming)
    parts = [*(after for _, after in merged.rewritten), *merged.added]
    Recording.from_parts(coming.id, parts)  # they are no recording: nothing is written
    rewritten = [(before, after) for before, after in merged.rewritten if after != before.part]
    if rewritten:
        rewrite.put(connection, rewritten)
    if merged.added:
        ledger.append(connection, map(ledger.row_of, merged.added))
        intake.take_in(connection)
    if rewritten:
        return "replaced"
    return "completed" if merged.added else "none"


def _merged(held: Sequence[Located], coming: Fixture) -> _Merged:
    theirs = {Located(0, part, is_intact=True).slot: part for part in coming.parts}
    ahead = _generation(coming.id, coming.parts) - _generation(
        coming.id, [one.part for one in held]
    )
    rewritten = []
    for one in held:
        part = theirs.pop(one.slot, one.part)
        if part.payload != one.part.payload and not ahead:
            raise _conflict(coming.id)
        rewritten.append((one, part if ahead > 0 else one.part))
    return _Merged(rewritten, list(theirs.values()))


def _generation(id: str, parts: Iterable[Part]) -> int:
    redaction = Recording.from_parts(id, parts).redaction
    return redaction.generation if redaction else 0


def _conflict(id: str) -> DamagedError:
    return DamagedError(
        f"recording {id}: the store has this id already, with other content; left as it is",
        f"replay show {id}; take it into another store: --store PATH",
    )
