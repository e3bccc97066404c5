"""The clock of a replay: virtual, or the real one moved to the recorded instant, or the real one.

The parent says with an `Entry` what a handler is to find; the child's clock sets it up.
"""

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from time import perf_counter_ns
from typing import Any

from replay.invocation import Invocation
from replay.replayer.case import Case
from replay.replayer.world import World

_FOR_EVER_S = 10_000_000
"""Longer than any deadline."""
_NS_PER_MS = 1_000_000
_IMPORT_LEAD_MS = 100
"""How long before the entry an import begins; below what two times may be apart (verdict.py)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A handler's entry: its instant, its remaining time, and when the virtual clock ends it.

    `reads_ms` are the values of the remaining time that the recorded handler read. `limit_ms` None
    is no end.
    """

    epoch_ms: int
    remaining_ms: int
    limit_ms: int | None = None
    reads_ms: Sequence[int] = ()
    step_us: int = 1

    def values(self) -> list[Any]:
        """Return what `Entry(*values)` makes this entry of."""
        reads_ms = list(self.reads_ms)
        return [self.epoch_ms, self.remaining_ms, self.limit_ms, reads_ms, self.step_us]


def entry_of(case: Case, world: World) -> Entry:
    """Return the recorded entry, moved as `world` says."""
    recording = case.recording
    invocation = recording.invocation
    remaining_ms = max(0, (invocation.remaining_ms or 0) - world.moved_remaining_ms)
    if world.clock != "virtual":
        return Entry(entry_epoch_ms(world, invocation), remaining_ms)
    limit_ms = None if case.breaks_at else case.deadline_ms
    return Entry(
        entry_epoch_ms(world, invocation),
        remaining_ms,
        None if limit_ms is None else max(1, limit_ms - world.moved_remaining_ms),
        tuple(max(0, ms - world.moved_remaining_ms) for ms in recording.remaining_reads_ms),
        world.step_us,
    )


def entry_epoch_ms(world: World, invocation: Invocation) -> int:
    """Return the recorded instant of the handler's entry, moved as `world` says."""
    deadline = invocation.context.deadline_epoch_ms
    if deadline is None or not invocation.remaining_ms:
        return invocation.captured_at_us // 1000 + world.moved_ms
    return deadline - invocation.remaining_ms + world.moved_ms


class Clock(ABC):
    """The clock of this process."""

    @abstractmethod
    def start_import(self, entry_ms: int) -> None:
        """Set the clock for the import of the handler's module, ahead of its first entry."""

    @abstractmethod
    def enter_handler(self, entry: Entry) -> int:
        """Set the clock to the handler's entry; return the deadline in epoch milliseconds."""

    @abstractmethod
    def leave_handler(self) -> int:
        """Return how many microseconds the handler has taken."""

    def take_place(self) -> None:
        """Take this process, a fork, for the one that the clock is for."""
        return

    @abstractmethod
    def pass_time(self, duration_us: int | None) -> None:
        """Let the time of a recorded call pass; None: it was never answered."""

    @abstractmethod
    async def pass_time_async(self, duration_us: int | None) -> None:
        """As `pass_time`, in an event loop."""

    @abstractmethod
    def read_remaining_of(self, context_type: Any) -> None:
        """Have contexts of this class say what the clock says of the remaining time."""


class RealClock(Clock):
    """Runs on real time: where it is, or `is_shifted` to the recorded instant."""

    def __init__(self, *, is_shifted: bool) -> None:
        self._is_shifted = is_shifted
        self._traveller: Any = None
        self._entered_ns = 0

    def start_import(self, entry_ms: int) -> None:
        """Travel there, if at all."""
        if self._is_shifted:
            self._traveller = time_machine().travel(_instant(entry_ms), tick=True).start()

    def enter_handler(self, entry: Entry) -> int:
        """Travel to the entry, or take now for it."""
        self._entered_ns = perf_counter_ns()
        if self._traveller is None:
            # From the beginning of a millisecond, so that the first read finds all of it left.
            while time.time_ns() % _NS_PER_MS > 100_000:
                pass
            return int(time.time() * 1000) + entry.remaining_ms
        self._traveller.move_to(_instant(entry.epoch_ms))
        return entry.epoch_ms + entry.remaining_ms

    def leave_handler(self) -> int:
        """Return the real time since the entry."""
        return (perf_counter_ns() - self._entered_ns) // 1000

    def pass_time(self, duration_us: int | None) -> None:
        """Answer at once; what was never answered waits until the deadline ends it."""
        if duration_us is None:
            time.sleep(_FOR_EVER_S)

    async def pass_time_async(self, duration_us: int | None) -> None:
        """As `pass_time`, in an event loop."""
        from asyncio import sleep  # whoever awaits has imported it

        await sleep(0 if duration_us is not None else _FOR_EVER_S)

    def read_remaining_of(self, _context_type: Any) -> None:
        """Leave it to them: they read the wall clock."""


class VirtualClock(Clock):
    """Moves by what the program does, `step_us` a read; `tell` hears what there is to be known."""

    def __init__(self, step_us: int, tell: Callable[..., None]) -> None:
        self._step_us = step_us
        self._tell = tell

    def start_import(self, entry_ms: int) -> None:
        """Put the simulation in place, a little before the entry."""
        from replay.replayer.virtual.simulation import Simulation  # not of the other clocks

        # At another pace an import takes another time.
        lead_ms = _IMPORT_LEAD_MS + self._step_us // 25
        self._simulation = Simulation((entry_ms - lead_ms) * _NS_PER_MS, self._tell)
        self._simulation.timeline.step_ns = self._step_us * 1000
        machine = time_machine()
        machine.travel(0).start()
        # Its C functions ask the last of these for `time_ns()`, and for nothing else.
        machine.traveller_stack.append(self._simulation.clocks)
        self._simulation.put_in_place()

    def enter_handler(self, entry: Entry) -> int:
        """Set the virtual clock."""
        self._simulation.timeline.step_ns = entry.step_us * 1000
        self._simulation.enter(
            entry.epoch_ms, entry.remaining_ms, limit_ms=entry.limit_ms, reads_ms=entry.reads_ms
        )
        return entry.epoch_ms + entry.remaining_ms

    def take_place(self) -> None:
        """Have the deadline end this process."""
        self._simulation.take_place()

    def leave_handler(self) -> int:
        """Return the virtual time since the entry; all other threads stop."""
        return self._simulation.leave()

    def pass_time(self, duration_us: int | None) -> None:
        """Wait for as long, while other threads may run."""
        waited_us = _FOR_EVER_S * 1_000_000 if duration_us is None else duration_us
        self._simulation.timeline.sleep(waited_us * 1000)

    async def pass_time_async(self, duration_us: int | None) -> None:
        """As `pass_time`, in an event loop, whose waits move the same clock."""
        from asyncio import sleep  # whoever awaits has imported it

        await sleep(_FOR_EVER_S if duration_us is None else duration_us / 1_000_000)

    def read_remaining_of(self, context_type: Any) -> None:
        """Answer from the recorded reads."""
        read_ms = self._simulation.read_remaining_ms

        def get_remaining_time_in_millis(self: object) -> int:
            """Return the milliseconds until the deadline, never below 0."""
            return read_ms(self)

        context_type.get_remaining_time_in_millis = get_remaining_time_in_millis


def prepare() -> None:
    """Import what a clock will need: 25 ms."""
    time_machine()
    import_module("replay.replayer.virtual.simulation")


def clock_of(world: World, tell: Callable[..., None]) -> Clock:
    """Return the clock that a world wants."""
    if world.clock == "virtual":
        return VirtualClock(world.step_us, tell)
    return RealClock(is_shifted=world.clock == "shifted")


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
