"""The options that say where `replay run` puts its verdicts."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from replay.cli.command import JsonOption, pieces_printer
from replay.cli.options import with_options
from replay.errors import ReplayError
from replay.report.file import ReportFile
from replay.report.stream import JsonStream, Streams, TextStream, VerdictStream


@dataclass(frozen=True, slots=True)
class Output:
    """What is printed of verdicts, and the files that reports of them go to, if any."""

    as_json: bool
    show_output: bool
    verbose: bool
    html: Path | None
    junit: Path | None

    @contextmanager
    def stream(self) -> Iterator[VerdictStream]:
        """Yield where verdicts go; files are put in place at the end, and not on an exception.

        Raises ReplayError at once where they could not be.
        """
        with ExitStack() as files:
            yield Streams(self._printed(), *self._reports(files))

    def _printed(self) -> VerdictStream:
        if self.as_json:
            return JsonStream(sys.stdout)
        folds = sys.stdout.isatty() and not self.verbose
        return TextStream(pieces_printer(), show_output=self.show_output, folds=folds)

    def _reports(self, files: ExitStack) -> Iterator[VerdictStream]:
        if self.html and self.junit and self.html.resolve() == self.junit.resolve():
            raise ReplayError("--html and --junit name the same file", "name two files")
        if self.html is not None:
            from replay.report.html import PAGE, HtmlStream  # what others need not pay

            yield HtmlStream(files.enter_context(ReportFile(self.html, PAGE)))
        if self.junit is not None:
            from replay.report.junit import JUNIT, JUnitStream

            yield JUnitStream(files.enter_context(ReportFile(self.junit, JUNIT)))


_OPTIONS = {
    "show_output": Annotated[
        bool, typer.Option("-s", "--show-output", help="Show what each handler wrote.")
    ],
    "verbose": Annotated[
        bool,
        typer.Option("-v", "--verbose", help="On a terminal too, print each of many matches."),
    ],
    "html": Annotated[
        Path | None,
        typer.Option(
            "--html",
            help="Write a page for a browser to this file as well: summary, filters, differences,"
            " calls over time.",
        ),
    ],
    "junit": Annotated[
        Path | None,
        typer.Option("--junit", help="Write JUnit XML to this file as well, for CI systems."),
    ],
    "as_json": JsonOption,
}


def printing(command: Callable[..., int]) -> Callable[..., int]:
    """Return `command` with these options, which reach it as `output`."""
    return with_options(command, "output", _OPTIONS, _output)


def _output(
    *,
    as_json: bool | None,
    show_output: bool | None,
    verbose: bool | None,
    html: Path | None,
    junit: Path | None,
) -> Output:
    return Output(bool(as_json), bool(show_output), bool(verbose), html, junit)
