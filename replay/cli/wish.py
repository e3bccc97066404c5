"""The options that say which suite `replay generate` writes, and where."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from replay.cli.options import with_options
from replay.errors import ReplayError
from replay.testing.draft import Expect, Target
from replay.testing.player import root_of


class ExpectChoice(StrEnum):
    """`--expect`: which outcome is right where a replay differs from its recording."""

    recorded = "recorded"
    replayed = "replayed"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be written: test modules to `tests`, unless pytest is to collect the cases.

    `is_sure` says that nobody need be asked.
    """

    tests: Path
    fixtures: Path
    is_collected: bool
    is_minimized: bool
    expect: Expect | None
    overwrites: bool
    is_sure: bool

    def target(self, folders: tuple[Path, ...]) -> Target:
        """Return where cases go, whose handlers are looked for in `folders`."""
        root = root_of(self.fixtures)
        return Target(root, self.fixtures, folders, is_collected=self.is_collected)

    @property
    def modules(self) -> Path | None:
        """The folder of test modules, None where there are to be none."""
        return None if self.is_collected else self.tests


_OPTIONS = {
    "to": Annotated[
        Path | None, typer.Option("--to", help="The folder of test modules, tests by default.")
    ],
    "fixtures": Annotated[
        Path | None, typer.Option("--fixtures", help="The folder of cases, fixtures by default.")
    ],
    "collect": Annotated[
        bool,
        typer.Option("--collect", help="Write no module: pytest collects the cases themselves."),
    ],
    "minimize": Annotated[
        bool,
        typer.Option(
            "--minimize", help="Only the fewest that keep each line, branch, outcome, operation."
        ),
    ],
    "expect": Annotated[
        ExpectChoice | None,
        typer.Option(
            "--expect",
            help="Where a replay drifts: hold the test to what was recorded, or is replayed.",
        ),
    ],
    "overwrite": Annotated[
        bool, typer.Option("--overwrite", help="Replace cases that are there and differ.")
    ],
    "yes": Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")],
}


def wishing(command: Callable[..., int]) -> Callable[..., int]:
    """Return `command` with these options, which reach it as `wish`."""
    return with_options(command, "wish", _OPTIONS, _wish)


def _wish(
    *,
    to: Path | None,
    fixtures: Path | None,
    collect: bool | None,
    minimize: bool | None,
    expect: ExpectChoice | None,
    overwrite: bool | None,
    yes: bool | None,
) -> Wish:
    for folder in filter(None, (to, fixtures)):
        if folder.exists() and not folder.is_dir():
            raise ReplayError(f"{folder} is no folder", "name another with --to or --fixtures")
    return Wish(
        tests=(to or Path("tests")).absolute(),
        fixtures=(fixtures or Path("fixtures")).absolute(),
        is_collected=bool(collect),
        is_minimized=bool(minimize),
        expect=expect.value if expect else None,
        overwrites=bool(overwrite),
        is_sure=bool(yes),
    )
