"""`replay run`: replay recordings and judge them."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from enum import StrEnum
from itertools import chain, islice
from typing import Annotated

import typer

from replay.cli.arguments import Found, IdsOrFilesArgument, recordings
from replay.cli.command import (
    JsonOption,
    PathOption,
    RuntimeChoice,
    RuntimeOption,
    StoreOption,
    answering,
    folders_of,
    print_pieces,
    read_settings,
)
from replay.cli.earlier import earlier_of
from replay.cli.filters import AllowEmptyOption, filtered, nothing_matches, path_and_value
from replay.cli.plan import Plan, pool_of
from replay.cli.progress import Bar
from replay.cli.reach import Reach, reaching
from replay.errors import MISUSE
from replay.replayer.builtin import BuiltinSandbox
from replay.replayer.pool import Isolation, Pool
from replay.replayer.process import prepared
from replay.replayer.verdict import VerdictKind
from replay.report.stream import JsonStream, TextStream, VerdictStream
from replay.settings import Settings
from replay.store.selection import Selection


class ClockChoice(StrEnum):
    """`--clock`: what time it is, and what makes it pass."""

    virtual = "virtual"
    shifted = "shifted"
    live = "live"


class IsolationChoice(StrEnum):
    """`--isolation`: what cases share."""

    process = "process"
    case = "case"
    worker = "worker"


class BreakChoice(StrEnum):
    """`--pdb`: where the debugger opens."""

    error = "raise"
    entry = "entry"


HandlerOption = Annotated[
    str | None, typer.Option("--handler", help="Replay this handler instead: module.function.")
]
ClockOption = Annotated[
    ClockChoice,
    typer.Option(
        "--clock",
        help="virtual: moved by the handler alone; shifted: runs on from the recorded"
        " instant; live: real.",
    ),
]
IsolationOption = Annotated[
    IsolationChoice | None,
    typer.Option(
        "--isolation",
        help="process: a fresh import each, the default for one case; case: a fork each, the"
        " default for many; worker: one warm process.",
    ),
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, max=256, help="So many at once; else cores.")
]
TimeoutOption = Annotated[
    float | None,
    typer.Option("--timeout", min=0.001, help="Stop each replay after so many real seconds."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="JSONPATH=VALUE: set in the event first; may be repeated."),
]
PdbOption = Annotated[
    BreakChoice | None,
    typer.Option("--pdb", help="Debug where the handler raises; --pdb=entry: from its first line."),
]
WarmOption = Annotated[
    bool,
    typer.Option(
        "--warm", help="First replay what the same sandbox has seen before, in the same process."
    ),
]
OnceOption = Annotated[bool, typer.Option("--once", help="Do not look again at what differs.")]
TwiceOption = Annotated[
    bool, typer.Option("--twice", help="Look again at matches too: say what they depend on.")
]
ShowOutputOption = Annotated[
    bool, typer.Option("-s", "--show-output", help="Show what each handler wrote.")
]


@answering
@filtered
@reaching
def run(
    ids: IdsOrFilesArgument = None,
    *,
    wanted: Selection,
    reach: Reach,
    handler: HandlerOption = None,
    path: PathOption = None,
    clock: ClockOption = ClockChoice.virtual,
    runtime: RuntimeOption = RuntimeChoice.builtin,
    isolation: IsolationOption = None,
    jobs: JobsOption = None,
    timeout: TimeoutOption = None,
    values: SetOption = None,
    pdb: PdbOption = None,
    warm: WarmOption = False,
    once: OnceOption = False,
    twice: TwiceOption = False,
    allow_empty: AllowEmptyOption = False,
    show_output: ShowOutputOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Replay recordings - all, without ids and filters - and print a verdict for each."""
    settings = read_settings(store)
    plan = Plan(
        handler=handler or settings.handler,
        folders=folders_of(path, settings),
        clock=clock.value,
        timeout_s=timeout or settings.timeout,
        looks="once" if once or pdb else "twice" if twice else "once, then again",
        changes=tuple(path_and_value(text, "--set") for text in values or ()),
        breaks_at=pdb.value if pdb else None,
        network=reach.network,
        misses=reach.misses,
        outbound_rules=settings.outbound_rules,
    )
    apart: Isolation | None = isolation.value if isolation else None
    with _prepared(runtime, pdb), _selected(plan, ids or [], wanted, settings, warm=warm) as found:
        ahead = _first_two(found, allow_empty=allow_empty)
        pool = pool_of(plan, runtime.value, apart, jobs, len(ahead))
        stream = _stream(as_json=as_json, show_output=show_output)
        return _judge_all(plan, pool, chain(ahead, found), stream)


def _first_two(found: Iterator[Found], *, allow_empty: bool) -> list[Found]:
    ahead = list(islice(found, 2))
    if not ahead and not allow_empty:
        raise nothing_matches()
    return ahead


def _prepared(runtime: RuntimeChoice, pdb: BreakChoice | None) -> AbstractContextManager[None]:
    """Start the first process while the store is being read; not where a debugger needs it."""
    if pdb or runtime is not RuntimeChoice.builtin:
        return nullcontext()
    return prepared(BuiltinSandbox.module, hash_seed=0)


@contextmanager
def _selected(
    plan: Plan, ids: list[str], wanted: Selection, settings: Settings, *, warm: bool
) -> Iterator[Iterator[Found]]:
    """Yield the recordings; `plan` finds what their sandboxes have seen before, if `warm`."""
    with (
        earlier_of(ids, settings, is_wanted=warm) as plan.earlier,
        closing(recordings(ids, wanted, settings)) as found,
    ):
        yield found


def _stream(*, as_json: bool, show_output: bool) -> VerdictStream:
    if as_json:
        return JsonStream(sys.stdout)
    return TextStream(print_pieces, show_output=show_output)


def _judge_all(plan: Plan, pool: Pool, found: Iterator[Found], stream: VerdictStream) -> int:
    kinds: set[VerdictKind] = set()
    verdicts = pool.verdicts(plan.cases(found))
    with (
        closing(stream),
        closing(verdicts),
        Bar("replaying", is_wanted=not sys.stdout.isatty()) as bar,
    ):
        for done, verdict in enumerate(verdicts, start=1):
            kinds.add(verdict.kind)
            stream.add(verdict)
            bar(done, None)
    if plan.unreadable or "error" in kinds:
        return MISUSE
    return 1 if "drift" in kinds else 0
