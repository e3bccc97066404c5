"""Waiting for descriptors: `select`, `poll`, `epoll`, and reads from pipes.

What another thread of the program writes, or a child process, is found by looking; where nothing of
both can come any more, the time-out is over at once.
"""

import _socket
import os
import select
import stat
from collections.abc import Callable
from typing import Any, ClassVar, Self

from replay.replayer.virtual import real
from replay.replayer.virtual.agenda import span_ns
from replay.replayer.virtual.strand import Waiters
from replay.replayer.virtual.timeline import Timeline


class Descriptors:
    """In the places of `select.select` and of `os.read`."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def select(
        self, rlist: Any, wlist: Any, xlist: Any, timeout: float | None = None, /
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """Wait until some of the descriptors are ready, at most for `timeout` seconds."""
        lists = real.select(rlist, wlist, xlist, 0)
        if any(lists):
            return lists
        within_ns = None if timeout is None else span_ns(_seconds(timeout))
        watched = [list(descriptors) for descriptors in (rlist, wlist, xlist)]
        found = until_found(
            self._timeline,
            lambda: _if_any(real.select(watched[0], watched[1], watched[2], 0)),
            within_ns,
            is_outside=any(leads_outside(one) for several in watched for one in several),
        )
        return found or ([], [], [])

    def read(self, descriptor: int, length: int, /) -> bytes:
        """Read from a descriptor, once there is something to be read."""
        if not self._timeline.is_alone and os.get_blocking(descriptor):
            poller = real.poll()
            poller.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)
            until_found(self._timeline, lambda: poller.poll(0), None)
        return real.read(descriptor, length)


class Poller:
    """A polling object, of whose waits the timeline takes care."""

    timeline: ClassVar[Timeline]
    _unit_ns: ClassVar[int]

    def __init__(self, polling: Any) -> None:
        self._polling = polling
        self._outside: set[int] = set()

    def register(self, descriptor: Any, *mask: int, **named: int) -> None:
        """Watch a descriptor."""
        self._polling.register(descriptor, *mask, **named)
        if leads_outside(descriptor):
            self._outside.add(_number(descriptor))

    def unregister(self, descriptor: Any) -> None:
        """Watch it no more."""
        self._outside.discard(_number(descriptor))
        self._polling.unregister(descriptor)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._polling, name)

    def __enter__(self) -> Self:
        self._polling.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._polling.close()

    def poll(self, timeout: float | None = None, *rest: Any, **named: Any) -> Any:
        """Wait until some of the descriptors are ready, at most for `timeout`."""
        timeout = named.pop("timeout", timeout)
        is_for_ever = timeout is None or timeout < 0
        span = None if is_for_ever or timeout is None else span_ns(timeout * self._unit_ns / 1e9)
        look = lambda: self._polling.poll(0, *rest, **named)  # noqa: E731
        return until_found(self.timeline, look, span, is_outside=bool(self._outside)) or []


class Poll(Poller):
    """`select.poll`: times out in milliseconds."""

    _unit_ns = 1_000_000

    def __init__(self) -> None:
        super().__init__(real.poll())


class Epoll(Poller):
    """`select.epoll`: times out in seconds."""

    _unit_ns = 1_000_000_000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(real.epoll(*args, **kwargs))  # type: ignore[misc]

    @classmethod
    def fromfd(cls, descriptor: int, /) -> Self:
        """Return the object of a descriptor that there is."""
        made = cls.__new__(cls)
        Poller.__init__(made, real.epoll.fromfd(descriptor))  # type: ignore[union-attr]
        return made


def until_found(
    timeline: Timeline, look: Callable[[], Any], within_ns: int | None, *, is_outside: bool = False
) -> Any:
    """Return what `look` returns once it is true, or None after a time; raises what it raises."""
    found = look()
    if found:
        return found
    if within_ns == 0:
        timeline.poll()
        return None
    until_ns = None if within_ns is None else timeline.now_ns + within_ns
    seen: list[Any] = []

    def is_there() -> bool:
        try:
            seen[:] = [look()]
        except (OSError, ValueError):  # a descriptor was closed: the caller is to hear of it
            seen[:] = [None]
            return True
        return bool(seen[0])

    if timeline.wait(Waiters(), until_ns, unless=is_there, is_polled=True, is_outside=is_outside):
        return seen[0] or look()
    timeline.read_ns()  # whoever compares is to find the time-out exceeded
    return None


def _if_any(lists: Any) -> Any:
    return lists if any(lists) else None


def leads_outside(descriptor: Any) -> bool:
    """Whether a descriptor is a connection to another process, not one of a pair in this one."""
    try:
        number = _number(descriptor)
        if not stat.S_ISSOCK(real.fstat(number).st_mode):
            return False
        is_blocking = os.get_blocking(number)
        connection = _socket.socket(fileno=number)
    except (AttributeError, OSError, TypeError, ValueError):
        return False
    try:
        return connection.family != _socket.AF_UNIX or bool(connection.getpeername())
    except OSError:
        return False
    finally:
        connection.detach()
        os.set_blocking(number, is_blocking)  # which a default time-out of sockets changes


def _seconds(timeout: Any) -> float:
    if not isinstance(timeout, int | float):
        raise TypeError("timeout must be a float or None")
    if timeout < 0:
        raise ValueError("timeout must be non-negative")
    return timeout


def _number(descriptor: Any) -> int:
    return descriptor if isinstance(descriptor, int) else int(descriptor.fileno())
