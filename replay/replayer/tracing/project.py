"""Which files are the handler's own: below its folders, and nothing that was installed there."""

import os
from collections.abc import Sequence
from pathlib import Path

from replay.replayer.origin import is_library


class Project:
    """The files below some folders, first to last; `task_root` shows copies of a replay's own."""

    def __init__(self, folders: Sequence[str], task_root: str | None = None) -> None:
        self._roots = [(Path(os.path.realpath(it)), _installed_in(Path(it))) for it in folders]
        self._task_root = None if task_root is None else Path(os.path.realpath(task_root))

    def path_of(self, filename: str) -> str | None:
        """Return the path of a code's file, relative to its folder; None where it is no own one."""
        if filename.startswith("<") or is_library(filename):
            return None
        path = Path(os.path.realpath(filename))
        if self._task_root is not None and path.is_relative_to(self._task_root):
            return path.relative_to(self._task_root).as_posix()
        for root, installed in self._roots:
            if path.is_relative_to(root):
                below = path.relative_to(root)
                is_own = below.parts[0] not in installed and not _is_in_environment(path, root)
                return below.as_posix() if is_own else None
        return None


def _is_in_environment(path: Path, root: Path) -> bool:
    above = (it for it in path.parents if it.is_relative_to(root))
    return any((it / "pyvenv.cfg").exists() for it in above)


def _installed_in(folder: Path) -> frozenset[str]:
    """Return what `pip install --target` has put into a folder beside the handler, by name."""
    names = set[str]()
    for record in folder.glob("*.dist-info/RECORD"):
        lines = record.read_text(errors="replace").splitlines()
        names.update(line.split(",", 1)[0].split("/", 1)[0].strip('"') for line in lines)
    return frozenset(names)
