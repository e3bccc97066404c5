"""The code of a project as it lies in a working directory: where, and whether it is the same.

Each machine has a checkout of its own, so folders in the working directory travel relative to it.
Invariant: two checkouts with the same Python files give the same digest, wherever they lie.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from replay.replayer.origin import is_installed

_CODE = (".py", ".so")
_PASSED_OVER = frozenset({"__pycache__", "node_modules"})
_DIGEST_BYTES = 16


def portable(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Return folders as another machine is told of them."""
    here = Path.cwd()
    return tuple(it.relative_to(here) if it.is_relative_to(here) else it for it in folders)


def at_home(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Return where folders that another machine has told of lie on this one."""
    return tuple(Path.cwd() / it for it in folders)


def digests(folders: Iterable[Path]) -> dict[str, str]:
    """Return a digest of each file of code below portable folders, by its path.

    Left out is what is hidden, installed, or another language's.
    """
    found = {}
    for folder in folders:
        home = Path.cwd() / folder
        for file in _code_below(home):
            found[str(folder / file.relative_to(home))] = _digest_of(file)
    return found


def digest_of_all(files: Mapping[str, str]) -> str:
    """Return one digest of all files."""
    return _hex("\n".join(f"{name} {digest}" for name, digest in sorted(files.items())).encode())


def differing(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """Return the files that only one side has, or that differ."""
    return sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))


def _code_below(folder: Path) -> Iterator[Path]:
    for above, folders, files in os.walk(folder):
        place = Path(above)
        folders[:] = [name for name in folders if not _is_passed_over(place / name)]
        yield from (place / name for name in files if name.endswith(_CODE))


def _is_passed_over(folder: Path) -> bool:
    name = folder.name
    if name.startswith(".") or name in _PASSED_OVER or is_installed(name):
        return True
    return (folder / "pyvenv.cfg").exists()


def _digest_of(file: Path) -> str:
    with suppress(OSError):  # a link to nothing, on both sides or on one
        return _hex(file.read_bytes())
    return ""


def _hex(content: bytes) -> str:
    return blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()
