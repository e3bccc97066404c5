"""How recordings are replayed: the cases that are made of them. A plain value, which may travel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from replay.recording import Recording
from replay.replayer.case import Break, Case, Clock, Looks, Misses
from replay.replayer.change import changed
from replay.replayer.network import Network
from replay.replayer.outbound.rules import Rules
from replay.replayer.rule import Rule
from replay.testing.case_file import CaseFile
from replay.testing.player import Project, root_of


@dataclass(frozen=True, slots=True)
class Plan:
    """How each recording is replayed; what is None, the recording says."""

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

    def case(
        self, found: Recording | CaseFile, *, earlier: Iterable[Recording] | None = None
    ) -> Case:
        """Return the case of a recording; raises ReplayError where it cannot be changed as asked.

        `earlier` are the invocations to replay before it, None for a cold one.
        """
        manner = {**self._manner(), "earlier": earlier}
        if isinstance(found, CaseFile):
            case = self._of_file(found, manner)
        else:
            case = self._of_recording(found, manner)
        return changed(case, self.changes) if self.changes else case

    def _of_recording(self, recording: Recording, manner: dict[str, Any]) -> Case:
        return Case(
            recording,
            self.handler or recording.invocation.handler,
            self.folders,
            is_named=self.handler is not None,
            rules=Rules.of(recording.invocation.function_name, self.outbound_rules),
            excuses=self.excuses,
            **manner,
        )

    def _of_file(self, file: CaseFile, manner: dict[str, Any]) -> Case:
        """Return a case that is a file, by the rules of the project it lies in."""
        case = Project(root_of(file.path.absolute().parent)).case(file)
        return replace(
            case,
            handler=self.handler or case.handler,
            is_named=self.handler is not None or case.is_named,
            folders=tuple(dict.fromkeys((*self.folders, *case.folders))),
            **manner,
        )

    def _manner(self) -> dict[str, Any]:
        """Return the fields of a case that are the plan's, whatever it is made of."""
        return {
            "clock": self.clock,
            "timeout_s": self.timeout_s,
            "looks": self.looks,
            "breaks_at": self.breaks_at,
            "network": self.network,
            "misses": self.misses,
            "measures": self.measures,
        }
