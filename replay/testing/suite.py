"""From cases to a suite: each is looked at twice, drafted, and tried in a process like a test's."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from replay.replayer.case import Case
from replay.replayer.examine import examined
from replay.replayer.verdict import Verdict
from replay.testing.case_file import CaseFile
from replay.testing.draft import Expect, Names, SetAside, Target, drafts
from replay.testing.measure import judging_here, measure
from replay.testing.minimize import minimal
from replay.testing.minimized import purpose_text
from replay.testing.trial import tried

_ROUNDS = 5
"""How often others are looked for in the places of recordings that came to no case."""
Progress = Callable[[int, int | None], None]
"""Is told how many are done, and of how many, if that is known."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases to write, and the recordings that are none, each with the reason."""

    files: Sequence[CaseFile]
    aside: Sequence[SetAside]

    @property
    def here(self) -> int:
        """How many of the cases run in the process of the test."""
        return sum(file.runs == "here" for file in self.files)


def suite_of(
    cases: Iterable[Case],
    target: Target,
    *,
    names: Names,
    purposes: Mapping[str, str],
    expect: Expect | None,
    jobs: int | None,
    progress: Progress,
) -> Suite:
    """Return the suite of some cases; `expect` says what is right where a replay drifts.

    `purposes` are what recordings are kept for, by their ids.
    """
    files, aside = list[CaseFile](), list[SetAside]()
    for draft in drafts(_examined(cases, jobs, progress), target, expect=expect, names=names):
        if isinstance(draft, SetAside):
            aside.append(draft)
        else:
            files.append(replace(draft, purpose=purposes.get(draft.recording.id)))
    files.sort(key=lambda file: file.path)
    here = [file for file in files if file.runs == "here"]
    why = tried(here, target.root) if here else {}
    return Suite([_isolated(file, why.get(file.path)) for file in files], aside)


def fewest(
    read: Callable[[Collection[str] | None], Iterable[Case]],
    target: Target,
    *,
    names: Names,
    expect: Expect | None,
    jobs: int | None,
    progress: Progress,
) -> Suite:
    """Return the suite of the fewest recordings that do all that they all do.

    `read` yields the cases of some ids, or of all; it is called again. For one that comes to no
    case, because it drifts, another is taken that does as much; what cannot be replayed is set
    aside.
    """
    judge = judging_here(
        lambda ids: (replace(case, measures=True, looks="once") for case in read(ids)),
        jobs=jobs or os.cpu_count() or 1,
    )
    measured = measure(judge, isolation=None, progress=progress)
    suite, done = Suite([], []), set[str]()
    wanted = {verdict.recording.id: "" for verdict in measured.failed}
    for _ in range(_ROUNDS):
        aside = {it.recording.id for it in suite.aside}
        kept = minimal(case for case in measured.cases if case.id not in aside)
        wanted |= {it.id: purpose_text(it.purpose) for it in kept}
        todo = {id: purpose for id, purpose in wanted.items() if id not in done}
        if not todo:
            break
        done |= todo.keys()
        more = suite_of(
            read(todo),
            target,
            names=names,
            purposes=todo,
            expect=expect,
            jobs=jobs,
            progress=progress,
        )
        suite = Suite([*suite.files, *more.files], [*suite.aside, *more.aside])
    return suite


def _isolated(file: CaseFile, why: str | None) -> CaseFile:
    return file if why is None else replace(file, runs="isolated", why=why)


def _examined(
    cases: Iterable[Case], jobs: int | None, progress: Progress
) -> Iterator[tuple[Verdict, str]]:
    """Yield the verdict of each case, with its handler."""
    handlers: list[str] = []

    def noted() -> Iterator[Case]:
        for case in cases:
            handlers.append(case.handler)
            yield case

    with closing(examined(noted(), jobs=jobs)) as verdicts:
        for number, verdict in enumerate(verdicts):
            progress(number + 1, None)
            yield verdict, handlers[number]
