"""What time it is, and which thread runs: a discrete-event simulation over real threads.

One thread at a time has the turn; the others block, each on a real lock of its own. A thread passes
the turn on where it waits. Time moves when no thread can run: to the earliest instant at which one
wakes. So the order of events is that of their times, and the same every time; a waiter goes on at
the later of its own time and that of what it waited for, since all of them share one time.

While something outside of the simulation is at work - a child process, or a thread that lost the
turn because it would not pass it on - time keeps step with the real clock.
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


class Timeline:
    """Time in nanoseconds since 1970, and the strands that live on it; made in the main thread.

    `waited_ns` is how much of it has passed in waits; `turns` counts, for whoever watches.
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

    def read_ns(self) -> int:
        """Return what time it is, and move it by one step."""
        now_ns = self.now_ns
        self.now_ns = now_ns + self.step_ns
        if self.now_ns >= self._horizon_ns:
            self._look_around()
        return now_ns

    def move_to(self, when_ns: int) -> None:
        """Move time forward as if it had been read so often."""
        self.now_ns = max(self.now_ns, when_ns)
        if self.now_ns >= self._horizon_ns:
            self._look_around()

    @property
    def is_alone(self) -> bool:
        """Whether nothing but the calling thread can make anything happen."""
        return len(self._strands) == 1 and not self._agenda

    @property
    def is_held_up(self) -> bool:
        """Whether something else could happen, were it not for the strand that has the turn."""
        waiting = self._ready or self._agenda or self._probing
        return bool(waiting) and self.turn is not None and not self._is_frozen

    def ident_of(self, strand: Strand) -> int:
        """Return the thread identifier of a strand; 0 for one that has ended."""
        return next((ident for ident, s in list(self._strands.items()) if s is strand), 0)

    def sleep(self, span_ns: int) -> None:
        """Wait for a time; at least for one step, so that polling moves on."""
        self.wait(Waiters(), self.now_ns + max(span_ns, self.step_ns))

    def wait(
        self,
        queue: Waiters,
        until_ns: int | None,
        *,
        unless: Callable[[], object] | None = None,
        is_polled: bool = False,
        ends_with_alarm: bool = False,
    ) -> bool:
        """Wait to be woken out of `queue`, or for `until_ns`; return whether it was the former.

        Does not wait where `unless` holds; `is_polled` has it asked again whenever something may
        have changed.
        """
        me = self._strand()
        probe = unless if is_polled else None
        while True:
            with self._mutex:
                if unless is not None and unless():
                    return True
                self._suspend(me, queue, until_ns, probe)
            self._await_turn(me)
            if not me.alarm_came:
                return me.woken
            me.alarm_came = False
            self._hooks.alarm()
            if me.woken or ends_with_alarm:
                return True

    def wake(self, queue: Waiters) -> None:
        """Let the first that waits in `queue` go on, when its turn comes."""
        if queue:
            with self._mutex:
                if queue:
                    self._make_ready(queue[0], woken=True)

    def at(self, when_ns: int, action: Callable[[], None]) -> int:
        """Have `action` called at an instant, which may `ring`; return a number to forget it by."""
        with self._mutex:
            number = self._agenda.add(when_ns, action)
            self._set_horizon()
        return number

    def forget(self, number: int) -> None:
        """Let something not happen that `at` was told of."""
        self._agenda.cross_out(number)

    def ring(self) -> None:
        """Interrupt the main thread, as a signal does."""
        self.main.alarm_came = True
        if self.main.queue is not None:
            self._make_ready(self.main, woken=False)

    def announce(self, run: Callable[[], object]) -> tuple[Strand, Callable[[], None]]:
        """Return a strand for a new thread, and what that is to call: `run`, in its turn."""
        strand = Strand()

        def body() -> None:
            self._strands[real.get_ident()] = strand
            strand.gate.acquire()
            try:
                run()
            finally:
                self._finish(strand)

        with self._mutex:
            self._ready.append(strand)
            self._set_horizon()
        return strand, body

    def restart(self, now_ns: int, deadline_ns: int) -> None:
        """Set the clock; what is being waited for stays as far away as it was."""
        with self._mutex:
            self._agenda.move(now_ns - self.now_ns)
            self.now_ns = self._turn_began_ns = now_ns
            self.deadline_ns = deadline_ns
            self._is_frozen = False
            self._set_horizon()

    def freeze(self) -> None:
        """Let nothing happen until `restart`; to be called in the main thread."""
        self._is_frozen = True
        self.deadline_ns = NEVER_NS
        me = self._strand()
        if self.turn is not me:
            with self._mutex:
                self._queue_up(me)
            self._await_turn(me)

    def take_turn_away(self, strand: Strand | None) -> None:
        """Let others run, since the strand whose turn it is does not pass it on.

        None: nobody has it, and nobody is left to give it.
        """
        with self._mutex:
            if strand is None:
                self._pass_turn(None)
            elif self.turn is strand and self.is_held_up:
                self._strayed.add(strand)
                self._pass_turn(strand)

    def after_fork(self) -> None:
        """Begin anew in a child process, where only the calling thread is left."""
        self.main = self.turn = self._strand()
        self._mutex = real.RLock()
        self._strands = {real.get_ident(): self.main}
        for left in (self._strayed, self._ready, self._probing, self._agenda):
            left.clear()
        self._is_dispatching = False
        self._set_horizon()

    def _strand(self) -> Strand:
        """Return the calling thread's strand; one that nobody has announced gets one now."""
        found = self._strands.get(real.get_ident())
        if found is None:
            found = self._strands[real.get_ident()] = Strand()
            self._strayed.add(found)
        return found

    def _look_around(self) -> None:
        """Let run what is due, and whoever has been ready for long."""
        me = self._strand()
        with self._mutex:
            self._take_due()
            passes_on = bool(self._ready) or self.turn is not me
            if passes_on:
                self._queue_up(me)
            else:
                self._set_horizon()
        if passes_on:
            self._await_turn(me)
        if me.alarm_came:
            me.alarm_came = False
            self._hooks.alarm()

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

    def _await_turn(self, me: Strand) -> None:
        try:
            me.gate.acquire()
        except BaseException:  # out of a signal handler of the program's
            with self._mutex:
                if me.queue is not None:
                    self._make_ready(me, woken=False)
                    self._pass_turn(None)
            me.gate.acquire()
            raise

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

    def _finish(self, strand: Strand) -> None:
        with self._mutex:
            strand.is_finished = True
            self._strands.pop(real.get_ident(), None)
            self._strayed.discard(strand)
            for waiter in list(strand.ended):
                self._make_ready(waiter, woken=True)
            self._pass_turn(strand, is_ending=True)

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
            for strand in [s for s in self._probing if s.probe is not None and s.probe()]:
                self._make_ready(strand, woken=True)
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
                real.sleep(_POLL_S)
                self._mutex.acquire()

    def _may_move(self, next_ns: int, real_s: float) -> bool:
        if self._is_frozen or next_ns == NEVER_NS:
            return False
        if real_s * 1e9 >= next_ns - self.now_ns:
            return True
        return not self._strayed and not self._hooks.is_outside_at_work()

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
        slice_ends_ns = self._turn_began_ns + _SLICE_NS if self._ready else NEVER_NS
        self._horizon_ns = min(self.deadline_ns, self._agenda.next_ns, slice_ends_ns)
