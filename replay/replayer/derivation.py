"""What of a drift rests on redacted values: it moves where their pseudonyms are moved.

What is sent and made of one, such as a digest, is noise while it has the recorded form. What is
proved with one, or returned and made of one, needs the true value.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TypeAlias

from replay.replayer import noise
from replay.replayer.case import Case
from replay.replayer.compare import Difference
from replay.replayer.first_look import FirstLook, seen_of
from replay.replayer.noise import Noise
from replay.replayer.place import Place, place_of
from replay.replayer.replay import Replay
from replay.replayer.secret import NeedsSecretError, given, moved_tables, stand_ins, substituted

ReplayOne: TypeAlias = Callable[[Case], Replay]
"""What replays a case in its own world; raises ReplayError."""

_MANY_SECRETS = 5
"""Above so many it is not asked which of them a drift rests on."""


class Derivation:
    """What of one replay's differences rests on redacted values; replays again to tell."""

    def __init__(self, first: FirstLook, replay_one: ReplayOne) -> None:
        self._first = first
        self._replay_one = replay_one
        self._recording = first.case.recording

    def all_that_differs(self) -> tuple[Noise, ...] | None:
        """Return all that differs as noise if it was sent and made of redacted values, else None.

        A second look would tell no more. Raises ReplayError.
        """
        first = self._first
        if first.case.looks == "twice" or not stand_ins(self._recording):
            return None
        if not first.differences or not all(it.call for it in first.differences):
            return None
        derived, left = noise.derived(first.differences, self._moved)
        return None if left else derived

    def split(
        self, drift: tuple[Difference, ...]
    ) -> tuple[tuple[Noise, ...], tuple[Difference, ...]]:
        """Return what of a drift is made of redacted values and sent, and what is left.

        Raises NeedsSecretError where that needs a true value, and ReplayError.
        """
        if not drift or not stand_ins(self._recording):
            return (), drift
        derived, left = noise.derived(drift, self._moved)
        findings = self._first.replay.findings
        proved = [it.facts["name"] for it in findings if it.kind == "proved"]
        if left and (proved or any(place_of(it) in self._moved for it in left)):
            raise NeedsSecretError(proved or self._names_of(left), self._recording.id)
        return derived, left

    @cached_property
    def _tables(self) -> dict[str, dict[str, str]]:
        return moved_tables(self._recording)

    @cached_property
    def _moved(self) -> set[Place]:
        return self._moved_with(self._tables[""])

    def _moved_with(self, table: dict[str, str]) -> set[Place]:
        """Return the places that move with these pseudonyms."""
        if not table:
            return set()
        case = self._first.case
        other = self._replay_one(replace(case, recording=given(self._recording, table)))
        back = {it: pseudonym for pseudonym, it in table.items()}
        there = seen_of(case, substituted(other, back))
        return {place_of(it) for it in noise.differences_between(self._first.seen, there)}

    def _names_of(self, left: Sequence[Difference]) -> list[str]:
        """Return the names of the secrets that a difference moves with."""
        names = [it for it in self._tables if it]
        if len(names) > _MANY_SECRETS:
            return names
        places = set(map(place_of, left))
        return [it for it in names if places & self._moved_with(self._tables[it])] or names
