"""`replay export`: recordings as portable documents, one a line."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
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
from replay.cli.progress import Bar
from replay.errors import MISUSE, DamagedError
from replay.fixture import SCHEMA, Fixture, fixture_line
from replay.report.pieces import escaped_json
from replay.store.selection import Selection

OutputOption = Annotated[
    Path | None, typer.Option("-o", "--output", help="Write to this file; else to stdout.")
]
SchemaOption = Annotated[
    bool, typer.Option("--schema", help="Print the JSON Schema of a line, and end.")
]


@answering
@filtered
def export(
    ids: IdsArgument = None,
    *,
    wanted: Selection,
    output: OutputOption = None,
    force: ForceOption = False,
    schema: SchemaOption = False,
    allow_empty: AllowEmptyOption = False,
    store: StoreOption = None,
) -> int:
    """Write recordings - all, without ids and filters - as JSON lines, oldest first."""
    if schema:
        sys.stdout.write(SCHEMA.read_text())
        return 0
    check_ids_or_filters(ids, wanted)
    with opened(read_settings(store)) as found_store:
        if ids:
            found = found_store.fixtures_of(sorted(resolved(found_store, ids)))
        else:
            found = found_store.fixtures(wanted)
        with _target(output, force=force) as write:
            written, damaged = _write_all(found, write)
            if not written and not damaged and not allow_empty:
                raise nothing_matches()
    place = f" to {output}" if _is_file(output) else ""
    say(f"exported {written:,} recordings{place}" + _but(damaged))
    return MISUSE if damaged else 0


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
    with new_file(output, force=force) as file:
        yield file.write


def _write_to_stdout(line: bytes) -> None:
    if sys.stdout.isatty():  # the same JSON, as a terminal may have it
        line = escaped_json(line.decode()).encode()
    # Bytes as they are, whatever the locale; a stream of text alone takes text.
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.buffer.write(line)
    else:
        sys.stdout.write(line.decode())
