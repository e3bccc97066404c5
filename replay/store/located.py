"""A part as it lies in a table: where, whether its checksum held, and its place in its recording.

SQLite keeps any type in any column, and a part may be damaged or there twice; what is read of the
table `part` goes through here, and is unpacked on the way. Pure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from replay.errors import DamagedError
from replay.interaction import CALL_KINDS
from replay.part import BEGUN, ENDED, SENT, part_crc
from replay.recording import Part
from replay.store.packing import PackingError, UnknownDictionaryError, unpacked

POSITIONS = {BEGUN: "begun_n", ENDED: "ended_n"}
"""For the kinds of which a recording has one part, in their order, the column that says where."""
_PLAIN = {(BEGUN,), (BEGUN, ENDED)}
"""Kinds of parts that are in order already, as they are of most recordings."""
HEAD_BYTES = 64
"""How much of a payload tells the place of a call; no captured value stands there."""
_HEAD = re.compile(rb'\{"format":\d+,"sequence":(\d{1,18}),"at_import":(?:true|false)[,}]')

Place: TypeAlias = tuple[bool, int]
"""Of a call: whether it was made at import, and its sequence."""


@dataclass(frozen=True, slots=True)
class Located:
    """A part as it lies in the store: its number there, and whether its checksum held.

    `lies_with` is the recording that it lies with, where `part` is read as another's: a call of
    their sandbox's import.
    """

    n: int
    part: Part
    is_intact: bool
    lies_with: str | None = None
    newer: str = ""
    """What this version is too old to read of it; it is not intact then."""

    @property
    def holder(self) -> str:
        """The id that the part has in the store."""
        return self.lies_with or self.part.id

    @property
    def place(self) -> Place:
        """The place of a call's part; its number, negated, where it does not tell a sequence."""
        sequence = sequence_of(self.part) if self.is_intact else None
        return self.part.is_of_sandbox, -self.n if sequence is None else sequence

    @property
    def slot(self) -> tuple[object, ...]:
        """What a recording has one part of: the first that was committed counts."""
        kind = self.part.kind
        return (kind, *self.place) if kind in CALL_KINDS else (kind,)


def sequence_of(part: Part) -> int | None:
    """Return the sequence of a call's part, None where it is not laid out as we write it."""
    head = _HEAD.match(part.payload)
    return int(head[1]) if head else None


def located(n: int, id: Any, kind: Any, crc: Any, payload: Any) -> Located:
    """Return a row of `part` as what it is: SQLite keeps any type in any column."""
    id, kind, payload = str(id), str(kind), payload or b""
    if not isinstance(payload, bytes):
        payload = str(payload).encode(errors="replace")
    try:
        payload = unpacked(payload)
    except UnknownDictionaryError as error:
        return Located(n, Part(id, kind, payload), is_intact=False, newer=str(error))
    except PackingError:
        return Located(n, Part(id, kind, payload), is_intact=False)
    return Located(n, Part(id, kind, payload), part_crc(id, kind, payload) == crc)


def confirmed(one: Located | None, id: str, kind: str, n: int) -> Located:
    """Return the part that was found, if it is the one that was looked for; else a damaged one."""
    if one is not None and (one.part.id, one.part.kind) == (id, kind):
        return one
    return Located(n, Part(id, kind, b""), is_intact=False)


def check(id: str, found: Iterable[Located]) -> None:
    """Raise DamagedError, naming the recording, where a checksum does not hold."""
    for one in found:
        if one.newer:
            raise DamagedError(
                f"recording {id}: its {one.part.kind} part {one.newer}",
                "pip install -U lambda-replay",
            )
        if not one.is_intact:
            raise DamagedError(
                f"recording {id}: its {one.part.kind} part is damaged (checksum)",
                "the bytes in the store have changed; restore it from a copy",
            )


def in_order(found: Iterable[Located]) -> list[Located]:
    """Return parts in the order of `Recording.parts`, each slot once: the first by number."""
    found = list(found)
    if tuple([one.part.kind for one in found]) in _PLAIN:
        return found
    first: dict[tuple[object, ...], Located] = {}
    for one in sorted(found, key=lambda one: one.n):
        first.setdefault(one.slot, one)
    return sorted(first.values(), key=_order)


def _order(one: Located) -> tuple[int, ...]:
    kind = one.part.kind
    if kind not in CALL_KINDS:
        return (0 if kind == BEGUN else 2, one.n)
    at_import, sequence = one.place
    return (1, not at_import, sequence < 0, abs(sequence), kind != SENT)
