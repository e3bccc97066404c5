"""The executor that is a cluster: shards of what is named go to workers, verdicts come back.

A worker reads the recordings of its shards from the store itself; what a file holds travels with
the shard. Only so many shards are under way that no worker waits for one. Invariant: verdicts come
in the order of what was named, whichever worker has judged them, and however often one was lost.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias
from uuid import uuid4

from replay.errors import ReplayError
from replay.executor import checkout, worker
from replay.executor.fleet import of_worker, reached
from replay.executor.reader import Reader
from replay.executor.run import Run, Shard
from replay.executor.software import Software
from replay.executor.work import Found, Here, Named, Work
from replay.replayer.case import Case
from replay.replayer.pool import Isolation
from replay.replayer.verdict import Verdict
from replay.settings import is_server, store_path

if TYPE_CHECKING:
    from distributed import Future

    _UnderWay: TypeAlias = tuple["_Named", Future[worker.Answer]]

_SIZES: dict[Isolation, int] = {"process": 1, "case": 32, "worker": 128}
"""Cases of a shard: some tenths of a second of work, to which a shard's own milliseconds are
little; and not much to lose with a worker."""
_AHEAD = 4
"""Shards under way for each thread of a worker."""
_FIRST = 1
"""Cases of the first shards."""
_Named: TypeAlias = tuple[str | Case, ...]


class Cluster:
    """Replays on the workers of a scheduler; entered, they are known to be fit for it."""

    def __init__(self, work: Work, here: Here, *, address: str, store: str) -> None:
        folders = checkout.portable(work.plan.folders)
        self._reader = Reader(work.plan, store=here.store, tell=here.tell)
        self._tell = here.tell
        self._address = address
        self._run = Run(
            uuid4().hex,
            replace(work, plan=replace(work.plan, folders=folders)),
            code=checkout.digest_of_all(checkout.digests(folders)),
            software=Software.here(),
            store=_everywhere(store),
        )
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._fleet = stack.enter_context(reached(self._address))
            stack.callback(self._fleet.end, self._run)
            self._fleet.refuse_others(self._run)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def verdicts(
        self, named: Iterable[Named], isolation: Isolation
    ) -> Generator[Verdict, None, None]:
        """Yield the verdict of each that can be read, in order; see `Executor`."""
        shards = self._shards(named, isolation)
        under_way: deque[_UnderWay] = deque()
        try:
            while True:
                wanted = _AHEAD * max(1, self._fleet.threads())
                more = islice(shards, max(0, wanted - len(under_way)))  # workers may have gone
                under_way.extend(self._submit(it, isolation) for it in more)
                if not under_way:
                    return
                shard = self._result(*under_way[0])
                under_way.popleft()
                for error in shard.refused:
                    self._tell(error)
                yield from shard.verdicts
        finally:
            self._fleet.cancel([future for _, future in under_way])

    def _shards(self, named: Iterable[Named], isolation: Isolation) -> Iterator[_Named]:
        """Yield what is named in portions, small ones first: a few cases are for all workers."""
        travelling = self._travelling(named)
        most, threads = _SIZES[isolation], max(1, self._fleet.threads())
        for number in count():
            size = min(most, _FIRST << min(number // threads, most))
            shard = tuple(islice(travelling, size))
            if not shard:
                return
            yield shard

    def _travelling(self, named: Iterable[Named]) -> Iterator[str | Case]:
        for it in named:
            try:
                yield it if isinstance(it, str) else self._case(it)
            except ReplayError as error:
                self._tell(error)

    def _case(self, found: Found) -> Case:
        """Return the case of what a file holds; raises ReplayError for one of another project."""
        case = self._reader.case(found)
        ours = checkout.at_home(self._run.work.plan.folders)
        for folder in case.folders:
            if not any(folder.is_relative_to(it) for it in ours):
                raise ReplayError(
                    f"recording {case.recording.id}: its project {folder} is not this one, whose"
                    " code the workers have",
                    "replay it in its own folder, or without --scheduler",
                )
        return replace(case, folders=checkout.portable(case.folders))

    def _submit(self, shard: _Named, isolation: Isolation) -> "_UnderWay":
        return shard, self._fleet.submit(worker.replay_shard, self._run, isolation, shard)

    def _result(self, shard: _Named, future: "Future[worker.Answer]") -> Shard:
        """Return what came of a shard; raises ReplayError where a worker cannot replay any."""
        found = self._fleet.result(future, _words(shard))
        if isinstance(found, Shard):
            return found
        raise of_worker(*found)


def _everywhere(store: str) -> str:
    """Return a store's setting as it holds in any working directory."""
    return store if is_server(store) else str(Path(store_path(store)).absolute())


def _words(shard: _Named) -> str:
    first = shard[0] if isinstance(shard[0], str) else shard[0].recording.id
    more = len(shard) - 1
    return f"recording {first}{f' and {more:,} more' if more else ''}"
