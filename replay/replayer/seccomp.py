"""The kernel's filter on the system calls of a replayed process: no socket is made. Linux alone.

It needs no privilege, holds for every thread and child process from then on, native code included,
and cannot be taken off. Socketpairs, pipes and event loops need none of what is denied. Sources:
seccomp(2), seccomp_unotify(2), linux/seccomp.h, linux/filter.h.
"""

import _socket
import ctypes
import errno
import os
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass

_X32_BIT = 0x40000000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_ALLOW, _NOTIFY, _FAIL = 0x7FFF0000, 0x7FC00000, 0x00050000
_SET_NO_NEW_PRIVILEGES, _SET_FILTER, _NEW_LISTENER = 38, 1, 8
_DENIED_EVERYWHERE = (425, 426, 427, 438)
"""io_uring_setup, io_uring_enter, io_uring_register, pidfd_getfd: the same on every machine."""


@dataclass(frozen=True, slots=True)
class _Machine:
    """Its number in linux/audit.h, those of its calls, and whether it knows x32.

    `denied` are setns, and what sets the clock of the machine: clock_settime, settimeofday,
    adjtimex, clock_adjtime.
    """

    architecture: int
    socket: int
    connect: int
    seccomp: int
    denied: tuple[int, ...]
    has_x32: bool


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 41, 42, 317, (308, 227, 164, 159, 305), has_x32=True),
    "aarch64": _Machine(0xC00000B7, 198, 203, 277, (268, 112, 170, 171, 266), has_x32=False),
}


def is_known() -> bool:
    """Whether this is a system whose calls are known here."""
    is_64_bit = sys.maxsize > 1 << 32
    return sys.platform == "linux" and os.uname().machine in _MACHINES and is_64_bit


def deny_sockets(families: Sequence[int] = ()) -> int | None:
    """Deny this process sockets of all but these families; cannot be undone.

    Return a descriptor at which each attempt waits for its answer, for the parent to learn of it,
    and so does each connection; None where the kernel denies by itself. Raises OSError where there
    is no filter to be had.
    """
    machine = _MACHINES[os.uname().machine]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")
    notifying = _filter(machine, families, _NOTIFY)
    listener = _install(libc, machine, notifying, _NEW_LISTENER)
    if listener >= 0:
        return listener
    failing = _filter(machine, families, _FAIL | errno.EACCES)
    if _install(libc, machine, failing, 0):
        raise OSError(ctypes.get_errno(), "a filter was refused")
    return None


def is_connect(number: int) -> bool:
    """Whether a system call's number is that of `connect`."""
    return number == _MACHINES[os.uname().machine].connect


def holds() -> bool:
    """Whether the filter keeps its word: try what every Linux allows without it."""
    try:
        _socket.socket(_socket.AF_UNIX).close()
    except PermissionError:
        return True
    return False


def _install(libc: ctypes.CDLL, machine: _Machine, code: bytes, flags: int) -> int:
    program = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(program))
    return int(libc.syscall(machine.seccomp, _SET_FILTER, flags, head))


def _filter(machine: _Machine, families: Sequence[int], on_socket: int) -> bytes:
    """Return the filter's program; each step's jumps are how many of the next ones it skips."""
    denied = _DENIED_EVERYWHERE + machine.denied
    tests = [(_AT_LEAST, _X32_BIT)] if machine.has_x32 else []
    tests += [(_EQUAL, number) for number in denied]
    asks_to_connect = on_socket == _NOTIFY
    # After the tests: is it connect? - is it socket? - its family - each allowed one - the ends.
    to_failure = asks_to_connect + 2 + len(families) + 1
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 0, len(tests) + 1 + to_failure, machine.architecture),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    for left, (test, number) in zip(range(len(tests) - 1, -1, -1), tests, strict=True):
        steps.append((test, left + to_failure, 0, number))
    if asks_to_connect:
        steps.append((_EQUAL, 2 + len(families), 0, machine.connect))
    steps += [
        (_EQUAL, 0, 1 + len(families) + 2, machine.socket),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
    ]
    for left, family in zip(range(len(families) - 1, -1, -1), families, strict=True):
        steps.append((_EQUAL, left + 2, 0, family))
    steps += [(_RETURN, 0, 0, end) for end in (on_socket, _FAIL | errno.EPERM, _ALLOW)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
