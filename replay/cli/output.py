"""The options that say where `replay run` puts its verdicts."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from replay.cli.command import JsonOption, print_pieces
from replay.cli.options import with_options
from replay.report.stream import JsonStream, Streams, TextStream, VerdictStream


@dataclass(frozen=True, slots=True)
class Output:
    """What is printed of verdicts, and the file that a page of them goes to, if any."""

    as_json: bool
    show_output: bool
    html: Path | None

    @contextmanager
    def stream(self) -> Iterator[VerdictStream]:
        """Yield where verdicts go; a page is put in place at the end, and not on an exception.

        Raises ReplayError at once where it could not be.
        """
        if self.html is None:
            yield self._printed()
            return
        from replay.report.html import HtmlStream  # what others need not pay
        from replay.report.html_file import PageFile

        with PageFile(self.html) as page:
            yield Streams(self._printed(), HtmlStream(page))

    def _printed(self) -> VerdictStream:
        if self.as_json:
            return JsonStream(sys.stdout)
        return TextStream(print_pieces, show_output=self.show_output)


_OPTIONS = {
    "show_output": Annotated[
        bool, typer.Option("-s", "--show-output", help="Show what each handler wrote.")
    ],
    "html": Annotated[
        Path | None,
        typer.Option(
            "--html",
            help="Write a page for a browser to this file as well: differences, calls over time.",
        ),
    ],
    "as_json": JsonOption,
}


def printing(command: Callable[..., int]) -> Callable[..., int]:
    """Return `command` with these options, which reach it as `output`."""
    return with_options(command, "output", _OPTIONS, _output)


def _output(*, as_json: bool | None, show_output: bool | None, html: Path | None) -> Output:
    return Output(bool(as_json), bool(show_output), html)
