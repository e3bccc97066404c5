"""Takes the turn away from a thread that will not pass it on.

A thread that waits in native code for another one, or spins until a variable changes, would hold
everything up for ever. One that uses the processor is taken for computing, and is given longer.
"""

from contextlib import suppress

from replay.replayer.virtual import real
from replay.replayer.virtual.timeline import Timeline

_LOOK_S = 0.1
_COMPUTING_LOOKS = 20
_ALONE_LOOKS = 3
"""Where nobody else could run but something may become due: time then keeps step with the real."""
_BUSY_SHARE = 0.02
_STARVED_SHARE = 0.5


class Watch:
    """A real thread, begun with the first that the program starts; a fork begins it anew."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._is_begun = False

    def begin(self) -> None:
        """Look from now on."""
        if not self._is_begun:
            with suppress(RuntimeError):  # no thread can be started any more
                real.start_new_thread(self._look, ())
                self._is_begun = True

    def after_fork(self) -> None:
        """In a child process there is no such thread."""
        self._is_begun = False

    def _look(self) -> None:
        timeline, seen, looks, cpu_s = self._timeline, (-1, -1), 0, 0.0
        while True:
            real.sleep(_LOOK_S)
            strand, now = timeline.turn, (timeline.turns, timeline.now_ns)
            if strand is None:
                timeline.take_turn_away(None)
            if strand is None or now != seen or not timeline.is_held_up:
                seen, looks = now, 0
                continue
            ident = timeline.ident_of(strand)
            spent_s = real.cpu_time_s(ident) or 0.0
            share, cpu_s = (spent_s - cpu_s) / _LOOK_S, spent_s
            is_runnable = real.is_runnable(ident)
            if looks and is_runnable and share < _STARVED_SHARE:
                continue  # others have the processors: it could not pass the turn on yet
            is_computing = looks == 0 or share > _BUSY_SHARE or is_runnable
            looks += 1
            patience = _COMPUTING_LOOKS if timeline.has_others else _ALONE_LOOKS
            if not is_computing or looks >= patience:
                timeline.take_turn_away(strand)
