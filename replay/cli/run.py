"""`replay run`: replay recordings and judge them."""

import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import chain, islice
from typing import Annotated

import typer

from replay.cli.arguments import Found, IdsOrFilesArgument, recordings
from replay.cli.command import StoreOption, answering, read_settings
from replay.cli.earlier import earlier_of
from replay.cli.filters import AllowEmptyOption, filtered, nothing_matches
from replay.cli.manner import Manner, replaying
from replay.cli.output import Output, printing
from replay.cli.plan import Plan
from replay.cli.progress import Bar
from replay.cli.reach import Reach, reaching
from replay.cli.secret import Secrets
from replay.cli.shard import Shard, ShardOption, shard_of
from replay.cli.sharing import Sharing, sharing
from replay.errors import MISUSE
from replay.replayer.pool import Pool
from replay.replayer.verdict import VerdictKind
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
    with (
        output.stream() as stream,
        shared.prepared(plan),
        earlier_of(ids or [], settings, is_wanted=warm) as plan.earlier,
        closing(recordings(ids or [], wanted, settings, only=ours.has)) as found,
    ):
        ahead = _first_two(found, ours, allow_empty=allow_empty)
        pool = shared.pool(plan, len(ahead))
        secrets = Secrets(manner.secrets)
        return _judge_all(plan, pool, chain(ahead, found), stream, secrets)


def _first_two(found: Iterator[Found], shard: Shard, *, allow_empty: bool) -> list[Found]:
    ahead = list(islice(found, 2))
    if not ahead and shard.passed_on:
        shard.say_empty()
    elif not ahead and not allow_empty:
        raise nothing_matches()
    return ahead


def _judge_all(
    plan: Plan, pool: Pool, found: Iterator[Found], stream: VerdictStream, secrets: Secrets
) -> int:
    kinds: set[VerdictKind] = set()
    verdicts = secrets.masked(pool.verdicts(secrets.given(plan.cases(found))))
    with (
        closing(stream),
        closing(verdicts),
        Bar("replaying", is_wanted=not sys.stdout.isatty()) as bar,
    ):
        for done, verdict in enumerate(verdicts, start=1):
            kinds.add(verdict.kind)
            stream.add(verdict)
            bar(done, None)
    secrets.refuse_unknown()
    if plan.unreadable or "error" in kinds:
        return MISUSE
    return 1 if "drift" in kinds else 0
