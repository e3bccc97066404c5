"""The options that say where `replay run` puts its verdicts."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from replay.cli.command import JsonOption, print_pieces
from replay.cli.options import with_options
from replay.report.stream import JsonStream, TextStream, VerdictStream


@dataclass(frozen=True, slots=True)
class Output:
    """What is printed of verdicts, and the file that a page of them goes to, if any."""

    as_json: bool
    show_output: bool

    @contextmanager
    def stream(self) -> Iterator[VerdictStream]:
        """Yield where verdicts go."""
        yield self._printed()

    def _printed(self) -> VerdictStream:
        if self.as_json:
            return JsonStream(sys.stdout)
        return TextStream(print_pieces, show_output=self.show_output)


_OPTIONS = {
    "show_output": Annotated[
        bool, typer.Option("-s", "--show-output", help="Show what each handler wrote.")
    ],
    "as_json": JsonOption,
}


def printing(command: Callable[..., int]) -> Callable[..., int]:
    """Return `command` with these options, which reach it as `output`."""
    return with_options(command, "output", _OPTIONS, _output)


def _output(*, as_json: bool | None, show_output: bool | None) -> Output:
    return Output(bool(as_json), bool(show_output))
