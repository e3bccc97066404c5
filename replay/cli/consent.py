"""What a command changes it shows first, and does with `--yes` or when it is told to."""

import sys
from typing import Annotated

import typer

from replay.cli.command import say
from replay.report.pieces import escaped

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


def is_wanted(question: str, *, otherwise: str) -> bool:
    """Ask on the terminal; where there is none, say what comes `otherwise`: the answer is no."""
    if not sys.stdin.isatty():
        say(otherwise)
        return False
    return typer.confirm(escaped(question), err=True)
