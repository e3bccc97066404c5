"""What a handler may not do in the process of a test: heard by an audit hook, and refused.

The network is refused as in every replay. Files that are written, threads and processes are none of
a test's: a case that makes some is judged in a guarded process. Only the thread that replays is
heard, and those that it might have started; the test's own are left alone.
"""

import _thread
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Any

from replay.replayer.file_guard import Check
from replay.replayer.finding import FindingKind, FindingSink
from replay.replayer.network import CLOSED
from replay.replayer.network_guard import NetworkGuard

_UNSUITED = frozenset(
    f"os.{name}"
    for name in (
        *("exec", "fork", "forkpty", "posix_spawn", "spawn", "startfile", "system"),
        *("chmod", "chown", "link", "mkdir", "remove", "rename", "rmdir", "symlink", "truncate"),
        "utime",
    )
) | {"_thread.start_new_thread", "_thread.start_joinable_thread", "subprocess.Popen"}
_THREAD_STARTS = (
    (_thread, "start_new_thread"),
    (threading, "_start_new_thread"),
    (threading, "_start_joinable_thread"),
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_COMPILED = "__pycache__"


class NotHereError(Exception):
    """The case cannot be replayed in this process; the message says why."""


class Guard:
    """This process's; `deed` is what a handler did that it may not do here, None for nothing."""

    def __init__(self) -> None:
        self.deed: str | None = None
        self._checks: Mapping[str, Check] | None = None
        self._by_project: dict[Path, Mapping[str, Check]] = {}
        self._findings: FindingSink | None = None
        self._others: frozenset[int | None] = frozenset()
        sys.addaudithook(self._hear)

    @contextmanager
    def guarding(self, project: Path, findings: FindingSink) -> Iterator[None]:
        """Refuse within; what was refused of the network goes to `findings`."""
        self.deed = None
        self._others = frozenset(thread.ident for thread in threading.enumerate()) - {get_ident()}
        self._findings = findings
        self._checks = self._checks_of(project)
        starts = {name: getattr(*name) for name in _THREAD_STARTS if hasattr(*name)}
        for (owner, name), start in starts.items():
            setattr(owner, name, self._refusing(start))
        try:
            yield
        finally:
            self._checks = None
            for (owner, name), start in starts.items():
                setattr(owner, name, start)

    def _refusing(self, start: Callable[..., Any]) -> Callable[..., Any]:
        """Return what starts threads for the test alone: below Python 3.12 no event tells of it."""

        def refuse(*args: Any, **kwargs: Any) -> Any:
            self._hear("_thread.start_new_thread", ())
            return start(*args, **kwargs)

        return refuse

    def is_of_others(self) -> bool:
        """Whether this thread is none of the handler's."""
        return self._checks is None or get_ident() in self._others

    def add(self, kind: FindingKind, **facts: object) -> None:
        """Take what the network's guard finds."""
        if self._findings is not None:
            self._findings.add(kind, **facts)

    def _checks_of(self, project: Path) -> Mapping[str, Check]:
        if project not in self._by_project:
            network = NetworkGuard(CLOSED, self, own=(), project=project, variables=os.environ)
            self._by_project[project] = network.checks()
        return self._by_project[project]

    def _hear(self, event: str, args: tuple[object, ...]) -> None:
        checks = self._checks
        if checks is None or get_ident() in self._others:
            return
        if (event in _UNSUITED or (event == "open" and _writes(args))) and not _compiles(args):
            self.deed = event
            raise NotHereError(event)
        check = checks.get(event)
        if check is not None:
            check(args)


def _writes(args: tuple[object, ...]) -> bool:
    """Whether a file is opened for writing."""
    path, _, flags = args
    is_written = isinstance(flags, int) and bool(flags & _WRITES) and not isinstance(path, int)
    return is_written and path != os.devnull


def _compiles(args: tuple[object, ...]) -> bool:
    """Whether it is Python that keeps what it has compiled, beside modules."""
    return any(isinstance(it, str) and _COMPILED in it for it in args)
