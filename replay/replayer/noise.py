"""The second look: which differences are noise, and which factor explains each. Pure.

A difference is noise when its path moves in a replay in which one factor of the world was moved,
and the recorded value has the same type and shape as the replayed one: a UUID, a token of equal
length, a time as far from its clock, an address, a reordering. Anything else stays a difference:
a missing key, another type, the error type, the payload as a whole.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from replay.outcome import Outcome
from replay.replayer.compare import ABSENT, ERROR_TYPE_PATH, ROOT, Difference, compare
from replay.replayer.world import Factor


@dataclass(frozen=True, slots=True)
class Noise:
    """A difference that `factor` explains."""

    path: str
    recorded: object
    replayed: object
    factor: Factor


@dataclass(frozen=True, slots=True)
class Looks:
    """The first replay and further ones of the same case.

    `again` moved nothing; `moved` holds for each factor the replays in which it was elsewhere.
    `tolerance_ms` is how far apart two times may be that were read at the same point.
    """

    first: Outcome
    again: Outcome
    moved: Mapping[Factor, tuple[Outcome, ...]]
    tolerance_ms: float


_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\Z")
_ADDRESS = re.compile(r"0x[0-9a-f]{6,16}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?")
_DIGITS = re.compile(r"(?<![\w.-])\d{10,19}(?:\.\d+)?(?![\w-])")
_TOKEN = re.compile(r"[\w+/=~.-]*\Z", re.ASCII)
_EPOCH_UNITS_PER_MS = (0.001, 1, 1_000, 1_000_000)
"""Seconds, milliseconds, microseconds and nanoseconds since the epoch, as found in payloads."""
_EPOCH_RANGE_MS = (9e11, 5e12)


def split(
    differences: tuple[Difference, ...], looks: Looks
) -> tuple[tuple[Noise, ...], tuple[Difference, ...]]:
    """Return the noise among `differences`, and the drift that is left."""
    moves = _moves(looks)
    noise: list[Noise] = []
    drift: list[Difference] = []
    for difference in differences:
        factor = _factor_of(difference, differences, moves, looks.tolerance_ms)
        if factor is None:
            drift.append(difference)
        else:
            noise.append(Noise(difference.path, difference.recorded, difference.replayed, factor))
    return tuple(noise), tuple(drift)


Moves: TypeAlias = Mapping[Factor, tuple[Mapping[str, Difference], ...]]


def _moves(looks: Looks) -> Moves:
    """Return for each factor the paths that moved with it; what moves by itself is an address."""
    replays: dict[Factor, tuple[Outcome, ...]] = {**looks.moved, "address": (looks.again,)}
    return {
        factor: tuple({d.path: d for d in compare(looks.first, outcome)} for outcome in outcomes)
        for factor, outcomes in replays.items()
    }


def _factor_of(
    difference: Difference,
    all_differences: tuple[Difference, ...],
    moves: Moves,
    tolerance_ms: float,
) -> Factor | None:
    if difference.path in (ROOT, ERROR_TYPE_PATH) or ABSENT in _sides(difference):
        return None
    if type(difference.recorded) is not type(difference.replayed):
        return None
    for factor, has_shape in _SHAPES:
        if _moves_with(difference, factor, moves) and has_shape(difference, tolerance_ms):
            return factor
    if _is_moved(difference, moves["address"]) and _is_token(difference):
        return "clock"  # a token made of the time: what else differs when nothing was moved
    if _is_reordering(difference, all_differences) and _array_moves(difference, moves):
        return "hash seed"
    return None


def _sides(difference: Difference) -> tuple[object, object]:
    return difference.recorded, difference.replayed


def _moves_with(difference: Difference, factor: Factor, moves: Moves) -> bool:
    by_itself = _is_moved(difference, moves["address"])
    if factor in ("clock", "address"):
        # In `shifted` and `live` time runs on by itself, so that it moves without being moved.
        return by_itself or _is_moved(difference, moves.get(factor, ()))
    return not by_itself and _is_moved(difference, moves.get(factor, ()))


def _is_moved(difference: Difference, replays: Iterable[Mapping[str, Difference]]) -> bool:
    seen = [found[difference.path] for found in replays if difference.path in found]
    return any(type(move.replayed) is type(difference.replayed) for move in seen)


def _is_address(difference: Difference, _tolerance_ms: float) -> bool:
    return _same_rest(difference, _ADDRESS, lambda _recorded, _replayed: True)


def _is_time(difference: Difference, tolerance_ms: float) -> bool:
    recorded, replayed = _sides(difference)
    if isinstance(recorded, int | float) and isinstance(replayed, int | float):
        return _are_close_numbers(recorded, replayed, tolerance_ms)

    def is_close(one: str, other: str) -> bool:
        return _are_close_times(one, other, tolerance_ms)

    return _same_rest(difference, _TIME, is_close) or _same_rest(difference, _DIGITS, is_close)


def _is_random(difference: Difference, _tolerance_ms: float) -> bool:
    is_number = isinstance(difference.recorded, int | float)
    return _is_token(difference) or (is_number and not isinstance(difference.recorded, bool))


def _is_token(difference: Difference) -> bool:
    recorded, replayed = _sides(difference)
    both_text = isinstance(recorded, str) and isinstance(replayed, str)
    return both_text and _is_token_pair(str(recorded), str(replayed))


def _is_permuted_text(difference: Difference, _tolerance_ms: float) -> bool:
    recorded, replayed = _sides(difference)
    if isinstance(recorded, str) and isinstance(replayed, str):
        return sorted(recorded) == sorted(replayed)
    return type(recorded) is int  # hash() of a str


_SHAPES: tuple[tuple[Factor, Callable[[Difference, float], bool]], ...] = (
    ("clock", _is_time),
    ("entropy", _is_random),
    ("address", _is_address),
    ("hash seed", _is_permuted_text),
)


def _same_rest(
    difference: Difference, pattern: re.Pattern[str], is_same: Callable[[str, str], bool]
) -> bool:
    """Whether two texts are alike but for matches of `pattern`, which are pairwise the same."""
    recorded, replayed = _sides(difference)
    if not isinstance(recorded, str) or not isinstance(replayed, str):
        return False
    found = pattern.findall(recorded), pattern.findall(replayed)
    if not found[0] or pattern.sub("", recorded) != pattern.sub("", replayed):
        return False
    return len(found[0]) == len(found[1]) and all(
        is_same(a, b) for a, b in zip(*found, strict=True)
    )


def _is_token_pair(recorded: str, replayed: str) -> bool:
    """Whether two texts of equal length differ only in a run that could be random characters."""
    if len(recorded) != len(replayed):
        return False
    if _UUID.match(recorded) or _UUID.match(replayed):
        return bool(_UUID.match(recorded) and _UUID.match(replayed))
    unlike = [i for i, (a, b) in enumerate(zip(recorded, replayed, strict=True)) if a != b]
    run = slice(unlike[0], unlike[-1] + 1)
    return bool(_TOKEN.match(recorded[run]) and _TOKEN.match(replayed[run]))


def _are_close_numbers(recorded: float, replayed: float, tolerance_ms: float) -> bool:
    for per_ms in _EPOCH_UNITS_PER_MS:
        if _EPOCH_RANGE_MS[0] <= recorded / per_ms <= _EPOCH_RANGE_MS[1]:
            return abs(recorded - replayed) / per_ms <= tolerance_ms
    # A time span, in whatever unit: what is at hand is how long things took on this machine.
    return min(recorded, replayed) >= 0 and abs(recorded - replayed) <= tolerance_ms


def _are_close_times(recorded: str, replayed: str, tolerance_ms: float) -> bool:
    if recorded.replace(".", "").isdigit():
        return _are_close_numbers(float(recorded), float(replayed), tolerance_ms)
    times = [_epoch_ms(text) for text in (recorded, replayed)]
    if times[0] is None or times[1] is None:
        return False
    return abs(times[0] - times[1]) <= tolerance_ms


def _epoch_ms(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000


def _is_reordering(difference: Difference, all_differences: tuple[Difference, ...]) -> bool:
    """Whether the differing elements of this one's array are the same ones in another order."""
    siblings = list(_siblings(difference.path, all_differences))
    recorded = sorted(repr(sibling.recorded) for sibling in siblings)
    return len(siblings) > 1 and recorded == sorted(repr(sibling.replayed) for sibling in siblings)


def _siblings(path: str, differences: tuple[Difference, ...]) -> Iterator[Difference]:
    parent = _array_of(path)
    return (d for d in differences if parent is not None and _array_of(d.path) == parent)


def _array_moves(difference: Difference, moves: Moves) -> bool:
    parent = _array_of(difference.path)
    return any(_array_of(path) == parent for found in moves["hash seed"] for path in found)


def _array_of(path: str) -> str | None:
    array, bracket, index = path.rpartition("[")
    return array if bracket and index[:-1].isdigit() else None
