"""What a value that varies by nature must still be: a rule asserts its kind instead of its value.

A rule excuses one path, of the outcome or of one outbound call, and only while the replayed value
is of the recorded one's kind: a UUID of the same version, a time at the clock, the same members in
another order. Paths are RFC 9535 queries; one that names a single place is written as reports write
it. Pure.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from replay.errors import ReplayError
from replay.replayer import query, shape
from replay.replayer.compare import ABSENT, ROOT, Difference
from replay.replayer.noise import Noise
from replay.replayer.place import Place, array_of, array_place, place_of, reordered_arrays
from replay.replayer.world import Factor

RuleKind: TypeAlias = Literal[
    "uuid", "time", "span", "token", "number", "order", "set", "address", "any"
]
"""uuid: of the same version; time: an instant in the same notation, at the clock; span: how long
something took, within a factor of two; token: of the same shape; number: a draw of the same type, a
digit longer at most; order: the members of an array, in any order; set: the words of a text, in any
order; address: of an object; any: of the same type, written by hand only."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One place that may vary: `path` in the outcome, or in the outbound `call` of this name.

    The call "*" is any. `cause` is the factor that moves it. `like` is another value that has stood
    there: what it shares with the recorded one is constant.
    """

    path: str
    kind: RuleKind
    cause: Factor | None = None
    call: str | None = None
    like: object = ABSENT

    def document(self) -> dict[str, object]:
        """Return what `rule_of` reads."""
        fields = {"path": self.path, "kind": self.kind, "cause": self.cause, "call": self.call}
        found: dict[str, object] = {name: value for name, value in fields.items() if value}
        return found if self.like is ABSENT else {**found, "like": self.like}


def rule_of(document: Any) -> Rule:
    """Return the rule that a fixture or the settings hold; raises ReplayError, saying what is off.

    The whole payload cannot be excused: a test that asserts nothing is none.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("path"), str):
        raise ReplayError(f"a rule is {document!r}", 'write {"path": "$.id", "kind": "uuid"}')
    unknown = sorted(document.keys() - {"path", "kind", "cause", "call", "like"})
    kind = document.get("kind", "any")
    if unknown or kind not in get_args(RuleKind):
        wrong = f"key {unknown[0]!r}" if unknown else f"kind {kind!r}"
        raise ReplayError(
            f"the rule for {document['path']} has an unknown {wrong}",
            f"keys: path, kind, cause, call, like; kinds: {', '.join(get_args(RuleKind))}",
        )
    query.check(document["path"])
    return Rule(**{**document, "kind": kind})


_TIMES: tuple[Factor, ...] = ("clock", "pace", "deadline")
_MADE_OF_TIME: tuple[RuleKind, ...] = ("time", "uuid", "span", "token")
_DRAWN: tuple[RuleKind, ...] = ("uuid", "address", "set", "token", "number")


@dataclass(frozen=True, slots=True)
class Instant:
    """The wall clock at entry, and how far apart two times may be that were read at one point."""

    epoch_ms: float
    tolerance_ms: float


def excused(
    differences: Sequence[Difference], rules: Iterable[Rule], at: Instant
) -> tuple[tuple[Noise, ...], tuple[Difference, ...]]:
    """Return the differences that a rule excuses, as noise, and those that are left."""
    rules = tuple(rules)
    if not rules or not differences:
        return (), tuple(differences)
    reordered = reordered_arrays(differences) if any(it.kind == "order" for it in rules) else set()
    found = [(it, _rule_for(it, reordered, rules, at)) for it in differences]
    noise = [
        Noise(d.path, d.recorded, d.replayed, rule=rule.kind, call=d.call)
        for d, rule in found
        if rule is not None
    ]
    return tuple(noise), tuple(d for d, rule in found if rule is None)


def is_at(rule: Rule, difference: Difference) -> bool:
    """Whether a rule is for the place of a difference: a member's place is its array's as well."""
    if rule.call != difference.call and not (rule.call == "*" and difference.call):
        return False
    path = array_of(difference.path) if rule.kind == "order" else difference.path
    if path is None or path == rule.path:
        return path is not None
    return not query.is_place(rule.path) and query.matches(rule.path, path)


def kind_of(
    recorded: object, replayed: object, at: Instant, factor: Factor | None
) -> RuleKind | None:
    """Return of what kind two values of one place are, which `factor` moves; None: of none."""
    kinds = _MADE_OF_TIME if factor in _TIMES else _DRAWN
    both = Difference(ROOT, recorded, replayed)
    return next((kind for kind in kinds if _holds(Rule(ROOT, kind, like=replayed), both, at)), None)


def _rule_for(
    difference: Difference, reordered: Container[Place | None], rules: Sequence[Rule], at: Instant
) -> Rule | None:
    if ABSENT in (difference.recorded, difference.replayed) or difference.path == ROOT:
        return None
    for rule in rules:
        if not is_at(rule, difference):
            continue
        if rule.kind == "order":
            if array_place(place_of(difference)) in reordered:
                return rule
        elif _holds(rule, difference, at):
            return rule
    return None


def _holds(rule: Rule, difference: Difference, at: Instant) -> bool:
    """Whether the replayed value is what the rule says of the recorded one."""
    then, now = difference.recorded, difference.replayed
    match rule.kind:
        case "uuid":
            return shape.is_same_uuid(then, now)
        case "time":
            is_instant = isinstance(then, str) or shape.epoch_unit(then, at.epoch_ms) is not None
            return is_instant and shape.is_same_time(then, now, at.epoch_ms, at.tolerance_ms)
        case "span":
            return _is_near(then, now, like=rule.like)
        case "token":
            # One that says the same as the expected value tells nothing of what is constant.
            is_bare = rule.like in (ABSENT, then)
            like = then if is_bare else rule.like
            texts = shape.without_times(then, now, at.epoch_ms, at.tolerance_ms)
            other, _ = shape.without_times(like, like, at.epoch_ms, at.tolerance_ms)
            return shape.is_same_token(texts[1], texts[0], texts[1] if is_bare else other)
        case "number":
            is_draw = type(then) is type(now) and shape.is_same_number(then, now, at.epoch_ms)
            return is_draw and _digits(now) <= max(_digits(then), _digits(rule.like)) + 1
        case "set":
            return _has_separators(then) and shape.is_same_set(then, now)
        case "address":
            return shape.is_same_address(then, now)
        case "any":
            return type(then) is type(now)
        case "order":  # is told of all members together
            return False


def _is_near(then: object, now: object, *, like: object) -> bool:
    """Whether a span is about as long as it once was, or as it was in another replay."""
    if isinstance(then, bool) or not isinstance(then, int | float) or type(then) is not type(now):
        return False
    other = like if isinstance(like, int | float) else then
    assert isinstance(now, int | float)
    return min(then, now) >= 0 and abs(now - other) <= max(abs(other), then / 10)


def _digits(value: object) -> int:
    return len(str(abs(int(value)))) if isinstance(value, int | float) else 0


def _has_separators(value: object) -> bool:
    return isinstance(value, str) and not value.isalnum()
