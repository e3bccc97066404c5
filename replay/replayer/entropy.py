"""The randomness of a replay: every source of Python's, drawn from one seed.

Names of temporary files have a source of their own, so that they do not depend on what else was
drawn. What native code draws from the system by itself, such as OpenSSL's keys, stays real.
"""

import os
import random
import tempfile
import uuid
from contextlib import suppress
from threading import Lock
from typing import Any

_NODE = 0x0242_AC11_0002
"""The hardware address in uuid1: locally administered, of no machine."""
_UUID_STATE = ("_last_timestamp", "_last_timestamp_v6", "_last_timestamp_v7", "_last_counter_v7")


class Entropy:
    """Stands in for the system's randomness in this process, from its making on."""

    def __init__(self, seed: str) -> None:
        self._source = random.Random(seed)  # noqa: S311 - the same bytes every time are wanted
        self._lock = Lock()
        os.urandom = self._urandom
        vars(random)["_urandom"] = self._urandom  # what SystemRandom, and so secrets, draws from
        with suppress(AttributeError):
            os.getrandom = lambda size, flags=0: self._urandom(size)  # noqa: ARG005
        self._seed_generators()
        vars(uuid)["_node"] = _NODE
        self.restart(seed)

    def restart(self, seed: str) -> None:
        """Begin anew from `seed`."""
        self._source.seed(seed)
        random.seed(seed)
        names: Any = vars(tempfile)["_RandomNameSequence"]()
        names._rng, names._rng_pid = random.Random(f"{seed}/names"), os.getpid()  # noqa: S311, SLF001
        vars(tempfile)["_name_sequence"] = names
        vars(uuid).update({name: None for name in _UUID_STATE if name in vars(uuid)})

    def _seed_generators(self) -> None:
        """Seed from here what is made without a seed: C code would ask the system."""
        seed_with = random.Random.seed

        def seed(self_: random.Random, a: Any = None, version: int = 2) -> None:
            """Initialize internal state from a seed."""
            if a is None:
                a = int.from_bytes(self._urandom(32))
            seed_with(self_, a, version)

        random.Random.seed = seed  # type: ignore[assignment]

    def _urandom(self, size: int, /) -> bytes:
        with self._lock:
            return self._source.randbytes(size)
