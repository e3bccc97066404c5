"""How `replay run` replays what was selected: the cases it makes of recordings, and their pool."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from replay.cli.arguments import Found
from replay.cli.command import folders_of, say_error
from replay.cli.earlier import Earlier
from replay.errors import DamagedError, ReplayError
from replay.recording import Recording
from replay.replayer.case import Break, Case, Clock, Looks, Misses
from replay.replayer.change import changed
from replay.replayer.network import CLOSED, Network
from replay.replayer.outbound.rules import Rules
from replay.replayer.pool import Isolation, Pool, Runtime, default_isolation, engine_of
from replay.replayer.rule import Rule, rule_of
from replay.settings import Settings
from replay.testing.case_file import CaseFile
from replay.testing.player import Project, root_of


@dataclass(slots=True)
class Plan:
    """How the selected recordings are replayed; counts those that cannot be read or changed.

    `earlier` finds what is replayed before each of them, None for nothing.
    """

    handler: str | None
    folders: tuple[Path, ...]
    clock: Clock
    timeout_s: float | None
    looks: Looks
    changes: tuple[tuple[str, object], ...]
    breaks_at: Break | None
    network: Network
    misses: Misses = "error"
    outbound_rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    excuses: tuple[Rule, ...] = ()
    measures: bool = False
    earlier: Earlier | None = field(default=None, init=False)
    unreadable: int = field(default=0, init=False)

    def cases(self, found: Iterator[Found]) -> Iterator[Case]:
        """Yield the cases of what can be read, and say what cannot."""
        for recording in found:
            try:
                yield self._case(recording)
            except ReplayError as error:
                say_error(error)
                self.unreadable += 1

    def _case(self, found: Found) -> Case:
        if isinstance(found, DamagedError):
            raise found
        case = self._of_file(found) if isinstance(found, CaseFile) else self._of_recording(found)
        return changed(case, self.changes) if self.changes else case

    def _of_recording(self, recording: Recording) -> Case:
        return Case(
            recording,
            self.handler or recording.invocation.handler,
            self.folders,
            is_named=self.handler is not None,
            rules=Rules.of(recording.invocation.function_name, self.outbound_rules),
            excuses=self.excuses,
            **self._manner(recording),
        )

    def _of_file(self, file: CaseFile) -> Case:
        """Return a case that is a file, by the rules of the project it lies in."""
        case = Project(root_of(file.path.absolute().parent)).case(file)
        return replace(
            case,
            handler=self.handler or case.handler,
            is_named=self.handler is not None or case.is_named,
            folders=tuple(dict.fromkeys((*self.folders, *case.folders))),
            **self._manner(case.recording),
        )

    def _manner(self, recording: Recording) -> dict[str, Any]:
        """Return the fields of a case that are the plan's, whatever it is made of."""
        return {
            "clock": self.clock,
            "timeout_s": self.timeout_s,
            "looks": self.looks,
            "breaks_at": self.breaks_at,
            "earlier": self.earlier.of(recording) if self.earlier else None,
            "network": self.network,
            "misses": self.misses,
            "measures": self.measures,
        }


def plain_plan(
    settings: Settings, *, handler: str | None, path: list[Path] | None, measures: bool = False
) -> Plan:
    """Return how cases are replayed that may become tests: with nothing let through."""
    return Plan(
        handler=handler or settings.handler,
        folders=folders_of(path, settings),
        clock="virtual",
        timeout_s=settings.timeout,
        looks="once",
        changes=(),
        breaks_at=None,
        network=CLOSED,
        outbound_rules=settings.outbound_rules,
        excuses=tuple(map(rule_of, settings.noise)),
        measures=measures,
    )


def pool_of(
    plan: Plan, runtime: Runtime, isolation: Isolation | None, jobs: int | None, count: int
) -> Pool:
    """Return what replays `count` or more recordings; raises ReplayError for what cannot be."""
    if plan.breaks_at and runtime != "builtin":
        raise ReplayError(f"--pdb does not work with --runtime {runtime}", "leave --runtime out")
    if plan.earlier and isolation not in (None, "process"):
        raise ReplayError(
            f"--warm does not work with --isolation {isolation}",
            "leave --isolation out: each warm case has a process of its own",
        )
    if plan.earlier:
        isolation = "process"
    isolation = isolation or default_isolation(runtime, is_one=count < 2)
    engine_of(runtime, isolation)
    return Pool(runtime, isolation, 1 if plan.breaks_at else jobs or os.cpu_count() or 1)
