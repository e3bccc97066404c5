"""What stands behind the filter of seccomp.py: a thread of the parent that answers each attempt.

The kernel holds every process that asks for a socket until it is answered here, so this waits for
nothing else: neither for a case nor for a message. Each is denied; one that was a way to the
network is written down, with the program that tried. Where sockets are let through, for AWS's
client, it is their connections that wait here. Where the parent ends, the kernel denies.
"""

import errno
import os
import select
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from threading import Thread
from typing import TypeAlias

from replay.replayer.finding import FindingReader
from replay.replayer.network import Endpoint
from replay.replayer.seccomp import is_connect

_NOTIFICATION = struct.Struct("=QII iIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_CONTINUE = 1
_MAX_ADDRESS = 128
_RECEIVE, _SEND, _IS_VALID = 0xC0502100, 0xC0182101, 0x40082102
_OWN_PROGRAM = "replay.replayer."
_TYPE_BITS = 0xF
_HARMLESS = {socket.AF_UNIX, getattr(socket, "AF_NETLINK", -1), getattr(socket, "AF_ALG", -1)}
"""What the C library itself asks for: its name service's daemon, the list of interfaces."""
_MAX_TEXT = 200
_HOST_AT: Mapping[int, slice] = {socket.AF_INET: slice(4, 8), socket.AF_INET6: slice(8, 24)}
_Found: TypeAlias = dict[str, object] | None


class Watch:
    """Answers what waits at a listener, until it is closed; `own` may be connected to."""

    def __init__(self, listener: int, findings: FindingReader, own: Endpoint | None = None) -> None:
        self._own = own
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
        id, pid, _, number, _, _, *arguments = _NOTIFICATION.unpack(buffer)
        try:
            error, found = self._look_at(pid, number, arguments)
            ioctl(self._listener, _IS_VALID, struct.pack("=Q", id))  # its pid is no other's by now
        except (OSError, ValueError):  # it has ended, or what it asks for is no address
            error, found = errno.EACCES, None
        if found:
            self._findings.add("refused", **found)
        ioctl(self._listener, _SEND, _ANSWER.pack(id, 0, -error, 0 if error else _CONTINUE))

    def _look_at(self, pid: int, number: int, arguments: Sequence[int]) -> tuple[int, _Found]:
        """Return the error that a call is to get, 0 where it may go on, and what to tell of it."""
        if is_connect(number):
            return self._connection(pid, address_at=arguments[1], size=arguments[2])
        is_way_out = _is_way_out(arguments[0] & 0xFFFFFFFF, arguments[1])
        return errno.EACCES, {"program": _program_of(pid)} if is_way_out else None

    def _connection(self, pid: int, *, address_at: int, size: int) -> tuple[int, _Found]:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            memory.seek(address_at)
            endpoint = _endpoint(memory.read(min(size, _MAX_ADDRESS)))
        if endpoint in (None, self._own):
            return 0, None
        return errno.ECONNREFUSED, {"host": endpoint.host, "port": endpoint.port, "where": None}


def _endpoint(address: bytes) -> Endpoint | None:
    """Return what a `sockaddr` names; None where that is nothing of the Internet."""
    family = int.from_bytes(address[:2], sys.byteorder)
    if family not in _HOST_AT:
        return None
    host = socket.inet_ntop(family, address[_HOST_AT[family]])
    return Endpoint(host.removeprefix("::ffff:"), int.from_bytes(address[2:4], "big"))


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
