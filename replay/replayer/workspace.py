"""Where a handler finds itself: its working directory, its home, and where its output goes.

A replay gets a temporary folder that shows the project's files, as Lambda's task root does; an
invocation of its own runs in the project. What is written to stdout and stderr goes to a file, so
that no amount of it can block the handler.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from replay.replayer.case import Case

_COPIED_BYTES = 1 << 20
_MAX_OUTPUT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Workspace:
    """`project` holds the handler; `output` is the file that stdout and stderr go to."""

    project: Path
    task_root: Path
    home: Path
    output: BinaryIO

    def output_size(self) -> int:
        """Return how many bytes have been written so far."""
        return os.fstat(self.output.fileno()).st_size

    def text(self, start: int, end: int) -> str:
        """Return what was written between two sizes of the output, cut at 1 MiB."""
        if end <= start:
            return ""
        size = min(end - start, _MAX_OUTPUT_BYTES)
        text = os.pread(self.output.fileno(), size, start).decode(errors="replace")
        return text if size == end - start else f"{text}\n[output cut at 1 MiB]\n"


@contextmanager
def temporary(case: Case) -> Iterator[Workspace]:
    """Yield a folder of its own for a replay, taken away afterwards."""
    project = _project_of(case)
    with (
        tempfile.TemporaryDirectory(prefix="replay-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as output,
    ):
        task_root, home = Path(folder, "task"), Path(folder, "home")
        task_root.mkdir()
        home.mkdir()
        _show(project, task_root)
        yield Workspace(project, task_root, home, output)


@contextmanager
def in_place(case: Case) -> Iterator[Workspace]:
    """Yield the project itself, for an invocation that is no replay."""
    project = _project_of(case)
    with tempfile.TemporaryFile() as output:
        yield Workspace(project, project, Path.home(), output)


def _project_of(case: Case) -> Path:
    top = case.handler.split(".")[0].split("/")[0]
    for folder in case.folders:
        if (folder / f"{top}.py").exists() or (folder / top).is_dir():
            return folder
    return case.folders[-1]


def _show(project: Path, task_root: Path) -> None:
    # Small files are copies, which may be written to; what lies behind a link, guard.py keeps from
    # being written.
    for entry in project.iterdir():
        shown = task_root / entry.name
        if entry.is_file() and entry.stat().st_size <= _COPIED_BYTES:
            shutil.copy2(entry, shown)
        else:
            shown.symlink_to(entry.absolute())
