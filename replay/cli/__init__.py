"""The command `replay`: one file a subcommand; each parses, calls, renders and ends with a code."""

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import StringIO
from typing import Annotated, Any

import typer

from replay.codec import admit_all_values
from replay.report.pieces import escaped
from replay.version import __version__

_UsageError: Any = typer.BadParameter.__bases__[0]
"""Of Typer's own copy of Click, or of Click, by its version."""
_GC_THRESHOLD = 100_000
"""Objects between two collections of garbage; with Python's 700, imports spend 30 ms on it."""

_COMMANDS = {
    "accept": "accept:accept",
    "demo": "demo:demo",
    "doctor": "doctor:doctor",
    "export": "export:export",
    "generate": "generate:generate",
    "import": "import_:import_recordings",
    "invoke": "invoke:invoke",
    "layer": "layer:layer",
    "list": "list:list_recordings",
    "minimize": "minimize:minimize",
    "prune": "prune:prune",
    "pull": "pull:pull",
    "push": "push:push",
    "redact": "redact:redact",
    "run": "run:run",
    "show": "show:show",
    "stats": "stats:stats",
    "tag": "tag:tag",
    "upgrade": "upgrade:upgrade_store",
}
"""Where each command is: its module in this package, and the function there."""


def program() -> None:
    """Run the command as the whole of this process, and end it at once.

    Taking SQLAlchemy and Typer apart object by object takes 60 ms, a sixth of a replay.
    """
    gc.set_threshold(_GC_THRESHOLD)
    code: object = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the reader has gone
            stream.flush()
    os._exit(code if isinstance(code, int) else bool(code))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command, by default with this process's arguments; exits with the command's code."""
    admit_all_values()
    given = sys.argv[1:] if arguments is None else arguments
    # An option whose value may be left out, which Typer does not know.
    words = ["--pdb=raise" if word == "--pdb" else word for word in given]
    sys.exit(_answer(_app(words), words))


def _answer(app: typer.Typer, words: Sequence[str]) -> int:
    """Run the program, and return its exit code; says what Typer refuses.

    A message of Typer's holds arguments as they are, and a shell makes arguments of files' names.
    """
    try:
        return int(app(args=words, standalone_mode=False) or 0)
    except _UsageError as error:
        told = StringIO()
        error.show(told)
        sys.stderr.write(escaped(told.getvalue(), keep_lines=True))
        return int(error.exit_code)
    except typer.Abort:
        sys.stderr.write("Aborted!\n")
        return 1


def _app(words: Sequence[str]) -> typer.Typer:
    """Return the program with the command that the first word names, or with all of them.

    Each takes milliseconds to import, which the others need not pay.
    """
    app = typer.Typer(
        name="replay",
        help="Record AWS Lambda invocations where they happen; replay and judge them here.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    named = words[0] if words else ""
    for name in [named] if named in _COMMANDS else _COMMANDS:
        module, _, function = _COMMANDS[name].partition(":")
        app.command(name)(getattr(import_module(f"replay.cli.{module}"), function))
    return app


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"replay {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    pass
