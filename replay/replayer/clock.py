"""The wall clock of a replay: real, or moved to the recorded instant and running on from it."""

import sys
import time
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from replay.invocation import Invocation
from replay.replayer.world import World


class WallClock:
    """Moves this process's wall clock to where a world wants it."""

    def __init__(self) -> None:
        self._traveller: Any = None

    def start_import(self, world: World, entry_ms: int) -> None:
        """Set the clock for the import of the handler's module, to that of its first case."""
        if world.clock == "shifted":
            self._traveller = time_machine().travel(_instant(entry_ms), tick=True).start()

    def enter_handler(self, entry_ms: int, remaining_ms: int) -> int:
        """Set the clock to the handler's entry; return the deadline in epoch milliseconds."""
        if self._traveller is None:
            # From the beginning of a millisecond, so that the first read finds all of it left.
            while time.time_ns() % 1_000_000 > 100_000:
                pass
            return int(time.time() * 1000) + remaining_ms
        self._traveller.move_to(_instant(entry_ms))
        return entry_ms + remaining_ms


def entry_epoch_ms(world: World, invocation: Invocation) -> int:
    """Return the recorded instant of the handler's entry, moved as `world` says."""
    deadline = invocation.context.deadline_epoch_ms
    if deadline is None or not invocation.remaining_ms:
        return invocation.captured_at_us // 1000 + world.moved_ms
    return deadline - invocation.remaining_ms + world.moved_ms


def entry_remaining_ms(world: World, invocation: Invocation) -> int:
    """Return the recorded remaining time at entry, moved as `world` says; never below 0."""
    return max(0, (invocation.remaining_ms or 0) - world.moved_remaining_ms)


def _instant(epoch_ms: int) -> datetime:
    # Naive, which time-machine takes as UTC; an aware one would set the TZ variable too.
    return datetime(1970, 1, 1) + timedelta(milliseconds=epoch_ms)  # noqa: DTZ001


def time_machine() -> Any:
    """Return the module, imported."""
    # time-machine imports pytest where it is installed, 100 ms that a replay has no use for.
    absent = "pytest" not in sys.modules
    if absent:
        sys.modules["pytest"] = None  # type: ignore[assignment]
    try:
        module = import_module("time_machine")
    finally:
        if absent:
            del sys.modules["pytest"]
    return module
