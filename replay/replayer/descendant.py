"""The descendants of a child process: found wherever they went, measured, and killed.

A process that a handler starts may leave the group and the session, and outlive its parents. On
Linux its orphans become children of the child process itself, which has made itself their reaper,
so that they stay in its tree. Where the child has died first, what is left is known by having been
seen in the tree, by the child's session, by a variable that the child alone was started with, or by
the home that the handler was given; nothing else is touched. Elsewhere there is the process group.
"""

import os
import signal
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import monotonic, sleep
from typing import Literal

from replay.replayer.virtual import real

MARKER = "REPLAY_PROCESS"
"""A variable of the child's first environment; its forks show it, whatever they do."""
_PROC = Path("/proc")
_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36
_LIMIT_S = 3.0
_PAUSE_S = 0.0005


def adopt_orphans() -> None:
    """Have the orphans among this process's descendants become its own children; Linux alone."""
    _set(_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have this process killed when the thread ends that started it; Linux alone.

    A replay that is killed itself would else leave a handler which never ends.
    """
    _set(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _set(option: int, value: int) -> None:
    if sys.platform == "linux":
        from ctypes import CDLL, c_ulong

        CDLL(None).prctl(option, c_ulong(value), c_ulong(0), c_ulong(0), c_ulong(0))


def children() -> list[int]:
    """Return the children of this process, those adopted as well; none where nobody can say."""
    return _children("self") if _PROC.joinpath("self").exists() else []


def end_children(besides: Collection[int]) -> None:
    """Kill and reap the children of this process but these, and all below them.

    What a killed one has started is adopted, and killed next.
    """
    deadline = monotonic() + _LIMIT_S
    while (left := set(children()) - set(besides)) and monotonic() < deadline:
        for pid in left:
            with suppress(ProcessLookupError):
                real.kill(pid, signal.SIGKILL)  # not reaped, so that its number is its own
        for pid in left:
            with suppress(ChildProcessError):  # reaped as it died: SIGCHLD is ignored
                real.waitpid(pid, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A process as /proc shows it; `pid` and `started_ticks` together are never another's."""

    pid: int
    state: str
    parent: int
    session: int
    threads: int
    started_ticks: int
    resident_bytes: int

    @property
    def lives(self) -> bool:
        """Whether anything of it can still run."""
        return self.state not in "ZX" or self.threads > 1

    @property
    def is_stopped(self) -> bool:
        """Whether it has been halted."""
        return self.state in "Tt"


class Descendants:
    """Those of the child process `root`, which is not waited for as long as this is used.

    `marker` is what `MARKER` was for it; `home` is the home of its handler, where that is the
    replay's own.
    """

    def __init__(self, root: int, marker: str) -> None:
        self.home: str | None = None
        self._root = root
        self._marker = marker
        self._began_ticks = getattr(entry_of(root), "started_ticks", 0)
        self._seen: dict[int, int] = {}

    def look(self) -> list[Entry]:
        """Return the living ones of the tree, and remember them."""
        found: dict[int, Entry] = {}
        coming = [self._root, *self._seen]
        while coming:
            entry = entry_of(coming.pop())
            if entry is None or entry.pid in found or not self._is_known(entry):
                continue
            found[entry.pid] = entry
            for pid in _children(entry.pid):
                child = entry_of(pid)
                if child is not None and child.parent == entry.pid:
                    self._seen[pid] = child.started_ticks
                    coming.append(pid)
        self._seen = {pid: found[pid].started_ticks for pid in found if pid != self._root}
        return [entry for pid, entry in found.items() if pid != self._root and entry.lives]

    def end(self) -> None:
        """Kill them, until none is left; halts `root`, so that it starts no more."""
        if not _PROC.joinpath("self").exists():
            return
        is_halted = self._halt()
        deadline = monotonic() + _LIMIT_S
        while monotonic() < deadline:
            left = self.look() if is_halted else [*self.look(), *self._strays()]
            if not left:
                return
            for entry in left:
                _kill(entry)
            sleep(_PAUSE_S)

    def _is_known(self, entry: Entry) -> bool:
        return entry.pid == self._root or self._seen.get(entry.pid) == entry.started_ticks

    def _halt(self) -> bool:
        """Halt `root`; return False where it has died."""
        with suppress(ProcessLookupError):
            os.kill(self._root, signal.SIGSTOP)
        for _ in range(100):
            root = entry_of(self._root)
            if root is None or not root.lives:
                return False
            if root.is_stopped:
                break
            sleep(_PAUSE_S)
        return True

    def _strays(self) -> Iterator[Entry]:
        """Yield those that the root's death has taken out of its tree."""
        for pid in _all_pids():
            entry = entry_of(pid)
            if entry is None or entry.started_ticks < self._began_ticks or not entry.lives:
                continue
            if pid != self._root and (entry.session == self._root or self._is_marked(pid)):
                yield entry

    def _is_marked(self, pid: int) -> bool:
        try:
            variables = _PROC.joinpath(str(pid), "environ").read_bytes().split(b"\0")
        except OSError:  # another user's
            return False
        marks = [f"{MARKER}={self._marker}", *([f"HOME={self.home}"] if self.home else [])]
        return any(os.fsencode(mark) in variables for mark in marks)


def entry_of(pid: int) -> Entry | None:
    """Return what /proc says of a process; None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - many, and often
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    # Numbered as in proc(5), where the state, here the first, is the third.
    parent, session, threads, started, pages = (int(fields[n - 3]) for n in (4, 6, 20, 22, 24))
    size = pages * _page_bytes()
    return Entry(pid, fields[0].decode(), parent, session, threads, started, size)


@cache
def _page_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE")


def _children(pid: int | Literal["self"]) -> list[int]:
    """Return the children of all threads of a process."""
    if not _lists_children():
        return _children_by_parent()[real.getpid() if pid == "self" else pid]
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - as above
            with suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", "rb") as file:  # noqa: PTH123
                found += map(int, file.read().split())
    return found


@cache
def _lists_children() -> bool:
    """Whether the kernel was built to tell a process's children."""
    return Path(f"/proc/self/task/{real.getpid()}/children").exists()


def _children_by_parent() -> defaultdict[int, list[int]]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for pid in _all_pids():
        entry = entry_of(pid)
        if entry is not None:
            children[entry.parent].append(pid)
    return children


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir(_PROC) if name.isdigit()]  # noqa: PTH208 - as above


def _kill(entry: Entry) -> None:
    """Kill exactly this process, and not one that has got its number since."""
    with suppress(ProcessLookupError, PermissionError):
        try:
            handle = os.pidfd_open(entry.pid)
        except ProcessLookupError:
            return
        except OSError:  # denied, or a kernel without it
            os.kill(entry.pid, signal.SIGKILL)
            return
        try:
            now = entry_of(entry.pid)
            if now is not None and now.started_ticks == entry.started_ticks:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)
