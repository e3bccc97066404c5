"""What one worker's process keeps for a run: the store, opened, and warm sandboxes.

There is a judge for each thread at work. They serve one run alone, whose code is known to be what
their sandboxes have imported; they end with it, or when no shard has come for a while, for nobody
tells of a run that was killed.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from threading import Event, Lock, Timer
from typing import TYPE_CHECKING, cast

from replay.codec import admit_all_values
from replay.errors import ReplayError
from replay.executor import checkout
from replay.executor.earlier import Earlier
from replay.executor.reader import Reader
from replay.executor.run import Run, Shard
from replay.executor.software import Software
from replay.replayer.case import Case
from replay.replayer.crowd import crowd
from replay.replayer.ownership import look_again
from replay.replayer.pool import Isolation, Judge, Pool
from replay.replayer.process import interrupted_by

if TYPE_CHECKING:
    from replay.store.store import Store

IDLE_S = 60.0


class Bench:
    """Replays the shards of one run, as many at once as threads call it."""

    def __init__(self, run: Run) -> None:
        plan = run.work.plan
        self._run = run
        self._plan = replace(plan, folders=checkout.at_home(plan.folders))
        self._has_ended = Event()
        self._opening, self._lock = Lock(), Lock()
        self._users = 0
        self._timer = Timer(IDLE_S, self._let_go)
        self._idle: defaultdict[Isolation, list[Judge]] = defaultdict(list)
        self._store: Store | None = None

    def store(self) -> "Store":
        """Return the store; raises ReplayError where software or code are not the run's."""
        with self._in_use(), self._opening:
            if self._store is None:
                self._refuse_others()
                admit_all_values()
                self._store = _opened(self._run.store)
            return self._store

    def replay(self, named: Sequence[str | Case], isolation: Isolation) -> Shard:
        """Return what became of a shard, nothing where the run has ended; raises ReplayError."""
        try:
            with (
                self._in_use(),
                interrupted_by(self._has_ended),
                self._judge(isolation) as judge,
            ):
                return self._replay(named, judge)
        except KeyboardInterrupt:
            return Shard()

    def end(self) -> None:
        """End what runs, and soon what is kept; later shards come to nothing."""
        self._has_ended.set()
        with self._in_use():
            pass

    def _replay(self, named: Sequence[str | Case], judge: Judge) -> Shard:
        refused: list[ReplayError] = []
        earlier = Earlier(self.store) if self._run.work.is_warm else None
        reader = Reader(self._plan, store=self.store, tell=refused.append, earlier=earlier)
        cases: list[Case] = []
        for are_ids, alike in groupby(named, lambda it: isinstance(it, str)):
            if are_ids:
                cases += reader.cases(cast("Iterator[str]", alike))
            else:
                cases += map(_at_home, cast("Iterator[Case]", alike))
        return Shard(judge.verdicts(cases), refused)

    def _refuse_others(self) -> None:
        self._run.software.refuse(Software.here())
        look_again()
        if checkout.digest_of_all(checkout.digests(self._run.work.plan.folders)) != self._run.code:
            raise OtherCodeError

    @contextmanager
    def _judge(self, isolation: Isolation) -> Iterator[Judge]:
        """Yield a judge that no other thread has; that of a shard that failed is not kept."""
        with self._lock:
            idle = self._idle[isolation]
            found = idle.pop() if idle else None
        judge = found or Judge(Pool(self._run.work.runtime, isolation, 1))
        try:
            yield judge
        except BaseException:
            judge.close()
            raise
        with self._lock:
            idle.append(judge)

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._lock:
            self._users += 1
            self._timer.cancel()
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._timer = self._resting()

    def _resting(self) -> Timer:
        """Return what will let go of all that is kept: at once where the run has ended."""
        timer = Timer(0 if self._has_ended.is_set() else IDLE_S, self._let_go)
        timer.daemon = True
        timer.start()
        return timer

    def _let_go(self) -> None:
        with self._lock, self._opening:
            if self._users:
                return
            for judge in (it for kept in self._idle.values() for it in kept):
                judge.close()
            self._idle.clear()
            crowd.begin_anew()
            if self._store is not None:
                self._store.close()
                self._store = None


class OtherCodeError(ReplayError):
    """The project's code is not the same here as where the run was begun."""

    def __init__(self) -> None:
        super().__init__(
            "its code is not that of this folder",
            "start it in a checkout of the project, at the same revision and with the same changes",
        )


def _at_home(case: Case) -> Case:
    return replace(case, folders=checkout.at_home(case.folders))


def _opened(setting: str) -> "Store":
    from replay.store.store import Store  # what a refused worker need not load

    return Store.open(setting)
