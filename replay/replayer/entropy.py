"""The randomness of a replay: every source of Python's, drawn from one seed."""

import os
import random
from contextlib import suppress
from threading import Lock


class Entropy:
    """Stands in for the system's randomness in this process, from its making on."""

    def __init__(self, seed: str) -> None:
        self._source = random.Random(seed)  # noqa: S311 - the same bytes every time are wanted
        self._lock = Lock()
        os.urandom = self._urandom
        vars(random)["_urandom"] = self._urandom  # what SystemRandom, and so secrets, draws from
        with suppress(AttributeError):
            os.getrandom = lambda size, flags=0: self._urandom(size)  # noqa: ARG005
        random.seed(seed)

    def restart(self, seed: str) -> None:
        """Begin anew from `seed`."""
        self._source.seed(seed)
        random.seed(seed)

    def _urandom(self, size: int, /) -> bytes:
        with self._lock:
            return self._source.randbytes(size)
