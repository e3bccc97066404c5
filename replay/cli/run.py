"""`replay run`: replay recordings and judge them."""

import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from itertools import chain, islice
from typing import Annotated

import typer

from replay.cli.arguments import IdsOrFilesArgument, earlier_of, named
from replay.cli.command import (
    StoreOption,
    answering,
    opened_when_needed,
    read_settings,
    stop_answering,
)
from replay.cli.filters import AllowEmptyOption, filtered, nothing_matches
from replay.cli.manner import Manner, replaying
from replay.cli.output import Output, printing
from replay.cli.progress import Bar
from replay.cli.reach import Reach, reaching
from replay.cli.shard import Shard, ShardOption, shard_of
from replay.cli.sharing import Sharing, sharing
from replay.cli.source import Unreadable
from replay.errors import MISUSE, ReplayError
from replay.executor.secret import Secrets
from replay.executor.work import Here, Named, Work
from replay.replayer.verdict import Verdict, VerdictKind
from replay.report.stream import VerdictStream
from replay.store.selection import Selection

WarmOption = Annotated[
    bool,
    typer.Option(
        "--warm", help="First replay what the same sandbox has seen before, in the same process."
    ),
]


@answering
@filtered
@printing
@sharing
@reaching
@replaying
def run(
    ids: IdsOrFilesArgument = None,
    *,
    wanted: Selection,
    manner: Manner,
    reach: Reach,
    shared: Sharing,
    output: Output,
    warm: WarmOption = False,
    shard: ShardOption = None,
    allow_empty: AllowEmptyOption = False,
    store: StoreOption = None,
) -> int:
    """Replay recordings - all, without ids and filters - and print a verdict for each."""
    settings = read_settings(store)
    plan = manner.plan(settings, reach)
    ours = shard_of(shard)
    unreadable = Unreadable()
    with (
        output.stream() as stream,
        opened_when_needed(settings) as opened,
        closing(named(ids or [], wanted, opened, only=ours.has)) as asked,
    ):
        earlier = earlier_of(ids or [], opened) if warm else None
        here = Here(opened, unreadable, earlier, Secrets(manner.secrets))
        work = Work(plan, shared.runtime.value, is_warm=warm)
        with shared.executor(work, here, store=settings.store) as executor:
            ahead = _first_two(asked, ours, allow_empty=allow_empty)
            isolation = shared.isolation_of(work, len(ahead))
            with _all_told():
                kinds = _judge_all(executor.verdicts(chain(ahead, asked), isolation), stream)
        here.secrets.refuse_unknown()
    if unreadable.count or "error" in kinds:
        return MISUSE
    return 1 if "drift" in kinds else 0


def _first_two(asked: Iterator[Named], shard: Shard, *, allow_empty: bool) -> list[Named]:
    ahead = list(islice(asked, 2))
    if not ahead and shard.passed_on:
        shard.say_empty()
    elif not ahead and not allow_empty:
        raise nothing_matches()
    return ahead


@contextmanager
def _all_told() -> Iterator[None]:
    """Raise ReplayError where stdout is closed before the last verdict: nobody knows the code."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        stop_answering()
        raise ReplayError(
            "stdout was closed before every verdict was written",
            "replay run --junit FILE, or > FILE, keeps them all",
        ) from None


def _judge_all(verdicts: Generator[Verdict, None, None], stream: VerdictStream) -> set[VerdictKind]:
    kinds: set[VerdictKind] = set()
    with (
        closing(stream),
        closing(verdicts),
        Bar("replaying", is_wanted=not sys.stdout.isatty()) as bar,
    ):
        for done, verdict in enumerate(verdicts, start=1):
            kinds.add(verdict.kind)
            stream.add(verdict)
            bar(done, None)
    return kinds
