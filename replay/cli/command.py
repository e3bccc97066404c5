"""What all commands share: how they end, the store they open, and the streams they write to.

Answers go to stdout, talk to stderr. Exit codes: 0 match, 1 drift, 2 could not replay or misuse,
3 a bug of ours with a report to paste, 130 interrupted.
"""

import functools
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ParamSpec, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from replay.errors import ReplayError
from replay.report.text import escaped
from replay.settings import Settings, command_settings
from replay.store.store import Store
from replay.version import __version__

Arguments = ParamSpec("Arguments")
StoreOption = Annotated[
    str | None, typer.Option("--store", help="The store; else REPLAY_STORE, pyproject, replay.db.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

BUG = 3
INTERRUPTED = 130
_SLOW_S = 1.0
_WIDTH = 160
"""Columns of a table that goes to a file or a pipe."""


def answering(command: Callable[Arguments, int]) -> Callable[Arguments, None]:
    """Return a command that ends with the exit code of `command`, and says failures in one line."""

    @functools.wraps(command)
    def answer(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except ReplayError as error:
            say_error(error)
            code = error.exit_code
        except KeyboardInterrupt:
            say("interrupted")
            code = INTERRUPTED
        except BrokenPipeError:
            # The reader has seen enough; keep Python from reporting it again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 0
        except Exception:  # noqa: BLE001 - a bug of ours ends in a report, not in a traceback
            _report_bug()
            code = BUG
        raise typer.Exit(code)

    return answer


def say(message: str) -> None:
    """Write one line of talk to stderr."""
    print(escaped(message, keep_lines=True), file=sys.stderr)


def say_error(error: ReplayError) -> None:
    """Write what failed, and the remedy, to stderr."""
    say(f"error: {error.message}")
    if error.hint:
        say(f"hint: {error.hint}")


def _report_bug() -> None:
    system = f"replay {__version__}, Python {platform.python_version()}, {platform.platform()}"
    say(f"this is a bug in replay; please report it with these lines:\n{system}")
    say(f"command: {' '.join(sys.argv[1:])}\n{traceback.format_exc()}")


def out() -> Console:
    """Return the console for answers; captured text is never taken for markup."""
    width = None if sys.stdout.isatty() else _WIDTH
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True, width=width)


def print_json(document: Any) -> None:
    """Write a document to stdout as indented JSON, in ASCII: lone surrogates pass as escapes."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def read_settings(store: str | None) -> Settings:
    """Return the settings of the working directory, with the store of an option first."""
    settings = command_settings(os.environ, str(Path.cwd()))
    return replace(settings, store=store) if store else settings


@contextmanager
def opened(settings: Settings, *, create: bool = False) -> Iterator[Store]:
    """Yield the store, taken in; says on stderr what came out of the spool."""
    with Bar("taking in") as bar:
        store = Store.open(settings.store, progress=bar, create=create)
    if store.spool.taken or store.spool.damaged:
        damaged = f", {store.spool.damaged} damaged lines left out" if store.spool.damaged else ""
        say(f"took {store.spool.taken} parts from the spool{damaged}")
    for line in store.spool.named:
        say(f"  {line}")
    try:
        yield store
    finally:
        store.close()


class Bar:
    """A progress bar on a terminal, once the work has taken a second; `words` say what is done."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._began = time.monotonic()
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def __call__(self, done: int, total: int | None) -> None:
        """Show how much is done, of how much where that is known."""
        if self._bar is None and self._is_due():
            columns = (TextColumn(self._words), BarColumn(), MofNCompleteColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(self._words, total=total)
            self._bar.start()
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def _is_due(self) -> bool:
        return time.monotonic() - self._began > _SLOW_S and sys.stderr.isatty()
