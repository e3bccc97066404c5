"""A lock that is held while modules are loaded and secrets replaced, and across forks.

A child that is forked while another thread loads a module waits for ever when it wants the same
one. A journal that writes takes this lock; whoever holds it takes no other of the recorder's.
"""

import os
from _thread import RLock

lock = RLock()


def _hold() -> None:
    lock.acquire()


def _let_go() -> None:
    lock.release()


def _start_over() -> None:
    global lock  # noqa: PLW0603 - the thread that held it is not here
    lock = RLock()


os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_start_over)
