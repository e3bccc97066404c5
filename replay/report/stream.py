"""Verdicts written one by one, as they come: as text for reading, or as one JSON array.

Nothing is kept but the totals, so a million verdicts need no more memory than one.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any, Protocol, TextIO

import orjson

from replay.replayer.verdict import Verdict, VerdictKind
from replay.report.document import verdict_document
from replay.report.pieces import Piece
from replay.report.text import totals_pieces, verdict_pieces


class VerdictStream(Protocol):
    """Where verdicts go."""

    def add(self, verdict: Verdict) -> None:
        """Write one."""

    def close(self) -> None:
        """Write what comes after the last one."""


class Totals:
    """How many verdicts of each kind there were, and how much noise."""

    def __init__(self) -> None:
        self.kinds: Counter[VerdictKind] = Counter()
        self.noise = 0

    def add(self, verdict: Verdict) -> None:
        """Count one."""
        self.kinds[verdict.kind] += 1
        self.noise += len(verdict.noise)


class TextStream:
    """Some lines a verdict, and a closing line where there are several."""

    def __init__(self, print_: Callable[[Iterator[Piece]], object], *, show_output: bool) -> None:
        self._print = print_
        self._show_output = show_output
        self._totals = Totals()

    def add(self, verdict: Verdict) -> None:
        """Write one."""
        self._totals.add(verdict)
        self._print(verdict_pieces(verdict, show_output=self._show_output))

    def close(self) -> None:
        """Write the totals."""
        if self._totals.kinds.total() > 1:
            self._print(totals_pieces(self._totals.kinds, self._totals.noise))


class Streams:
    """The same verdicts in several places."""

    def __init__(self, *streams: VerdictStream) -> None:
        self._streams = streams

    def add(self, verdict: Verdict) -> None:
        """Write one to each, in their order."""
        for stream in self._streams:
            stream.add(verdict)

    def close(self) -> None:
        """End each, whatever becomes of the others."""
        with ExitStack() as ending:
            for stream in reversed(self._streams):
                ending.callback(stream.close)


class JsonStream:
    """An array with one object a verdict; complete whenever it is closed."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._separator = "[\n"

    def add(self, verdict: Verdict) -> None:
        """Write one."""
        self._file.write(self._separator + _indented(verdict_document(verdict)))
        self._separator = ",\n"

    def close(self) -> None:
        """End the array."""
        self._file.write("[]\n" if self._separator == "[\n" else "\n]\n")


def _indented(document: dict[str, Any]) -> str:
    with suppress(TypeError):  # lone surrogates, integers over 64 bits, deep nesting
        return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
    return json.dumps(document, indent=2)
