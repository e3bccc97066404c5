"""The command `replay`: one file a subcommand; each parses, calls, renders and ends with a code."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from replay.cli.demo import demo
from replay.cli.doctor import doctor
from replay.cli.export import export
from replay.cli.import_ import import_recordings
from replay.cli.invoke import invoke
from replay.cli.list import list_recordings
from replay.cli.run import run
from replay.cli.show import show
from replay.cli.tag import tag
from replay.cli.upgrade import upgrade_store
from replay.version import __version__

_RECURSION_LIMIT = 20_000

app = typer.Typer(
    name="replay",
    help="Record AWS Lambda invocations where they happen; replay and judge them here.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo)
app.command("invoke")(invoke)
app.command("list")(list_recordings)
app.command("show")(show)
app.command("run")(run)
app.command("tag")(tag)
app.command("export")(export)
app.command("import")(import_recordings)
app.command("upgrade")(upgrade_store)
app.command("doctor")(doctor)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"replay {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command, by default with this process's arguments; exits with the command's code."""
    # Events nest deeper than Python's stack allows by default, and hold integers of any length.
    sys.setrecursionlimit(_RECURSION_LIMIT)
    sys.set_int_max_str_digits(0)
    given = sys.argv[1:] if arguments is None else arguments
    # An option whose value may be left out, which Typer does not know.
    app(args=["--pdb=raise" if word == "--pdb" else word for word in given])
