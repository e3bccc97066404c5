"""What stands behind the filter of seccomp.py: a thread of the parent that answers each attempt.

The kernel holds every process that asks for a socket until it is answered here, so this waits for
nothing else: neither for a case nor for a message. Each is denied; one that was a way to the
network is written down, with the program that tried. Where the parent ends, the kernel denies.
"""

import errno
import os
import select
import socket
import struct
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from threading import Thread

from replay.replayer.finding import FindingReader

_NOTIFICATION = struct.Struct("=QII iIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_RECEIVE, _SEND, _IS_VALID = 0xC0502100, 0xC0182101, 0x40082102
_OWN_PROGRAM = "replay.replayer."
_TYPE_BITS = 0xF
_HARMLESS = {socket.AF_UNIX, getattr(socket, "AF_NETLINK", -1), getattr(socket, "AF_ALG", -1)}
"""What the C library itself asks for: its name service's daemon, the list of interfaces."""
_MAX_TEXT = 200


class Watch:
    """Answers what waits at a listener, until it is closed."""

    def __init__(self, listener: int, findings: FindingReader) -> None:
        self._listener = listener
        self._findings = findings
        self._wakes, self._wake = os.pipe()
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more; whoever still waits is denied by the kernel."""
        os.close(self._wake)
        self._thread.join()
        os.close(self._listener)
        os.close(self._wakes)

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        poll.register(self._wakes, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self._wakes in ready:
                return
            if not ready[self._listener] & select.POLLIN:
                poll.unregister(self._listener)  # nobody is left that could ask
                continue
            with suppress(OSError):  # killed while it waited
                self._answer()

    def _answer(self) -> None:
        buffer = bytearray(_NOTIFICATION.size)
        ioctl(self._listener, _RECEIVE, buffer)
        id, pid, _, _, _, _, family, kind, *_ = _NOTIFICATION.unpack(buffer)
        if _is_way_out(family & 0xFFFFFFFF, kind):
            program = _program_of(pid)
            ioctl(self._listener, _IS_VALID, struct.pack("=Q", id))  # its pid is no other's by now
            self._findings.add("refused", program=program)
        ioctl(self._listener, _SEND, _ANSWER.pack(id, 0, -errno.EACCES, 0))


def _is_way_out(family: int, kind: int) -> bool:
    """Whether a socket is made to reach something.

    A datagram socket may only ask for interfaces, as libuuid and curl do at their start; one that
    is to send a name service's question is made not to block and not to be inherited.
    """
    if family in _HARMLESS:
        return False
    asks = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    return kind & _TYPE_BITS != socket.SOCK_DGRAM or kind & asks == asks


def _program_of(pid: int) -> str | None:
    """Return a process's command line; None for the handler's own process, whose code it was."""
    with suppress(OSError):
        line = (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
        if _OWN_PROGRAM in line:
            return None
        return line.strip()[:_MAX_TEXT] or Path(f"/proc/{pid}/comm").read_text().strip()
    return "a program that has ended"
