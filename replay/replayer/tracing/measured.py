"""What has been run so far, file by file: sets that tracers add to and that a case empties."""

from collections import defaultdict
from operator import itemgetter
from types import CodeType
from typing import Any, TypeAlias

from replay.replayer.coverage import Branch
from replay.replayer.tracing.branch import Branches
from replay.replayer.tracing.project import Project

_CO_OPTIMIZED = 1
"""Functions have this flag, bodies of modules and classes do not."""
_LINES_OF_TEXTS = 3


class Ran:
    """Lines and branches that were run."""

    def __init__(self) -> None:
        self.lines: set[int] = set()
        self.branches: set[Branch] = set()

    def absorb(self, other: "Ran") -> None:
        """Take over what another has, and leave it empty."""
        self.lines |= other.lines
        self.branches |= other.branches
        other.lines.clear()
        other.branches.clear()

    def copy(self) -> tuple[frozenset[int], frozenset[Branch]]:
        """Return what is there, while other threads may add to it."""
        return frozenset(self.lines), frozenset(self.branches)


class Unit:
    """One code object and where what it runs is added."""

    def __init__(self, code: CodeType, ran: Ran) -> None:
        self.code = code
        self.lines, self.branches = ran.lines, ran.branches
        self.map = Branches(code)
        lines = frozenset(line for _, _, line in code.co_lines() if line)
        # Of a function of several lines the first one is entered, and not run.
        self._every_line = lines - {code.co_firstlineno} or lines
        self._every_branch = frozenset(
            (line, to) for line, ends in self.map.targets.items() for to in ends
        )
        self.jumps: dict[int, Jump] = {}

    def is_done(self) -> bool:
        """Whether it can run nothing in this case that it has not run."""
        return self._every_branch <= self.branches and self._every_line <= self.lines


class Jump:
    """One conditional jump of a unit; `seen` are the offsets that a case has gone to from it."""

    def __init__(self, unit: Unit, source: int) -> None:
        self._unit = unit
        self._source = source
        self._line = unit.map.line(source) or 0
        self._branches: dict[int, Branch | None] = {}
        self.counts = self._line in unit.map.targets
        self.seen: set[int] = set()

    def take(self, destination: int) -> None:
        """Add the branch that leads there, if it is one."""
        if destination not in self._branches:
            to = self._unit.map.target(self._source, destination)
            is_one = to is not None and to in self._unit.map.targets[self._line]
            self._branches[destination] = (self._line, to or 0) if is_one else None
        branch = self._branches[destination]
        if branch is not None:
            self._unit.branches.add(branch)


class MeasuredFile:
    """One file of the project."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.in_case, self.at_import = Ran(), Ran()
        self.beginning: dict[int, Unit] = {}
        self._units = defaultdict[int, list[Unit]](list)

    def ran(self, code: CodeType) -> Ran:
        """Return where what a code object runs is added."""
        return self.in_case if code.co_flags & _CO_OPTIMIZED else self.at_import

    def unit(self, code: CodeType) -> Unit:
        """Return the unit of a code object.

        Hashing one hashes all that it holds, and `id` is an audit event, which hooks hear.
        """
        alike = self._units[code.co_firstlineno]
        for unit in alike:
            if unit.code is code:
                return unit
        unit = Unit(code, self.ran(code))
        alike.append(unit)
        # Of a generator that goes on, a line is where a lambda or a comprehension of it may begin;
        # code that a dataclass makes of a text begins in its first lines.
        if not code.co_name.startswith("<") and code.co_firstlineno > _LINES_OF_TEXTS:
            self.beginning[code.co_firstlineno] = unit
        return unit

    def prepare(self) -> None:
        """Make the units of all code that is inside of what is known."""
        known = [unit.code for units in self._units.values() for unit in units]
        while known:
            inside = [it for it in known.pop().co_consts if isinstance(it, CodeType)]
            known += inside
            for code in inside:
                self.unit(code)


class Files(dict[str, MeasuredFile | None]):
    """Files by the names that code objects have for them; None for what is not the project's."""

    def __init__(self, project: Project) -> None:
        super().__init__()
        self._project = project
        self._by_path: dict[str, MeasuredFile] = {}

    def __missing__(self, filename: str) -> MeasuredFile | None:
        path = self._project.path_of(filename)
        found = None if path is None else self._by_path.setdefault(path, MeasuredFile(path))
        self[filename] = found
        return found

    def own(self, code: CodeType) -> MeasuredFile:
        """Return the file of a code object that is the project's."""
        file = self[code.co_filename]
        assert file is not None, code.co_filename
        return file

    def end_import(self) -> None:
        """Take all that was run for the import's."""
        for file in self._all():
            file.at_import.absorb(file.in_case)

    def clear_case(self) -> None:
        """Forget what the last case has run."""
        for file in self._all():
            file.in_case.lines.clear()
            file.in_case.branches.clear()

    def in_case(self) -> list["Copy"]:
        """Return what the case has run, file by file, those without a line left out."""
        run = [file for file in self._all() if file.in_case.lines]
        return sorted([(file.path, *file.in_case.copy()) for file in run], key=_path)

    def at_import(self) -> list["Copy"]:
        """Return what imports have run."""
        copies = ((file.path, *file.at_import.copy()) for file in self._all())
        return [copy for copy in copies if copy[1]]

    def count_at_import(self) -> int:
        """Return how many lines imports have run, which only ever gets more."""
        return sum([len(file.at_import.lines) for file in self._all()])

    def prepare(self) -> None:
        """Read the code of all functions that are known, so that forks need not."""
        for file in self._all():
            file.prepare()

    def _all(self) -> list[MeasuredFile]:
        return list(self._by_path.values())  # a thread may add one


_path = itemgetter(0)
Copy: TypeAlias = tuple[str, frozenset[int], frozenset[Branch]]


def plain(copy: Copy) -> list[Any]:
    """Return what was run of one file as plain data, for `Coverage.of_facts`."""
    path, lines, branches = copy
    return [path, sorted(lines), sorted(branches)]
