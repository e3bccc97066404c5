"""`replay generate`: tests out of recordings."""

import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from replay.cli.arguments import Found, IdsOrFilesArgument, recordings
from replay.cli.command import (
    PathOption,
    StoreOption,
    answering,
    folders_of,
    read_settings,
    say,
    say_error,
)
from replay.cli.filters import AllowEmptyOption, filtered, nothing_matches
from replay.cli.progress import Bar
from replay.errors import MISUSE, DamagedError
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.examine import examined
from replay.replayer.outbound.rules import STANDARD, Rules
from replay.replayer.rule import rule_of
from replay.replayer.verdict import Verdict
from replay.report.minimized import purpose_text
from replay.report.pieces import escaped
from replay.settings import Settings
from replay.store.selection import Selection
from replay.testing.case_file import CaseFile
from replay.testing.changes import Change, apply, changes
from replay.testing.draft import Expect, Names, SetAside, Target, drafts
from replay.testing.folder import cases
from replay.testing.measure import measure
from replay.testing.minimize import minimal
from replay.testing.player import root_of
from replay.testing.trial import tried


class ExpectChoice(StrEnum):
    """`--expect`: which outcome is right where a replay differs from its recording."""

    recorded = "recorded"
    replayed = "replayed"


ExpectOption = Annotated[
    ExpectChoice | None,
    typer.Option(
        "--expect",
        help="Where a replay drifts: hold the test to what was recorded, or to what is replayed.",
    ),
]
ToOption = Annotated[Path, typer.Option("--to", help="The folder of test modules.")]
FixturesOption = Annotated[Path, typer.Option("--fixtures", help="The folder of cases.")]
CollectOption = Annotated[
    bool,
    typer.Option("--collect", help="Write no module: pytest collects the cases by themselves."),
]
MinimizeOption = Annotated[
    bool,
    typer.Option(
        "--minimize", help="Only the fewest that keep each line, branch, outcome and operation."
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace cases that are there and differ.")
]
HandlerOption = Annotated[
    str | None, typer.Option("--handler", help="Replay this handler instead: module.function.")
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, max=256, help="So many at once; else cores.")
]


@answering
@filtered
def generate(
    ids: IdsOrFilesArgument = None,
    *,
    wanted: Selection,
    to: ToOption = Path("tests"),
    fixtures: FixturesOption = Path("fixtures"),
    minimize: MinimizeOption = False,
    collect: CollectOption = False,
    expect: ExpectOption = None,
    yes: YesOption = False,
    overwrite: OverwriteOption = False,
    handler: HandlerOption = None,
    path: PathOption = None,
    jobs: JobsOption = None,
    allow_empty: AllowEmptyOption = False,
    store: StoreOption = None,
) -> int:
    """Write a pytest suite of recordings - all, without ids and filters: a test and a case each."""
    settings = read_settings(store)
    folders = folders_of(path, settings)
    fixtures = fixtures.absolute()
    target = Target(root_of(fixtures), fixtures, folders, is_collected=collect)
    there = tuple(cases(fixtures)) if fixtures.is_dir() else ()
    known = frozenset(() if overwrite else (file.recording.id for file in there))

    def select(found: Iterator[Found]) -> _Selected:
        return _Selected(found, settings, folders, handler, known)

    def read() -> Generator[Found, None, None]:
        return recordings(ids or [], wanted, settings)

    kept = _kept(lambda: select(read()), jobs) if minimize else None
    with closing(read()) as found:
        selected = select(found)
        selected.kept = kept
        made = _made(selected, target, Names(there), expect.value if expect else None, jobs)
    if not (made.files or made.aside or selected.unreadable or selected.there):
        if allow_empty:
            return 0
        raise nothing_matches()
    planned = tuple(changes(made.files, None if collect else to.absolute(), overwrites=overwrite))
    _show(made, planned, selected.there)
    if any(change.writes for change in planned) and (yes or _is_wanted()):
        apply(planned)
        say(_command(target, to))
    return _code(made, selected.unreadable)


class _Selected:
    """The cases of what was selected; counts what cannot be read, and what is a case already."""

    def __init__(
        self,
        found: Iterator[Found],
        settings: Settings,
        folders: tuple[Path, ...],
        handler: str | None,
        known: frozenset[str],
    ) -> None:
        self._found = found
        self._settings = settings
        self._folders = folders
        self._handler = handler or settings.handler
        self._excuses = tuple(map(rule_of, settings.noise))
        self._known = known
        self.unreadable = self.there = 0
        self.kept: Mapping[str, str] | None = None
        """What is wanted only, by ids, and what for; None: all."""

    def __iter__(self) -> Iterator[Case]:
        for found in self._found:
            if isinstance(found, DamagedError):
                say_error(found)
                self.unreadable += 1
                continue
            recording = found.recording if isinstance(found, CaseFile) else found
            if self.kept is not None and recording.id not in self.kept:
                continue
            if recording.id in self._known:
                self.there += 1
            else:
                yield self._case(recording)

    def _case(self, recording: Recording) -> Case:
        by_function = self._settings.outbound_rules
        rules = {
            **by_function.get("*", {}),
            **by_function.get(recording.invocation.function_name, {}),
        }
        return Case(
            recording,
            self._handler or recording.invocation.handler,
            self._folders,
            rules=Rules(**rules) if rules else STANDARD,
            excuses=self._excuses,
        )


@dataclass(frozen=True, slots=True)
class _Made:
    files: Sequence[CaseFile]
    aside: Sequence[SetAside]


def _made(
    selected: _Selected, target: Target, names: Names, expect: Expect | None, jobs: int | None
) -> _Made:
    """Return the cases of what was selected, and what is set aside."""
    files, aside = [], []
    for draft in drafts(_examined(selected, jobs), target, expect=expect, names=names):
        if isinstance(draft, SetAside):
            aside.append(draft)
        else:
            files.append(draft)
    purposes = selected.kept or {}
    files = [replace(file, purpose=purposes.get(file.recording.id)) for file in files]
    here = [file for file in files if file.runs == "here"]
    why = tried(here, target.root) if here else {}
    return _Made([_isolated(file, why.get(file.path)) for file in files], aside)


def _kept(select: Callable[[], Iterable[Case]], jobs: int | None) -> Mapping[str, str]:
    """Return the ids of the fewest cases that do all that they all do, with what each is for."""
    with Bar("measuring") as bar:
        measured = measure(
            lambda: (replace(case, measures=True, looks="once") for case in select()),
            isolation=None,
            jobs=jobs or os.cpu_count() or 1,
            progress=bar,
        )
    return {kept.id: purpose_text(kept.purpose) for kept in minimal(measured.cases)}


def _isolated(file: CaseFile, why: str | None) -> CaseFile:
    return file if why is None else replace(file, runs="isolated", why=why)


def _examined(selected: _Selected, jobs: int | None) -> Iterator[tuple[Verdict, str]]:
    """Yield the verdict of each case, with its handler."""
    handlers: list[str] = []

    def noted() -> Iterator[Case]:
        for case in selected:
            handlers.append(case.handler)
            yield case

    with closing(examined(noted(), jobs=jobs)) as verdicts, Bar("looking twice") as bar:
        for number, verdict in enumerate(verdicts):
            bar(number + 1, None)
            yield verdict, handlers[number]


def _show(made: _Made, planned: Sequence[Change], there: int) -> None:
    """Print what there is to be, and what becomes of each file."""
    if there:
        print(f"{there} recordings are cases already: they are left as they are")
    here = sum(file.runs == "here" for file in made.files)
    isolated = len(made.files) - here
    functions = {file.recording.invocation.function_name for file in made.files}
    print(
        f"{len(made.files)} cases of {len(functions)} functions:"
        f" {here} run in the test's process, {isolated} in one of their own"
    )
    for it in made.aside:
        name = f"{it.recording.id[-8:]}  {it.recording.invocation.function_name}"
        print(f"set aside  {escaped(name)}  {escaped(it.why)}")
    if any(it.is_drift for it in made.aside):
        print("  --expect recorded or --expect replayed says which is right")
    for change in planned:
        if change.kind != "same":
            print(f"{change.kind:11}{_relative(change.path)}")
        if change.kind in ("kept", "overwritten"):
            for line in change.diff():
                print(f"    {escaped(line)}")
    if not any(change.writes for change in planned):
        print("nothing to write")


def _relative(path: Path) -> str:
    return escaped(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def _is_wanted() -> bool:
    if not sys.stdin.isatty():
        say("nothing is written yet: --yes writes it")
        return False
    return typer.confirm("write this?", err=True)


def _command(target: Target, to: Path) -> str:
    where = _relative(target.fixtures) if target.is_collected else _relative(to.absolute())
    return f"written; run it:  pytest {where}"


def _code(made: _Made, unreadable: int) -> int:
    if unreadable or any(not it.is_drift for it in made.aside):
        return MISUSE
    return 1 if made.aside else 0
