"""The file that a command writes, `-o`: there when all of it is written, and else as it was."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, BinaryIO

import typer

from replay.errors import ReplayError

ForceOption = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


@contextmanager
def new_file(output: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Yield a file to write, put in place at the end; `force` replaces what is there.

    Raises ReplayError at once where it could not be put there.
    """
    refuse_existing(output, force=force)
    try:
        with NamedTemporaryFile(dir=output.parent, prefix=f".{output.name}.", delete=False) as file:
            written = Path(file.name)
            try:
                yield file  # type: ignore[misc]
                _finish(file)  # type: ignore[arg-type]
                _put_in_place(written, output, force=force)
            finally:
                written.unlink(missing_ok=True)
    except OSError as error:
        raise ReplayError(
            f"{output} cannot be written: {error.strerror or error}", "name another file with -o"
        ) from error


def refuse_existing(output: Path, *, force: bool) -> None:
    """Raise ReplayError where a file cannot be put in that place."""
    if output.is_dir():
        raise ReplayError(f"{output} is a directory", "name a file with -o")
    if output.exists() and not force:
        raise ReplayError(f"{output} is there already", "name another file, or replace it: --force")


def _finish(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _put_in_place(written: Path, output: Path, *, force: bool) -> None:
    if force:
        written.replace(output)
    else:
        output.hardlink_to(written)  # fails where a file has come to be there meanwhile
