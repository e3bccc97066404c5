"""Verdicts written one by one, as they come: as text for reading, or as one JSON array.

Nothing is kept but totals, which are bounded: a million verdicts need little more memory than one.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from time import monotonic
from typing import Any, Protocol, TextIO

import orjson

from replay.replayer.verdict import Verdict
from replay.report.document import verdict_document
from replay.report.jsonable import indent_of
from replay.report.pieces import STYLES, Piece, escaped_json
from replay.report.text import verdict_pieces
from replay.report.totals import Totals, summary_pieces

_MAX_MATCHES = 20
_EVERY_S = 1.0


class VerdictStream(Protocol):
    """Where verdicts go."""

    def add(self, verdict: Verdict) -> None:
        """Write one."""

    def close(self) -> None:
        """Write what comes after the last one."""


class TextStream:
    """Some lines a verdict, and a summary where there are several.

    With `folds`, for a person at a terminal, matches beyond the first 20 that say nothing else are
    counted, and told of once a second.
    """

    def __init__(
        self,
        print_: Callable[[Iterable[Piece]], object],
        *,
        show_output: bool = False,
        folds: bool = False,
    ) -> None:
        self._print = print_
        self._show_output = show_output
        self._folds = folds and not show_output
        self._folded = 0
        self._next = monotonic() + _EVERY_S
        self._totals = Totals()

    def add(self, verdict: Verdict) -> None:
        """Write one."""
        self._totals.add(verdict)
        if self._folds and self._totals.kinds["match"] > _MAX_MATCHES and _is_plain(verdict):
            self._folded += 1
        else:
            self._print(verdict_pieces(verdict, show_output=self._show_output))
        if self._folded and monotonic() >= self._next:
            self._tell_folded()

    def _tell_folded(self) -> None:
        self._next = monotonic() + _EVERY_S
        if self._folded:
            self._print([("match", STYLES["match"]), (f"  {self._folded:,} more", "dim")])
        self._folded = 0

    def close(self) -> None:
        """Write the summary."""
        self._tell_folded()
        if self._totals.count > 1:
            self._print(summary_pieces(self._totals))


def _is_plain(verdict: Verdict) -> bool:
    """Whether a match is like any other: a reader loses nothing where it is counted alone."""
    has_written = verdict.replay is not None and bool(verdict.replay.wrote)
    return verdict.kind == "match" and not (verdict.dependences or has_written)


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
        return escaped_json(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    return json.dumps(document, indent=indent_of(document))
