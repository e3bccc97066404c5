"""What replays a case: sandboxes, each one process of a function, made by an engine.

`builtin.py` is the default engine, `ric.py` AWS's own runtime client. What they share stands here:
what no engine can replay, and what becomes of a process that will not go on.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from time import perf_counter_ns
from typing import Any, ClassVar, Self

from replay.codec import Opaque, Truncated
from replay.errors import ReplayError
from replay.outcome import Exited, Outcome, Raised, TimedOut
from replay.replayer import workspace
from replay.replayer.case import Case
from replay.replayer.clock import entry_epoch_ms
from replay.replayer.coverage import Coverage
from replay.replayer.finding import Finding
from replay.replayer.memory import MIB, limit_bytes
from replay.replayer.network import GuardKind
from replay.replayer.ownership import refuse_foreign_handler
from replay.replayer.process import Process
from replay.replayer.refusal import refuse_outbound
from replay.replayer.replay import Replay
from replay.replayer.workspace import Workspace
from replay.replayer.world import World, environment_of

IMPORT_LIMIT_S = 60.0


class Sandbox(ABC):
    """One process in `world`: the import that `case` needs, then cases of the same import.

    They find it warm, until one of them ends it. `init_us` is how long the import took;
    `is_threaded` says that threads run since. Where it `is_shared`, the folder of the replay is not
    the one that the first case has when it is replayed alone.
    """

    module: ClassVar[str]
    """The module that the process runs."""

    def __init__(self, case: Case, world: World, *, is_shared: bool = False) -> None:
        self.init_us = 0
        self.is_threaded = False
        self._case = case
        self._world = world
        self._is_shared = is_shared
        self._guard: GuardKind | None = None
        self._found_at_import: tuple[Finding, ...] = ()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack:
            self._workspace = self._stack.enter_context(self._place())
            self._process = Process.started(
                self.module,
                hash_seed=self._world.hash_seed if self._world.is_replay else None,
                on_terminal=self._case.breaks_at is not None,
            )
            self._stack.callback(self._process.close)
            self._process.memory_limit_bytes = limit_bytes(self._case)
            if self._world.is_replay:
                self._process.descendants.home = str(self._workspace.home)
            self._stack.callback(self._take_away)
            began_ns = perf_counter_ns()
            self._import()
            self._found_at_import = self._process.findings.read()
            self.init_us = (perf_counter_ns() - began_ns) // 1000
            self._process.peak_memory_bytes()  # a handler may end it before anybody asks again
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def is_alive(self) -> bool:
        """Whether it can take another case."""
        return not self._process.has_ended

    @property
    def peak_memory_bytes(self) -> int | None:
        """The most memory that the process has had in use; None where the system does not say."""
        return self._process.peak_memory_bytes()

    @classmethod
    def refuse(cls, case: Case) -> None:
        """Raise ReplayError for a recording that lacks what a replay needs."""
        _refuse_what_cannot_be_replayed(case)
        refuse_foreign_handler(case)

    @abstractmethod
    def _import(self) -> None:
        """Have the handler imported; raises ReplayError where it cannot be had."""

    @abstractmethod
    def replay(self, case: Case, world: World) -> Replay:
        """Run one case and return what it did; raises ReplayError where it cannot be had."""

    def replay_all(self, cases: Sequence[Case]) -> Iterator[Replay | ReplayError]:
        """Yield what became of each case, until one of them has ended the process."""
        for case in cases:
            try:
                yield self.replay(case, World.of(case))
            except ReplayError as error:
                yield error
            if not self.is_alive:
                return

    def _place(self) -> AbstractContextManager[Workspace]:
        if not self._world.is_replay:
            return workspace.in_place(self._case)
        return workspace.temporary(self._case, self._world, is_shared=self._is_shared)

    def _start_message(self) -> dict[str, Any]:
        recording = self._case.recording
        place = self._workspace
        environment = (
            environment_of(recording, str(place.home), str(place.task_root))
            if self._world.is_replay
            else dict(recording.invocation.environment)
        )
        if self._world.is_environment_reversed:
            environment = dict(reversed(environment.items()))
        return {
            "handler": self._case.handler,
            "is_shared": self._is_shared,
            "is_named": self._case.is_named,
            "folders": [str(folder) for folder in self._case.folders],
            "project": str(place.project),
            "task_root": str(place.task_root),
            "environment": environment,
            "world": self._world.fields(),
            "entry_ms": self._world.import_epoch_ms
            or entry_epoch_ms(self._world, recording.invocation),
            "network": self._case.network.fields(),
            "calls": _calls_at_import(self._case),
            "misses": self._case.misses,
            "temporary": workspace.temporary_folders(),
            "is_captured": self._case.is_captured,
            "measures": self._case.measures,
        }

    def _replay(
        self,
        case: Case,
        outcome: Outcome,
        duration_us: int,
        remaining_ms: int | None,
        *,
        until: Mapping[str, int] | None = None,
    ) -> Replay:
        """Return what one case did, read from what was written up to its end, or until now.

        Raises ReplayError where it tried to reach what a replay refuses.
        """
        ends = until or {}
        output = self._process.output.text(ends.get("output_size"))
        found = self._found_at_import + self._process.findings.read(ends.get("findings_size"))
        refuse_outbound(case, found)
        coverage = None
        for finding in found:
            if finding.kind == "measured":
                coverage = Coverage.of_facts(finding.facts)
            elif finding.kind == "took":
                duration_us = finding.facts["us"]
            elif finding.kind == "timed_out":
                outcome, duration_us = TimedOut(case.deadline_ms), case.deadline_ms * 1000
        return Replay(
            outcome, duration_us, remaining_ms, output, found, self._guard, coverage=coverage
        )

    def _exited(self, case: Case, duration_us: int) -> Replay:
        self._refuse_too_large(case)
        at_entry = case.recording.invocation.remaining_ms
        replayed = self._replay(case, Exited(self._process.status()), duration_us, at_entry)
        self._take_away()  # nobody else will, before another process is judged by itself
        return replayed

    def _timed_out(self, case: Case) -> Replay:
        """Return the replay of a case whose limit has passed; ends the process."""
        self._process.end()
        deadline_ms, at_entry = case.deadline_ms, case.recording.invocation.remaining_ms
        replayed = self._replay(case, TimedOut(deadline_ms), deadline_ms * 1000, at_entry)
        self._take_away()
        if case.is_cut_short:
            limit = "the timeout" if case.timeout_s is not None else "the limit"
            raise ReplayError(
                f"recording {case.recording.id}: stopped by {limit} of {case.limit_s:g} s of real"
                " time, before its deadline",
                "give it longer with --timeout SECONDS",
            )
        return replayed

    def _take_away(self) -> None:
        """End the process, and remove what it has made in the temporary folders."""
        self._process.end()
        found = self._process.findings.read_again()
        workspace.take_away(it.facts["path"] for it in found if it.kind == "made")

    def _not_imported(self) -> ReplayError:
        refuse_outbound(self._case, self._process.findings.read())
        handler = self._case.handler
        return ReplayError(
            f"handler {handler} was not imported within {IMPORT_LIMIT_S:.0f} s",
            "import it by itself to see what it waits for",
        )

    def _refuse_too_large(self, case: Case) -> None:
        """Raise ReplayError for a process that took too much memory where Lambda's did not."""
        used, limit = self._process.exceeded_bytes, self._process.memory_limit_bytes
        if used is None or limit is None or case.recording.outcome is None:
            return
        raise ReplayError(
            f"recording {case.recording.id}: the handler's process took {-(-used // MIB):,} MB,"
            f" more than the limit of {limit // MIB:,} MB",
            "the limit is twice the function's memory, and 1,024 MB at least; see what grows with"
            " --pdb=entry, which has none",
        )

    def _ended_in_import(self) -> ReplayError:
        self._refuse_too_large(self._case)
        return self._refused(Exited(self._process.status()))

    def _refused(self, outcome: Raised | Exited) -> ReplayError:
        refuse_outbound(self._case, self._process.findings.read())
        return ImportRefusedError(self._case, outcome, self._process.output.text())


def _calls_at_import(case: Case) -> list[tuple[str, bytes]] | None:
    """Return the parts of the calls made at import; None where no calls were watched for."""
    if case.recording.outbound == "off":
        return None
    return [(part.kind, part.payload) for part in case.recording.call_parts(at_import=True)]


def replay_once(engine: type[Sandbox], case: Case, world: World) -> Replay:
    """Replay `case` in a fresh process; raises ReplayError where it cannot be."""
    engine.refuse(case)
    with engine(case, world) as sandbox:
        return sandbox.replay(case, world)


def _refuse_what_cannot_be_replayed(case: Case) -> None:
    recording = case.recording
    event = recording.invocation.event
    if isinstance(event, Truncated):
        raise ReplayError(
            f"recording {recording.id}: its event of {event.size_bytes:,} bytes was truncated",
            "capture it again with a larger REPLAY_MAX_BYTES",
        )
    if isinstance(event, Opaque):
        raise not_outermost(case, f"it was given a {event.type_name} as event, not plain JSON")
    if recording.invocation.context.kind == "durable":
        raise ReplayError(
            f"recording {recording.id}: its context was a {recording.invocation.context.type_name},"
            " whose durable operations cannot be rebuilt",
            "put @capture outside the durable function's own decorator",
        )


def not_outermost(case: Case, why: str) -> ReplayError:
    """Return the error of a case whose handler has a decorator outside of capture."""
    return ReplayError(
        f"recording {case.recording.id}: capture is not the outermost decorator of {case.handler}:"
        f" {why}",
        "move @capture above every other decorator of the handler, and capture again",
    )


class ImportRefusedError(ReplayError):
    """The handler of a case cannot be had; `outcome` is what comes of it on Lambda.

    `output` is what was written on the way.
    """

    def __init__(self, case: Case, outcome: Raised | Exited, output: str) -> None:
        tried = ", ".join(str(folder) for folder in case.folders)
        super().__init__(
            f"handler {case.handler} cannot be had: {_why(outcome, output)}",
            f"looked in {tried}; name it with --handler MODULE.FUNCTION, its folder with --path",
        )
        self.outcome = outcome
        self.output = output


def _why(outcome: Raised | Exited, output: str) -> str:
    if isinstance(outcome, Raised):
        return f"{outcome.error_type}: {outcome.message}"
    return f"its process ended with status {outcome.status}\n{output[-2000:]}".rstrip()
