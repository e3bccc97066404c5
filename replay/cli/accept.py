"""`replay accept`: make what replays do now what their cases expect."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from replay.cli.command import JsonOption, answering, print_pieces, say, say_error
from replay.cli.consent import is_wanted
from replay.cli.filters import AllowEmptyOption
from replay.errors import MISUSE, DamagedError, ReplayError
from replay.replayer.verdict import Verdict
from replay.report.stream import JsonStream, TextStream, VerdictStream
from replay.testing.accept import accepted
from replay.testing.case_file import CaseFile, files_of, load_case
from replay.testing.folder import found_in
from replay.testing.player import Player
from replay.testing.session import write

CasesArgument = Annotated[
    list[Path], typer.Argument(help="Cases that replay generate wrote, or folders of them.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Accept all without asking.")]


@answering
def accept(
    paths: CasesArgument,
    *,
    yes: YesOption = False,
    allow_empty: AllowEmptyOption = False,
    as_json: JsonOption = False,
) -> int:
    """Show what cases do now that they do not expect, and write it into them once it is wanted."""
    codes = set[int]()
    with closing(Player(isolates=True)) as player, closing(_stream(as_json=as_json)) as stream:
        for path in paths:
            for file in _cases(path):
                codes.add(_accepted(file, player, stream, is_sure=yes))
    if not codes and not allow_empty:
        raise ReplayError("there is no case in it", "replay generate writes cases to fixtures/")
    return max(codes, default=0)


def _stream(*, as_json: bool) -> VerdictStream:
    """Return where the verdicts of what does not match go."""
    return JsonStream(sys.stdout) if as_json else TextStream(print_pieces, show_output=False)


def _cases(path: Path) -> Iterator[CaseFile | DamagedError]:
    if path.is_dir():
        yield from found_in(path)
        return
    try:
        yield load_case(path)
    except DamagedError as error:
        yield error


def _accepted(
    file: CaseFile | DamagedError, player: Player, stream: VerdictStream, *, is_sure: bool
) -> int:
    """Return the exit code that a case comes to: 0 where it now expects what it does."""
    if isinstance(file, DamagedError):
        say_error(file)
        return MISUSE
    verdict = player.verdict(file)
    if verdict.kind == "match":
        return 0
    stream.add(verdict)
    if verdict.kind == "error":
        return MISUSE
    return _written(file, verdict) if is_sure or _asked(file) else 1


def _written(file: CaseFile, verdict: Verdict) -> int:
    try:
        write(files_of(accepted(file, verdict)))
    except ReplayError as error:
        say_error(error)
        return MISUSE
    say(f"accepted {file.path}")
    return 0


def _asked(file: CaseFile) -> bool:
    question = f"{file.path}: is this what it is to do from now on?"
    kept = f"{file.path} is left as it is: --yes accepts what it does"
    return is_wanted(question, otherwise=kept)
