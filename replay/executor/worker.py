"""What a worker of a cluster is asked to do, by the name of a function; its process keeps benches.

Imported where a cluster calls it. What fails comes back as a value: of what is raised, workers log
the arguments as well.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TypeAlias

from replay.errors import ReplayError
from replay.executor import checkout
from replay.executor.bench import Bench
from replay.executor.run import Run, Shard
from replay.executor.software import Software
from replay.replayer.case import Case
from replay.replayer.pool import Isolation

_MOST_RUNS = 256
"""Runs that a process remembers, those included that have ended: a shard of one may come late."""
Answer: TypeAlias = Shard | tuple[str, ReplayError]
"""What came of a shard; or a worker's address, and why it cannot replay any."""
_benches: OrderedDict[str, Bench] = OrderedDict()
_lock = Lock()


def software() -> tuple[str, ...]:
    """Return the versions of a `Software`: another version may not know of that."""
    return tuple(Software.here())


async def prepare(run: Run) -> ReplayError | None:
    """Have a run's bench ready; return why it cannot be."""
    try:
        await asyncio.to_thread(_bench_of(run).store)
    except ReplayError as error:
        return error
    return None


async def code(run: Run) -> Mapping[str, str]:
    """Return the digests of the code that is here in the run's folders."""
    return await asyncio.to_thread(checkout.digests, run.work.plan.folders)


def replay_shard(run: Run, isolation: Isolation, named: Sequence[str | Case]) -> Answer:
    """Replay some recordings of the store, by their ids, and some cases."""
    from distributed import get_worker  # which nothing else here needs

    try:
        return _bench_of(run).replay(named, isolation)
    except ReplayError as error:
        return get_worker().address, error


def end(run: Run) -> None:
    """End what runs for a run, and what was kept for it."""
    _bench_of(run).end()


def _bench_of(run: Run) -> Bench:
    with _lock:
        bench = _benches.get(run.id) or _benches.setdefault(run.id, Bench(run))
        _benches.move_to_end(run.id)
        if len(_benches) > _MOST_RUNS:
            _benches.popitem(last=False)
    return bench
