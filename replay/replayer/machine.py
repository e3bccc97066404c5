"""What a replayed handler finds out of the machine: the same on every one.

Process id, host name, number of processors. Processes that the handler starts have real ids.
"""

import os
import platform
import socket
from typing import Any

_PID, _PARENT_PID = 8, 1
"""What Lambda's sandboxes commonly show."""
_HOST_NAME = "169.254.76.1"
_PROCESSORS = 2


class Machine:
    """The facts of one process, from its making on; `become` is for a fork that takes its place."""

    def __init__(self) -> None:
        self._getpid, self._kill, self._uname = os.getpid, os.kill, os.uname
        self._real_pid = os.getpid()
        self._getppid = os.getppid
        os.getpid, os.getppid = self._pid, self._parent_pid
        os.kill = self._send
        os.uname = self._system
        self._gethostbyaddr, self._getfqdn = socket.gethostbyaddr, socket.getfqdn
        socket.gethostname = platform.node = lambda: _HOST_NAME
        socket.gethostbyaddr = self._names_of
        socket.getfqdn = self._full_name
        os.cpu_count = lambda: _PROCESSORS
        self._open: Any = getattr(os, "pidfd_open", None)
        for name in ("pidfd_open", "process_cpu_count", "sched_getaffinity"):
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

    def _parent_pid(self) -> int:
        if self._getpid() == self._real_pid:
            return _PARENT_PID
        pid = self._getppid()
        return _PID if pid == self._real_pid else pid

    def _send(self, pid: int, signal: int, /) -> None:
        self._kill(self._real_pid if pid == _PID else pid, signal)

    def _pidfd_open(self, pid: int, flags: int = 0) -> int:
        return int(self._open(self._real_pid if pid == _PID else pid, flags))

    def _names_of(self, address: str, /) -> tuple[str, list[str], list[str]]:
        if address == _HOST_NAME:
            return _HOST_NAME, [], [_HOST_NAME]
        return self._gethostbyaddr(address)

    def _full_name(self, name: str = "") -> str:
        is_own = name.strip() in ("", "0.0.0.0", "::", _HOST_NAME)  # noqa: S104 - what it is asked
        return _HOST_NAME if is_own else self._getfqdn(name)

    def _system(self) -> Any:
        real = self._uname()
        return os.uname_result((real.sysname, _HOST_NAME, real.release, real.version, real.machine))
