"""`replay generate`: tests out of recordings."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from replay.cli.arguments import IdsOrFilesArgument
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
from replay.cli.consent import is_wanted
from replay.cli.filters import AllowEmptyOption, filtered, nothing_matches
from replay.cli.progress import Bar
from replay.cli.source import Cases, Readable, plain_plan
from replay.cli.wish import Wish, wishing
from replay.errors import MISUSE
from replay.recording import Recording
from replay.replayer.case import Case
from replay.store.selection import Selection
from replay.testing.case_file import CaseFile
from replay.testing.changes import apply, changes
from replay.testing.draft import Names, Target
from replay.testing.folder import cases
from replay.testing.generated import path_text, plan_document, plan_lines
from replay.testing.suite import Suite, fewest, suite_of

_KEPT = "nothing is written yet: --yes writes it"


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
    asked = Cases(plan, ids or [], wanted, settings)
    source = _Source(asked, known)
    suite = _suite(source, wish, wish.target(plan.folders), names=Names(there), jobs=jobs)
    if not (suite.files or suite.aside or asked.unreadable.count or source.there or allow_empty):
        raise nothing_matches()
    _write(suite, wish, [it for it in there if it.recording.id in source.there], as_json=as_json)
    if asked.unreadable.count or any(not it.is_drift for it in suite.aside):
        return MISUSE
    return 1 if suite.aside else 0


class _Source:
    """The cases of what was asked for; `there` are the ids of those that are cases already."""

    def __init__(self, cases: Cases, known: frozenset[str]) -> None:
        self._cases = cases
        self._known = known
        self.there = set[str]()

    def cases(self, only: Collection[str] | None = None) -> Iterator[Case]:
        """Yield the cases of the recordings, or of those alone whose ids are given."""
        return self._cases.read(lambda found: self._taken(found, only))

    def _taken(self, found: Readable, only: Collection[str] | None) -> Recording | None:
        """Return what becomes a case: of one, its recording, for its expectation is to be found."""
        recording = found.recording if isinstance(found, CaseFile) else found
        if only is not None and recording.id not in only:
            return None
        if recording.id in self._known:
            self.there.add(recording.id)
            return None
        return recording


def _suite(source: _Source, wish: Wish, target: Target, *, names: Names, jobs: int | None) -> Suite:
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
    if any(change.writes for change in planned) and (
        wish.is_sure or is_wanted("write this?", otherwise=_KEPT)
    ):
        apply(planned)
        say(f"written; run it:  pytest {path_text(wish.modules or wish.fixtures, Path.cwd())}")
