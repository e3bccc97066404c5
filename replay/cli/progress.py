"""A progress bar on stderr: on a terminal alone, and once the work has taken a second."""

import sys
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

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
            self._bar = _bar(self._words, total)
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


def _bar(words: str, total: int | None) -> "Progress":
    from rich.console import Console  # 20 ms, where it is shown
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task(words, total=total)
    bar.start()
    return bar
