"""Which lines and branches of a project a replay ran. Plain values.

Made in the replayed process by `tracing/`. Imports nothing but the standard library. Invariant:
equal runs give equal values, so that what runs alike can be found by comparing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Branch: TypeAlias = tuple[int, int]
"""From a line to the one that was run next in the same function, where others could have been."""
EXIT = 0
"""The end of a branch that leaves the function."""


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """Lines and branches of one file; `path` is relative to the folder it was found in."""

    path: str
    lines: tuple[int, ...]
    branches: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one case ran of the handler's own project, and what its imports ran before.

    Bodies of modules and classes are the import's, whenever they run: they run once a process,
    whichever case comes first.
    """

    files: tuple[FileCoverage, ...] = ()
    at_import: tuple[FileCoverage, ...] = ()

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> "Coverage":
        """Return the coverage that a process has written down."""
        files, at_import = (map(file_of, facts[name]) for name in ("files", "at_import"))
        return cls(_sorted(files), _sorted(at_import))


class CoverageReader:
    """Reads what the process of a sandbox says of its cases: numbers, and what each stands for."""

    def __init__(self) -> None:
        self._files: dict[int, FileCoverage] = {}
        self._known: dict[FileCoverage, FileCoverage] = {}
        self._at_import: tuple[FileCoverage, ...] = ()

    def read(self, sent: Mapping[str, Any]) -> Coverage:
        """Return the coverage of one case; in forks of one process numbers begin anew.

        Of files that were run alike it holds the same object.
        """
        for number, facts in sent["new"]:
            file = file_of(facts)
            self._files[number] = self._known.setdefault(file, file)
        if sent["at_import"] is not None:
            self._at_import = _sorted(map(file_of, sent["at_import"]))
        return Coverage(tuple([self._files[it] for it in sent["files"]]), self._at_import)


def file_of(facts: Iterable[Any]) -> FileCoverage:
    """Return the coverage of a file that a process has written down."""
    path, lines, branches = facts
    return FileCoverage(path, tuple(lines), tuple((line, to) for line, to in branches))


def _sorted(files: Iterable[FileCoverage]) -> tuple[FileCoverage, ...]:
    return tuple(sorted(files, key=lambda file: file.path))
