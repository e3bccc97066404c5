"""`replay export`: recordings as portable documents, one a line, or one in another form."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from replay.cli.command import StoreOption, answering, opened, read_settings, say, say_error
from replay.cli.file import ForceOption, new_file
from replay.cli.filters import (
    AllowEmptyOption,
    IdsArgument,
    check_ids_or_filters,
    filtered,
    nothing_matches,
    resolved,
)
from replay.cli.form import FixtureOption, SamEventOption, Target, form_of, write_form
from replay.cli.progress import Bar
from replay.errors import MISUSE, DamagedError, ReplayError
from replay.fixture import SCHEMA, Fixture, fixture_line
from replay.packed_file import ENDING, packing
from replay.report.pieces import escaped_json
from replay.store.selection import Selection

OutputOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Write to this file, packed as .zst; or stdout."),
]
SchemaOption = Annotated[
    bool, typer.Option("--schema", help="Print the JSON Schema of a line, and end.")
]

_PACKED = (".7z", ".br", ".bz2", ".gz", ".lz4", ".rar", ".xz", ".zip")
"""Endings of files that are packed in other ways."""


@answering
@filtered
def export(
    ids: IdsArgument = None,
    *,
    wanted: Selection,
    output: OutputOption = None,
    force: ForceOption = False,
    sam_event: SamEventOption = False,
    fixture: FixtureOption = False,
    schema: SchemaOption = False,
    allow_empty: AllowEmptyOption = False,
    store: StoreOption = None,
) -> int:
    """Write recordings - all, without ids and filters - as JSON lines, oldest first."""
    if schema:
        sys.stdout.write(SCHEMA.read_text())
        return 0
    check_ids_or_filters(ids, wanted)
    form = form_of(sam_event=sam_event, fixture=fixture)
    _refuse_ending(output)
    with opened(read_settings(store)) as found_store:
        if ids:
            found = found_store.fixtures_of(sorted(resolved(found_store, ids)))
        else:
            found = found_store.fixtures(wanted)
        if form is not None:
            with closing(found):
                write_form(found, form, Target(output if _is_file(output) else None, force=force))
            return 0
        with closing(found), _target(output, force=force) as write:
            written, damaged = _write_all(found, write)
            if not written and not damaged and not allow_empty:
                raise nothing_matches()
    place = f" to {output}" if _is_file(output) else ""
    say(f"exported {written:,} recordings{place}" + _but(damaged))
    return MISUSE if damaged else 0


def _refuse_ending(output: Path | None) -> None:
    """Raise ReplayError for a name that says that a file is packed as we do not pack one."""
    if output is not None and output.suffix in _PACKED:
        raise ReplayError(f"{output} would be packed as {output.suffix}", f"name it {ENDING}")


def _but(damaged: int) -> str:
    return f"; {damaged:,} cannot be read" if damaged else ""


def _write_all(
    found: Iterable[Fixture | DamagedError], write: Callable[[bytes], object]
) -> tuple[int, int]:
    written = damaged = 0
    with Bar("exporting") as bar:
        for one in found:
            try:
                write(_line(one) + b"\n")
                written += 1
            except DamagedError as error:
                say_error(error)
                damaged += 1
            bar(written + damaged, None)
    return written, damaged


def _line(one: Fixture | DamagedError) -> bytes:
    if isinstance(one, DamagedError):
        raise one
    return fixture_line(one)


def _is_file(output: Path | None) -> bool:
    return output is not None and str(output) != "-"


@contextmanager
def _target(output: Path | None, *, force: bool) -> Iterator[Callable[[bytes], object]]:
    """Yield what to write lines with."""
    if output is None or not _is_file(output):
        yield _write_to_stdout
        return
    with new_file(output, force=force) as file, packing(file, output.name) as lines:
        yield lines.write


def _write_to_stdout(line: bytes) -> None:
    if sys.stdout.isatty():  # the same JSON, as a terminal may have it
        line = escaped_json(line.decode()).encode()
    # Bytes as they are, whatever the locale; a stream of text alone takes text.
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.buffer.write(line)
    else:
        sys.stdout.write(line.decode())
