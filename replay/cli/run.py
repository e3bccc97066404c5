"""`replay run`: replay recordings and judge them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from replay.cli.command import (
    JsonOption,
    StoreOption,
    answering,
    opened,
    out,
    print_json,
    read_settings,
    say_error,
)
from replay.cli.filters import filtered
from replay.errors import MISUSE, DamagedError, ReplayError
from replay.recording import Recording
from replay.replayer import engine
from replay.replayer.case import Case, Clock
from replay.replayer.verdict import Verdict, judge
from replay.report.document import verdict_document
from replay.report.text import totals_text, verdict_text
from replay.store.selection import Selection
from replay.store.store import Store


class ClockChoice(StrEnum):
    """`--clock`: the wall clock moved to the recording, or the deadline moved to now."""

    shifted = "shifted"
    live = "live"


IdsArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Ids, their tails, request ids, @latest, @2; or use the filters."),
]
HandlerOption = Annotated[
    str | None, typer.Option("--handler", help="Replay this handler instead: module.function.")
]
PathOption = Annotated[
    list[Path] | None,
    typer.Option("--path", help="Look for the handler's module here first; may be repeated."),
]
ClockOption = Annotated[
    ClockChoice, typer.Option("--clock", help="shifted: now is the recorded instant; live: real.")
]
TimeoutOption = Annotated[
    float | None,
    typer.Option("--timeout", min=0.001, help="Stop each replay after so many real seconds."),
]
OnceOption = Annotated[bool, typer.Option("--once", help="Do not look again at what differs.")]
AllowEmptyOption = Annotated[
    bool, typer.Option("--allow-empty", help="A selection that matches nothing is no error.")
]
ShowOutputOption = Annotated[
    bool, typer.Option("-s", "--show-output", help="Show what each handler wrote.")
]


@answering
@filtered
def run(
    ids: IdsArgument = None,
    *,
    wanted: Selection,
    handler: HandlerOption = None,
    path: PathOption = None,
    clock: ClockOption = ClockChoice.shifted,
    timeout: TimeoutOption = None,
    once: OnceOption = False,
    allow_empty: AllowEmptyOption = False,
    show_output: ShowOutputOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Replay recordings - all, without ids and filters - and print a verdict for each."""
    settings = read_settings(store)
    plan = _Plan(
        handler=handler or settings.handler,
        folders=(*(path or ()), *map(Path, settings.path), Path.cwd()),
        clock=clock.value,
        timeout_s=timeout or settings.timeout,
        second_look=not once,
    )
    show = None if as_json else _printer(show_output)
    with opened(settings) as found_store:
        found = _recordings(found_store, ids or [], wanted)
        judged = [_judge(one, plan, show) for one in found]
    if not judged and not allow_empty:
        raise ReplayError(
            "no recording matches", "replay list shows what there is; or --allow-empty"
        )
    verdicts = [verdict for verdict in judged if verdict is not None]
    if as_json:
        print_json([verdict_document(verdict) for verdict in verdicts])
    elif len(verdicts) > 1:
        out().print(totals_text(verdicts))
    return _exit_code(verdicts, unreadable=len(judged) - len(verdicts))


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the selected recordings are replayed."""

    handler: str | None
    folders: tuple[Path, ...]
    clock: Clock
    timeout_s: float | None
    second_look: bool

    def case(self, recording: Recording) -> Case:
        """Return the case of one recording."""
        return Case(
            recording,
            handler=self.handler or recording.invocation.handler,
            folders=tuple(dict.fromkeys(folder.absolute() for folder in self.folders)),
            clock=self.clock,
            timeout_s=self.timeout_s,
            second_look=self.second_look,
        )


def _recordings(
    store: Store, ids: list[str], wanted: Selection
) -> Iterator[Recording | DamagedError]:
    if ids and not wanted.is_empty:
        raise ReplayError("ids and filters were both given", "name recordings by one or the other")
    if not ids:
        yield from store.find(wanted)
    for id in dict.fromkeys(id for text in ids for id in store.resolve(text)):
        try:
            yield store.get(id)
        except DamagedError as error:
            yield error


def _judge(
    found: Recording | DamagedError, plan: _Plan, show: Callable[[Verdict], None] | None
) -> Verdict | None:
    if isinstance(found, DamagedError):
        say_error(found)
        return None
    verdict = judge(plan.case(found), engine.run)
    if show is not None:
        show(verdict)
    return verdict


def _printer(show_output: bool) -> Callable[[Verdict], None]:
    console = out()
    return lambda verdict: console.print(verdict_text(verdict, show_output=show_output))


def _exit_code(verdicts: list[Verdict], *, unreadable: int) -> int:
    kinds = {verdict.kind for verdict in verdicts}
    if unreadable or "error" in kinds:
        return MISUSE
    return 1 if "drift" in kinds else 0
