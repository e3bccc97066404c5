"""What one replay came to. A plain value."""

from dataclasses import dataclass

from replay.outcome import Outcome
from replay.replayer.coverage import Coverage
from replay.replayer.finding import Finding
from replay.replayer.network import GuardKind
from replay.replayer.outbound.contract import Sent


@dataclass(frozen=True, slots=True)
class Replay:
    """What one replay did: its outcome, its duration, remaining time at entry, its output.

    `findings` are what else the process has found out; `guard` is what kept it from the network,
    None in what is no replay. `warmed_with` is how many invocations the process had seen before,
    None where it was not to be warmed. `coverage` is what it ran of the project, None where that
    was not measured, or its process ended without a word.
    """

    outcome: Outcome
    duration_us: int
    remaining_ms: int | None
    output: str
    findings: tuple[Finding, ...] = ()
    guard: GuardKind | None = None
    warmed_with: int | None = None
    coverage: Coverage | None = None

    @property
    def sent(self) -> tuple[Sent, ...]:
        """The outbound calls that it made, in their order."""
        return tuple(Sent.of_facts(it.facts) for it in self.findings if it.kind == "called")

    @property
    def made(self) -> tuple[str, ...]:
        """The files that it made in the temporary folders."""
        return tuple(it.facts["path"] for it in self.findings if it.kind == "made")

    @property
    def wrote(self) -> tuple[str, ...]:
        """The files that it wrote outside of the temporary folders, each once."""
        return tuple(dict.fromkeys(it.facts["path"] for it in self.findings if it.kind == "wrote"))
