"""Who runs: one thread at a time has the turn, and time moves when nobody can take it.

The part of the timeline that decides; timeline.py is what a program asks of it.
"""

from collections import deque
from collections.abc import Callable

from replay.replayer.virtual import real
from replay.replayer.virtual.agenda import NEVER_NS, Agenda
from replay.replayer.virtual.strand import Hooks, Strand, Waiters

STEP_NS = 1_000
"""What a plain read of a clock moves it by."""
_SLICE_NS = 5_000_000
"""Time after which a thread that only reads clocks lets others run: CPython's switch interval."""
_POLL_S = 0.001


class Turns:
    """The strands of a process, who of them runs, and what time it is, in nanoseconds since 1970.

    `waited_ns` is how much of it has passed in waits; `turns` counts, for whoever watches. What
    changes who waits or runs is called with `_mutex` held.
    """

    def __init__(self, now_ns: int, hooks: Hooks) -> None:
        self.now_ns = now_ns
        self.step_ns = STEP_NS
        self.waited_ns = 0
        self.deadline_ns = NEVER_NS
        self.turns = 0
        self.main = Strand()
        self.turn: Strand | None = self.main
        self._hooks = hooks
        self._is_frozen = False
        self._mutex = real.RLock()
        self._strands = {real.get_ident(): self.main}
        self._strayed: set[Strand] = set()  # those that run without having the turn
        self._ready: deque[Strand] = deque()
        self._probing: list[Strand] = []
        self._agenda: Agenda[Strand | Callable[[], None]] = Agenda()
        self._horizon_ns = NEVER_NS
        self._turn_began_ns = now_ns
        self._is_dispatching = False

    def _queue_up(self, me: Strand) -> None:
        self._strayed.discard(me)
        self._ready.append(me)
        self._pass_turn(me)

    def _suspend(
        self, me: Strand, queue: Waiters, until_ns: int | None, probe: Callable[[], object] | None
    ) -> None:
        me.queue, me.probe, me.woken = queue, probe, False
        queue.append(me)
        if probe is not None:
            self._probing.append(me)
        me.entry = None if until_ns is None else self._agenda.add(until_ns, me)
        self._strayed.discard(me)
        self._pass_turn(me)

    def _leave(self, me: Strand) -> None:
        """Get the turn back for a strand that an exception takes out of its wait."""
        with self._mutex:
            if me.queue is not None:
                self._make_ready(me, woken=False)
            self._pass_turn(None)
            if self.turn is me or me not in self._ready:
                me.gate.acquire(blocking=False)  # it may have been opened already
                return
        me.gate.acquire()

    def _ask_probes(self) -> None:
        for strand in [s for s in self._probing if s.probe is not None and s.probe()]:
            self._make_ready(strand, woken=True)

    def _make_ready(self, strand: Strand, *, woken: bool) -> None:
        if strand.queue is not None:
            strand.queue.remove(strand)
            strand.queue = None
        if strand.probe is not None:
            self._probing.remove(strand)
            strand.probe = None
        if strand.entry is not None:
            self._agenda.cross_out(strand.entry)
        strand.woken = woken
        self._ready.append(strand)
        self._set_horizon()

    def _pass_turn(self, me: Strand | None, *, is_ending: bool = False) -> None:
        """Give the turn to the next strand, if it is `me` who has it, or nobody."""
        if self.turn is me:
            self.turn = None
        if self.turn is None and not self._is_dispatching:
            self._is_dispatching = True
            try:
                self._dispatch(is_ending=is_ending)
            finally:
                self._is_dispatching = False

    def _dispatch(self, *, is_ending: bool) -> None:
        """Wait for something to happen, and move time to where it does.

        A thread that is ending cannot stay to wait; the watch then does.
        """
        began_s = real.monotonic()
        while self.turn is None:
            self._take_due()
            self._ask_probes()
            if self._ready:
                self._give_turn(self._ready.popleft())
                return
            next_ns = min(self._agenda.next_ns, self.deadline_ns)
            if self._may_move(next_ns, real.monotonic() - began_s):
                self.waited_ns += next_ns - self.now_ns
                self.now_ns = next_ns
                began_s = real.monotonic()
            elif is_ending:
                return
            else:
                self._mutex.release()
                try:
                    real.sleep(_POLL_S)
                finally:
                    self._mutex.acquire()

    def _may_move(self, next_ns: int, real_s: float) -> bool:
        if self._is_frozen or next_ns == NEVER_NS:
            return False
        if real_s * 1e9 >= next_ns - self.now_ns:
            return True
        waits_outside = any(strand.waits_outside for strand in self._probing)
        return not (self._strayed or waits_outside or self._hooks.is_outside_at_work())

    def _give_turn(self, strand: Strand) -> None:
        self.turn = strand
        self.turns += 1
        self._turn_began_ns = self.now_ns
        self._set_horizon()
        if self._strayed:
            self._hooks.race()
        strand.gate.release()

    def _take_due(self) -> None:
        if self.now_ns >= self.deadline_ns:
            self._hooks.deadline()
        while self._agenda.next_ns <= self.now_ns:
            what = self._agenda.take()
            if isinstance(what, Strand):
                self._make_ready(what, woken=False)
            else:
                what()

    def _set_horizon(self) -> None:
        others = self._ready or self._probing
        slice_ends_ns = self._turn_began_ns + _SLICE_NS if others else NEVER_NS
        self._horizon_ns = min(self.deadline_ns, self._agenda.next_ns, slice_ends_ns)
