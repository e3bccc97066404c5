"""`replay import`: recordings out of exports, fixture files, other stores and functions' logs."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, BinaryIO

import typer

from replay.cli.command import StoreOption, answering, opened, read_settings, say, say_error
from replay.cli.progress import Bar
from replay.document import open_given
from replay.errors import MISUSE, DamagedError, ReplayError
from replay.fixture import Fixture, read_fixtures, read_stream
from replay.store import foreign, log
from replay.store.incoming import Prepared, batches, prepared
from replay.store.store import Store

FilesArgument = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="Exports, fixtures, store files, logs; - is stdin."),
]


@dataclass(slots=True)
class _Counts:
    """What has become of the recordings so far."""

    new: int = 0
    known: int = 0
    completed: int = 0
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
    said += f", {counts.completed:,} of them unfinished until now" if counts.completed else ""
    say(said + (f"; {counts.refused:,} not taken" if counts.refused else ""))
    return MISUSE if counts.refused else 0


def _import(store: Store, file: str, counts: _Counts, bar: Bar) -> None:
    for batch in batches(_sound(_read(store, file, counts), counts)):
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


def _read(store: Store, file: str, counts: _Counts) -> Iterator[Fixture | DamagedError]:
    if file == "-":
        with _seekable(sys.stdin.buffer) as stream:
            yield from _read_stream(store, stream, "standard input", counts)
        return
    path = Path(file)
    if _is_database(path):
        yield from foreign.read(path)
    elif _is_log(path):
        with open_given(path) as stream:
            yield from _read_stream(store, stream, str(path), counts)
    else:
        yield from read_fixtures(path)


def _read_stream(
    store: Store, stream: BinaryIO, name: str, counts: _Counts
) -> Iterator[Fixture | DamagedError]:
    if log.is_log(stream):
        return _unknown(store, log.read(stream, name), counts)
    return read_stream(stream, name)


def _unknown(
    store: Store, found: Iterator[Fixture | DamagedError], counts: _Counts
) -> Iterator[Fixture | DamagedError]:
    """Yield what the store does not have of a log; what it has, complete there."""
    for one in found:
        held = None if isinstance(one, DamagedError) else _held(store, one.id)
        if isinstance(one, Fixture) and isinstance(held, Fixture):
            try:
                _complete(store, held, one, counts)
            except DamagedError as error:
                yield error
        else:
            yield held or one


def _held(store: Store, id: str) -> Fixture | DamagedError | None:
    is_known = store.summaries_of([id])
    return next(store.fixtures_of([id])) if is_known else None


def _complete(store: Store, held: Fixture, one: Fixture, counts: _Counts) -> None:
    """Add what a log has more of a recording: an earlier one ended before the invocation did."""
    fresh = log.missing_in(held, one)
    if fresh:
        store.complete(fresh)
    counts.known += 1
    counts.completed += bool(fresh)


@contextmanager
def _seekable(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Yield a stream, or a copy of one that comes out of a pipe."""
    if stream.seekable():
        yield stream
        return
    with TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield copy


def _is_log(path: Path) -> bool:
    try:
        with open_given(path) as opened_file:
            return opened_file.seekable() and log.is_log(opened_file)
    except OSError:  # read_fixtures says what is wrong with it
        return False


def _is_database(path: Path) -> bool:
    try:
        with open_given(path) as opened_file:
            return opened_file.read(len(foreign.MAGIC)) == foreign.MAGIC
    except OSError:  # read_fixtures says what is wrong with it
        return False
