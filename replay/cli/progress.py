"""A progress bar on stderr: on a terminal alone, and once the work has taken a second."""

import sys
import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

_SLOW_S = 1.0
_EVERY_S = 0.1


class Bar:
    """What a piece of work reports to, within `with`; `is_wanted` False keeps it silent."""

    def __init__(self, words: str, *, is_wanted: bool = True) -> None:
        self._words = words
        self._is_wanted = is_wanted and sys.stderr.isatty()
        self._next = time.monotonic() + _SLOW_S
        self._bar: Progress | None = None

    def __call__(self, done: int, total: int | None) -> None:
        """Show how much is done, of how much where that is known."""
        if not self._is_wanted or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_S
        if self._bar is None:
            columns = (TextColumn(self._words), BarColumn(), MofNCompleteColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task(self._words, total=total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
