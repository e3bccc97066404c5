"""Alarms that go off on the timeline: `signal.alarm` and the real-time interval timer.

Going off raises the signal in the main thread, in the middle of its wait, as the system would. The
timers of processor time are left as they are.
"""

import signal
from collections.abc import Callable
from math import ceil

from replay.replayer.virtual import real
from replay.replayer.virtual.agenda import span_ns
from replay.replayer.virtual.strand import Waiters
from replay.replayer.virtual.timeline import Timeline


class Alarms:
    """In the places of `alarm`, `setitimer`, `getitimer` and `pause`."""

    def __init__(self, timeline: Timeline, on_set: Callable[[], None]) -> None:
        self._timeline = timeline
        self._on_set = on_set
        self._number: int | None = None
        self._when_ns = 0
        self._interval_ns = 0

    def alarm(self, seconds: int, /) -> int:
        """Have SIGALRM sent after so many seconds, 0: never; return what was left, in seconds."""
        left_s, _ = self.setitimer(signal.ITIMER_REAL, seconds)
        return ceil(left_s)

    def setitimer(
        self, which: int, seconds: float, interval: float = 0.0, /
    ) -> tuple[float, float]:
        """Have SIGALRM sent after some time and then at an interval; return the timer before."""
        if which != signal.ITIMER_REAL:
            return real.setitimer(which, seconds, interval)
        before = self.getitimer(which)
        if self._number is not None:
            self._timeline.forget(self._number)
            self._number = None
        self._interval_ns = span_ns(interval)
        if seconds > 0:
            self._set(self._timeline.now_ns + span_ns(seconds))
        return before

    def getitimer(self, which: int, /) -> tuple[float, float]:
        """Return the seconds that are left, and the interval."""
        if which != signal.ITIMER_REAL:
            return real.getitimer(which)
        if self._number is None:
            return 0.0, 0.0
        return max(0, self._when_ns - self._timeline.now_ns) / 1e9, self._interval_ns / 1e9

    def pause(self) -> None:
        """Wait until an alarm goes off."""
        self._timeline.wait(Waiters(), None, ends_with_alarm=True)

    def after_fork(self) -> None:
        """Forget the timer, which a child process does not inherit."""
        self._number = None

    def deliver(self) -> None:
        """Raise the signal; its handler runs before this returns, and may raise."""
        signal.raise_signal(signal.SIGALRM)

    def _set(self, when_ns: int) -> None:
        self._when_ns = when_ns
        self._number = self._timeline.at(when_ns, self._go_off)
        self._on_set()

    def _go_off(self) -> None:
        self._number = None
        if self._interval_ns:
            self._set(self._when_ns + self._interval_ns)
        self._timeline.ring()
