"""Which lines of a project were edited since a git revision: `git diff`, read.

Starts git, and reads the files. The lines are those of the files as they are now, committed or not;
what git does not know yet is edited as a whole.
"""

import re
import subprocess
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import CodeType
from typing import TypeAlias

from replay.errors import ReplayError
from replay.replayer.coverage import FileCoverage
from replay.replayer.tracing.project import Project
from replay.testing.feature import Feature
from replay.testing.minimize import Measured

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_DIFF = (
    *("diff", "--unified=0", "--relative", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)
_VERIFY = ("rev-parse", "--verify", "--quiet", "--end-of-options")
_NEW = ("ls-files", "--others", "--exclude-standard", "-z", "--", "*.py")


@dataclass(frozen=True, slots=True)
class Edited:
    """The edited lines that hold code, of each file by the path that coverage gives it.

    `unreadable` are edited files that are no Python which this version can read.
    """

    lines: Mapping[str, frozenset[int]]
    unreadable: tuple[str, ...] = ()

    def narrowed(self, cases: Iterable[Measured], run: "LinesRun") -> Iterator[Measured]:
        """Yield the cases with nothing to be kept for but the edited lines, and their branches.

        Edited lines that imports alone run are each case's: it would not run without them.
        """
        imported = frozenset(
            Feature("line", path, line) for path, lines in run.at_import.items() for line in lines
        )
        of_all = dict[frozenset[Feature], frozenset[Feature]]()
        for case in cases:
            if case.features not in of_all:
                of_all[case.features] = imported.union(filter(self._is_edited, case.features))
            yield Measured(case.id, case.size_bytes, of_all[case.features])

    def run_by(self, cases: Iterable[Measured], imported: Iterable[FileCoverage]) -> "LinesRun":
        """Return which of the lines the cases run, the imports alone, and nobody."""
        ran, at_import = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
        for features in {case.features for case in cases}:
            for feature in features:
                if feature.kind == "line":
                    ran[feature.name].add(feature.line)
        for file in imported:
            at_import[file.path].update(file.lines)
        of = {path: (lines, ran[path], at_import[path]) for path, lines in self.lines.items()}
        return LinesRun(
            {path: lines & mine for path, (lines, mine, _) in of.items()},
            {path: (lines & theirs) - mine for path, (lines, mine, theirs) in of.items()},
            {path: lines - mine - theirs for path, (lines, mine, theirs) in of.items()},
        )

    def _is_edited(self, feature: Feature) -> bool:
        lines = self.lines.get(feature.name, frozenset())
        match feature.kind:
            case "line":
                return feature.line in lines
            case "branch":
                return feature.line in lines or feature.to in lines
        return feature.kind == "unmeasured"


@dataclass(frozen=True, slots=True)
class LinesRun:
    """Edited lines by file: run by a case, by imports and so before every case, by none."""

    by_cases: Mapping[str, frozenset[int]]
    at_import: Mapping[str, frozenset[int]]
    by_none: Mapping[str, frozenset[int]]


def edited_since(revision: str, folders: Sequence[Path]) -> Edited:
    """Return what was edited below `folders` since a revision, as git names it.

    Raises ReplayError where git is not there, a folder is in no repository, or there is no such
    revision in it.
    """
    lines, unreadable = dict[str, frozenset[int]](), list[str]()
    project = Project([str(folder) for folder in folders])
    for file, numbers in _edited_below(folders, revision):
        path = project.path_of(str(file))
        if path is None:
            continue
        code = _lines_with_code(file)
        if code is None:
            unreadable.append(path)
        elif found := (code if numbers is None else numbers & code):
            lines[path] = found
    return Edited(lines, tuple(dict.fromkeys(unreadable)))


_Numbers: TypeAlias = frozenset[int] | None


def _edited_below(folders: Iterable[Path], revision: str) -> list[tuple[Path, _Numbers]]:
    """Return the edited files; a folder outside of git is left out where another is inside."""
    found, refused = list[tuple[Path, _Numbers]](), list[ReplayError]()
    has_answered = False
    for folder in folders:
        try:
            found += [(folder / path, numbers) for path, numbers in _edited_in(folder, revision)]
            has_answered = True
        except ReplayError as error:
            refused.append(error)
    if refused and not has_answered:
        raise refused[0]
    return found


def _edited_in(folder: Path, revision: str) -> Iterator[tuple[str, _Numbers]]:
    """Yield paths of Python files with the numbers of edited lines, None for all."""
    _git(folder, revision, *_VERIFY, f"{revision}^{{commit}}")
    yield from _hunks(_git(folder, revision, *_DIFF, revision, "--", "*.py"))
    new = _git(folder, revision, *_NEW)
    yield from ((path, None) for path in new.split("\0") if path)


def _hunks(diff: str) -> Iterator[tuple[str, frozenset[int]]]:
    """Yield the files of a diff without context, with the numbers of their new lines."""
    numbers = defaultdict[str, set[int]](set)
    path, lines = "", iter(diff.split("\n"))
    for line in lines:
        if line.startswith("+++ "):
            path = line.removeprefix("+++ ").removeprefix("b/").rstrip("\t")
        elif hunk := _HUNK.match(line):
            removed, first, added = int(hunk[1] or 1), int(hunk[2]), int(hunk[3] or 1)
            numbers[path].update(range(first, first + added))
            # What follows is the files' own, and may look like a header.
            deque(islice(lines, removed + added), maxlen=0)
    yield from ((path, frozenset(edited)) for path, edited in numbers.items() if edited)


def _git(folder: Path, revision: str, *arguments: str) -> str:
    command = ["git", "-c", "core.quotePath=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise ReplayError(
            "--changed-since needs git, which is not installed", "install git, or leave it out"
        ) from None
    if done.returncode == 0:
        return done.stdout.decode(errors="surrogateescape")
    raise _refused(folder, revision, done.stderr.decode(errors="replace").strip())


def _refused(folder: Path, revision: str, why: str) -> ReplayError:
    if "not a git repository" in why:
        return ReplayError(
            f"--changed-since {revision}: {folder} is in no git repository",
            "run it in the project's repository, or name the project with --path",
        )
    if not why:
        return ReplayError(
            f"--changed-since {revision}: the repository of {folder} has no such revision",
            "git log --oneline shows what there is; git fetch brings what a remote has",
        )
    return ReplayError(f"--changed-since {revision}: git failed in {folder}: {why}")


def _lines_with_code(file: Path) -> frozenset[int] | None:
    """Return the lines that can be run; None where the file is no Python of this version."""
    try:
        return frozenset(_lines_of(compile(file.read_bytes(), str(file), "exec")))
    except (OSError, SyntaxError, ValueError):
        return None


def _lines_of(code: CodeType) -> Iterator[int]:
    yield from (line for _, _, line in code.co_lines() if line)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _lines_of(constant)
