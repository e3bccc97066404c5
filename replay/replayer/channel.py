"""Messages between a replay's parent and its child over one socket.

A message is a codec document and a body of raw bytes, behind the lengths of both, so that a large
event or result is copied and never encoded again. A descriptor may go with it.
"""

import fcntl
import os
import socket
from array import array
from collections.abc import Iterable, Mapping
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
from struct import Struct
from typing import Any, TypeAlias

from replay.codec import decode, encode

Message: TypeAlias = tuple[dict[str, Any], bytes]
BUFFERED_BYTES = 1 << 17
"""What may lie unread in either direction without blocking its sender."""
_LOWEST_DESCRIPTOR = 512
_LENGTHS = Struct(">II")


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets that hold `BUFFERED_BYTES` each way."""
    pair = socket.socketpair()
    for end in pair:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * BUFFERED_BYTES)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * BUFFERED_BYTES)
    return pair


def out_of_reach(descriptor: int) -> int:
    """Return a copy of a descriptor above those that a handler closes to be tidy.

    No child of the handler's inherits it.
    """
    may_be_open, _ = getrlimit(RLIMIT_NOFILE)
    lowest = _LOWEST_DESCRIPTOR if may_be_open == RLIM_INFINITY else may_be_open // 2
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, min(lowest, _LOWEST_DESCRIPTOR))


class Channel:
    """One end of the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._sendall = connection.sendall  # bound before a guard looks at what sockets send
        self._unread = bytearray()
        self._descriptors: list[int] = []

    @classmethod
    def inherited(cls, descriptor: int) -> "Channel":
        """Return the child's end, which its parent gave it as `descriptor`."""
        moved = out_of_reach(descriptor)
        os.close(descriptor)
        return cls(socket.socket(fileno=moved))

    def send(self, message: Mapping[str, object], body: bytes = b"") -> None:
        """Send one message whole."""
        self.send_all([(message, body)])

    def send_all(self, messages: Iterable[tuple[Mapping[str, object], bytes]]) -> None:
        """Send several in one go."""
        pieces: list[bytes] = []
        for message, body in messages:
            head = encode(message)
            pieces += (_LENGTHS.pack(len(head), len(body)), head, body)
        self._sendall(b"".join(pieces))

    def send_descriptor(self, message: Mapping[str, object], descriptor: int) -> None:
        """Send a message whose receiver gets a copy of a descriptor."""
        head = encode(message)
        data = _LENGTHS.pack(len(head), 0) + head
        rights = socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [descriptor])
        self.connection.sendmsg([data], [rights])

    def take_descriptor(self) -> int:
        """Return the descriptor that came with the last message, the caller's to close."""
        return self._descriptors.pop(0)

    def receive(self) -> Message:
        """Return the next message; raises EOFError where the other side is gone."""
        head_size, body_size = _LENGTHS.unpack(self._read(_LENGTHS.size))
        return decode(self._read(head_size)), self._read(body_size)

    @property
    def has_unread(self) -> bool:
        """Whether more than the last message has already been read from the socket."""
        return bool(self._unread)

    def _read(self, size: int) -> bytes:
        unread = self._unread
        while len(unread) < size:
            unread += self._read_some(max(BUFFERED_BYTES, min(size, 1 << 20)))
        taken = bytes(unread[:size])
        del unread[:size]
        return taken

    def _read_some(self, size: int) -> bytes:
        chunk, rights, *_ = self.connection.recvmsg(
            size, socket.CMSG_SPACE(4), getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        )
        for _, _, data in rights:
            self._descriptors += array("i", data)
        if not chunk:
            raise EOFError
        return chunk
