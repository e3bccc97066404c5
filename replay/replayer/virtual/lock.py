"""Locks whose waiters leave the turn to others: in the places of `Lock` and `RLock`.

Each holds a real lock, which alone says whether it is taken; the waiting is the timeline's.
"""

from typing import Any, ClassVar, NoReturn

from replay.replayer.virtual import real
from replay.replayer.virtual.strand import Waiters
from replay.replayer.virtual.timeline import Timeline


class Lock:
    """`threading.Lock`; `real_lock` is one that is in use already."""

    timeline: ClassVar[Timeline]
    __slots__ = ("__weakref__", "_real", "_waiters")

    def __init__(self, real_lock: Any = None) -> None:
        self._real = self._make() if real_lock is None else real_lock
        self._waiters = Waiters()

    def _make(self) -> Any:
        return real.allocate_lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; return whether it was taken, and in time."""
        if not blocking or timeout != -1:
            real.allocate_lock().acquire(blocking, timeout)  # raises for what no lock takes
        if self._real.acquire(False):
            return True
        if not blocking:
            self.timeline.poll()
            return False
        return self._wait(self.timeline.until_ns(None if timeout == -1 else timeout))

    def _wait(self, until_ns: int | None) -> bool:
        try:
            while self.timeline.wait(self._waiters, until_ns, unless=self._is_free):
                if self._real.acquire(False):
                    return True
        except BaseException:  # who was woken, and will not take it, wakes the next
            self.timeline.wake(self._waiters)
            raise
        return bool(self._real.acquire(False))

    def _is_free(self) -> bool:
        is_free = bool(self._real.acquire(False))
        if is_free:
            self._real.release()
        return is_free

    def release(self) -> None:
        """Give the lock back, and let the next one go on that waits for it."""
        self._real.release()
        self.timeline.wake(self._waiters)

    def locked(self) -> bool:
        """Return whether it is taken."""
        return bool(self._real.locked())

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return repr(self._real)

    def __reduce__(self) -> NoReturn:
        msg = f"cannot pickle '{type(self._real).__module__}.{type(self._real).__name__}' object"
        raise TypeError(msg)

    def _at_fork_reinit(self) -> None:
        self._real._at_fork_reinit()
        self._waiters.clear()

    acquire_lock, release_lock, locked_lock = acquire, release, locked


class RLock(Lock):
    """`threading.RLock`, with what a `Condition` asks of it."""

    __slots__ = ()

    def _make(self) -> Any:
        return real.RLock()

    def release(self) -> None:
        """Give it back once; the next one goes on when it is given back as often as taken."""
        self._real.release()
        if not self._real._is_owned():
            self.timeline.wake(self._waiters)

    def _is_owned(self) -> bool:
        return bool(self._real._is_owned())

    def _release_save(self) -> Any:
        state = self._real._release_save()
        self.timeline.wake(self._waiters)
        return state

    def _acquire_restore(self, state: Any) -> None:
        self.acquire()
        self._real.release()
        self._real._acquire_restore(state)

    def _recursion_count(self) -> int:
        return int(self._real._recursion_count())


for _kind, _name in ((Lock, "lock"), (RLock, "RLock")):
    _kind.__module__, _kind.__qualname__, _kind.__name__ = "_thread", _name, _name
