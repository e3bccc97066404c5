"""The second look: which differences are noise, and which factor explains each. Pure.

A difference is noise when its path moves in a replay in which one factor of the world was moved,
and the recorded value has the same type and shape (shape.py) as the replayed one. Anything else
stays a difference: a missing key, another type, the error type, the payload as a whole.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from replay.outcome import Outcome
from replay.recorder.outbound.withheld import without_signature
from replay.replayer import shape
from replay.replayer.compare import ABSENT, ERROR_TYPE_PATH, ROOT, Difference, compare
from replay.replayer.outbound.contract import NO_CALLS, Contract, between
from replay.replayer.place import Place, array_place, place_of, reordered_arrays
from replay.replayer.secret import differs_by_pseudonyms
from replay.replayer.world import Factor

_TRACEBACK = "Traceback (most recent call last)"
_FRAME = re.compile(r'File "[^"\n]*", line \d+')
_CARETS = re.compile(r"\n[ ~^]+(?=\n)")
"""Below the line of a frame, from Python 3.11 on; not where that is to blame as a whole."""
REDACTED = "redacted"
"""The rule that excuses a text of which only a pseudonym is known; a factor says more."""


@dataclass(frozen=True, slots=True)
class Noise:
    """A difference that `factor` explains, or that `rule` excuses; in a `call`, if it names one."""

    path: str
    recorded: object
    replayed: object
    factor: Factor | None = None
    rule: str | None = None
    call: str | None = None


@dataclass(frozen=True, slots=True)
class Dependence:
    """A path at which a replay depends on `factor`; None: on what a replay does not fix.

    `here` and `elsewhere` are what stood there, and once the factor had moved.
    """

    path: str
    factor: Factor | None
    call: str | None = None
    here: object = ABSENT
    elsewhere: object = ABSENT


@dataclass(frozen=True, slots=True)
class Seen:
    """What a replay has come to: its outcome, and how its calls compare with the recorded ones."""

    outcome: Outcome
    contract: Contract = NO_CALLS


@dataclass(frozen=True, slots=True)
class SecondLook:
    """The first replay and further ones of the same case.

    `again` moved nothing; `moved` holds for each factor the replays in which it was elsewhere.
    `instant_ms` is the wall clock at entry, `tolerance_ms` how far apart two times may be that were
    read at the same point. `clock_runs` says that time is real.
    """

    first: Seen
    again: Seen
    moved: Mapping[Factor, tuple[Seen, ...]]
    instant_ms: float
    tolerance_ms: float
    clock_runs: bool = False


Found: TypeAlias = Mapping[Place, Difference]
"""The differences of two replays by their places."""


def split(
    differences: tuple[Difference, ...], second: SecondLook
) -> tuple[tuple[Noise, ...], tuple[Difference, ...]]:
    """Return the noise among `differences`, and the drift that is left."""
    explanation = _Explanation(differences, second)
    factors = [(difference, explanation.factor_of(difference)) for difference in differences]
    noise = [
        Noise(d.path, d.recorded, d.replayed, factor=f, call=d.call)
        for d, f in factors
        if f is not None
    ]
    return tuple(noise), tuple(d for d, factor in factors if factor is None)


def excuse(
    differences: tuple[Difference, ...], pseudonyms: Collection[str] = ()
) -> tuple[tuple[Noise, ...], tuple[Difference, ...]]:
    """Return the differences that no second look is needed to explain, and those that are left.

    A signed URL depends on credentials, which a replay does not have; a traceback in a message on
    where the code lies; of what was redacted only the `pseudonyms` are known.
    """
    noise, left = [], []
    for it in differences:
        rule = _rule_of(it, pseudonyms)
        if rule is None:
            left.append(it)
        else:
            noise.append(Noise(it.path, it.recorded, it.replayed, rule=rule, call=it.call))
    return tuple(noise), tuple(left)


def _rule_of(difference: Difference, pseudonyms: Collection[str]) -> str | None:
    then, now = difference.recorded, difference.replayed
    if _is_same_but_signed(then, now):
        return "signature"
    if _is_same_but_traced(then, now):
        return "traceback"
    return REDACTED if pseudonyms and differs_by_pseudonyms(then, now, pseudonyms) else None


def derived(
    differences: tuple[Difference, ...], moved: Collection[Place]
) -> tuple[tuple[Noise, ...], tuple[Difference, ...]]:
    """Return what was sent and is made of redacted values, which move it, and what is left."""
    found = [it for it in differences if it.call and place_of(it) in moved and _is_alike(it)]
    told = [Noise(it.path, it.recorded, it.replayed, rule=REDACTED, call=it.call) for it in found]
    places = set(map(place_of, found))
    return tuple(told), tuple(it for it in differences if place_of(it) not in places)


def _is_alike(difference: Difference) -> bool:
    then, now = difference.recorded, difference.replayed
    if isinstance(then, str) and isinstance(now, str):
        return len(then) == len(now)
    return type(then) is type(now)


def _is_same_but_signed(then: object, now: object) -> bool:
    if not (isinstance(then, str) and isinstance(now, str) and "ignature=" in then):
        return False
    try:
        return without_signature(then) == without_signature(now)
    except ValueError:
        return False


def _is_same_but_traced(then: object, now: object) -> bool:
    """Whether two texts are alike but for where the frames of a traceback in them lie."""
    if not (isinstance(then, str) and isinstance(now, str) and _TRACEBACK in then):
        return False
    return _without_frames(then) == _without_frames(now)


def _without_frames(text: str) -> str:
    return _CARETS.sub("", _FRAME.sub("File", text))


def dependences(second: SecondLook) -> tuple[Dependence, ...]:
    """Return what a replay depends on, whether it differs from its recording or not."""
    found: dict[Place, tuple[Factor | None, Difference]] = {
        place: (None, difference)
        for place, difference in _found(second.first, second.again).items()
    }
    for factor, replays in second.moved.items():
        named: Factor = "clock" if factor == "pace" else factor
        for place, difference in (
            it for seen in replays for it in _found(second.first, seen).items()
        ):
            found.setdefault(place, (named, difference))
    return tuple(
        Dependence(path, factor, call, difference.recorded, difference.replayed)
        for (call, path), (factor, difference) in found.items()
    )


class _Explanation:
    """What moved with which factor, and what that explains."""

    def __init__(self, differences: tuple[Difference, ...], second: SecondLook) -> None:
        self._second = second
        self._by_itself = _found(second.first, second.again)
        self._moved = {
            factor: tuple(_found(second.first, seen) for seen in replays)
            for factor, replays in second.moved.items()
        }
        self._reordered = reordered_arrays(differences)
        self._moved_arrays = {
            factor: {array_place(place) for found in replays for place in found}
            for factor, replays in self._moved.items()
        }

    def factor_of(self, difference: Difference) -> Factor | None:
        """Return the factor that explains a difference, None for drift."""
        then, now = difference.recorded, difference.replayed
        if difference.path in (ROOT, ERROR_TYPE_PATH) or ABSENT in (then, now):
            return None
        if type(then) is not type(now):
            return None
        alone = self._values(difference, (self._by_itself,))
        if alone:
            return self._factor_of_itself(difference, alone[0])
        for factor in _TIMES:
            moved = self._values(difference, self._moved.get(factor, ()))
            if moved and self._is_time(then, now) and shape.is_moved_as_time(now, moved[0]):
                return factor
        return (
            self._factor_of_pace(difference)
            or next((factor for factor in _DRAWN if self._is_drawn(difference, factor)), None)
            or self._factor_of_digest(difference)
        )

    def _factor_of_digest(self, difference: Difference) -> Factor | None:
        """Return the clock where a value is a digest of what was read of it."""
        moved = self._values(difference, self._moved.get("clock", ()))
        both = difference.recorded, difference.replayed
        return "clock" if moved and shape.is_same_digest(*both, moved[0]) else None

    def _factor_of_pace(self, difference: Difference) -> Factor | None:
        """Return the clock where a value is made of what one read of it moves it by."""
        then, now = difference.recorded, difference.replayed
        moved = self._values(difference, self._moved.get("pace", ()))
        if not moved:
            return None
        is_explained = (
            self._is_time(then, now)
            or shape.is_same_span(then, now, self._second.tolerance_ms)
            or shape.is_same_token(*self._without_times(then, now, moved[0]))
        )
        return "clock" if is_explained else None

    def _factor_of_itself(self, difference: Difference, elsewhere: object) -> Factor | None:
        # In `shifted` and `live` time runs on: it and what is made of it move by themselves.
        # Where the clock is virtual, only what no replay fixes does.
        then, now = difference.recorded, difference.replayed
        running: Factor = "clock" if self._second.clock_runs else "system"
        if self._is_time(then, now):
            return running
        if shape.is_same_address(then, now):
            return "address"
        if shape.is_same_token(*self._without_times(then, now, elsewhere)):
            return running
        drawn = self._values(difference, self._moved.get("entropy", ()))
        is_token = drawn and shape.is_same_token(*self._without_times(then, now, drawn[0]))
        return "entropy" if is_token else None

    def _is_time(self, then: object, now: object) -> bool:
        return shape.is_same_time(then, now, self._second.instant_ms, self._second.tolerance_ms)

    def _without_times(self, *values: object) -> tuple[object, object, object]:
        """Return three values with the times in their text taken out, where they are the same."""
        then, now, elsewhere = values
        second = self._second
        return (
            *shape.without_times(then, now, second.instant_ms, second.tolerance_ms),
            shape.without_times(elsewhere, elsewhere, second.instant_ms, second.tolerance_ms)[0],
        )

    def _is_drawn(self, difference: Difference, factor: Factor) -> bool:
        """Whether a value, or its place in an array, was drawn from the factor."""
        then, now = difference.recorded, difference.replayed
        replays = self._moved.get(factor, ())
        values = self._values(difference, replays)
        array = array_place(place_of(difference))
        if array in self._reordered:
            return array in self._moved_arrays.get(factor, ())
        if factor in _OF_ORDER and array is not None:
            return False  # a set's members in an array: only their order may vary
        return bool(values) and (
            shape.is_same_token(*self._without_times(then, now, values[0]))
            or shape.is_same_number(then, now, self._second.instant_ms)
            or shape.is_same_set(then, now)
        )

    def _values(self, difference: Difference, replays: tuple[Found, ...]) -> list[object]:
        """Return what stood at the difference's path in the replays in which it moved."""
        place = place_of(difference)
        seen = [found[place].replayed for found in replays if place in found]
        return [value for value in seen if type(value) is type(difference.replayed)]


_TIMES: tuple[Factor, ...] = ("clock", "deadline")
_DRAWN: tuple[Factor, ...] = ("entropy", "hash seed", "environment order")
_OF_ORDER: tuple[Factor, ...] = ("hash seed", "environment order")
"""Factors that move the order of things, and nothing else."""


def differences_between(one: Seen, other: Seen) -> tuple[Difference, ...]:
    """Return where two replays differ."""
    outcomes = compare(one.outcome, other.outcome)
    return (*outcomes, *between(one.contract, other.contract))


def _found(one: Seen, other: Seen) -> Found:
    return {place_of(d): d for d in differences_between(one, other)}
