"""A limit of real time for a handler that runs in the process of a test: one that never ends."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

_LIMIT_S = 5.0
"""What ran here at all ran in a fraction of it (trial.py)."""
_DEBUGGERS = frozenset({"bdb", "pdb", "pdbpp", "ipdb", "pydevd", "debugpy"})


@contextmanager
def limited(on_limit: Callable[[], None]) -> Iterator[None]:
    """Have `on_limit`, which raises, called in the main thread once the limit has passed.

    Not where others use the alarm, as pytest-timeout does, which has a limit of its own; a debugger
    has all the time.
    """
    is_free = current_thread() is main_thread() and signal.getsignal(signal.SIGALRM) in (
        signal.SIG_DFL,
        None,
    )
    if not is_free:
        yield
        return

    def ring(_number: int, frame: FrameType | None) -> None:
        if _is_debugged(frame):
            signal.setitimer(signal.ITIMER_REAL, _LIMIT_S)
        else:
            on_limit()

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, _LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _is_debugged(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in _DEBUGGERS:
            return True
        frame = frame.f_back
    return False
