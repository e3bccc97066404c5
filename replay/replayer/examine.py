"""Many cases looked at twice: each factor's world has one warm process, of which each case forks.

Nine fresh processes a case would take a second. What does not match here is judged again in those,
and that verdict counts.
"""

import os
import sys
from collections import OrderedDict
from collections.abc import Generator, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from threading import local

from replay.replayer.builtin import BuiltinSandbox, ForkingSandbox
from replay.replayer.case import Case
from replay.replayer.engine import Sandbox
from replay.replayer.process import interrupt
from replay.replayer.replay import Replay
from replay.replayer.verdict import Verdict, judge, judge_by
from replay.replayer.warm import replay_fresh
from replay.replayer.world import World, import_key

_WARM = 18
"""Sandboxes that one thread keeps: those of two imports."""


def examined(cases: Iterable[Case], *, jobs: int | None = None) -> Generator[Verdict, None, None]:
    """Yield the verdict of each case, in order, with all that it depends on."""
    threads = local()
    with ExitStack() as stack, ThreadPoolExecutor(jobs or os.cpu_count()) as pool:

        def examine(case: Case) -> Verdict:
            if not hasattr(threads, "sandboxes"):
                threads.sandboxes = _Sandboxes()
                stack.callback(threads.sandboxes.close)
            return _examine(replace(case, looks="twice"), threads.sandboxes)

        try:
            yield from pool.map(examine, cases)
        except BaseException:
            interrupt()  # else leaving the pool would wait for each replay's own end
            raise


def _examine(case: Case, sandboxes: "_Sandboxes") -> Verdict:
    if sys.platform == "darwin":  # where a fork may not go on
        return judge(case, BuiltinSandbox)
    verdict = judge_by(case, lambda worlds: sandboxes.replay_all(case, worlds))
    is_sure = verdict.kind == "match" and all(it.factor for it in verdict.dependences)
    return verdict if is_sure else judge(case, BuiltinSandbox)


class _Sandboxes:
    """The warm processes of one thread, by what they import and in which world."""

    def __init__(self) -> None:
        self._warm: OrderedDict[Hashable, Sandbox] = OrderedDict()

    def replay_all(self, case: Case, worlds: Sequence[World]) -> list[Replay]:
        """Replay a case in each world; raises ReplayError."""
        return [self._replay(case, world) for world in worlds]

    def close(self) -> None:
        """End them."""
        for sandbox in self._warm.values():
            sandbox.__exit__()

    def _replay(self, case: Case, world: World) -> Replay:
        BuiltinSandbox.refuse(case)
        key = import_key(case), world.hash_seed, world.is_environment_reversed
        sandbox = self._warm.pop(key, None)
        if sandbox is not None and not sandbox.is_alive:
            sandbox.__exit__()
            sandbox = None
        if sandbox is None:
            imported_in = replace(
                World.shared_by(case),
                hash_seed=world.hash_seed,
                is_environment_reversed=world.is_environment_reversed,
            )
            sandbox = ForkingSandbox(case, imported_in, is_shared=True).__enter__()
        self._warm[key] = sandbox
        if len(self._warm) > _WARM:
            self._warm.popitem(last=False)[1].__exit__()
        return (
            replay_fresh(BuiltinSandbox, case, world)
            if sandbox.is_threaded
            else sandbox.replay(case, world)
        )
