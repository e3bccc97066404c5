"""What is captured is redacted here, before it is written, part by part.

`Rules` are what is secret for one store; a `Redactor` is one recording's, since a secret that one
of its parts gives away by name is replaced in all that follow. Takes and returns codec documents.
What rebuilds a value is loaded with the first that may hold a secret.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NewType

import orjson

from replay.redaction.look import Look
from replay.redaction.name import Secrecies, Secrecy, secrecy_of
from replay.redaction.pseudonym import Pseudonyms
from replay.redaction.stand_in import StandIns

if TYPE_CHECKING:
    from replay.redaction.rule import OwnRules
    from replay.redaction.walk import Walk

Redacted = NewType("Redacted", bytes)
"""A codec document that may be written: only this module makes one."""
RULES = 1
"""Counts the versions of the rules that are known; a recording tells by which it was redacted."""


class Rules:
    """What is secret; `own` is what the user has added, `known` are secrets of the environment."""

    __slots__ = ("is_strict", "known", "own", "pseudonyms", "secrecies")

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        *,
        is_strict: bool = False,
        own: "OwnRules | None" = None,
        known: Iterable[str] = (),
    ) -> None:
        self.pseudonyms = pseudonyms
        self.is_strict = is_strict
        self.own = own
        self.known = frozenset(known)
        self.secrecies = Secrecies(own.secrecy_of if own else secrecy_of)


class Redactor:
    """Redacts the parts of one recording, in their order; without rules it changes nothing."""

    __slots__ = ("_rules", "_stand_ins")

    def __init__(self, rules: Rules | None) -> None:
        self._rules = rules
        if rules is not None:
            self._stand_ins = StandIns(rules.pseudonyms, rules.known)

    def keep(self, pseudonyms: Iterable[str]) -> None:
        """Leave these alone: they are pseudonyms of an earlier redaction."""
        if self._rules is not None:
            self._stand_ins.keep(pseudonyms)

    def encoded(self, encoded: bytes) -> Redacted:
        """Return a codec document redacted; raises RedactionError, and its like of the codec's."""
        rules = self._rules
        if rules is None:
            return Redacted(encoded)
        value = orjson.loads(encoded)
        if not rules.is_strict and rules.own is None:
            look = Look(rules.secrecies, self._stand_ins.known)
            if not look.may_hold_secrets(value, encoded):
                return Redacted(encoded)
        before = self._stand_ins.replaced
        redacted = self._walked(value, rules)
        if self._stand_ins.replaced == before and (rules.own is None or not rules.own.leaf_rules):
            return Redacted(encoded)
        return Redacted(redacted)

    def _walked(self, value: Any, rules: Rules) -> bytes:
        from replay.redaction.strict import StrictWalk  # most values hold no secret
        from replay.redaction.walk import Walk

        walk = (StrictWalk if rules.is_strict else Walk)(self._stand_ins, rules.secrecies)
        value = walk.value(value)
        if rules.own is not None:
            value = _by_own_rules(walk, rules.own, value)
        redacted = orjson.dumps(value)
        if any(secret.encode(errors="replace") in redacted for secret in self._stand_ins.known):
            # It stood there before it was known.
            redacted = orjson.dumps(Walk(self._stand_ins, rules.secrecies).value(value))
        return redacted

    def take_fresh(self) -> dict[str, str]:
        """Return the pseudonyms given since this was asked last, each with the name it is of."""
        if self._rules is None:
            return {}
        fresh = dict(self._stand_ins.fresh)
        self._stand_ins.fresh.clear()
        return fresh


def _by_own_rules(walk: "Walk", own: "OwnRules", value: Any) -> Any:
    from replay.redaction.rule import apply_leaf_rules, places

    for path in own.paths:
        for container, key in places(value, path.steps):
            container[key] = walk.value(container[key], Secrecy.SECRET, path.text)
    return apply_leaf_rules(own.leaf_rules, value) if own.leaf_rules else value
