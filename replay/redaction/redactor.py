"""What is captured is redacted here, before it is written, part by part.

`Rules` are what is secret for one store; a `Redactor` is one recording's, since a secret that one
of its parts gives away by name is replaced in all that follow. Takes and returns codec documents.
What rebuilds a value is loaded with the first that may hold a secret.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from replay.event import source_of
from replay.redaction.look import Look, plain_piece
from replay.redaction.name import Secrecies, Secrecy, secrecy_of
from replay.redaction.pseudonym import Pseudonyms
from replay.redaction.stand_in import StandIns

if TYPE_CHECKING:
    from replay.redaction.rule import OwnRules
    from replay.redaction.walk import Walk

_MAX_REMEMBERED = 500
_answered_known: dict[str, str] = {}
_answered_whole: dict[str, str] = {}
"""Secrets that this process was given in answers, also at import, before there is a store."""
RULES = 1
"""Counts the versions of the rules that are known; a recording tells by which it was redacted."""


class Rules:
    """What is secret; `own` is what the user has added.

    `known` and `whole` are secrets that any recording may hold, each with its name: those of the
    environment, and those that the program was given in answers, which it may keep.
    """

    __slots__ = ("is_strict", "known", "look", "own", "pseudonyms", "secrecies", "whole")

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        *,
        is_strict: bool = False,
        own: "OwnRules | None" = None,
        known: Mapping[str, str] | None = None,
    ) -> None:
        self.pseudonyms = pseudonyms
        self.is_strict = is_strict
        self.own = own
        self.known = {**_answered_known, **(known or {})}
        self.whole = dict(_answered_whole)
        self.secrecies = Secrecies(own.secrecy_of if own else secrecy_of)
        self.look = Look(self.secrecies, (*self.known, *self.whole))

    @property
    def mode(self) -> str:
        """What a recording is told to be redacted in."""
        return "strict" if self.is_strict else "balanced"

    def remember(self, stand_ins: StandIns) -> None:
        """Look for what was found in one recording in all that follow, within bounds."""
        before = len(self.known) + len(self.whole)
        _add(stand_ins.known, self.known, _answered_known)
        _add(stand_ins.whole, self.whole, _answered_whole)
        if len(self.known) + len(self.whole) > before:
            self.look = Look(self.secrecies, (*self.known, *self.whole), seen=self.look.seen)


def _add(found: Mapping[str, str], *places: dict[str, str]) -> None:
    for place in places:
        new = [it for it in found.items() if it[0] not in place]
        place.update(new[: max(_MAX_REMEMBERED - len(place), 0)])


def is_of_caller(context: Mapping[str, Any]) -> bool:
    """Whether the snapshot of a context holds more than the runtime has put there."""
    has_more = context["extra"] or context["value"] is not None
    return bool(has_more or context["attributes"].get("client_context"))


class Redactor:
    """Redacts the parts of one recording, in their order; without rules it changes nothing."""

    __slots__ = ("_look", "_rules", "_stand_ins")

    def __init__(self, rules: Rules | None) -> None:
        self._rules = rules
        self._stand_ins: StandIns | None = None  # most recordings need none
        self._look = rules.look if rules is not None else None

    def keep(self, pseudonyms: Iterable[str]) -> None:
        """Leave these alone: they are pseudonyms of an earlier redaction."""
        if self._rules is not None:
            self._stand_ins = self._stand_ins or _stand_ins(self._rules)
            self._stand_ins.keep(pseudonyms)

    def encoded(self, encoded: bytes, *, event: object = None) -> bytes:
        """Return a codec document redacted; raises RedactionError.

        `event` is what it was encoded from, where it is an event; None for a document of ours.
        """
        rules = self._rules
        if rules is None or self._look is None:
            return encoded
        value = orjson.loads(encoded)
        is_lenient = not rules.is_strict and rules.own is None
        if is_lenient and not self._look.may_hold_secrets(value, encoded):
            return encoded
        stand_ins = self._stand_ins = self._stand_ins or _stand_ins(rules)
        before = stand_ins.replaced
        redacted = _walked(value, rules, stand_ins, event)
        if stand_ins.replaced == before and (rules.own is None or not rules.own.leaf_rules):
            return encoded
        known = (*stand_ins.known, *stand_ins.whole)
        self._look = Look(rules.secrecies, known, seen=rules.look.seen)
        return redacted

    def remember(self) -> None:
        """Have what was found so far looked for in all recordings that follow."""
        if self._rules is not None and self._stand_ins is not None:
            self._rules.remember(self._stand_ins)

    def take_fresh(self) -> dict[str, str]:
        """Return the pseudonyms given since this was asked last, each with the name it is of."""
        if self._stand_ins is None or not self._stand_ins.fresh:
            return {}
        fresh = dict(self._stand_ins.fresh)
        self._stand_ins.fresh.clear()
        return fresh


def _stand_ins(rules: Rules) -> StandIns:
    learns = not rules.is_strict
    return StandIns(rules.pseudonyms, rules.known, rules.whole, learns=learns)


def _walked(value: Any, rules: Rules, stand_ins: StandIns, event: object) -> bytes:
    from replay.redaction.walk import Walk  # most values hold no secret

    if rules.is_strict:
        walk: Walk = _strict_walk(rules, stand_ins, event)
    else:
        walk = Walk(stand_ins, rules.secrecies, rules.look.seen)
    value = walk.value(value)
    if rules.own is not None:
        value = _by_own_rules(walk, rules.own, value)
    redacted = orjson.dumps(value)
    if stand_ins.whole or any(plain_piece(it).encode() in redacted for it in stand_ins.known):
        stand_ins.look_again()  # it stood there before it was known
        redacted = orjson.dumps(Walk(stand_ins, rules.secrecies, rules.look.seen).value(value))
    return redacted


def _strict_walk(rules: Rules, stand_ins: StandIns, event: object) -> "Walk":
    from replay.redaction.strict import ENVELOPE, LAYOUT, StrictWalk

    walk = StrictWalk(stand_ins, rules.secrecies, rules.look.seen)
    if event is None:
        walk.allow(LAYOUT)
    elif source_of(event) is not None:
        walk.allow(ENVELOPE)
    return walk


def _by_own_rules(walk: "Walk", own: "OwnRules", value: Any) -> Any:
    from replay.redaction.rule import apply_leaf_rules, places

    for path in own.paths:
        for container, key in places(value, path.steps):
            container[key] = walk.value(container[key], Secrecy.SECRET, path.text)
    return apply_leaf_rules(own.leaf_rules, value) if own.leaf_rules else value
