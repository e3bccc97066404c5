"""What the arguments of a command name: recordings by id, by filter, or in fixture files."""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replay.cli.completion import complete_id
from replay.cli.filters import check_ids_or_filters
from replay.document import open_given
from replay.errors import DamagedError
from replay.executor.earlier import Earlier
from replay.executor.work import Found, Named
from replay.fixture import read_fixtures, recording_of
from replay.packed_file import ENDING
from replay.recording import Recording
from replay.store.selection import Selection
from replay.testing.case_file import CaseFile, load_case

_CASE = re.compile(rb'\s*\{\s*"case"')
_HEAD_BYTES = 200

if TYPE_CHECKING:
    from replay.store.store import Store

IdsOrFilesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="Ids, their tails, request ids, @latest, @2, or fixture files; or use the filters.",
        autocompletion=complete_id,
    ),
]


def is_file(argument: str) -> bool:
    """Whether an argument is a file and no id: it has a slash in it, or a file's ending."""
    return "/" in argument or argument.endswith((".json", ".jsonl", ENDING))


def named(
    arguments: list[str],
    wanted: Selection,
    store: "Callable[[], Store]",
    *,
    only: Callable[[str], bool] = lambda _id: True,
) -> Generator[Named, None, None]:
    """Yield what the arguments or the filters mean: ids of the store, and what files hold.

    A name that is none is told before anything is read. The store is opened only where an argument
    needs it. `only` says of an id, or of the message where a file does not tell the id, whether it
    is wanted.
    """
    check_ids_or_filters(arguments, wanted)
    if not arguments:
        yield from filter(only, store().ids(wanted))
    for source in dict.fromkeys([it for text in arguments for it in _sources(text, store)]):
        if isinstance(source, Path):
            yield from _in_file(source, only)
        elif only(source):
            yield source


def _sources(argument: str, store: "Callable[[], Store]") -> Iterable[Path | str]:
    return [Path(argument)] if is_file(argument) else store().resolve(argument)


def in_file(path: Path) -> Iterator[Found]:
    """Yield what a fixture file holds; raises ReplayError where it cannot be read as a whole."""
    if path.suffix == ".json" and (file := _case_in(path)) is not None:
        return iter((file,))
    return map(recording_of, read_fixtures(path))


def _in_file(path: Path, only: Callable[[str], bool]) -> Iterator[Found]:
    return (found for found in in_file(path) if only(_key_of(found)))


def _key_of(found: Found) -> str:
    if isinstance(found, DamagedError):
        return found.message
    return found.recording.id if isinstance(found, CaseFile) else found.id


def _case_in(path: Path) -> CaseFile | DamagedError | None:
    """Return the case that a file is; None where it is none."""
    try:
        with open_given(path) as file:
            if not _CASE.match(file.read(_HEAD_BYTES)):
                return None
        return load_case(path)
    except DamagedError as error:
        return error
    except OSError:
        return None  # told by whoever reads it as something else


def earlier_of(arguments: list[str], store: "Callable[[], Store]") -> Earlier:
    """Return what finds the earlier invocations of what the arguments mean: where they mean it."""
    files = [Path(it) for it in dict.fromkeys(arguments) if is_file(it)]
    given = (it for file in files for it in in_file(file) if isinstance(it, Recording))
    are_all_files = len(files) > 0 and all(map(is_file, arguments))
    return Earlier(None if are_all_files else store, given)
