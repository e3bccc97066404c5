"""What `get_remaining_time_in_millis` says: the recorded values, as long as they can be reached.

Each read moves the clock to where the recorded value puts it. A value that would need time to run
back ends that: from there on the remaining time is computed.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

_NS_PER_MS = 1_000_000


class MovableTime(Protocol):
    """Nanoseconds since 1970, which can be moved on."""

    now_ns: int

    def read_ns(self) -> int:
        """Return what time it is, and move it by one step."""

    def move_to(self, when_ns: int) -> None:
        """Move it on, never back."""


class Remaining:
    """The reads of one invocation; `on_computed` is told the number of the first computed one.

    That is where the recorded value could not be reached. Reads after the last recorded one are
    computed as well, of which nobody is told: changed code may read more often.
    """

    def __init__(
        self,
        timeline: MovableTime,
        deadline_ms: int,
        recorded_ms: Sequence[int],
        on_computed: Callable[[int], None],
    ) -> None:
        self._timeline = timeline
        self._deadline_ms = deadline_ms
        self._recorded_ms = recorded_ms
        self._on_computed = on_computed
        self._count = 0

    def read_ms(self) -> int:
        """Return the milliseconds that are left, never below 0 and never more than before."""
        left_ms = max(0, self._deadline_ms - self._timeline.now_ns // _NS_PER_MS)
        if self._count >= len(self._recorded_ms):
            self._timeline.read_ns()
            return left_ms
        recorded_ms = self._recorded_ms[self._count]
        self._count += 1
        if recorded_ms > left_ms:
            self._recorded_ms = ()
            self._on_computed(self._count)
            return left_ms
        self._timeline.move_to((self._deadline_ms - recorded_ms) * _NS_PER_MS)
        return recorded_ms
