"""Which of the recordings that were selected leave the store: by age, by size, by number.

Two rules are reasons to go: `older_than_us`, and `max_bytes`, for which the oldest go. Three keep,
whatever the reason: `keep_last`, `keep_errors`, `keep_tagged`. Without a reason all go that no rule
keeps. Invariant: what a rule keeps is never among what goes; nor, where there is any rule, is an
invocation that may still run, for its end would come without its beginning.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from replay.store.engine.database import Database
from replay.store.selection import Query


class Candidate(NamedTuple):
    """What the rules look at, as the store has it: damage may have left anything in it."""

    id: str
    size_bytes: object
    kept_bytes: object
    captured_at_us: object
    function_name: object
    outcome: object
    remaining_ms: object
    is_tagged: object

    @property
    def bytes(self) -> int:
        """How many the payloads of its parts have; none where that is not known."""
        return self.size_bytes if isinstance(self.size_bytes, int) else 0

    @property
    def kept(self) -> int:
        """How many bytes they take in the store, packed as they are; asked for a cap alone."""
        return self.kept_bytes if isinstance(self.kept_bytes, int) else 0

    def may_run(self, now_us: int) -> bool:
        """Whether it has not finished, and its deadline has not passed: its end may yet come."""
        at_us, remaining_ms = self.captured_at_us, self.remaining_ms
        if not (isinstance(at_us, int) and isinstance(remaining_ms, int)):
            return False
        return self.outcome == "unfinished" and at_us <= now_us < at_us + remaining_ms * 1000


_COLUMNS = (
    "id, size_bytes, {0}, captured_at_us, function_name, outcome, remaining_ms,"
    " EXISTS (SELECT 1 FROM tag WHERE recording_id = recording.id)"
)
_STORED = Query("SELECT CAST(sum(length(payload)) AS BIGINT) FROM part", ())
_KEPT_BYTES = (
    "(SELECT coalesce(sum(length(payload)), 0) FROM part WHERE n IN (begun_n, ended_n))"
    " + CASE WHEN calls = 0 THEN 0 ELSE (SELECT coalesce(sum(length(payload)), 0)"
    " FROM interaction JOIN part ON n IN (sent_n, answered_n)"
    " WHERE recording_id = recording.id AND NOT at_import) END"
)


@dataclass(frozen=True, slots=True)
class Retention:
    """Rules; None and False leave them out. Times are microseconds since 1970.

    `max_bytes` is what all payloads of the store may take together, `keep_last` how many of the
    newest stay of each function, among the selected. Whatever is not known to have returned counts
    as an error: unfinished and damaged recordings as well.
    """

    older_than_us: int | None = None
    max_bytes: int | None = None
    keep_last: int | None = None
    keep_errors: bool = False
    keep_tagged: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is no rule."""
        return self == Retention()

    @property
    def selects(self) -> bool:
        """Whether the rules say by themselves what to delete."""
        return (self.older_than_us, self.max_bytes, self.keep_last) != (None, None, None)

    def leaving(self, found: Iterable[Candidate], stored_bytes: int, *, now_us: int) -> "Leaving":
        """Return what goes of the candidates, which come newest first.

        `stored_bytes` is what the payloads of the store take together now.
        """
        free = [one for one in self._free(found) if self.is_empty or not one.may_run(now_us)]
        going = {one.id for one in free if not self._has_reasons or self._is_old(one)}
        left_bytes = stored_bytes - sum(one.kept for one in free if one.id in going)
        for one in reversed(free) if self.max_bytes is not None else ():
            if left_bytes > (self.max_bytes or 0) and one.id not in going:
                going.add(one.id)
                left_bytes -= one.kept
        return Leaving({one.id: one.bytes for one in free if one.id in going}, left_bytes)

    @property
    def _has_reasons(self) -> bool:
        return (self.older_than_us, self.max_bytes) != (None, None)

    def _free(self, found: Iterable[Candidate]) -> Iterator[Candidate]:
        """Yield the candidates that no rule keeps."""
        seen = Counter[object]()
        for one in found:
            seen[one.function_name] += 1
            is_kept = (
                (self.keep_last is not None and seen[one.function_name] <= self.keep_last)
                or (self.keep_errors and one.outcome != "returned")
                or (self.keep_tagged and one.is_tagged)
            )
            if not is_kept:
                yield one

    def _is_old(self, one: Candidate) -> bool:
        at_us, before_us = one.captured_at_us, self.older_than_us
        return before_us is not None and isinstance(at_us, int) and at_us < before_us


@dataclass(frozen=True, slots=True)
class Leaving:
    """What goes: the bytes of its parts by id, newest first; and what a cap is held to after it."""

    sizes_bytes: Mapping[str, int]
    left_bytes: int


def columns(rules: Retention) -> str:
    """Return what a query selects for a `Candidate`, as far as the rules look at it."""
    return _COLUMNS.format("NULL" if rules.max_bytes is None else _KEPT_BYTES)


def leaving(database: Database, rules: Retention, found: Iterable[Candidate]) -> Leaving:
    """Return what goes of the candidates, which come newest first; raises StoreError."""
    # For a cap alone: it takes a look at every part.
    stored = database.rows(_STORED) if rules.max_bytes is not None else [(0,)]
    return rules.leaving(found, stored[0][0] or 0, now_us=time.time_ns() // 1000)
