"""Ships in a thread of its own, so that nobody waits for a bucket longer than he may.

One that cannot be reached answers late or never, and looking up its name may take as long. A thread
that is left behind is frozen with the sandbox and goes on when that is thawed; what was not
acknowledged to it stays where it is.
"""

from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic

from replay.recorder import running
from replay.recorder.export.exporter import Exporter

MAX_HELD_S = 5.0
"""How long anybody waits for what is shipped; what takes longer goes on beside the next thing."""


class Shipper:
    """Has an exporter ship, once at a time; `tell` is given what that fails with."""

    def __init__(self, exporter: Exporter, tell: Callable[[Exception], None]) -> None:
        self._exporter = exporter
        self._tell = tell
        self._busy = Lock()
        self._thread: Thread | None = None
        self._has_failed = False

    def is_due(self) -> bool:
        """Whether it is time to ship, and that is not under way."""
        return not self._busy.locked() and self._exporter.is_due()

    def has_waited(self, seconds: float) -> bool:
        """Whether the last time is so long ago, or longer after a failure, and is over."""
        return not self._busy.locked() and self._exporter.has_waited(seconds)

    def begin(self) -> None:
        """Start to ship, unless that is under way; raises RuntimeError where no thread starts."""
        if not self._busy.acquire(blocking=False):
            return
        thread = Thread(target=self._ship, daemon=True)
        try:
            thread.start()
        except BaseException:
            self._busy.release()
            raise
        self._thread = thread

    def wait(self, limit_s: float) -> bool:
        """Wait until what was begun is over; False where it takes longer, or has failed."""
        if self._thread is not None:
            self._thread.join(max(0.0, limit_s))
        return not (self._busy.locked() or self._has_failed)

    def finish(self, limit_s: float) -> bool:
        """Ship all there is by now; False where it takes longer, or fails."""
        until_s = monotonic() + limit_s
        self.wait(limit_s)
        self.begin()
        return self.wait(until_s - monotonic())

    def _ship(self) -> None:
        running.belong_to_nobody()
        try:
            self._exporter.ship()
            self._has_failed = False
        except Exception as error:  # noqa: BLE001 - said; a thread has nobody to raise it to
            self._has_failed = True
            self._tell(error)
        finally:
            self._busy.release()
