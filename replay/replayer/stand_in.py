"""Sockets of a replayed handler that lead nowhere, made where the kernel denies true ones.

To make a socket is no offence: clients do, to find out what a machine can. Python's class gives one
end of a socketpair instead, which takes options and timeouts, and is refused by its address once it
is to be connected; what is made of it, as by ssl, is known by its family.
"""

import _socket
import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias
from weakref import WeakSet

from replay.replayer.network_guard import NetworkGuard

_Method: TypeAlias = Callable[..., Any]
_INTERNET = (socket.AF_INET, socket.AF_INET6)
_STANDS_IN_FOR = (*_INTERNET, socket.AF_UNIX)
_NOWHERE = {socket.AF_INET: ("0.0.0.0", 0), socket.AF_INET6: ("::", 0, 0, 0)}  # noqa: S104 - none
_FLAGS = getattr(socket, "SOCK_NONBLOCK", 0) | getattr(socket, "SOCK_CLOEXEC", 0)
_swallowing: WeakSet[socket.socket] = WeakSet()
"""Datagram sockets that are connected to what is swallowed."""


def check_addresses(guard: NetworkGuard) -> None:
    """Have Python's sockets ask `guard` about an address before a name in it is looked up."""
    for name in ("connect", "connect_ex"):
        _replace(name, lambda method: _connecting(guard, method))
    _replace("sendto", lambda method: _sending_to(guard, method))
    for name in ("send", "sendall"):
        _replace(name, _sending)


def stand_in(guard: NetworkGuard) -> None:
    """Have Python's class make sockets that lead nowhere."""
    _replace("__init__", _making)
    _replace("bind", lambda _method: _binding(guard))
    _replace("setsockopt", _setting)
    _replace("getsockopt", _getting)
    _replace("getsockname", lambda method: _naming(method, is_peer=False))
    _replace("getpeername", lambda method: _naming(method, is_peer=True))


def _replace(name: str, wrapper: Callable[[_Method], _Method]) -> None:
    setattr(socket.socket, name, wrapper(getattr(socket.socket, name)))


def _connecting(guard: NetworkGuard, method: _Method) -> _Method:
    def connect(self: socket.socket, address: Any) -> Any:
        if guard.swallows(self, address):
            _swallowing.add(self)
            return 0 if method.__name__ == "connect_ex" else None
        guard.reach(self, address)
        _swallowing.discard(self)
        return method(self, address)

    return connect


def _sending_to(guard: NetworkGuard, method: _Method) -> _Method:
    def sendto(self: socket.socket, data: Any, *rest: Any) -> Any:
        address = rest[-1] if rest else None
        if guard.swallows(self, address):
            return memoryview(data).nbytes
        if rest:
            guard.reach(self, address)
        return method(self, data, *rest)

    return sendto


def _sending(method: _Method) -> _Method:
    def send(self: socket.socket, data: Any, *flags: Any) -> Any:
        if _swallowing and self in _swallowing:
            return memoryview(data).nbytes if method.__name__ == "send" else None
        return method(self, data, *flags)

    return send


def _making(method: _Method) -> _Method:
    def __init__(  # noqa: N807 - the class's own
        self: socket.socket, family: int = -1, type: int = -1, proto: int = -1, fileno: Any = None
    ) -> None:
        family = socket.AF_INET if family == -1 and fileno is None else family
        if fileno is not None or family not in _STANDS_IN_FOR:
            method(self, family, type, proto, fileno)
            return
        kind = socket.SOCK_STREAM if type == -1 else type
        method(self, family, kind & ~_FLAGS, max(proto, 0), _nowhere(kind & ~_FLAGS))
        if kind & getattr(socket, "SOCK_NONBLOCK", 0):
            self.setblocking(False)

    return __init__


def _nowhere(kind: int) -> int:
    """Return a descriptor whose other end is gone."""
    is_datagram = kind == socket.SOCK_DGRAM
    one, other = _socket.socketpair(
        socket.AF_UNIX, socket.SOCK_DGRAM if is_datagram else socket.SOCK_STREAM
    )
    other.close()
    return one.detach()


def _binding(guard: NetworkGuard) -> _Method:
    def bind(self: socket.socket, address: Any) -> None:
        guard.bind(self, address)
        if address[0] in ("127.0.0.1", "::1", "localhost"):  # as where there is no such interface
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))

    return bind


def _setting(method: _Method) -> _Method:
    def setsockopt(self: socket.socket, level: int, *rest: Any) -> None:
        if self.family not in _INTERNET:
            method(self, level, *rest)
        elif level == socket.SOL_SOCKET:
            with suppress(OSError):  # what only an Internet socket has
                method(self, level, *rest)

    return setsockopt


def _getting(method: _Method) -> _Method:
    def getsockopt(self: socket.socket, level: int, *rest: Any) -> Any:
        if self.family not in _INTERNET or level == socket.SOL_SOCKET:
            return method(self, level, *rest)
        return bytes(rest[1]) if len(rest) > 1 else 0

    return getsockopt


def _naming(method: _Method, *, is_peer: bool) -> _Method:
    def name(self: socket.socket) -> Any:
        if self.family not in _INTERNET:
            return method(self)
        if is_peer:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return _NOWHERE[self.family]

    return name
