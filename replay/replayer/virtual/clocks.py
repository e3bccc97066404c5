"""The clocks that a program reads: wall, monotonic and processor time, all of one timeline.

The wall clock is set to the recorded instant for each invocation, also where the import has waited
past it; the monotonic one never runs back, whatever the wall clock does. Processor time is what has
passed outside of waits.
"""

import errno
import os
import time
from collections.abc import Sequence
from math import isnan
from operator import index
from typing import Any, NoReturn, Protocol

from replay.replayer.virtual import real
from replay.replayer.virtual.agenda import span_ns

_MONOTONIC_NS = 1_000_000_000_000
"""What the monotonic clock shows at first: a machine that has been up for a while."""
_NS = 1_000_000_000
_LONGEST_S = 9_000_000_000
_WALL = {getattr(time, name) for name in ("CLOCK_REALTIME", "CLOCK_TAI") if hasattr(time, name)} | {
    5  # CLOCK_REALTIME_COARSE of Linux, which Python does not name
}
_PROCESSOR = {time.CLOCK_PROCESS_CPUTIME_ID, time.CLOCK_THREAD_CPUTIME_ID}


class Time(Protocol):
    """What clocks show: nanoseconds since 1970, and how many of them were waited for."""

    now_ns: int
    waited_ns: int

    def read_ns(self) -> int:
        """Return what time it is, and move it by one step."""

    def restart(self, now_ns: int, deadline_ns: int) -> None:
        """Set it."""

    def sleep(self, at_least_ns: int) -> None:
        """Let it pass."""


class Clocks:
    """What is read of a timeline."""

    def __init__(self, timeline: Time) -> None:
        self._timeline = timeline
        self._to_monotonic_ns = _MONOTONIC_NS - timeline.now_ns
        self._began_ns = timeline.now_ns

    def set_wall(self, now_ns: int, deadline_ns: int) -> None:
        """Set the wall clock, and the monotonic one by nothing."""
        moved_ns = now_ns - self._timeline.now_ns
        self._timeline.restart(now_ns, deadline_ns)
        self._to_monotonic_ns -= moved_ns
        self._began_ns += moved_ns

    def time_ns(self) -> int:
        """Nanoseconds since 1970; what time-machine asks of its traveller."""
        return self._timeline.read_ns()

    def monotonic_ns(self) -> int:
        """Stand in for `time.monotonic_ns`."""
        return self._timeline.read_ns() + self._to_monotonic_ns

    def monotonic(self) -> float:
        """Stand in for `time.monotonic`."""
        return (self._timeline.read_ns() + self._to_monotonic_ns) / _NS

    def quiet(self) -> float:
        """Return the monotonic time without moving it: for the waits of the standard library."""
        return (self._timeline.now_ns + self._to_monotonic_ns) / _NS

    def process_time_ns(self) -> int:
        """Stand in for `time.process_time_ns` and `time.thread_time_ns`."""
        return self._timeline.read_ns() - self._began_ns - self._timeline.waited_ns

    def process_time(self) -> float:
        """Stand in for `time.process_time` and `time.thread_time`."""
        return self.process_time_ns() / _NS

    def clock_gettime_ns(self, clock: int, /) -> int:
        """Stand in for `time.clock_gettime_ns`."""
        real.clock_gettime_ns(clock)  # raises for one that there is not
        if clock in _WALL:
            return self.time_ns()
        return self.process_time_ns() if clock in _PROCESSOR else self.monotonic_ns()

    def clock_gettime(self, clock: int, /) -> float:
        """Stand in for `time.clock_gettime`."""
        return self.clock_gettime_ns(clock) / _NS

    def clock_settime(self, _clock: int, _time: float, /) -> NoReturn:
        """Stand in for `time.clock_settime`, which would set the machine's own clock."""
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    def ctime(self, seconds: float | None = None, /) -> str:
        """Stand in for `time.ctime`."""
        return real.ctime(self.time_ns() // _NS if seconds is None else seconds)

    def asctime(self, moment: Sequence[int] | None = None, /) -> str:
        """Stand in for `time.asctime`."""
        return real.asctime(time.localtime() if moment is None else tuple(moment))  # type: ignore[arg-type]

    def times(self) -> os.times_result:
        """Stand in for `os.times`."""
        return os.times_result((self.process_time(), 0.0, 0.0, 0.0, self.quiet()))

    def sleep(self, seconds: float, /) -> None:
        """Stand in for `time.sleep`."""
        self._timeline.sleep(_sleep_ns(seconds))


def _sleep_ns(seconds: Any) -> int:
    if not isinstance(seconds, float):
        seconds = index(seconds)
    if isnan(seconds):
        raise ValueError("Invalid value NaN (not a number)")
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    if seconds > _LONGEST_S:
        raise OverflowError("timestamp too large to convert to C PyTime_t")
    return span_ns(seconds)
