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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from replay.cli.progress import Bar
from replay.errors import MISUSE, ReplayError
from replay.report.jsonable import indent_of
from replay.report.pieces import Piece, escaped
from replay.settings import Settings, command_settings
from replay.version import __version__

if TYPE_CHECKING:
    from rich.console import Console

    from replay.store.store import Store

Arguments = ParamSpec("Arguments")
StoreOption = Annotated[
    str | None, typer.Option("--store", help="The store; else REPLAY_STORE, pyproject, replay.db.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class RuntimeChoice(StrEnum):
    """`--runtime`: what calls the handler."""

    builtin = "builtin"
    ric = "ric"


RuntimeOption = Annotated[
    RuntimeChoice,
    typer.Option("--runtime", help="builtin; or ric: AWS's own runtime client, on Linux."),
]
HandlerOption = Annotated[
    str | None, typer.Option("--handler", help="Replay this handler instead: module.function.")
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, max=256, help="So many at once; else cores.")
]
PathOption = Annotated[
    list[Path] | None,
    typer.Option("--path", help="Look for the handler's module here first; may be repeated."),
]

BUG = 3
INTERRUPTED = 130
_LONG_S = 2.0
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
            stop_answering()  # the reader has seen enough
            code = 0
        except Exception:  # noqa: BLE001 - a bug of ours ends in a report, not in a traceback
            _report_bug()
            code = BUG
        raise typer.Exit(code)

    return answer


def stop_answering() -> None:
    """Write answers to nowhere, once stdout is closed: Python would report it again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(message: str) -> None:
    """Write one line of talk to stderr, after what was answered before."""
    sys.stdout.flush()
    print(escaped(message, keep_lines=True), file=sys.stderr)


def say_error(error: ReplayError) -> None:
    """Write what failed, and the remedy, to stderr."""
    say(f"error: {error.message}")
    if error.hint:
        say(f"hint: {error.hint}")


def say_unreadable(why: Sequence[str], count: int, *, of: int) -> int:
    """Say how many of the recordings cannot be read, and of some why; return the exit code."""
    if not count:
        return 0
    say(f"error: {count:,} of {of:,} recordings cannot be read:")
    for one in why:
        say(f"  {one}")
    if count > len(why):
        say(f"  and {count - len(why):,} more: replay doctor")
    return MISUSE


def _report_bug() -> None:
    system = f"replay {__version__}, Python {platform.python_version()}, {platform.platform()}"
    say(f"this is a bug in replay; please report it with these lines:\n{system}")
    say(f"command: {_command_without_values()}\n{traceback.format_exc()}")


def _command_without_values() -> str:
    """Return the command with the names of its options: their values, and ids, are the user's."""
    command, *others = [*sys.argv[1:], ""]
    options = [it.partition("=")[0] for it in others if it.startswith("-")]
    return " ".join([command, *options])


def out() -> "Console":
    """Return the console for answers; captured text is never taken for markup."""
    from rich.console import Console  # 25 ms, where it is needed

    width = None if sys.stdout.isatty() else _WIDTH
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True, width=width)


def print_pieces(pieces: Iterable[Piece]) -> None:
    """Print a line of an answer, in colour on a terminal."""
    pieces_printer()(pieces)


def pieces_printer() -> Callable[[Iterable[Piece]], None]:
    """Return what prints lines as `print_pieces`, asking only once where they go."""
    if not sys.stdout.isatty():  # rich takes longer over a line than a replay does
        return _write_pieces
    from rich.text import Text

    console = out()
    return lambda pieces: console.print(Text.assemble(*pieces))


def _write_pieces(pieces: Iterable[Piece]) -> None:
    sys.stdout.write("".join([text for text, _ in pieces]) + "\n")


def print_json(document: Any) -> None:
    """Write a document to stdout as indented JSON, in ASCII: lone surrogates pass as escapes."""
    sys.stdout.write(json.dumps(document, indent=indent_of(document)) + "\n")


def read_settings(store: str | None) -> Settings:
    """Return the settings of the working directory, with the store of an option first."""
    settings = command_settings(os.environ, str(Path.cwd()))
    return replace(settings, store=store) if store else settings


def folders_of(path: list[Path] | None, settings: Settings) -> tuple[Path, ...]:
    """Return where handlers are looked for: `--path`, the settings, the working directory."""
    folders = (*(path or ()), *map(Path, settings.path), Path.cwd())
    return tuple(dict.fromkeys(folder.absolute() for folder in folders))


def _scanning() -> Callable[[str], None]:
    """Return what is told of each event that is looked into, and says so once that takes long."""
    ends = time.monotonic() + _LONG_S
    is_said = False

    def tell(path: str) -> None:
        nonlocal is_said
        if not is_said and time.monotonic() > ends:
            is_said = True
            say(f"looking into each event for {path}; quick with this in pyproject.toml:")
            say(f"  [tool.replay]\n  index = [{json.dumps(path)}]")

    return tell


@contextmanager
def opened(settings: Settings, *, create: bool = False) -> "Iterator[Store]":
    """Yield the store, taken in; says on stderr what came out of the spool."""
    from replay.store.field import Lookup
    from replay.store.store import Store  # SQLAlchemy takes 0.1 s, which a fixture file needs not

    lookup = Lookup(settings.index, _scanning())
    with Bar("taking in") as bar:
        store = Store.open(settings.store, progress=bar, create=create, lookup=lookup)
    if store.spool.taken or store.spool.damaged:
        damaged = f", {store.spool.damaged} damaged lines left out" if store.spool.damaged else ""
        say(f"took {store.spool.taken} parts from the spool{damaged}")
    for line in store.spool.named:
        say(f"  {line}")
    try:
        yield store
    finally:
        store.close()


@contextmanager
def opened_when_needed(settings: Settings) -> "Iterator[Callable[[], Store]]":
    """Yield what returns the store, opened where it is first asked for; see `opened`."""
    with ExitStack() as stack:
        yield functools.cache(lambda: stack.enter_context(opened(settings)))
