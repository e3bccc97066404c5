"""What the arguments of a command name: recordings by id, by filter, or in fixture files."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli.command import opened
from replay.cli.completion import complete_id
from replay.cli.filters import check_ids_or_filters
from replay.errors import DamagedError
from replay.fixture import read_fixtures
from replay.recording import Recording
from replay.settings import Settings
from replay.store.selection import Selection

if TYPE_CHECKING:
    from replay.store.store import Store

IdsOrFilesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="Ids, their tails, request ids, @latest, @2, or fixture files; or use the filters.",
        autocompletion=complete_id,
    ),
]
Found = Recording | DamagedError


def is_file(argument: str) -> bool:
    """Whether an argument is a file and no id: it has a slash in it, or a file's ending."""
    return "/" in argument or argument.endswith((".json", ".jsonl"))


def recordings(
    arguments: list[str], wanted: Selection, settings: Settings
) -> Generator[Found, None, None]:
    """Yield the recordings that the arguments or the filters mean, each read when asked for.

    One that cannot be read comes as the error that says why. The store is opened only where an
    argument needs it.
    """
    check_ids_or_filters(arguments, wanted)
    with ExitStack() as stack:
        store: Store | None = None
        if not arguments:
            yield from stack.enter_context(opened(settings)).find(wanted)
        for argument in dict.fromkeys(arguments):
            if is_file(argument):
                yield from _in_file(Path(argument))
                continue
            store = store or stack.enter_context(opened(settings))
            yield from _in_store(store, argument)


def _in_file(path: Path) -> Iterator[Found]:
    for fixture in read_fixtures(path):
        try:
            yield fixture if isinstance(fixture, DamagedError) else fixture.recording
        except DamagedError as error:
            yield error


def _in_store(store: "Store", argument: str) -> Iterator[Found]:
    for id in store.resolve(argument):
        try:
            yield store.get(id)
        except DamagedError as error:
            yield error
