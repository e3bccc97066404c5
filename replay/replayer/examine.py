"""Many cases looked at again, in forks of warm processes.

There is one for each hash seed and order of variables; other factors are moved in its forks.
Fresh processes, some ten a case, take a second, and several where a handler imports an SDK. What
does not match here is judged again in those, and that verdict counts.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from threading import local

from replay.errors import ReplayError
from replay.replayer.builtin import BuiltinSandbox, ForkingSandbox
from replay.replayer.case import Case
from replay.replayer.crowd import crowd
from replay.replayer.process import interrupt, resume
from replay.replayer.replay import Replay
from replay.replayer.sandboxes import Sandboxes
from replay.replayer.verdict import Verdict, error_of, judge, judge_by
from replay.replayer.warm import replay_fresh
from replay.replayer.world import World, import_key

_AHEAD = 4
"""Cases that are read ahead for each thread."""
_WARM = 8
"""Sandboxes that one thread keeps: those of two imports."""


def examined(cases: Iterable[Case], *, jobs: int | None = None) -> Generator[Verdict, None, None]:
    """Yield the verdict of each case, in order, with all that it depends on."""
    threads, jobs = local(), jobs or os.cpu_count() or 1
    with ExitStack() as stack, ThreadPoolExecutor(jobs) as pool:

        def examine(case: Case) -> Verdict:
            if not hasattr(threads, "forks"):
                threads.forks = Forks()
                stack.callback(threads.forks.close)
            return _examine(replace(case, looks="twice"), threads.forks, at_once=jobs)

        try:
            yield from _in_order(pool, examine, cases, ahead=_AHEAD * jobs)
        except BaseException:
            interrupt()  # else leaving the pool would wait for each replay's own end
            stack.callback(resume)
            raise


def _in_order(
    pool: ThreadPoolExecutor,
    examine: Callable[[Case], Verdict],
    cases: Iterable[Case],
    *,
    ahead: int,
) -> Iterator[Verdict]:
    """Yield the verdicts, reading so many cases ahead and no more."""
    coming, waiting = iter(cases), deque[Future[Verdict]]()
    while True:
        waiting.extend(pool.submit(examine, it) for it in islice(coming, ahead - len(waiting)))
        if not waiting:
            return
        yield waiting.popleft().result()


def _examine(case: Case, forks: "Forks", *, at_once: int) -> Verdict:
    if sys.platform == "darwin":  # where a fork may not go on
        return judge(case, BuiltinSandbox, at_once=at_once)
    with crowd.among_others():
        verdict = judge_by(case, forks.replay_in)
    crowd.see(verdict.replay)
    is_sure = verdict.kind == "match" and all(it.factor for it in verdict.dependences)
    if verdict.replay and verdict.replay.made:
        forks.close()  # what a fork makes in /tmp is there for others until its process ends
        is_sure = False
    if is_sure:
        return verdict
    with crowd.alone_if_need_be():
        return judge(case, BuiltinSandbox, at_once=at_once)


def judged_in_forks(case: Case, forks: "Forks", *, at_once: int) -> Verdict:
    """Return the verdict of a case that has drifted in a fork: a fresh process has the first word.

    Where it says the same as the fork, forks tell as well as it would what is noise.
    """
    here = World.of(case)
    try:
        alone = replay_fresh(BuiltinSandbox, case, here)
        (forked,) = forks.replay_in(case, (here,))
    except ReplayError as error:
        return error_of(case, error)
    if _is_same(alone, forked):
        verdict = judge_by(case, forks.replay_in, replay=forked)
        if verdict.kind == "match":
            return verdict
    return judge(case, BuiltinSandbox, at_once=at_once, replay=alone)


def _is_same(one: Replay, other: Replay) -> bool:
    calls = [sent.call for sent in one.sent] == [sent.call for sent in other.sent]
    return calls and one.outcome == other.outcome


class Forks:
    """The warm processes of one thread, by what they import and in which world."""

    def __init__(self) -> None:
        self._sandboxes = Sandboxes(_WARM)

    def replay_in(self, case: Case, worlds: Sequence[World]) -> list[Replay]:
        """Replay a case in each world; raises ReplayError."""
        return [self._replay(case, world) for world in worlds]

    def close(self) -> None:
        """End them."""
        self._sandboxes.close()

    def _replay(self, case: Case, world: World) -> Replay:
        BuiltinSandbox.refuse(case)
        key = import_key(case), world.hash_seed, world.is_environment_reversed
        imported_in = replace(
            World.shared_by(case),
            hash_seed=world.hash_seed,
            is_environment_reversed=world.is_environment_reversed,
        )
        sandbox = self._sandboxes.of(key, lambda: ForkingSandbox(case, imported_in, is_shared=True))
        return (
            replay_fresh(BuiltinSandbox, case, world)
            if sandbox.is_threaded
            else sandbox.replay(case, world)
        )
