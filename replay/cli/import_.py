"""`replay import`: recordings out of exports, fixture files, other stores and functions' logs."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, BinaryIO

import typer

from replay.cli.command import StoreOption, answering, opened, read_settings, say
from replay.cli.progress import Bar
from replay.cli.transfer import Transfer
from replay.document import open_given
from replay.errors import MISUSE, DamagedError, ReplayError
from replay.fixture import Fixture, read_fixtures, read_stream
from replay.part import BEGUN
from replay.store.arrival import foreign, log
from replay.store.store import Store

FilesArgument = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="Exports, fixtures, store files, logs; - is stdin."),
]


@answering
def import_recordings(files: FilesArgument, *, store: StoreOption = None) -> int:
    """Take recordings from files into the store; what it has already is completed at most."""
    transfer = Transfer()
    with opened(read_settings(store), create=True) as found_store, Bar("importing") as bar:
        for file in files:
            try:
                transfer.take(found_store, _read(found_store, file), bar)
            except ReplayError as error:
                transfer.refuse(error)
    say(f"imported {transfer.told}")
    return MISUSE if transfer.refused else 0


def _read(store: Store, file: str) -> Iterator[Fixture | DamagedError]:
    if file == "-":
        with _seekable(sys.stdin.buffer) as stream:
            yield from _read_stream(store, stream, "standard input")
        return
    path = Path(file)
    if _is_database(path):
        yield from foreign.read(path)
    elif _is_log(path):
        with open_given(path) as stream:
            yield from _read_stream(store, stream, str(path))
    else:
        if path.is_file():
            with open_given(path) as stream:
                log.refuse_other_log(stream, str(path))
        yield from read_fixtures(path)


def _read_stream(store: Store, stream: BinaryIO, name: str) -> Iterator[Fixture | DamagedError]:
    if log.is_log(stream):
        return (_with_begun(store, one) for one in log.read(stream, name))
    log.refuse_other_log(stream, name)
    return read_stream(stream, name)


def _with_begun(store: Store, one: Fixture | DamagedError) -> Fixture | DamagedError:
    """Return a recording with the begun part that the store has of it, where the log has none.

    An earlier log ended before the invocation did.
    """
    if isinstance(one, DamagedError) or any(part.kind == BEGUN for part in one.parts):
        return one
    held = next(store.fixtures_of([one.id]), one)
    if isinstance(held, DamagedError):
        return held
    begun = [part for part in held.parts if part.kind == BEGUN]
    return replace(one, parts=(*begun, *one.parts))


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
