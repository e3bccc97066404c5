"""The randomness of a replay: what was taped of it, then every source of Python's from one seed.

Generators without a seed, those of temporary names among them, have a source of their own: what
they draw is on no tape. What native code draws from the system by itself, such as OpenSSL's keys,
stays real.
"""

import os
import random
import tempfile
import uuid
from contextlib import suppress
from functools import cached_property, wraps
from hashlib import blake2b
from threading import Lock
from typing import Any

from replay.entropy import EntropyTape

_NODE = 0x0242_AC11_0002
"""The hardware address in uuid1: locally administered, of no machine."""
_UUID_STATE = ("_last_timestamp", "_last_timestamp_v6", "_last_timestamp_v7", "_last_counter_v7")


class Entropy:
    """Stands in for the system's randomness in this process, from its making on."""

    def __init__(self, seed: str) -> None:
        self._source, self._seeds = _Source(seed), _Source(seed)
        self._lock = Lock()
        self._taped, self._given = b"", 0
        os.urandom = self._urandom
        vars(random)["_urandom"] = self._urandom  # what SystemRandom, and so secrets, draws from
        with suppress(AttributeError):
            os.getrandom = lambda size, flags=0: self._urandom(size)  # noqa: ARG005
        self._seed_generators()
        self._give_clock_sequences()
        vars(uuid)["_node"] = _NODE
        # Behind that of `random`, which is bound to what seeds from the system.
        os.register_at_fork(after_in_child=self._after_fork)
        self.restart(seed)

    def restart(self, seed: str, tape: EntropyTape | None = None) -> None:
        """Begin anew: with what was taped, and from `seed` where that ends."""
        self._source, self._seeds = _Source(seed), _Source(f"{seed}/generators")
        self._taped, self._given = tape.drawn if tape is not None else b"", 0
        if tape is not None and tape.generator is not None:
            random.setstate(tape.generator.state())
        else:
            random.seed(_number(seed))
        vars(tempfile)["_name_sequence"] = None
        vars(uuid).update({name: None for name in _UUID_STATE if name in vars(uuid)})

    def _seed_generators(self) -> None:
        """Seed from here what is made without a seed: C code would ask the system."""
        seed_with = random.Random.seed

        def seed(self_: random.Random, a: Any = None, version: int = 2) -> None:
            """Initialize internal state from a seed."""
            if a is None:
                with self._lock:
                    a = self._seeds.generator.getrandbits(256)
            seed_with(self_, a, version)

        random.Random.seed = seed  # type: ignore[assignment]
        random.seed = vars(random)["_inst"].seed  # else it is bound to what was there before

    def _after_fork(self) -> None:
        """Seed a copy of the process anew, as Python does, but from here."""
        self._lock = Lock()  # another thread may have held it
        random.seed()

    def _give_clock_sequences(self) -> None:
        """Take from here what uuid1 draws in a replay alone: elsewhere C code makes all of it."""
        uuid1 = uuid.uuid1

        @wraps(uuid1)
        def replayed(node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
            if node is clock_seq is None:
                with self._lock:
                    clock_seq = self._seeds.generator.getrandbits(14)
            return uuid1(node, clock_seq)

        uuid.uuid1 = replayed

    def _urandom(self, size: int, /) -> bytes:
        if size < 0:
            raise ValueError("negative argument not allowed")
        with self._lock:
            # A stream: a handler may ask in other pieces than the recorded one did.
            taped = self._taped[self._given : self._given + size]
            self._given += len(taped)
            return taped + self._source.generator.randbytes(size - len(taped))


class _Source:
    """A generator that is made when it is first asked for: most handlers draw nothing."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    @cached_property
    def generator(self) -> random.Random:
        """The same bytes every time."""
        return random.Random(_number(self._seed))  # noqa: S311 - that is what is wanted


def _number(seed: str) -> int:
    # Seeding with text takes three times as long.
    return int.from_bytes(blake2b(seed.encode(), digest_size=32).digest())
