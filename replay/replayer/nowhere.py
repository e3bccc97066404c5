"""Sockets that lead nowhere, for native code and programs that a handler starts. Linux alone.

What refuses a socket never learns where it was to lead. So a helper in a network of its own, with
nothing in it, makes such sockets, for the kernel to hand over in place of true ones: they take
every option, and reach nobody even where nothing else guards them. Where no such network can be
made there are none. Python's own class has stand_in.py.
"""

import os
import socket
import subprocess
import sys

from replay.replayer import namespace
from replay.replayer.interpreter import environment

_REQUEST_BYTES = 2
_LIMIT_S = 5.0
_HEADER_BYTES = 12
_IS_ANSWER_NO_SUCH_HOST = b"\x81\x83"


class Nowhere:
    """Makes them; its helper starts with the first one that is asked for."""

    def __init__(self) -> None:
        self._connection: socket.socket | None = None
        self._helper: subprocess.Popen[bytes] | None = None

    def make(self, family: int, kind: int) -> int | None:
        """Return a socket's descriptor, the caller's to close; None where there is none to be had.

        `family` and `kind` are as `socket(2)` takes them.
        """
        flags = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        if self._helper is None:
            self._start()
        if self._connection is None:
            return None
        try:
            self._connection.send(bytes((family, kind & ~flags)))
            _, descriptors, _, _ = socket.recv_fds(self._connection, 1, 1)
            if descriptors:
                os.set_blocking(descriptors[0], not kind & socket.SOCK_NONBLOCK)
                return descriptors[0]
        except OSError:  # there is no such helper any more, or it would answer too late
            self._connection.close()
            self._connection = None
        return None

    def close(self) -> None:
        """End the helper."""
        if self._connection is not None:
            self._connection.close()
        if self._helper is not None:
            self._helper.wait()

    def _start(self) -> None:
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.settimeout(_LIMIT_S)
        with theirs:
            self._helper = subprocess.Popen(  # noqa: S603 - this very interpreter
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                env=environment(0, on_terminal=False),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )


def asked_name(query: bytes) -> str:
    """Return the host that a question to a name service is about, empty where it is no question.

    Source: RFC 1035, sections 4.1.1 and 4.1.2.
    """
    labels, at = [], _HEADER_BYTES
    while at < len(query) and 0 < (size := query[at]) < len(query) - at:
        labels.append(query[at + 1 : at + 1 + size].decode("ascii", "backslashreplace"))
        at += 1 + size
    return ".".join(labels)


def no_such_host(query: bytes) -> bytes:
    """Return a name service's answer to a question: the host does not exist."""
    return query[:2] + _IS_ANSWER_NO_SUCH_HOST + query[4:]


def _serve(connection: socket.socket) -> None:
    """Make sockets until nobody asks for any more."""
    if not namespace.enter():
        return
    while request := connection.recv(_REQUEST_BYTES):
        family, kind = request
        try:
            with socket.socket(family, kind) as made:
                socket.send_fds(connection, [b"."], [made.fileno()])
        except OSError:  # a family that this system does not have
            connection.send(b"-")


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
