"""The time of a replay in this process: moved by its reads, its sleeps and its recorded calls."""

import time
from collections.abc import Callable, Mapping
from types import ModuleType

from replay.replayer.clock import Entry
from replay.replayer.virtual.clocks import Clocks
from replay.replayer.virtual.remaining import Remaining

_NS_PER_MS = 1_000_000
_NAMES = (
    *("sleep", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time"),
    *("process_time_ns", "thread_time", "thread_time_ns", "ctime", "asctime"),
)
_CLOCKS = {"perf_counter": "monotonic", "perf_counter_ns": "monotonic_ns"} | {
    f"thread_time{unit}": f"process_time{unit}" for unit in ("", "_ns")
}


class DeadlineReached(BaseException):
    """The handler has passed its deadline."""


class Line:
    """What `Clocks` and `Remaining` ask of a timeline, of one thread."""

    def __init__(self) -> None:
        self.now_ns = self.entered_ns = self.waited_ns = 0
        self.step_ns = 1000
        self.is_past_deadline = False
        self._deadline_ns: int | None = None

    def enter_import(self) -> None:
        """Have no deadline."""
        self._deadline_ns, self.is_past_deadline = None, False

    def enter(self, entry: Entry, tell: Callable[..., None]) -> Remaining:
        """Begin at an entry; return what tells the remaining time."""
        self.step_ns, self.waited_ns, self.is_past_deadline = entry.step_us * 1000, 0, False
        self.entered_ns = entry.epoch_ms * _NS_PER_MS
        limit_ms = entry.limit_ms
        self._deadline_ns = None if limit_ms is None else self.entered_ns + limit_ms * _NS_PER_MS
        deadline_ms = entry.epoch_ms + entry.remaining_ms
        return Remaining(
            self,
            deadline_ms,
            entry.reads_ms,
            lambda number: tell("computed", read=number),
        )

    def restart(self, now_ns: int, _deadline_ns: int) -> None:
        """Set the time."""
        self.now_ns = now_ns

    def read_ns(self) -> int:
        """Return what time it is, and move it by one step."""
        now_ns = self.now_ns
        self.move_to(now_ns + self.step_ns)
        return now_ns

    def move_to(self, when_ns: int) -> None:
        """Move the time on; raises DeadlineReached."""
        self.now_ns = max(self.now_ns, when_ns)
        if self._deadline_ns is not None and self.now_ns >= self._deadline_ns:
            self.end()

    def end(self) -> None:
        """Take the deadline for reached, whatever the time; raises DeadlineReached."""
        self.is_past_deadline = True
        raise DeadlineReached

    def sleep(self, at_least_ns: int) -> None:
        """Let time pass."""
        slept_ns = max(at_least_ns, self.step_ns)
        self.waited_ns += slept_ns
        self.move_to(self.now_ns + slept_ns)

    def pass_time(self, duration_us: int | None) -> None:
        """Let the time of a recorded call pass; None: it was never answered."""
        self.sleep(2**62 if duration_us is None else duration_us * 1000)

    async def pass_time_async(self, duration_us: int | None) -> None:
        """As `pass_time`."""
        self.pass_time(duration_us)


def stand_ins(clocks: Clocks) -> Mapping[int, object]:
    """Return what stands in for the functions of `time`, and for it, by the ids of the true ones.

    The wall clock is not among them: time-machine moves it wherever it is read.
    """
    named = {name: getattr(clocks, _CLOCKS.get(name, name)) for name in _NAMES}
    module = ModuleType("time", time.__doc__)
    vars(module).update({**vars(time), **named})
    return {id(time): module, **{id(getattr(time, name)): it for name, it in named.items()}}
