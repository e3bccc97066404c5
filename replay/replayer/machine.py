"""What a replayed handler finds out of the machine: the same on every one.

Process id, host name, number of processors. Processes that the handler starts have real ids.
"""

import os
import platform
import socket
from typing import Any

_PID = 8
"""What Lambda's sandboxes commonly show."""
_HOST_NAME = "169.254.76.1"
_PROCESSORS = 2


class Machine:
    """The facts of one process, from its making on; `become` is for a fork that takes its place."""

    def __init__(self) -> None:
        self._getpid, self._kill, self._uname = os.getpid, os.kill, os.uname
        self._real_pid = os.getpid()
        os.getpid = self._pid
        os.kill = self._send
        os.uname = self._system
        socket.gethostname = lambda: _HOST_NAME
        platform.node = lambda: _HOST_NAME
        os.cpu_count = lambda: _PROCESSORS
        for name in ("process_cpu_count", "sched_getaffinity"):
            if hasattr(os, name):
                setattr(os, name, getattr(self, f"_{name}"))

    def become(self) -> None:
        """Take this process for the one that has the id."""
        self._real_pid = self._getpid()

    def _process_cpu_count(self) -> int:
        return _PROCESSORS

    def _sched_getaffinity(self, _pid: int, /) -> set[int]:
        return set(range(_PROCESSORS))

    def _pid(self) -> int:
        pid = self._getpid()
        return _PID if pid == self._real_pid else pid

    def _send(self, pid: int, signal: int, /) -> None:
        self._kill(self._real_pid if pid == _PID else pid, signal)

    def _system(self) -> Any:
        real = self._uname()
        return os.uname_result((real.sysname, _HOST_NAME, real.release, real.version, real.machine))
