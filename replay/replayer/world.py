"""The world that a replayed handler sees: environment, clock, randomness, hash seed.

A `World` is a value that the parent chooses and the child enters before the handler is imported. To
find out what a difference depends on, the second look moves one factor of it at a time.
"""

import os
import random
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Literal, TypeAlias

from replay.invocation import Invocation
from replay.replayer.case import Clock

Factor: TypeAlias = Literal["clock", "entropy", "hash seed", "address"]

_MOVED_MS = ((25 * 60 + 1) * 60 + 1) * 1000 + 137
"""How far the second look moves the clock: enough to change every field of a time but the year."""
_MOVED_REMAINING_MS = 41
"""How much remaining time it takes away, so that values computed from it move as well."""
_REAL = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
_TASK_ROOT = "LAMBDA_TASK_ROOT"
_PROFILES = ("AWS_CONFIG_FILE", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE")
_NOT_SET = frozenset(
    {*_REAL, *_PROFILES, _TASK_ROOT, "LAMBDA_RUNTIME_DIR", "AWS_LAMBDA_RUNTIME_API"}
)
_DEFAULTS = {"TZ": ":UTC", "LANG": "en_US.UTF-8", "AWS_EC2_METADATA_DISABLED": "true"}
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True, slots=True)
class World:
    """What a replay fixes; two replays in equal worlds see the same entropy and hash seed.

    `is_captured` makes it no replay but an invocation of its own, which a decorated handler stores.
    """

    clock: Clock
    entropy_seed: str
    is_captured: bool = False
    hash_seed: int = 0
    moved_ms: int = 0
    moved_remaining_ms: int = 0

    def moved(self, factor: Factor, times: int = 1) -> "World":
        """Return this world with one factor elsewhere; an address moves by itself."""
        match factor:
            case "clock":
                return replace(self, moved_ms=_MOVED_MS, moved_remaining_ms=_MOVED_REMAINING_MS)
            case "entropy":
                return replace(self, entropy_seed=f"{self.entropy_seed}+{times}")
            case "hash seed":
                return replace(self, hash_seed=self.hash_seed + times)
            case "address":
                return self


def environment_of(invocation: Invocation, home: str, task_root: str) -> dict[str, str]:
    """Return the variables of a replayed handler: those recorded, the real search paths, defaults.

    AWS credentials are placeholders, `HOME` is `home` and `LAMBDA_TASK_ROOT` is `task_root`, so
    that nothing real is found by them.
    """
    recorded = invocation.environment
    environment = {**_DEFAULTS, **{k: v for k, v in recorded.items() if k not in _NOT_SET}}
    environment |= {name: os.environ[name] for name in _REAL if name in os.environ}
    environment["HOME"] = home
    if _TASK_ROOT in recorded:
        environment[_TASK_ROOT] = task_root
    if "AWS_LAMBDA_FUNCTION_NAME" in recorded:
        environment |= dict.fromkeys(_CREDENTIALS, "replay-withheld")
    if invocation.trace_id is not None:
        environment["_X_AMZN_TRACE_ID"] = invocation.trace_id
    return environment


def enter(world: World, environment: Mapping[str, str]) -> None:
    """Make this process see `world`; before the handler's module is imported, and once."""
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv[:] = ["bootstrap"]
    _seed_entropy(world.entropy_seed)


class WallClock:
    """The wall clock of a replay: real, or moved to the recorded instant and running on from it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._traveller: Any = None

    def start_import(self, invocation: Invocation) -> None:
        """Set the clock for the import of the handler's module."""
        if self._world.clock == "shifted":
            instant = _instant(_entry_ms(invocation) + self._world.moved_ms)
            self._traveller = _time_machine().travel(instant, tick=True).start()

    def enter_handler(self, invocation: Invocation) -> int:
        """Set the clock to the handler's entry; return the deadline in epoch milliseconds."""
        remaining_ms = max(0, (invocation.remaining_ms or 0) - self._world.moved_remaining_ms)
        if self._traveller is None:
            # From the beginning of a millisecond, so that the first read finds all of it left.
            while time.time_ns() % 1_000_000 > 100_000:
                pass
            return int(time.time() * 1000) + remaining_ms
        entry_ms = _entry_ms(invocation) + self._world.moved_ms
        self._traveller.move_to(_instant(entry_ms))
        return entry_ms + remaining_ms


def _entry_ms(invocation: Invocation) -> int:
    deadline = invocation.context.deadline_epoch_ms
    if deadline is None or not invocation.remaining_ms:
        return invocation.captured_at_us // 1000
    return deadline - invocation.remaining_ms


def _instant(epoch_ms: int) -> datetime:
    # Naive, which time-machine takes as UTC; an aware one would set the TZ variable too.
    return datetime(1970, 1, 1) + timedelta(milliseconds=epoch_ms)  # noqa: DTZ001


def _time_machine() -> Any:
    # time-machine imports pytest where it is installed, 100 ms that a replay has no use for.
    absent = "pytest" not in sys.modules
    if absent:
        sys.modules["pytest"] = None  # type: ignore[assignment]
    try:
        import time_machine
    finally:
        if absent:
            del sys.modules["pytest"]
    return time_machine


def _seed_entropy(seed: str) -> None:
    source = random.Random(seed)  # noqa: S311 - the same bytes every time is what is wanted
    lock = Lock()

    def urandom(size: int, /) -> bytes:
        with lock:
            return source.randbytes(size)

    os.urandom = urandom
    vars(random)["_urandom"] = urandom  # what SystemRandom, and so secrets, draws from
    with suppress(AttributeError):
        os.getrandom = lambda size, flags=0: urandom(size)  # noqa: ARG005
    random.seed(seed)
