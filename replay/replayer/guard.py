"""What a replayed handler cannot reach: for now, the files of the project.

On Lambda the task root is read-only; a replayed handler that writes there gets the error that it
would get. An audit hook sees Python's own calls, not those of native code or child processes.
"""

import errno
import os
import sys
from pathlib import Path

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = frozenset(
    f"os.{call}"
    for call in ("chmod", "link", "mkdir", "remove", "rename", "rmdir", "symlink", "truncate")
) | {"sqlite3.connect"}


def protect(project: Path, temporary: Path) -> None:
    """Make this process refuse, with EROFS, to write below `project`; cannot be undone.

    A project that itself holds the replay's `temporary` folder, as /tmp would, is left open.
    """
    root = os.path.join(os.path.realpath(project), "")  # noqa: PTH118 - as fast as a hook must be
    if os.path.realpath(temporary).startswith(root):
        return

    def refuse(event: str, args: tuple[object, ...]) -> None:
        for name in _written(event, args):
            path = os.path.realpath(os.fsdecode(name))
            if path.startswith(root) and "__pycache__" not in path:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    sys.addaudithook(refuse)


def _written(event: str, args: tuple[object, ...]) -> list[str | bytes]:
    """Return the paths that a call is about to change."""
    opens = event == "open" and len(args) == 3
    if opens and not (isinstance(args[2], int) and args[2] & _WRITING):
        return []
    changed = args[:1] if opens else args[:2] if event in _CHANGES else ()
    return [name for name in changed if isinstance(name, str | bytes)]
