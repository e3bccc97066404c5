"""A case in a fresh process: cold, or warmed with the earlier invocations of its sandbox.

What those do is not judged. After one that ends the process a fresh one goes on, without the state
that those before it had left. The first one's world is that of the import.
"""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from contextvars import copy_context
from dataclasses import replace
from types import TracebackType

from replay.errors import ReplayError
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.engine import Sandbox, replay_once
from replay.replayer.process import interrupt
from replay.replayer.replay import Replay
from replay.replayer.world import World


def replay_fresh(engine: type[Sandbox], case: Case, world: World) -> Replay:
    """Replay `case` in a fresh process, after its earlier invocations if it is to be warm.

    Raises ReplayError where it cannot be replayed.
    """
    if case.earlier is None:
        return replay_once(engine, case, world)
    engine.refuse(case)
    with _Place(engine, case, world) as place:
        for recording in case.earlier:
            place.warm(recording)
        return place.replay()


class _Place:
    """A process for one case, made anew where an invocation has ended it."""

    def __init__(self, engine: type[Sandbox], case: Case, world: World) -> None:
        self._engine = engine
        self._case = case
        self._world = world
        self._sandbox: Sandbox | None = None
        self._stack = ExitStack()
        self._warmed_with = 0

    def __enter__(self) -> "_Place":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def warm(self, recording: Recording) -> None:
        """Replay an earlier invocation; one that cannot be replayed is left out."""
        earlier = replace(self._case, recording=recording, earlier=None, changes=())
        world = self._world.of_other(recording)
        try:
            self._engine.refuse(earlier)
        except ReplayError:
            return
        sandbox = self._alive(earlier, world)
        with suppress(ReplayError):
            sandbox.replay(replace(earlier, breaks_at=None), world)
            self._warmed_with += 1

    def replay(self) -> Replay:
        """Replay the case itself."""
        replay = self._alive(self._case, self._world).replay(self._case, self._world)
        return replace(replay, warmed_with=self._warmed_with)

    def _alive(self, case: Case, world: World) -> Sandbox:
        if self._sandbox is None or not self._sandbox.is_alive:
            self._stack.close()
            self._warmed_with = 0
            self._sandbox = self._stack.enter_context(self._engine(case, world))
        return self._sandbox


def replay_at_once(
    engine: type[Sandbox], case: Case, worlds: Sequence[World], *, jobs: int | None
) -> list[Replay]:
    """Replay a case in each world, in fresh processes, so many at once."""
    if len(worlds) == 1:
        return [replay_fresh(engine, case, worlds[0])]
    from concurrent.futures import ThreadPoolExecutor  # a match needs no second look

    contexts = [copy_context() for _ in worlds]  # what interrupts this thread interrupts those
    with ThreadPoolExecutor(jobs) as pool:
        try:
            return list(
                pool.map(
                    lambda it, world: it.run(replay_fresh, engine, case, world), contexts, worlds
                )
            )
        except KeyboardInterrupt:
            interrupt()  # else leaving the pool would wait for each replay's own end
            raise
