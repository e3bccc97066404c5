"""What is kept of verdicts that have gone by: counts, and the groups of those that are alike.

Invariant: however many verdicts there are, of whatever text, memory is bounded.
"""

from collections import Counter
from collections.abc import Iterator
from typing import get_args

from replay.replayer.verdict import Verdict, VerdictKind
from replay.report.group import MAX_CASES, Group, Groups, Place, cut_text
from replay.report.pieces import STYLES, Piece, escaped

_MAX_FUNCTIONS = 1_000
_MAX_SHOWN = 10
"""How many groups are printed: what fits a screen."""
_FEW = 20
"""Up to so many cases are all on the screen; only what they have in common is told again then."""


class Totals:
    """Counts of verdicts: by kind and by function, of noise by its cause, and how long they took.

    `duration_us` is by the handlers' own clocks. Beyond the first 1,000 functions the others are
    not counted.
    """

    def __init__(self) -> None:
        self.kinds: Counter[VerdictKind] = Counter()
        self.causes: Counter[str] = Counter()
        self.functions: dict[str, int] = {}
        self.duration_us = 0
        self.groups = Groups()

    @property
    def count(self) -> int:
        """How many verdicts there were."""
        return self.kinds.total()

    @property
    def noise(self) -> int:
        """How much noise there was."""
        return self.causes.total()

    def add(self, verdict: Verdict) -> None:
        """Count one."""
        self.kinds[verdict.kind] += 1
        self.causes.update(noise.factor or noise.rule or "" for noise in verdict.noise)
        self.duration_us += verdict.replay.duration_us if verdict.replay else 0
        name = cut_text(verdict.recording.invocation.function_name)
        if name in self.functions or len(self.functions) < _MAX_FUNCTIONS:
            self.functions[name] = self.functions.get(name, 0) + 1
        self.groups.add(verdict, self.count)


def summary_pieces(totals: Totals) -> Iterator[Piece]:
    """Yield what is printed after several verdicts: which are alike, then how many there were."""
    groups = totals.groups.largest()
    if totals.count > _FEW or any(group.count > 1 for group in groups):
        for group in groups[:_MAX_SHOWN]:
            yield "\n", ""
            yield from _group_pieces(group)
        yield from _left_out_pieces(totals, groups)
        yield ("\n\n", "") if groups else ("", "")
    yield from _counts_pieces(totals)


def _group_pieces(group: Group) -> Iterator[Piece]:
    yield group.count_text, STYLES[group.kind]
    yield f"  {escaped(group.function_name)}", "bold"
    ids = ", ".join(case.id[-8:] for case in group.cases)
    yield f"  {ids}{', ...' if group.count > MAX_CASES else ''}", "dim"
    if group.message:
        yield f"\n       {escaped(group.message)}", ""
    for place in group.places:
        yield "\n       ", ""
        yield from _place_pieces(place)
    if group.more_places:
        yield f"\n       and at {group.more_places:,} more", "dim"


def _place_pieces(place: Place) -> Iterator[Piece]:
    yield (f"{escaped(place.call)}  ", "") if place.call else ("", "")
    yield escaped(place.path), "bold"
    yield f"  {place.recorded}", "green"
    yield " -> ", ""
    yield place.replayed, "red"
    if place.varies:
        yield ", or other values", "dim"


def _left_out_pieces(totals: Totals, groups: list[Group]) -> Iterator[Piece]:
    count = sum(group.count for group in groups[_MAX_SHOWN:]) + totals.groups.left_over.total()
    if count:
        yield f"\nand {count:,} in smaller groups", "dim"


def _counts_pieces(totals: Totals) -> Iterator[Piece]:
    for kind in get_args(VerdictKind):
        count = totals.kinds[kind]
        yield f"{count} {kind}  ", STYLES[kind] if count else "dim"
    yield f"{totals.noise} noise", "dim"
