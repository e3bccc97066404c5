"""A replay in the process of the test itself: coverage, debuggers and fixtures work as ever.

The world of the recording is put in place for one call of the handler, and taken away after it:
environment, wall clock, randomness, working directory, answers to outbound calls, and an audit hook
that refuses the network, which sees Python's own calls alone ("best effort"). What needs more - a
deadline, threads, waits of the standard library - runs in a guarded process instead.
"""

import tempfile
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from replay.codec import decode, encode
from replay.errors import ReplayError
from replay.interaction import Interaction
from replay.outcome import Outcome
from replay.recorder.bootstrap import Observer, observe
from replay.recorder.failure import outcome_of_exception
from replay.recording import Recording
from replay.replayer import runtime
from replay.replayer.case import Case
from replay.replayer.clock import entry_of, time_machine
from replay.replayer.context import LambdaContext, rebuild
from replay.replayer.engine import Sandbox
from replay.replayer.finding import Finding, FindingKind
from replay.replayer.refusal import refuse_outbound
from replay.replayer.replay import Replay
from replay.replayer.virtual.clocks import Clocks
from replay.replayer.world import World, environment_of, import_key, own_variables
from replay.testing.inside.guard import Guard, NotHereError
from replay.testing.inside.limit import limited
from replay.testing.inside.modules import Modules
from replay.testing.inside.randomness import Randomness
from replay.testing.inside.state import environment, manners, working_in
from replay.testing.inside.timeline import DeadlineReached, Line, stand_ins

_MAX_IMPORTS = 16
_INTERRUPTED = outcome_of_exception(KeyboardInterrupt(), awaited=False)
"""What a runtime makes of an interrupt, which here is meant for the tests."""


class _Unseen(Observer):
    """Keeps captured handlers from storing a replay."""

    def called(self, event: object) -> None:
        """Nothing is made of it."""

    def returned(self, result: object) -> None:
        """Nothing is made of it."""


class Findings(list[Finding]):
    """What the world finds out of a handler."""

    def add(self, kind: FindingKind, **facts: object) -> None:
        """Keep one."""
        self.append(Finding(kind, facts))


class _Traveller:
    """Whom time-machine asks for the time: the replay's, and the real one in other threads."""

    def __init__(self, clocks: Clocks, guard: Guard, real_ns: Callable[[], int]) -> None:
        self._clocks = clocks
        self._guard = guard
        self._real_ns = real_ns

    def time_ns(self) -> int:
        """Nanoseconds since 1970."""
        if self._guard.is_of_others():
            return self._real_ns()
        return self._clocks.time_ns()


class Inside:
    """This process as a place for replays; made with the first of them, closed with the last."""

    def __init__(self) -> None:
        self._line = Line()
        self._clocks = Clocks(self._line)
        self._stand_ins = stand_ins(self._clocks)
        self._machine = time_machine()
        self._randomness = Randomness()
        self._imports: dict[Hashable, _Import] = {}
        self._home = tempfile.TemporaryDirectory(prefix="replay-")
        self._guard = Guard()
        real_ns = self._machine.escape_hatch.time.time_ns
        self._traveller = _Traveller(self._clocks, self._guard, real_ns)

    def close(self) -> None:
        """Remove what was made for it."""
        self._home.cleanup()

    def replay(self, case: Case) -> Replay:
        """Return what the case came to; raises ReplayError, and NotHereError where it cannot be."""
        Sandbox.refuse(case)
        findings = Findings()
        with self._world(case, findings) as function:
            outcome, remaining_ms = self._invoke(case, function, findings)
        replay = Replay(
            outcome,
            (self._line.now_ns - self._line.entered_ns) // 1000,
            remaining_ms,
            output="",
            findings=tuple(findings),
            guard="best effort",
        )
        refuse_outbound(case, replay.findings)
        return replay

    def _invoke(self, case: Case, function: Any, findings: Findings) -> tuple[Outcome, int | None]:
        invocation, entry = case.recording.invocation, entry_of(case, World.of(case))
        remaining = self._line.enter(entry, findings.add)
        self._clocks.set_wall(entry.epoch_ms * 1_000_000, 0)
        context = rebuild(invocation.context, entry.epoch_ms + entry.remaining_ms)
        if isinstance(context, LambdaContext):
            vars(context)["get_remaining_time_in_millis"] = remaining.read_ms
        event = decode(encode(invocation.event))  # a handler may write to it
        with limited(self._line.end):
            # In a context of its own: decimals and other variables of it are the handler's.
            outcome = copy_context().run(
                runtime.invoke, function, event, context, awaited=invocation.awaited
            )
        if outcome == _INTERRUPTED:
            raise KeyboardInterrupt
        if self._line.is_past_deadline:
            raise NotHereError(DeadlineReached.__name__)
        if self._guard.deed is not None:
            raise NotHereError(self._guard.deed)
        is_context = isinstance(context, LambdaContext)
        return outcome, entry.remaining_ms if is_context else None

    @contextmanager
    def _world(self, case: Case, findings: Findings) -> Iterator[Any]:
        recording = case.recording
        with (
            manners(),
            environment(self._variables(case)),
            self._randomness.of(recording.id, recording.entropy),
            self._clock(),
            working_in(case.folders),
            _unseen(),
            self._guard.guarding(case.folders[0], findings),
        ):
            imported = self._import_of(case)
            with imported.modules.entered(), self._answering(case, findings):
                yield imported.function

    def _variables(self, case: Case) -> dict[str, str]:
        common = environment_of(case.recording, self._home.name, str(case.folders[0]))
        return common | own_variables(case.recording.invocation)

    def _import_of(self, case: Case) -> "_Import":
        key = import_key(case)
        found = self._imports.get(key)
        if found is None:
            if len(self._imports) >= _MAX_IMPORTS:
                self._imports.clear()
            found = self._imports[key] = self._imported(case)
        if found.unsuited is not None:
            raise NotHereError(f"uses {found.unsuited}")
        return found

    def _imported(self, case: Case) -> "_Import":
        modules = Modules(case.folders, self._stand_ins)
        world = World.shared_by(case)
        self._clocks.set_wall((world.import_epoch_ms or 0) * 1_000_000, 0)
        self._line.enter_import()
        self._randomness.restart(case.handler, None)
        with modules.importing(), self._answering(case, Findings(), at_import=True):
            try:
                function = runtime.load(case.handler, is_named=case.is_named)
            except runtime.ImportFailure as failure:
                raise ReplayError(
                    f"recording {case.recording.id}: {failure}",
                    f"{case.handler} must be importable from {case.folders[0]}",
                ) from failure
            finally:
                self._randomness.restart(case.recording.id, case.recording.entropy)
        return _Import(modules, function)

    @contextmanager
    def _clock(self) -> Iterator[None]:
        machine = self._machine
        journey = machine.travel(0)
        journey.start()
        # Its C functions ask the last of these for `time_ns()`, and for nothing else.
        machine.traveller_stack.append(self._traveller)
        try:
            yield
        finally:
            machine.traveller_stack.remove(self._traveller)
            journey.stop()

    @contextmanager
    def _answering(
        self, case: Case, findings: Findings, *, at_import: bool = False
    ) -> Iterator[None]:
        """Answer outbound calls as they were recorded, where they were watched for."""
        recording = case.recording
        if recording.outbound == "off":
            yield
            return
        from replay.testing.inside.calls import answering  # what calls are answered by takes 10 ms

        with answering(_calls(recording, at_import=at_import), self._line, findings, case) as enter:
            if not at_import:
                enter(_calls(recording, at_import=False))
            yield


class _Import:
    """What came of importing a handler."""

    def __init__(self, modules: Modules, function: Any) -> None:
        self.modules = modules
        self.function = function
        self.unsuited = modules.unsuited()


def _calls(recording: Recording, *, at_import: bool) -> tuple[Interaction, ...]:
    return tuple(it for it in recording.interactions if it.at_import == at_import)


@contextmanager
def _unseen() -> Iterator[None]:
    observe(_Unseen())
    try:
        yield
    finally:
        observe(None)
