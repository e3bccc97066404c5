"""`replay generate`: tests out of recordings."""

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import typer

from replay.cli.arguments import Found, IdsOrFilesArgument, recordings
from replay.cli.command import (
    HandlerOption,
    JobsOption,
    JsonOption,
    PathOption,
    StoreOption,
    answering,
    print_json,
    read_settings,
    say,
)
from replay.cli.filters import AllowEmptyOption, filtered, nothing_matches
from replay.cli.plan import Plan, plain_plan
from replay.cli.progress import Bar
from replay.cli.wish import Wish, wishing
from replay.errors import MISUSE
from replay.replayer.case import Case
from replay.settings import Settings
from replay.store.selection import Selection
from replay.testing.case_file import CaseFile
from replay.testing.changes import apply, changes
from replay.testing.draft import Names
from replay.testing.folder import cases
from replay.testing.generated import path_text, plan_document, plan_lines
from replay.testing.suite import Suite, fewest, suite_of


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
    plan = plain_plan(settings, handler=handler, path=path)
    source = _Source(plan, ids or [], wanted, settings, known)
    suite = _suite(source, wish, names=Names(there), jobs=jobs)
    if not (suite.files or suite.aside or plan.unreadable or source.there or allow_empty):
        raise nothing_matches()
    _write(suite, wish, [it for it in there if it.recording.id in source.there], as_json=as_json)
    if plan.unreadable or any(not it.is_drift for it in suite.aside):
        return MISUSE
    return 1 if suite.aside else 0


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
        self.there = set[str]()

    def cases(self, only: Collection[str] | None = None) -> Iterator[Case]:
        """Yield the cases of the recordings, or of those alone whose ids are given."""
        self.plan.unreadable = 0
        with closing(recordings(*self._asked)) as found:
            yield from self.plan.cases(filter(lambda it: self._is_wanted(it, only), _bare(found)))

    def _is_wanted(self, found: Found, only: Collection[str] | None) -> bool:
        id = getattr(found, "id", None)  # what cannot be read has none, and is told by the plan
        if id is None:
            return True
        if only is not None and id not in only:
            return False
        if id in self._known:
            self.there.add(id)
        return id not in self._known


def _bare(found: Iterator[Found]) -> Iterator[Found]:
    """Yield the recordings of cases: what they expect is what is to be found out anew."""
    return (it.recording if isinstance(it, CaseFile) else it for it in found)


def _suite(source: _Source, wish: Wish, *, names: Names, jobs: int | None) -> Suite:
    target = wish.target(source.plan.folders)
    with Bar("measuring and looking twice" if wish.is_minimized else "looking twice") as bar:
        how: dict[str, Any] = {
            "names": names,
            "expect": wish.expect,
            "jobs": jobs,
            "progress": bar,
        }
        if wish.is_minimized:
            return fewest(source.cases, target, **how)
        return suite_of(source.cases(), target, purposes={}, **how)


def _write(suite: Suite, wish: Wish, there: Sequence[CaseFile], *, as_json: bool) -> None:
    """Show what there is to write, and write it if that is wanted."""
    planned = tuple(changes(suite.files, wish.modules, there=there, overwrites=wish.overwrites))
    if as_json:
        print_json(plan_document(suite, planned, there=len(there), folder=Path.cwd()))
    else:
        for line in plan_lines(suite, planned, there=len(there), folder=Path.cwd()):
            print(line)
    if any(change.writes for change in planned) and (wish.is_sure or _is_wanted()):
        apply(planned)
        say(f"written; run it:  pytest {path_text(wish.modules or wish.fixtures, Path.cwd())}")


def _is_wanted() -> bool:
    if not sys.stdin.isatty():
        say("nothing is written yet: --yes writes it")
        return False
    return typer.confirm("write this?", err=True)
