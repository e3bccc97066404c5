"""`replay import`: recordings out of exports, fixture files and other stores."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from replay.cli.command import StoreOption, answering, opened, read_settings, say, say_error
from replay.cli.progress import Bar
from replay.document import open_given
from replay.errors import MISUSE, DamagedError, ReplayError
from replay.fixture import Fixture, read_fixtures, read_stream
from replay.store import foreign
from replay.store.incoming import Prepared, batches, prepared
from replay.store.store import Store

FilesArgument = Annotated[
    list[str], typer.Argument(metavar="FILE...", help="Exports, fixtures, store files; - is stdin.")
]


@dataclass(slots=True)
class _Counts:
    """What has become of the recordings so far."""

    new: int = 0
    known: int = 0
    refused: int = 0

    @property
    def total(self) -> int:
        """How many were read."""
        return self.new + self.known + self.refused


@answering
def import_recordings(files: FilesArgument, *, store: StoreOption = None) -> int:
    """Take recordings from files into the store; what it has already is left as it is."""
    counts = _Counts()
    with opened(read_settings(store), create=True) as found_store, Bar("importing") as bar:
        for file in files:
            try:
                _import(found_store, file, counts, bar)
            except ReplayError as error:
                say_error(error)
                counts.refused += 1
    said = f"imported {counts.new:,} recordings; the store had {counts.known:,} already"
    say(said + (f"; {counts.refused:,} not taken" if counts.refused else ""))
    return MISUSE if counts.refused else 0


def _import(store: Store, file: str, counts: _Counts, bar: Bar) -> None:
    for batch in batches(_sound(_read(file), counts)):
        taken = store.take(batch)
        for conflict in taken.conflicts:
            say_error(conflict)
        counts.new += taken.new
        counts.known += taken.known
        counts.refused += len(taken.conflicts)
        bar(counts.total, None)


def _sound(found: Iterator[Fixture | DamagedError], counts: _Counts) -> Iterator[Prepared]:
    """Yield what can be read; name the rest."""
    for one in found:
        try:
            if isinstance(one, DamagedError):
                raise one
            ready = prepared(one)
        except DamagedError as error:
            say_error(error)
            counts.refused += 1
        else:
            yield ready


def _read(file: str) -> Iterator[Fixture | DamagedError]:
    if file == "-":
        return read_stream(sys.stdin.buffer, "standard input")
    path = Path(file)
    return foreign.read(path) if _is_database(path) else read_fixtures(path)


def _is_database(path: Path) -> bool:
    try:
        with open_given(path) as opened_file:
            return opened_file.read(len(foreign.MAGIC)) == foreign.MAGIC
    except OSError:  # read_fixtures says what is wrong with it
        return False
