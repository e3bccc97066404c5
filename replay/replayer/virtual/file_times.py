"""When a file was written: by the virtual clock where this process wrote it, else as it is.

The system stamps files with its own clock, which is another than the one that a program compares
them with. A file that has been written since this process began shows the virtual instant at which
it was last opened for writing; one whose opening was not seen, that of the last one that was.
"""

import os
import stat
from time import time_ns
from typing import Any

from replay.replayer.virtual import real
from replay.replayer.virtual.timeline import Timeline

_WRITING = os.O_WRONLY | os.O_RDWR
_TIMES = ("atime", "mtime", "ctime")
_NS = 1_000_000_000


class FileTimes:
    """In the places of `os.stat`, `os.lstat` and `os.fstat`; `hear` is an audit hook."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._began_ns = time_ns()
        self._last_ns = timeline.now_ns
        self._opened_ns: dict[str, int] = {}
        self._shown_ns: dict[tuple[int, int, int], int] = {}

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """Note that a file is opened for writing."""
        if event == "open" and len(args) == 3 and isinstance(args[2], int) and args[2] & _WRITING:
            self._last_ns = self._timeline.now_ns
            if isinstance(args[0], str | bytes):
                self._opened_ns[_absolute(args[0])] = self._last_ns

    def stat(self, path: Any, **options: Any) -> os.stat_result:
        """Stand in for `os.stat`."""
        return self._shown(real.stat(path, **options), path)

    def lstat(self, path: Any, **options: Any) -> os.stat_result:
        """Stand in for `os.lstat`."""
        return self._shown(real.lstat(path, **options), path)

    def fstat(self, fd: int) -> os.stat_result:
        """Stand in for `os.fstat`."""
        return self._shown(real.fstat(fd), None)

    def _shown(self, found: os.stat_result, path: Any) -> os.stat_result:
        is_seen = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
        if found.st_mtime_ns < self._began_ns or not is_seen:
            return found
        key = found.st_dev, found.st_ino, found.st_mtime_ns
        if key not in self._shown_ns:
            name = None if path is None or isinstance(path, int) else _absolute(os.fspath(path))
            self._shown_ns[key] = self._opened_ns.get(name or "", self._last_ns)
        return _at(found, self._shown_ns[key])


def _absolute(path: str | bytes) -> str:
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - on every call


def _at(found: os.stat_result, when_ns: int) -> os.stat_result:
    """Return what was found of a file, with all its times at an instant."""
    whole: Any = found.__reduce__()
    fields, more = whole[1]
    times: dict[str, float] = {f"st_{name}_ns": when_ns for name in _TIMES}
    times |= {f"st_{name}": when_ns / _NS for name in _TIMES}
    return os.stat_result((*fields[:7], *[when_ns // _NS] * 3), {**more, **times})
