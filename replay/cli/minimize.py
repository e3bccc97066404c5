"""`replay minimize`: choose the smallest set of recordings that covers what all of them do."""

from collections.abc import Callable, Collection, Generator
from contextlib import closing
from typing import Annotated

import typer

from replay.cli.arguments import IdsOrFilesArgument, named
from replay.cli.command import (
    HandlerOption,
    JobsOption,
    JsonOption,
    PathOption,
    StoreOption,
    answering,
    opened_when_needed,
    print_json,
    print_pieces,
    read_settings,
    say,
)
from replay.cli.filters import AllowEmptyOption, filtered, nothing_matches
from replay.cli.progress import Bar
from replay.cli.sharing import IsolationChoice, SchedulerOption, executor_of
from replay.cli.source import Unreadable, plain_plan
from replay.errors import MISUSE
from replay.executor.work import Executor, Here, Named, Work
from replay.replayer.pool import Isolation
from replay.replayer.verdict import Verdict
from replay.store.selection import Selection
from replay.testing.edited import Edited, edited_since
from replay.testing.measure import Judge, Measurement, measure
from replay.testing.minimize import minimal
from replay.testing.minimized import (
    Minimized,
    closing_text,
    gaps,
    kept_pieces,
    minimized_document,
)

ChangedSinceOption = Annotated[
    str | None,
    typer.Option(
        "--changed-since", help="Choose those that run lines edited since this git revision."
    ),
]
IsolationOption = Annotated[
    IsolationChoice | None,
    typer.Option(
        "--isolation",
        help="What cases share; by default one warm process where that makes no difference to"
        " them, else case.",
    ),
]


@answering
@filtered
def minimize(
    ids: IdsOrFilesArgument = None,
    *,
    wanted: Selection,
    changed_since: ChangedSinceOption = None,
    path: PathOption = None,
    handler: HandlerOption = None,
    isolation: IsolationOption = None,
    jobs: JobsOption = None,
    scheduler: SchedulerOption = None,
    allow_empty: AllowEmptyOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Choose the fewest recordings that keep every line, branch, outcome, error and operation."""
    settings = read_settings(store)
    plan = plain_plan(settings, handler=handler, path=path, measures=True)
    edited = edited_since(changed_since, plan.folders) if changed_since is not None else None
    unreadable = Unreadable()
    with opened_when_needed(settings) as opened, Bar("measuring") as bar:
        here = Here(opened, unreadable)
        with executor_of(scheduler, Work(plan), here, store=settings.store, jobs=jobs) as executor:
            measurement = measure(
                _judging(
                    executor, unreadable, lambda it: named(ids or [], wanted, opened, only=it)
                ),
                isolation=isolation.value if isolation else None,
                progress=bar,
            )
    if not (measurement.cases or measurement.failed or unreadable.count or allow_empty):
        raise nothing_matches()
    _print(_minimized(measurement, edited), as_json=as_json)
    return MISUSE if unreadable.count or _say_failed(measurement) else 0


def _judging(
    executor: Executor,
    unreadable: Unreadable,
    asked: Callable[[Callable[[str], bool]], Generator[Named, None, None]],
) -> Judge:
    """Return what judges what was asked for, or those of some ids, and tells of each once."""

    def judge(isolation: Isolation, only: Collection[str] | None) -> Generator[Verdict, None, None]:
        with (
            closing(asked(lambda it: only is None or it in only)) as found,
            closing(executor.verdicts(found, isolation)) as verdicts,
        ):
            yield from verdicts
        unreadable.is_silent = True

    return judge


def _minimized(measurement: Measurement, edited: Edited | None) -> Minimized:
    if edited is None:
        return Minimized(minimal(measurement.cases), measurement)
    run = edited.run_by(measurement.cases, measurement.at_import)
    return Minimized(minimal(edited.narrowed(measurement.cases, run)), measurement, edited, run)


def _print(minimized: Minimized, *, as_json: bool) -> None:
    if as_json:
        print_json(minimized_document(minimized))
        return
    for kept in minimized.kept:
        print_pieces(kept_pieces(kept, minimized.sketch(kept)))
    for gap in gaps(minimized):
        print_pieces([(gap, "bold yellow")])
    print_pieces([(closing_text(minimized), "")])


def _say_failed(measurement: Measurement) -> bool:
    """Name the recordings that could not be replayed; return whether there are any."""
    failed = measurement.failed
    if not failed:
        return False
    say(f"error: {len(failed):,} recordings could not be replayed, and are left out:")
    for verdict in failed:
        say(f"  {verdict.recording.id}: {verdict.error.message if verdict.error else ''}")
    say("hint: replay run ID says more of each")
    return True
