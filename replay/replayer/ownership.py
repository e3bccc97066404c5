"""Whether a recorded handler is the project's own: a recording runs nobody else's code.

Whoever sends a recording or a case names a function, and its event is what that is called with:
`shutil.rmtree` would do what it says. So a handler is looked for in the project, as Python would
find it, without importing it. Invariant: nothing is run; what the user has named is let through.
"""

import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from replay.errors import ReplayError
from replay.replayer.case import Case
from replay.replayer.origin import PYTHONS, is_installed

_ROOT_MARKS = ("pyproject.toml", ".git")


def refuse_foreign_handler(case: Case) -> None:
    """Raise ReplayError where a handler that nobody has named is none of the project's."""
    if case.is_named:
        return
    why = _why_foreign(case.handler, case.folders)
    if why is not None:
        raise ReplayError(
            f"recording {case.recording.id}: handler {case.handler} is not the project's own:"
            f" {why}",
            f"if it is what you want to run: --handler {case.handler}; --path FOLDER names a folder"
            " of the project",
        )


def look_again() -> None:
    """Take nothing for known of what lies where: a process may outlive a change of the project."""
    _why_foreign.cache_clear()


@cache
def _why_foreign(handler: str, folders: tuple[Path, ...]) -> str | None:
    """Return where else a handler is; None where it is the project's, or nowhere."""
    names = handler.rpartition(".")[0].replace("/", ".").split(".")
    if names == [""]:
        return None  # the engine says what is wrong with it
    if not all(name.isidentifier() for name in names):
        return "that is no path of a module below it"
    for folder in folders:
        file = _file_below(folder, names)
        if file is not None:
            return None if _is_below(file, folders) else f"{file} is {os.path.realpath(file)}"
    return _why_found_elsewhere(names[0], folders)


def _file_below(folder: Path, names: list[str]) -> Path | None:
    """Return the file of a module, or of the package that is to have it; None: not in here.

    A folder without `__init__.py` counts for nothing: Python prefers whatever else has its name.
    """
    found, place = None, folder
    for name in names:
        place = place / name
        inside, beside = place / "__init__.py", place.with_name(f"{name}.py")
        found = inside if inside.is_file() else beside if beside.is_file() else found
        if found is None or found == beside:
            break
    return found


def _why_found_elsewhere(name: str, folders: tuple[Path, ...]) -> str | None:
    """Return why a module that Python finds elsewhere is none of the project's."""
    if name in sys.builtin_module_names:
        return None  # as on Lambda, which has an error of its own for it
    if name in sys.stdlib_module_names:
        return "it is part of Python"
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    # What has no file is a folder of the project, or nothing that can be imported.
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    is_ours = any((folder / "src" / name).exists() for folder in _roots(folders))
    return None if is_ours or _is_below(Path(spec.origin), folders) else f"it is {spec.origin}"


def _is_below(file: Path, folders: tuple[Path, ...]) -> bool:
    """Whether a file lies in the project, links resolved, and is nothing installed there."""
    path = Path(os.path.realpath(file))
    for folder in (*_roots(folders), *_named_by_the_environment()):
        root = Path(os.path.realpath(folder))
        if path.is_relative_to(root) and not is_installed(path.relative_to(root).as_posix()):
            return not path.is_relative_to(PYTHONS) or root.is_relative_to(PYTHONS)
    return False


def _roots(folders: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the folders of a project, and the projects that they lie in."""
    for folder in folders:
        yield folder
        for candidate in (folder, *folder.parents):
            if any((candidate / mark).exists() for mark in _ROOT_MARKS):
                yield candidate
                break


def _named_by_the_environment() -> Iterator[Path]:
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return (Path(place).absolute() for place in places if place)
