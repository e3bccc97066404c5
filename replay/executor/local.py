"""The executor that is this machine: `--jobs` replays at once."""

from collections.abc import Generator, Iterable
from contextlib import ExitStack
from typing import Self

from replay.executor.reader import Reader
from replay.executor.work import Here, Named, Work
from replay.replayer.builtin import BuiltinSandbox
from replay.replayer.pool import Isolation, Pool
from replay.replayer.process import prepared
from replay.replayer.verdict import Verdict


class Local:
    """Replays in child processes of this one; entered, a first one starts while others read."""

    def __init__(self, work: Work, here: Here, *, jobs: int) -> None:
        self._work = work
        self._here = here
        self._jobs = jobs
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        # A debugger needs a process of another kind.
        if self._work.runtime == "builtin" and not self._work.plan.breaks_at:
            self._stack.enter_context(prepared(BuiltinSandbox.module, hash_seed=0))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def verdicts(
        self, named: Iterable[Named], isolation: Isolation
    ) -> Generator[Verdict, None, None]:
        """Yield the verdict of each that can be read, in order; see `Executor`."""
        here = self._here
        reader = Reader(self._work.plan, store=here.store, tell=here.tell, earlier=here.earlier)
        cases = here.secrets.given(reader.cases(named))
        return here.secrets.masked(Pool(self._work.runtime, isolation, self._jobs).verdicts(cases))
