"""What time it is, and which thread runs: a discrete-event simulation over real threads.

One thread at a time has the turn; the others block, each on a real lock of its own. A thread passes
the turn on where it waits. Time moves when no thread can run: to the earliest instant at which one
wakes. So the order of events is that of their times, and the same every time; a waiter goes on at
the later of its own time and that of what it waited for, since all of them share one time.

While something outside of the simulation is at work - a child process, or a thread that lost the
turn because it would not pass it on - time keeps step with the real clock.
"""

from collections.abc import Callable

from replay.replayer.virtual import real
from replay.replayer.virtual.agenda import NEVER_NS, span_ns
from replay.replayer.virtual.strand import Strand, Waiters
from replay.replayer.virtual.turn import Turns


class Timeline(Turns):
    """Time, and the strands that live on it, as a program sees them; made in its main thread."""

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

    def poll(self) -> None:
        """Let time move on for a program that only looks, and would for ever.

        Not while something outside is at work: how often it looks then depends on how fast that is.
        """
        if not self._hooks.is_outside_at_work():
            self.read_ns()

    @property
    def is_alone(self) -> bool:
        """Whether nothing but the calling thread can make anything happen."""
        return len(self._strands) == 1 and not self._agenda and not self._ready

    @property
    def is_held_up(self) -> bool:
        """Whether something else could happen, were it not for the strand that has the turn."""
        waiting = self._ready or self._agenda or self._probing
        return bool(waiting) and self.turn is not None and not self._is_frozen

    @property
    def has_others(self) -> bool:
        """Whether another strand could run at once, or may find that it can."""
        return bool(self._ready or self._probing)

    def ident_of(self, strand: Strand) -> int:
        """Return the thread identifier of a strand; 0 for one that has ended."""
        return next((ident for ident, s in list(self._strands.items()) if s is strand), 0)

    def until_ns(self, timeout_s: float | None) -> int | None:
        """Return when a time-out is over that begins now; None: never."""
        return None if timeout_s is None else self.now_ns + max(0, span_ns(timeout_s))

    def sleep(self, at_least_ns: int) -> None:
        """Wait for a time; at least for one step, so that polling moves on."""
        self.wait(Waiters(), self.now_ns + max(at_least_ns, self.step_ns))

    def wait(
        self,
        queue: Waiters,
        until_ns: int | None,
        *,
        unless: Callable[[], object] | None = None,
        is_polled: bool = False,
        is_outside: bool = False,
        ends_with_alarm: bool = False,
    ) -> bool:
        """Wait to be woken out of `queue`, or for `until_ns`; return whether it was the former.

        Does not wait where `unless` holds; `is_polled` has it asked again whenever something may
        have changed, `is_outside` says that only something outside of the simulation can do so.
        """
        me = self._strand()
        me.waits_outside = is_outside
        probe = unless if is_polled else None
        while True:
            try:
                with self._mutex:
                    if unless is not None and unless():
                        return True
                    self._suspend(me, queue, until_ns, probe)
                me.gate.acquire()
            except BaseException:  # out of a signal handler of the program's, or sent to the thread
                self._leave(me)
                raise
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
        if self.main in self._strayed:  # it computes, and does not look
            self._hooks.interrupt(self.ident_of(self.main))
            return
        self.main.alarm_came = True
        if self.main.queue is not None:
            self._make_ready(self.main, woken=False)

    def withdraw(self, strand: Strand) -> None:
        """Forget a strand whose thread could not be started."""
        with self._mutex:
            self._ready.remove(strand)

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
        me = self._strand()
        with self._mutex:
            if self.turn is not me and self.turn is not None:
                self._strayed.add(self.turn)  # it may be in native code, and never pass it on
            self._strayed.discard(me)
            self.turn = me
            self.deadline_ns = NEVER_NS
            self._is_frozen = True

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
        for left_behind in self._strands.values():
            left_behind.ended.clear()
            if left_behind.queue is not None:
                left_behind.queue.clear()
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
            self._hooks.stranger()
        return found

    def _look_around(self) -> None:
        """Let run what is due, and whoever has been ready for long."""
        me = self._strand()
        try:
            with self._mutex:
                self._take_due()
                self._ask_probes()
                passes_on = bool(self._ready) or self.turn is not me
                if passes_on:
                    self._queue_up(me)
                else:
                    self._turn_began_ns = self.now_ns
                    self._set_horizon()
            if passes_on:
                me.gate.acquire()
        except BaseException:  # as in `wait`
            self._leave(me)
            raise
        if me.alarm_came:
            me.alarm_came = False
            self._hooks.alarm()

    def _finish(self, strand: Strand) -> None:
        with self._mutex:
            strand.is_finished = True
            self._strands.pop(real.get_ident(), None)
            self._strayed.discard(strand)
            for waiter in list(strand.ended):
                self._make_ready(waiter, woken=True)
            self._pass_turn(strand, is_ending=True)
