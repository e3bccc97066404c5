"""The secrets of one recording and what stands in their places.

A secret that was found by its name is known from then on: wherever it occurs again, in whatever
text, it is replaced as well. A pseudonym is never replaced again, so redacting twice is as
redacting once. Holds secrets in memory, as the program does; nothing of them is written. Pure.
"""

import re
from collections.abc import Iterable, Mapping

from replay.redaction.pseudonym import Pseudonyms
from replay.redaction.word import listed

WITHHELD = "replay-withheld"
"""Stands for what is withheld whatever the rules: credentials, in variables and in calls."""
_LEFT = ("", WITHHELD)
_COMMON = frozenset(
    listed("true false null none yes no on off 0 1 2 3 -1 undefined unknown default")
)
"""Values that are not secret whatever they are called."""
_MIN_KNOWN_LENGTH = 6
_LONG_ENOUGH = 12
"""From this length on a secret is told from what happens to look like it."""


class StandIns:
    """What stands in the places of a recording's secrets.

    `fresh` holds the pseudonyms given so far, each with the name that its secret was found under;
    `replaced` counts replacements; `whole` holds secrets that are too short, or too common a word,
    to be told inside of a text: they are replaced where they are all that is there. Without
    `learns` nothing is looked for elsewhere: all is replaced anyway.
    """

    __slots__ = (
        "_given",
        "_kept",
        "_known",
        "_learns",
        "_pseudonyms",
        "fresh",
        "replaced",
        "whole",
    )

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        known: Mapping[str, str] | None = None,
        whole: Mapping[str, str] | None = None,
        *,
        learns: bool = True,
    ) -> None:
        self._learns = learns
        self._pseudonyms = pseudonyms
        self._known = dict(known or {})
        self._kept: set[str] = set()
        self._given: set[str] = set()
        self.fresh: dict[str, str] = {}
        self.replaced = 0
        self.whole = dict(whole or {})

    def keep(self, pseudonyms: Iterable[str]) -> None:
        """Leave these alone: they are pseudonyms already."""
        self._kept.update(pseudonyms)

    def of(self, secret: str, name: str = "") -> str:
        """Return what stands in the place of a secret found under `name`."""
        if secret in _LEFT or self._is_pseudonym(secret):
            return secret
        pseudonym = self._pseudonyms.of(secret)
        self.replaced += 1
        self._note(pseudonym, name)
        if not self._learns:
            return pseudonym
        if name and is_distinct(secret):
            self._known.setdefault(secret, name)
        elif name and secret.lower() not in _COMMON:
            self.whole.setdefault(secret, name)
        return pseudonym

    def of_whole(self, value: str) -> str | None:
        """Return what stands for a value that is as a whole a secret found before, else None."""
        name = self.whole.get(value)
        return None if name is None else self.of(value, name)

    def of_number(self, secret: int | float, name: str) -> int | float:
        """Return what stands in the place of a number found under `name`."""
        if str(secret) in self._kept:
            return secret
        pseudonym = self._pseudonyms.of_number(secret)
        self.replaced += 1
        self._note(str(pseudonym), name)
        if self._learns and str(secret) not in _COMMON:
            self.whole.setdefault(str(secret), name)
        return pseudonym

    def any_whole_in(self, text: str) -> bool:
        """Whether a value inside of a text may be such a secret."""
        return any(secret in text for secret in self.whole)

    def look_again(self) -> None:
        """Make ready for a second walk: what stands there is given already, however short."""
        self._kept |= self._given

    def _note(self, pseudonym: str, name: str) -> None:
        if pseudonym not in self._given:
            self._given.add(pseudonym)
            self.fresh[pseudonym] = name

    def _is_pseudonym(self, text: str) -> bool:
        # What has been given in this pass may be met again where a text is looked at twice; a short
        # one is as likely another secret.
        return text in self._kept or (len(text) >= _MIN_KNOWN_LENGTH and text in self._given)

    @property
    def known(self) -> Mapping[str, str]:
        """The secrets to be replaced wherever they occur, each with its name."""
        return self._known

    def replace_known(self, text: str) -> str:
        """Return a text with the known secrets in it replaced."""
        found = [it for it in list(self._known.items()) if it[0] in text]
        for secret, name in sorted(found, key=lambda it: -len(it[0])):  # one may hold another
            pseudonym = self.of(secret, name)
            if len(secret) >= _LONG_ENOUGH:
                text = text.replace(secret, pseudonym)
            else:
                whole = rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])"
                text = re.sub(whole, pseudonym.replace("\\", r"\\"), text)
        return text


def is_distinct(secret: str) -> bool:
    """Whether a text that equals the secret is the secret, and not just the same word or number."""
    if len(secret) < _MIN_KNOWN_LENGTH or secret.isdecimal():
        return len(secret) >= _LONG_ENOUGH
    return not secret.isalpha() or len(secret) >= 2 * _LONG_ENOUGH
