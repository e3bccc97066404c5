"""Cases that drift alike, and cases that cannot be replayed for one reason, counted together. Pure.

Two cases drift alike where their function is the same and they differ at the same places in the
same way: the same call but for its number, the same path but for the indices of arrays, and values
of the same kinds. Errors are alike where they say the same of their recordings.

Invariants: a case that does not match is in one group or left over, so that the counts add up; what
is kept is bounded, whatever is captured.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from replay.replayer.compare import ABSENT, ERROR_TYPE_PATH, ROOT, Difference
from replay.replayer.verdict import Verdict, VerdictKind
from replay.report.pieces import value_text
from replay.report.text import outcome_text

MAX_GROUPS = 200
MAX_CASES = 3
"""Cases of a group that are named."""
_MAX_PLACES = 3
_MAX_TEXT = 200
_MAX_VALUE = 60
_TELLING_PATHS = frozenset({ERROR_TYPE_PATH, "$.statusCode"})
"""Where another value is another kind of thing, as an outcome of another kind is."""
# A name in brackets may hold what looks like an index.
_NAME_OR_INDEX = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|\[\d+\]""")
_NUMBER = re.compile(r"^\d+ ")


@dataclass(frozen=True, slots=True)
class Likeness:
    """In what a difference is like others: its place, and the kinds of both values."""

    call: str | None
    path: str
    recorded: str
    replayed: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where the cases of a group differ, with both values of the first of them, for reading.

    `varies` says that others differ there by other values.
    """

    likeness: Likeness
    recorded: str
    replayed: str
    values: int
    varies: bool = False

    @property
    def call(self) -> str | None:
        """The call that the place is in, without its number; cut, not escaped."""
        return self.likeness.call and cut_text(self.likeness.call)

    @property
    def path(self) -> str:
        """The path, `[*]` for any index; cut, not escaped."""
        return cut_text(self.likeness.path)


@dataclass(frozen=True, slots=True)
class GroupedCase:
    """A case by its id and by its number in the run, from 1."""

    id: str
    number: int


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that are alike: how many, the first of them, and where they differ or why they fail.

    `message` is empty for drift; `more_places` are those beyond `places`.
    """

    kind: VerdictKind
    function_name: str
    count: int
    cases: tuple[GroupedCase, ...]
    places: tuple[Place, ...] = ()
    more_places: int = 0
    message: str = ""

    @property
    def count_text(self) -> str:
        """How many cases did what."""
        cases = "1 case" if self.count == 1 else f"{self.count:,} cases"
        if self.kind == "error":
            return f"{cases} could not be replayed"
        return f"{cases} drifts" if self.count == 1 else f"{cases} drift alike"


class Groups:
    """The groups of what has gone by, at most 200; `left_over` counts what came after those."""

    def __init__(self) -> None:
        self._groups: dict[bytes, Group] = {}
        self.left_over: Counter[VerdictKind] = Counter()

    def add(self, verdict: Verdict, number: int) -> None:
        """Count a case in its group, unless it matches."""
        if verdict.kind == "match":
            return
        found = _found(verdict)
        key = _key(verdict, found)
        group = self._groups.get(key)
        if group is not None:
            self._groups[key] = _joined(group, verdict, found, number)
        elif len(self._groups) < MAX_GROUPS:
            self._groups[key] = _first(verdict, found, number)
        else:
            self.left_over[verdict.kind] += 1

    def largest(self) -> list[Group]:
        """Return all groups, the largest first, those of a size in the order of their coming."""
        return sorted(self._groups.values(), key=lambda group: -group.count)


def cut_text(text: str) -> str:
    """Return the beginning of a text, not escaped, that says that it is one."""
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."


def _found(verdict: Verdict) -> dict[Likeness, list[Difference]]:
    found: dict[Likeness, list[Difference]] = {}
    for difference in verdict.differences:
        found.setdefault(_likeness(difference), []).append(difference)
    return found


def _likeness(difference: Difference) -> Likeness:
    call = None if difference.call is None else _NUMBER.sub("", difference.call)
    path = _NAME_OR_INDEX.sub(lambda match: match[1] or "[*]", difference.path)
    is_telling = call is None and path in _TELLING_PATHS
    is_outcome = call is None and path == ROOT
    kinds = [
        _outcome_kind(value) if is_outcome else _kind(value, is_telling=is_telling)
        for value in (difference.recorded, difference.replayed)
    ]
    return Likeness(call and _bounded(call), _bounded(path), *kinds)


def _outcome_kind(value: Any) -> str:
    match value:
        case {"kind": str(kind), "error_type": str(error_type)}:
            return _bounded(f"{kind} {error_type}")
        case {"kind": str(kind)}:
            return _bounded(kind)
        case _:  # a payload that is no object
            return _kind(value, is_telling=False)


def _kind(value: Any, *, is_telling: bool) -> str:
    if value is ABSENT:
        return "nothing"
    if is_telling:
        return value_text(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if is_number else type(value).__name__


def _bounded(text: str) -> str:
    """Return a text that is cut where it is long, and still no other one's."""
    if len(text) <= _MAX_TEXT:
        return text
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()
    return f"{text[:_MAX_TEXT]} {digest}"


def _key(verdict: Verdict, found: dict[Likeness, list[Difference]]) -> bytes:
    places = sorted((it.call or "", it.path, it.recorded, it.replayed) for it in found)
    name = verdict.recording.invocation.function_name
    said = json.dumps([verdict.kind, name, _message(verdict), places])  # ASCII
    return blake2b(said.encode(), digest_size=16).digest()


def _message(verdict: Verdict) -> str:
    if verdict.error is None:
        return ""
    id, message = verdict.recording.id, verdict.error.message
    return message.removeprefix(f"recording {id}: ").replace(id, "ID")


def _first(verdict: Verdict, found: dict[Likeness, list[Difference]], number: int) -> Group:
    return Group(
        kind=verdict.kind,
        function_name=cut_text(verdict.recording.invocation.function_name),
        count=1,
        cases=(GroupedCase(verdict.recording.id, number),),
        places=tuple(_places(verdict, found)),
        more_places=max(0, len(found) - _MAX_PLACES),
        message=cut_text(_message(verdict).partition("\n")[0]),
    )


def _places(verdict: Verdict, found: dict[Likeness, list[Difference]]) -> Iterator[Place]:
    for likeness, differences in list(found.items())[:_MAX_PLACES]:
        first, *others = differences
        varies = any(_values(it) != _values(first) for it in others)
        yield Place(likeness, *_sides(verdict, first), _values(first), varies)


def _sides(verdict: Verdict, difference: Difference) -> tuple[str, str]:
    """Return both values in short; of two outcomes of different kinds, what they are."""
    if difference.call is None and difference.path == ROOT and verdict.replay is not None:
        recorded = outcome_text(verdict.recording.outcome)
        replayed = outcome_text(verdict.replay.outcome)
        if recorded != replayed:
            return cut_text(recorded), cut_text(replayed)
    return (
        value_text(difference.recorded, max_characters=_MAX_VALUE),
        value_text(difference.replayed, max_characters=_MAX_VALUE),
    )


def _values(difference: Difference) -> int:
    return hash(repr((difference.recorded, difference.replayed)))


def _joined(
    group: Group, verdict: Verdict, found: dict[Likeness, list[Difference]], number: int
) -> Group:
    places = (
        replace(it, varies=it.varies or any(_values(d) != it.values for d in found[it.likeness]))
        for it in group.places
    )
    cases = (*group.cases, GroupedCase(verdict.recording.id, number))[:MAX_CASES]
    return replace(group, count=group.count + 1, cases=cases, places=tuple(places))
