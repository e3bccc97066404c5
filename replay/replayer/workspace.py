"""Where a handler finds itself: its working directory and its home.

A replay gets a temporary folder (folder.py) that shows the project's files, as Lambda's task root
does; an invocation of its own runs in the project. The folder is named by the recording, so that a
handler which returns an absolute path returns it again.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from replay.replayer.case import Case
from replay.replayer.folder import remove, taken
from replay.replayer.world import World

_COPIED_BYTES = 1 << 20
_ULID = re.compile(r"[0-9a-z]{26}")


@dataclass(frozen=True, slots=True)
class Workspace:
    """`project` holds the handler; `task_root` is the working directory."""

    project: Path
    task_root: Path
    home: Path


@contextmanager
def temporary(case: Case, world: World, *, is_shared: bool) -> Iterator[Workspace]:
    """Yield a folder of its own for a replay, taken away afterwards.

    A first replay's has the plain name; further looks, which run at the same time, and sandboxes of
    several cases have names of their own.
    """
    project = _project_of(case)
    with taken(_name(case, world, is_shared=is_shared)) as folder:
        task_root, home = folder / "task", folder / "home"
        task_root.mkdir()
        home.mkdir()
        _show(project, task_root)
        yield Workspace(project, task_root, home)


@contextmanager
def in_place(case: Case) -> Iterator[Workspace]:
    """Yield the project itself, for an invocation that is no replay."""
    project = _project_of(case)
    yield Workspace(project, project, Path.home())


def _name(case: Case, world: World, *, is_shared: bool) -> str:
    id = case.recording.id
    name = id if _ULID.fullmatch(id) else _digest(id)
    if is_shared:
        return f"{name}-shared"
    return name if world == World.of(case) else f"{name}-{_digest(repr(world))}"


def _digest(text: str) -> str:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=4).hexdigest()


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
        with suppress(FileNotFoundError):  # what others work with beside it comes and goes
            _show_entry(entry, task_root / entry.name)


def _show_entry(entry: Path, shown: Path) -> None:
    if entry.is_file() and entry.stat().st_size <= _COPIED_BYTES:
        shutil.copy2(entry, shown)
    else:
        shown.symlink_to(entry.absolute())


def temporary_folders() -> list[str]:
    """Return the system's folders where a handler may write; on Lambda there is /tmp alone."""
    return list(dict.fromkeys(os.path.realpath(it) for it in ("/tmp", tempfile.gettempdir())))  # noqa: S108


def take_away(made: Iterable[str]) -> None:
    """Remove what a handler has made in the temporary folders, and what lies below; no link's end.

    `made` are real paths of what was not there before.
    """
    inside = tuple(os.path.join(folder, "") for folder in temporary_folders())  # noqa: PTH118
    for path in map(Path, made):
        with suppress(OSError):
            is_ours = path.lstat().st_uid == os.geteuid()
            if is_ours and os.path.realpath(path.parent / "x").startswith(inside):
                remove(path)
