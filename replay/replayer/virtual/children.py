"""Child processes: they live in real time, so waiting for one takes real time and no virtual.

A wait that a child ends in time moves the clock by nothing; one that it does not end in time moves
it by the time-out. So what a program computes does not depend on how fast its children are.
"""

import os
from collections.abc import Callable
from typing import Any

from replay.replayer.virtual import real
from replay.replayer.virtual.strand import Waiters
from replay.replayer.virtual.timeline import Timeline


class Children:
    """The child processes that the program has started, and the functions that wait for them."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._pids: set[int] = set()

    def are_running(self) -> bool:
        """Return whether one of them has not ended yet."""
        self._pids = {pid for pid in self._pids if not has_ended(pid)}
        return bool(self._pids)

    def after_fork(self) -> None:
        """In a child process: the children of its parent are none of its own."""
        self._pids = set()

    def starting(self, start: Callable[..., int]) -> Callable[..., int]:
        """Return `start`, a function that returns the pid of a new process, with an eye on it."""

        def started(*args: Any, **kwargs: Any) -> int:
            pid = start(*args, **kwargs)
            if pid:
                self._pids.add(pid)
            return pid

        return started

    def waiting(self, wait: Callable[..., Any], pid_at: int | None) -> Callable[..., Any]:
        """Return `wait`, one of `os.wait...`, without keeping the turn until a child ends.

        `pid_at` is the place of the pid among the arguments; None: any child will do.
        """

        def waited(*args: Any, **named: Any) -> Any:
            if named:  # of a call that nobody makes so
                return wait(*args, **named)
            is_blocking = not any(isinstance(a, int) and a & os.WNOHANG for a in args[-1:])
            if is_blocking and not self._timeline.is_alone:
                pid = args[pid_at] if pid_at is not None else 0
                self.await_end(max(0, pid), None)
            return wait(*args)

        return waited

    def await_end(self, pid: int, until_ns: int | None) -> bool:
        """Wait for a child to end, 0: any child; return whether it did in time."""
        return self._timeline.wait(
            Waiters(), until_ns, unless=lambda: has_ended(pid), is_polled=True
        )

    def wait_of_popen(self, subprocess: Any) -> Callable[..., int]:
        """Return what stands in for `Popen.wait` of the module."""
        wait = subprocess.Popen.wait

        def waited(process: Any, timeout: float | None = None) -> Any:
            """Wait for child process to terminate; returns self.returncode."""
            is_waited_for = process.returncode is None and not (
                timeout is None and self._timeline.is_alone
            )
            until_ns = self._timeline.until_ns(timeout)
            if is_waited_for and not self.await_end(process.pid, until_ns):
                raise subprocess.TimeoutExpired(process.args, timeout)
            return wait(process)

        return waited


def has_ended(pid: int) -> bool:
    """Return whether a child has ended, be it waited for already or not; 0: any child."""
    which = (os.P_PID, pid) if pid else (os.P_ALL, 0)
    try:
        return real.waitid(*which, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
