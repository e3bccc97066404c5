"""What of a drift rests on redacted values: it moves where their pseudonyms are moved.

What is sent and made of one, such as a digest, is noise while it has the recorded form. What is
proved with one, or returned and made of one, needs the true value.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TypeAlias

from replay.replayer import noise
from replay.replayer.case import Case
from replay.replayer.compare import Difference
from replay.replayer.first_look import FirstLook, seen_of
from replay.replayer.noise import Noise, Place
from replay.replayer.replay import Replay
from replay.replayer.secret import NeedsSecretError, given, moved_tables, stand_ins, substituted

ReplayOne: TypeAlias = Callable[[Case], Replay]
"""What replays a case in its own world; raises ReplayError."""

_MANY_SECRETS = 5
"""Above so many it is not asked which of them a drift rests on."""


def all_derived(first: FirstLook, replay_one: ReplayOne) -> tuple[Noise, ...] | None:
    """Return all that differs as noise where it was sent and made of redacted values, else None.

    A second look would tell no more. Raises ReplayError.
    """
    recording = first.case.recording
    if first.case.looks == "twice" or not stand_ins(recording):
        return None
    if not first.differences or not all(it.call for it in first.differences):
        return None
    moved = _moved_with(moved_tables(recording)[""], first, replay_one)
    derived, left = noise.derived(first.differences, moved)
    return None if left else derived


def split(
    drift: tuple[Difference, ...], first: FirstLook, replay_one: ReplayOne
) -> tuple[tuple[Noise, ...], tuple[Difference, ...]]:
    """Return what of a drift is made of redacted values and sent, and what is left.

    Raises NeedsSecretError where that needs a true value, and ReplayError.
    """
    recording = first.case.recording
    if not drift or not stand_ins(recording):
        return (), drift
    tables = moved_tables(recording)
    moved = _moved_with(tables.pop(""), first, replay_one)
    derived, left = noise.derived(drift, moved)
    proved = [it.facts["name"] for it in first.replay.findings if it.kind == "proved"]
    if left and (proved or any(noise.place_of(it) in moved for it in left)):
        names = proved or _names_of(tables, left, first, replay_one)
        raise NeedsSecretError(names, recording.id)
    return derived, left


def _moved_with(table: dict[str, str], first: FirstLook, replay_one: ReplayOne) -> set[Place]:
    """Return the places that move with these pseudonyms."""
    if not table:
        return set()
    case = first.case
    other = replay_one(dataclasses.replace(case, recording=given(case.recording, table)))
    back = {it: pseudonym for pseudonym, it in table.items()}
    there = seen_of(case, substituted(other, back))
    return {noise.place_of(it) for it in noise.differences_between(first.seen, there)}


def _names_of(
    tables: dict[str, dict[str, str]],
    left: Sequence[Difference],
    first: FirstLook,
    replay_one: ReplayOne,
) -> list[str]:
    """Return the names of the secrets that a difference moves with."""
    if len(tables) > _MANY_SECRETS:
        return list(tables)
    places = set(map(noise.place_of, left))
    moving = (it for it in tables if places & _moved_with(tables[it], first, replay_one))
    return list(moving) or list(tables)
