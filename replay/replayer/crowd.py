"""Replays that run at once in this process, and those that must be alone.

They share the system's temporary folders. Where one has made a file there, another may have found
it: what differs then is judged again while no other runs. Until a file is made nobody waits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from replay.replayer.replay import Replay
from replay.replayer.workspace import take_away


class Crowd:
    """Lets many in at once, or one alone."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._inside = 0
        self._waiting = 0
        self._is_one_alone = False
        self._made: set[str] = set()

    @property
    def makes_files(self) -> bool:
        """Whether any of them has made a file so far."""
        return bool(self._made)

    def see(self, replay: Replay | None) -> None:
        """Take note of the files that a replay has made."""
        self._made.update(() if replay is None else replay.made)

    def begin_anew(self) -> None:
        """Forget what was made, and remove what was made again while it was taken away."""
        take_away(self._made)
        self._made.clear()

    @contextmanager
    def among_others(self) -> Iterator[None]:
        """Run the block beside others; it waits for nobody but who is alone, or is to be."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._is_one_alone or self._waiting))
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone_if_need_be(self) -> Iterator[bool]:
        """Run the block alone once files were made, else beside others; yield whether alone."""
        if not self.makes_files:
            with self.among_others():
                yield False
            return
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: not (self._is_one_alone or self._inside))
                self._is_one_alone = True
            finally:
                self._waiting -= 1
        try:
            yield True
        finally:
            with self._changed:
                self._is_one_alone = False
                self._changed.notify_all()


crowd = Crowd()
