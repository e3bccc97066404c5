"""What a replayed handler does to files: kept from the project, told of elsewhere.

On Lambda the task root is read-only; a handler that writes below the project gets the error that it
would get there. What it makes in the temporary folders is told to the parent, which takes it away
again; what it writes anywhere else is told to the person. Native code and child processes are not
seen.
"""

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from replay.replayer.finding import FindingWriter
from replay.replayer.workspace import take_away

Check: TypeAlias = Callable[[tuple[object, ...]], None]
"""What is done about an audit event's arguments; raises to refuse."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ONE = ("chmod", "chown", "mkdir", "remove", "rmdir", "truncate", "utime")
_NO_FILES = ("/dev/", "/proc/", "/sys/")
_BESIDE_A_DATABASE = ("", "-journal", "-wal", "-shm")
_MAX_TOLD = 1_000


class FileGuard:
    """Looks at each path that is about to change.

    `own` is the replay's own folder, taken away as a whole; a project that itself holds it, as /tmp
    would, is left open. `temporary` are the folders that a handler may write to.
    """

    def __init__(
        self, project: Path, own: Path, *, temporary: Sequence[str], findings: FindingWriter
    ) -> None:
        self._own = _within(own)
        root = _within(project)
        self._project = None if self._own.startswith(root) else root
        self._temporary = tuple(_within(folder) for folder in temporary)
        self._findings = findings
        self._told: set[str] = set()
        self._made: list[str] = []

    def forget(self) -> None:
        """Tell everything anew, for the next case."""
        self._told.clear()
        self._made.clear()

    def take_away(self) -> None:
        """Remove what this case has made in the temporary folders: the next one is to find none."""
        if self._made:
            take_away(self._made)

    def checks(self) -> Mapping[str, Check]:
        """Return what to do about each audit event."""
        return {
            "open": self._open,
            "sqlite3.connect": self._connect,
            "os.rename": partial(self._change_all, slice(2)),
            "os.link": partial(self._change_all, slice(1, 2)),
            "os.symlink": partial(self._change_all, slice(1, 2)),
            **{f"os.{call}": partial(self._change_all, slice(1)) for call in _ONE},
        }

    def _open(self, args: tuple[object, ...]) -> None:
        if len(args) == 3 and isinstance(args[2], int) and args[2] & _WRITING:
            self._change(args[0])

    def _connect(self, args: tuple[object, ...]) -> None:
        for name in args[:1]:
            if isinstance(name, str | bytes):
                for suffix in _BESIDE_A_DATABASE:
                    self._change(os.fsdecode(name) + suffix, is_told=not suffix)

    def _change_all(self, which: slice, args: tuple[object, ...]) -> None:
        for name in args[which]:
            self._change(name)

    def _change(self, name: object, *, is_told: bool = True) -> None:
        if not isinstance(name, str | bytes):
            return
        # realpath and not pathlib: as fast as a hook must be.
        path = os.path.realpath(os.fsdecode(name))
        if "__pycache__" in path or path.startswith(self._own):
            return
        if self._project is not None and path.startswith(self._project):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        if path.startswith(self._temporary):
            self._tell_made(path)
        elif is_told and not path.startswith(_NO_FILES) and _can_change(path):
            self._tell("wrote", path)

    def _tell_made(self, path: str) -> None:
        if not os.path.lexists(path):
            self._made += [path] if self._tell("made", path) else []

    def _tell(self, kind: Literal["wrote", "made"], path: str) -> bool:
        if path in self._told or len(self._told) >= _MAX_TOLD:
            return False
        self._told.add(path)
        self._findings.add(kind, path=path)
        return True


def _within(folder: Path | str) -> str:
    return os.path.join(os.path.realpath(folder), "")  # noqa: PTH118 - what paths start with


def _can_change(path: str) -> bool:
    """Whether the system will let it be changed; else the handler gets the error, as on Lambda."""
    there = path if os.path.lexists(path) else os.path.dirname(path)  # noqa: PTH120 - as above
    return os.access(there, os.W_OK)
