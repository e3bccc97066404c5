"""Python's randomness as a recording's, within, and the test's own again after it."""

import os
import random
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from replay.entropy import EntropyTape
from replay.replayer.entropy import Entropy

_PLACES: tuple[tuple[Any, str], ...] = (
    (os, "urandom"),
    (os, "getrandom"),
    (random, "_urandom"),
    (random, "seed"),
    (random.Random, "seed"),
    (uuid, "_node"),
    (uuid, "uuid1"),
    (tempfile, "_name_sequence"),
)


class Randomness:
    """Where the sources of randomness stand, theirs and ours; made once for a process."""

    def __init__(self) -> None:
        self._theirs = _held()
        state = random.getstate()
        self._entropy = Entropy("")
        self._ours = _held()
        _put(self._theirs)
        random.setstate(state)

    @contextmanager
    def of(self, seed: str, tape: EntropyTape | None) -> Iterator[None]:
        """Have every source begin from a seed, first with what was taped, within."""
        self._theirs, state = _held(), random.getstate()
        _put(self._ours)
        self.restart(seed, tape)
        try:
            yield
        finally:
            _put(self._theirs)
            random.setstate(state)

    def restart(self, seed: str, tape: EntropyTape | None) -> None:
        """Begin anew."""
        self._entropy.restart(seed, tape)


def _held() -> list[Any]:
    return [getattr(owner, name, None) for owner, name in _PLACES]


def _put(values: list[Any]) -> None:
    for (owner, name), value in zip(_PLACES, values, strict=True):
        if value is not None or name.startswith("_"):
            setattr(owner, name, value)
