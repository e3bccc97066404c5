"""What stands behind the filter of seccomp.py: a thread of the parent that answers each attempt.

The kernel holds every process that asks for a socket until it is answered here, so this waits for
nothing else: neither for a case nor for a message. A socket of the Internet is one that leads
nowhere, whose connection is refused and written down: an address, or the name that is asked for.
All others are denied; one that was a way to the network is written down with the program that
tried. Where the parent ends, the kernel denies.
"""

import errno
import os
import select
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path
from threading import Thread

from replay.replayer.finding import FindingReader
from replay.replayer.network import Endpoint
from replay.replayer.nowhere import Nowhere, asked_name, no_such_host
from replay.replayer.seccomp import is_connect

_NOTIFICATION = struct.Struct("=QII iIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_DESCRIPTOR = struct.Struct("=QIIII")
_CONTINUE = 1
_IN_PLACE_OF = 1
_MAX_ADDRESS, _MAX_QUESTION = 128, 512
_NAME_SERVICE = 53
_RECEIVE, _SEND, _IS_VALID, _HAND_OVER = 0xC0502100, 0xC0182101, 0x40082102, 0x40182103
_OWN_PROGRAM = "replay.replayer."
_TYPE_BITS = 0xF
_HARMLESS = {socket.AF_UNIX, getattr(socket, "AF_NETLINK", -1), getattr(socket, "AF_ALG", -1)}
"""What the C library itself asks for: its name service's daemon, the list of interfaces."""
_MAX_TEXT = 200
_HOST_AT: Mapping[int, slice] = {socket.AF_INET: slice(4, 8), socket.AF_INET6: slice(8, 24)}


@dataclass(frozen=True, slots=True)
class _Call:
    """A system call that waits: of which thread, and with which arguments."""

    id: int
    pid: int
    number: int
    arguments: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a call is to return: an error, else a value; or it goes on, by `flags`."""

    error: int = 0
    value: int = 0
    flags: int = 0


_GOES_ON, _DENIED = _Answer(flags=_CONTINUE), _Answer(errno.EACCES)


class Watch:
    """Answers what waits at a listener, until it is closed; `own` may be connected to."""

    def __init__(self, listener: int, findings: FindingReader, own: Endpoint | None = None) -> None:
        self._own = own
        self._listener = listener
        self._findings = findings
        self._nowhere = Nowhere()
        self._asking: dict[int, tuple[socket.socket, str | None]] = {}
        self._wakes, self._wake = os.pipe()
        self._poll = select.poll()
        self._poll.register(listener, select.POLLIN)
        self._poll.register(self._wakes, select.POLLIN)
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more; whoever still waits is denied by the kernel."""
        os.close(self._wake)
        self._thread.join()
        os.close(self._listener)
        os.close(self._wakes)
        self._nowhere.close()
        for asked, _ in self._asking.values():
            asked.close()

    def _serve(self) -> None:
        while True:
            ready = dict(self._poll.poll())
            if self._wakes in ready:
                return
            for question in ready.keys() & self._asking.keys():
                self._hear(question)
            if ready.get(self._listener, 0) & select.POLLIN:
                with suppress(OSError):  # killed while it waited
                    self._answer()
            elif self._listener in ready:
                self._poll.unregister(self._listener)  # nobody is left that could ask

    def _answer(self) -> None:
        buffer = bytearray(_NOTIFICATION.size)
        ioctl(self._listener, _RECEIVE, buffer)
        id, pid, _, number, _, _, *arguments = _NOTIFICATION.unpack(buffer)
        call = _Call(id, pid, number, arguments)
        try:
            answer = self._connection(call) if is_connect(number) else self._socket(call)
        except (OSError, ValueError):  # it has ended, or what it asks for is no address
            answer = _DENIED
        ioctl(self._listener, _SEND, _ANSWER.pack(id, answer.value, -answer.error, answer.flags))

    def _socket(self, call: _Call) -> _Answer:
        """Answer who asks for a socket."""
        family, kind = call.arguments[0] & 0xFFFFFFFF, call.arguments[1] & 0xFFFFFFFF
        made = self._nowhere.make(family, kind) if _can_lead_nowhere(family, kind) else None
        # What a datagram says, and to whom, need not be seen before it is sent.
        is_seen = made is not None and kind & _TYPE_BITS == socket.SOCK_STREAM
        if not is_seen and _is_way_out(family, kind):
            self._tell(call, program=_program_of(call.pid))
        if made is None:
            return _DENIED
        try:
            return _Answer(value=self._hand_over(call, made, kind))
        finally:
            os.close(made)

    def _hand_over(self, call: _Call, made: int, kind: int, *, place: int | None = None) -> int:
        """Give a process a descriptor, in place of one of its own if so; return its number."""
        flags = 0 if place is None else _IN_PLACE_OF
        theirs = os.O_CLOEXEC if kind & socket.SOCK_CLOEXEC else 0
        request = bytearray(_DESCRIPTOR.pack(call.id, flags, made, place or 0, theirs))
        return int(ioctl(self._listener, _HAND_OVER, request))

    def _connection(self, call: _Call) -> _Answer:
        """Answer who connects a socket."""
        with Path(f"/proc/{call.pid}/mem").open("rb", buffering=0) as memory:
            memory.seek(call.arguments[1])
            endpoint = _endpoint(memory.read(min(call.arguments[2], _MAX_ADDRESS)))
        if endpoint in (None, self._own):
            return _GOES_ON
        if endpoint.port == _NAME_SERVICE:
            return self._listen_to(call)
        if not endpoint.port:  # an address that is only to be ranked among others
            return _Answer(errno.ECONNREFUSED)
        program = _program_of(call.pid)
        self._tell(call, host=endpoint.host, port=endpoint.port, where=None, program=program)
        return _Answer(errno.ECONNREFUSED)

    def _listen_to(self, call: _Call) -> _Answer:
        """Be the name service, to learn which host a process is about to reach."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs.setblocking(False)  # as whoever asks has made its own
        with theirs:
            self._hand_over(
                call, theirs.fileno(), socket.SOCK_CLOEXEC, place=call.arguments[0] & 0xFFFFFFFF
            )
        self._asking[ours.fileno()] = ours, _program_of(call.pid)
        self._poll.register(ours, select.POLLIN)
        return _Answer()

    def _hear(self, question: int) -> None:
        """Write down what a name service is asked; there is no such host."""
        asked, program = self._asking[question]
        with suppress(OSError):
            if query := asked.recv(_MAX_QUESTION):
                self._findings.add(
                    "refused", host=asked_name(query), port=None, where=None, program=program
                )
                asked.send(no_such_host(query))
                return
        self._poll.unregister(question)
        self._asking.pop(question)
        asked.close()

    def _tell(self, call: _Call, **facts: object) -> None:
        ioctl(self._listener, _IS_VALID, struct.pack("=Q", call.id))  # its pid is no other's by now
        self._findings.add("refused", **facts)


def _endpoint(address: bytes) -> Endpoint | None:
    """Return what a `sockaddr` names; None where that is nothing of the Internet."""
    family = int.from_bytes(address[:2], sys.byteorder)
    if family not in _HOST_AT:
        return None
    host = socket.inet_ntop(family, address[_HOST_AT[family]])
    return Endpoint(host.removeprefix("::ffff:"), int.from_bytes(address[2:4], "big"))


def _can_lead_nowhere(family: int, kind: int) -> bool:
    """Whether a socket's connection is to be seen: not where an address is only to be ranked.

    The C library connects such a datagram socket to each address that it has found for a name.
    """
    ranks = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
    is_connected = kind & _TYPE_BITS in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
    return family in _HOST_AT and is_connected and kind != ranks


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
