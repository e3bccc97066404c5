"""`replay generate`: tests out of recordings."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from replay.cli.arguments import Found, IdsOrFilesArgument, recordings
from replay.cli.command import (
    JsonOption,
    PathOption,
    StoreOption,
    answering,
    folders_of,
    print_json,
    read_settings,
    say,
)
from replay.cli.filters import AllowEmptyOption, filtered, nothing_matches
from replay.cli.plan import Plan
from replay.cli.progress import Bar
from replay.cli.wish import Wish, wishing
from replay.errors import MISUSE
from replay.replayer.case import Case
from replay.replayer.network import CLOSED
from replay.replayer.rule import rule_of
from replay.settings import Settings
from replay.store.selection import Selection
from replay.testing.case_file import CaseFile
from replay.testing.changes import apply, changes
from replay.testing.draft import Names
from replay.testing.folder import cases
from replay.testing.generated import path_text, plan_document, plan_lines
from replay.testing.suite import Suite, purposes_of, suite_of

HandlerOption = Annotated[
    str | None, typer.Option("--handler", help="Replay this handler instead: module.function.")
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, max=256, help="So many at once; else cores.")
]


@answering
@filtered
@wishing
def generate(
    ids: IdsOrFilesArgument = None,
    *,
    wanted: Selection,
    wish: Wish,
    handler: HandlerOption = None,
    path: PathOption = None,
    jobs: JobsOption = None,
    allow_empty: AllowEmptyOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write a pytest suite of recordings - all, without ids and filters: a test and a case each."""
    settings = read_settings(store)
    there = tuple(cases(wish.fixtures)) if wish.fixtures.is_dir() else ()
    known = frozenset(() if wish.overwrites else (file.recording.id for file in there))
    plan = _plan(handler or settings.handler, settings, path)
    source = _Source(plan, ids or [], wanted, settings, known)
    suite = _suite(source, wish, Names(there), jobs)
    if not (suite.files or suite.aside or plan.unreadable or source.there or allow_empty):
        raise nothing_matches()
    _write(suite, wish, source.there, as_json=as_json)
    if plan.unreadable or any(not it.is_drift for it in suite.aside):
        return MISUSE
    return 1 if suite.aside else 0


def _plan(handler: str | None, settings: Settings, path: list[Path] | None) -> Plan:
    return Plan(
        handler=handler,
        folders=folders_of(path, settings),
        clock="virtual",
        timeout_s=settings.timeout,
        looks="twice",
        changes=(),
        breaks_at=None,
        network=CLOSED,
        outbound_rules=settings.outbound_rules,
        excuses=tuple(map(rule_of, settings.noise)),
    )


class _Source:
    """What was asked for, which may be read again; `there` are those that are cases already."""

    def __init__(
        self,
        plan: Plan,
        ids: list[str],
        wanted: Selection,
        settings: Settings,
        known: frozenset[str],
    ) -> None:
        self.plan = plan
        self._asked = ids, wanted, settings
        self._known = known
        self.there = 0

    def cases(self, only: Mapping[str, str] | None = None) -> Iterator[Case]:
        """Yield the cases of the recordings, or of those alone whose ids are given."""
        self.there = self.plan.unreadable = 0
        with closing(recordings(*self._asked)) as found:
            yield from self.plan.cases(filter(lambda it: self._is_wanted(it, only), _bare(found)))

    def _is_wanted(self, found: Found, only: Mapping[str, str] | None) -> bool:
        id = getattr(found, "id", None)  # what cannot be read has none, and is told by the plan
        if id is None:
            return True
        if only is not None and id not in only:
            return False
        self.there += id in self._known
        return id not in self._known


def _bare(found: Iterator[Found]) -> Iterator[Found]:
    """Yield the recordings of cases: what they expect is what is to be found out anew."""
    return (it.recording if isinstance(it, CaseFile) else it for it in found)


def _suite(source: _Source, wish: Wish, names: Names, jobs: int | None) -> Suite:
    only = None
    if wish.is_minimized:
        with Bar("measuring") as bar:
            only = purposes_of(source.cases, jobs=jobs, progress=bar)
    with Bar("looking twice") as bar:
        return suite_of(
            source.cases(only),
            wish.target(source.plan.folders),
            names=names,
            purposes=only or {},
            expect=wish.expect,
            jobs=jobs,
            progress=bar,
        )


def _write(suite: Suite, wish: Wish, there: int, *, as_json: bool) -> None:
    """Show what there is to write, and write it if that is wanted."""
    planned = tuple(changes(suite.files, wish.modules, overwrites=wish.overwrites))
    if as_json:
        print_json(plan_document(suite, planned, there=there, folder=Path.cwd()))
    else:
        for line in plan_lines(suite, planned, there=there, folder=Path.cwd()):
            print(line)
    if any(change.writes for change in planned) and (wish.is_sure or _is_wanted()):
        apply(planned)
        say(f"written; run it:  pytest {path_text(wish.modules or wish.fixtures, Path.cwd())}")


def _is_wanted() -> bool:
    if not sys.stdin.isatty():
        say("nothing is written yet: --yes writes it")
        return False
    return typer.confirm("write this?", err=True)
