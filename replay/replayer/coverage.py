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
        return cls(_files_of(facts["files"]), _files_of(facts["at_import"]))


def _files_of(files: Iterable[Iterable[Any]]) -> tuple[FileCoverage, ...]:
    return tuple(
        FileCoverage(path, tuple(lines), tuple((line, to) for line, to in branches))
        for path, lines, branches in files
    )
