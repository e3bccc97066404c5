"""A thread as the timeline sees it, and what the timeline asks of those around it."""

from collections import deque
from collections.abc import Callable

from replay.replayer.virtual import real


class Waiters(deque["Strand"]):
    """Strands that wait for one thing, first come, first served."""

    __slots__ = ()


class Strand:
    """A thread, as the timeline sees it; `gate` opens when it gets the turn."""

    __slots__ = (
        "alarm_came",
        "ended",
        "entry",
        "gate",
        "is_finished",
        "probe",
        "queue",
        "waits_outside",
        "woken",
    )

    def __init__(self) -> None:
        self.gate = real.allocate_lock()
        self.gate.acquire()
        self.ended = Waiters()
        """Who waits for its end."""
        self.is_finished = False
        self.queue: Waiters | None = None
        self.entry: int | None = None
        self.probe: Callable[[], object] | None = None
        self.woken = self.waits_outside = False
        self.alarm_came = False


class Hooks:
    """What the timeline asks and tells, each to be set by whom it concerns."""

    def deadline(self) -> None:
        """End the process: time has reached the deadline."""

    def alarm(self) -> None:
        """Do what the alarm is for; runs in the main thread after `ring`."""

    def interrupt(self, ident: int) -> None:
        """Interrupt the thread that computes while its alarm goes off."""

    def stranger(self) -> None:
        """Hear of a thread that nobody has announced."""

    def race(self) -> None:
        """Hear that a thread got the turn while one that lost it still runs."""

    def is_outside_at_work(self) -> bool:
        """Whether something outside of the simulation may still make something happen."""
        return False
