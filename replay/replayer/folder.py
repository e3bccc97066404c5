"""Temporary folders with names that stay the same from run to run, each taken by one at a time.

They stand in a folder of the user's own. Whoever takes one holds a lock on it, which ends with its
process: a folder that a killed run has left behind is recognised by that, emptied and taken again.
One that is taken makes way for the next free name.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_USUAL = Path("/tmp")  # noqa: S108 - a name that every machine has; what is there is checked
_MOST = 1000


@contextmanager
def taken(name: str) -> Iterator[Path]:
    """Yield an empty folder of this name, or `name.1`, ... where that is taken; then remove it.

    Where the machine does not allow it, the folder has a name of its own.
    """
    found = _take(name)
    if found is None:
        with tempfile.TemporaryDirectory(prefix="replay-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
        return
    path, lock = found
    try:
        yield path
    finally:
        with suppress(OSError):
            if _is_at(path, lock) and _is_emptied(path):
                path.rmdir()  # from here on the name may be another's
        _release(lock)


def _take(name: str) -> tuple[Path, int] | None:
    """Return the folder, and a descriptor that holds its lock; None where there can be none."""
    with suppress(OSError):  # no room, a file system without locks
        base = _base()
        if base is None:
            return None
        for number in range(_MOST):
            path = base / (f"{name}.{number}" if number else name)
            lock = _lock(path)
            if lock is None:
                continue
            with ExitStack() as stack:
                stack.callback(_release, lock)
                if _is_emptied(path):
                    stack.pop_all()
                    return path, lock
    return None


def _base() -> Path | None:
    """Return the user's own folder; None where somebody else might reach into it."""
    above = _USUAL if os.access(_USUAL, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    base = above / f"replay-{os.geteuid()}"
    with suppress(FileExistsError):
        base.mkdir(mode=0o700)
    found = base.lstat()
    is_private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    return base if is_private and found.st_uid == os.geteuid() else None


def _lock(path: Path) -> int | None:
    """Return a descriptor that holds the lock of the folder, made if need be; None: it is taken."""
    while True:
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        if not stat.S_ISDIR(_mode(path)):
            return None
        try:
            path.chmod(0o700)  # the handler of a killed run may have changed it
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:  # just removed by whoever had it
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            if isinstance(error, BlockingIOError):
                return None
            raise
        if _is_at(path, lock):
            return lock
        _release(lock)


def _mode(path: Path) -> int:
    """Return the mode of what has this name, a folder's where nothing has."""
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return stat.S_IFDIR


def _is_at(path: Path, lock: int) -> bool:
    """Whether the folder of this name is still the one that was opened."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(lock))
    except FileNotFoundError:
        return False


def _release(lock: int) -> None:
    # Said, not left to closing: a process that a thread is about to start has the lock as well.
    fcntl.flock(lock, fcntl.LOCK_UN)
    os.close(lock)


def _is_emptied(path: Path) -> bool:
    """Remove what is in a folder; return whether all of it could be."""
    path.chmod(0o700)
    for left in path.iterdir():
        remove(left)
    return not any(path.iterdir())


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, as far as that can be."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():  # a handler has made a folder of it unreadable
        path.chmod(0o700)
        for parent, folders, _ in os.walk(path):
            for folder in (Path(parent, name) for name in folders):
                if not folder.is_symlink():  # the project's own
                    folder.chmod(0o700)
        shutil.rmtree(path, ignore_errors=True)
