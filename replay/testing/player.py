"""Replays the cases of a test run: in this process where that tells the truth, else guarded.

A case that does not match here is judged again in a fresh guarded process, and that verdict counts,
so that nothing a test process holds can make a case fail.
"""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from replay.errors import ReplayError
from replay.replayer.case import Case
from replay.replayer.outbound.rules import Rules
from replay.replayer.pool import Judge, Pool, default_isolation
from replay.replayer.rule import rule_of
from replay.replayer.verdict import Verdict, settled_by
from replay.settings import command_settings
from replay.testing import handover
from replay.testing.case_file import CaseFile
from replay.testing.inside.guard import NotHereError
from replay.testing.inside.process import Inside

_REASONS = {
    "DeadlineReached": "passes its deadline",
    "open": "writes files",
    "_thread.start_new_thread": "starts threads",
    "subprocess.Popen": "starts programs",
}
"""What `NotHereError` says, in words; of others the event of Python's auditing."""
_PROJECT_FILE = "pyproject.toml"


class Player:
    """Replays cases, one after the other; `isolates` has each run in a guarded process.

    What it has started ends with `close`, or with this process.
    """

    def __init__(self, *, isolates: bool = False) -> None:
        self.isolates = isolates
        self._stack = ExitStack()
        self._projects: dict[str, Project] = {}

    def verdict(self, file: CaseFile) -> Verdict:
        """Return the verdict of a case, an error where it cannot be replayed."""
        case = self.case_of(file)
        if file.runs == "here" and not self.isolates:
            match = self.verdict_here(case)
            if match is not None:
                return match
        return self._isolated(case)

    def verdict_here(self, case: Case) -> Verdict | None:
        """Return the verdict of a case that matches in this process; None where it does not."""
        found = self.tried_here(case)
        return found if isinstance(found, Verdict) else None

    def tried_here(self, case: Case) -> Verdict | str:
        """Return the verdict of a case that matches in this process, or why there is none."""
        try:
            verdict = settled_by(case, self._inside.replay(case))
        except NotHereError as error:
            return f"it {_REASONS.get(str(error), str(error))}"
        except (ReplayError, OSError) as error:  # OSError: a folder that is not there
            return str(error)
        return verdict or "it does something else in a test's process"

    def case_of(self, file: CaseFile) -> Case:
        """Return the case that a file holds, with the rules of the project that it lies in."""
        project = self._project_of(file.path)
        return project.case(file)

    def close(self) -> None:
        """End what was started."""
        self._stack.close()

    @cached_property
    def _inside(self) -> Inside:
        inside = Inside()
        self._stack.callback(inside.close)
        return inside

    @cached_property
    def _judge(self) -> Judge:
        judge = Judge(Pool("builtin", default_isolation("builtin", is_one=False), 1))
        self._stack.callback(judge.close)
        return judge

    def _isolated(self, case: Case) -> Verdict:
        if not handover.is_measuring():
            return self._judged(case)
        verdict = self._judged(replace(case, measures=True))
        if verdict.replay is not None:
            handover.add(verdict.replay.coverage, case.folders)
        return verdict if verdict.kind == "match" else self._judged(case)

    def _judged(self, case: Case) -> Verdict:
        return next(verdict for _, verdict in self._judge.judge_all([(0, case)]))

    def _project_of(self, path: Path) -> "Project":
        folder = os.path.dirname(path)  # noqa: PTH120 - a hundred times as fast
        if folder not in self._projects:
            self._projects[folder] = Project(root_of(Path(folder).absolute()))
        return self._projects[folder]


class Project:
    """A folder with a `pyproject.toml`, and what that says of cases."""

    def __init__(self, root: Path) -> None:
        self.root = root
        settings = command_settings(os.environ, str(root))
        self._calls: Mapping[str, Mapping[str, Any]] = settings.outbound_rules
        self._rules = tuple(map(rule_of, settings.noise))
        self._path = tuple(map(Path, settings.path))
        self._handler = settings.handler

    def case(self, file: CaseFile) -> Case:
        """Return a case with the project's rules besides its own."""
        name = file.recording.invocation.function_name
        case = file.case(self.root, calls=Rules.of(name, self._calls))
        if case.handler == self._handler:
            case = replace(case, is_named=True)
        if not (self._path or self._rules):
            return case
        folders = tuple(dict.fromkeys((*self._path, *case.folders)))
        return replace(case, folders=folders, excuses=(*case.excuses, *self._rules))


def root_of(folder: Path) -> Path:
    """Return the project that a folder lies in: the nearest one with a `pyproject.toml`."""
    for candidate in (folder, *folder.parents):
        if (candidate / _PROJECT_FILE).is_file():
            return candidate
    return Path.cwd()
