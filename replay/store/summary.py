"""What a list shows of one recording, as it comes out of the database.

Damage may have left anything in a row: a value of another type costs the recording its summary,
never the list.
"""

from collections.abc import Sequence
from types import NoneType
from typing import Any, NamedTuple

from replay.store import tags


class Summary(NamedTuple):
    """What a list shows of one recording; `damage` says why the rest cannot be had."""

    # A named tuple, because making 50 frozen dataclasses takes longer than the query for them.

    id: str
    captured_at_us: int
    function_name: str | None = None
    alias: str | None = None
    source: str | None = None
    outcome: str | None = None
    error_type: str | None = None
    duration_us: int | None = None
    remaining_ms: int | None = None
    request_id: str | None = None
    cold: bool | None = None
    size_bytes: int | None = None
    damage: str | None = None
    tags: tuple[str, ...] = ()


COLUMNS = ", ".join([*Summary._fields[:-1], tags.JOINED])
"""What a query selects for `summary_of`."""
_TEXT: set[type]
_NUMBER: set[type]
_TEXT, _NUMBER = {str, NoneType}, {int, NoneType}
_NUMBERS = {"duration_us", "remaining_ms", "size_bytes"}
_NEEDED: dict[str, set[type]] = {
    "id": {str},
    "captured_at_us": {int},
    "cold": {int, bool, NoneType},  # SQLite has no booleans
}
_TYPES: list[set[type]] = [
    _NEEDED.get(name, _NUMBER if name in _NUMBERS else _TEXT) for name in Summary._fields
]
_sound: set[tuple[type, ...]] = set()
"""Combinations of types that have been looked at: a store has few."""


def summary_of(row: Sequence[Any]) -> Summary:
    """Return the summary of a row of `COLUMNS`."""
    types = tuple(map(type, row))
    if types not in _sound:
        odd = [
            n for n, (kind, good) in enumerate(zip(types, _TYPES, strict=True)) if kind not in good
        ]
        if odd:
            return _damaged(row, Summary._fields[odd[0]])
        _sound.add(types)
    *values, cold, size_bytes, damage, joined = row
    names = tags.split(joined) if joined else ()
    is_cold = None if cold is None else cold != 0
    return Summary._make((*values, is_cold, size_bytes, damage, names))


def _damaged(row: Sequence[Any], name: str) -> Summary:
    id = str(row[0])
    why = f"recording {id}: its row has a damaged {name}; replay doctor --fix derives it again"
    return Summary(id, 0, damage=why)
