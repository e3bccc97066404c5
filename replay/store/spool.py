"""The other end of the spool: its parts go into the table `part`, each exactly once.

A spool is claimed by renaming it under the lock that its writers hold, read, and deleted after the
commit. A process that dies in between leaves the claimed file to the next one, and a part that the
store has already is left out. Runs inside one write transaction of the caller.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, insert, select

from replay.recorder.place import spool_paths
from replay.recording import Part
from replay.store.tables import part

_TAKING = ".taking"


@dataclass(frozen=True, slots=True)
class SpoolReport:
    """What the spool held: parts new to the store, and lines that could not be read.

    `named` says of which recordings those lines are, as far as that can be made out.
    """

    taken: int = 0
    damaged: int = 0
    named: tuple[str, ...] = ()


def spools(store: Path) -> list[Path]:
    """Return the spool files of a store that are there, claimed ones first."""
    places = [Path(place) for place in spool_paths(str(store))]
    found = [f for place in places for f in sorted(place.parent.glob(f"{place.name}{_TAKING}-*"))]
    return [*found, *(place for place in places if place.exists())]


def take_in(connection: Connection, store: Path) -> tuple[SpoolReport, list[Path]]:
    """Copy the spool's parts into `part`; return what to delete after the commit."""
    files = [_claim(file) for file in spools(store)]
    found = [one for file in files for one in read(file)]
    parts = [one for one in found if isinstance(one, Part)]
    fresh = list(_without_known(connection, parts))
    if fresh:
        connection.execute(insert(part), fresh)
    named = tuple(line_name(one) for one in found if isinstance(one, bytes))
    return SpoolReport(len(fresh), len(named), named), files


def dispose(file: Path, *, keep: bool) -> None:
    """Delete a spool that was taken in; `keep` sets it aside, with the lines that were damaged."""
    with suppress(FileNotFoundError):
        if keep:
            file.rename(file.with_name(file.name.replace(_TAKING, ".damaged")))
        else:
            file.unlink()


def read(file: Path) -> Iterator[Part | bytes]:
    """Yield each part of a spool file, and each damaged line as it stands."""
    # Where the file is gone, another process has taken it in between.
    with suppress(FileNotFoundError), file.open("rb") as lines:
        for line in lines:
            if line.strip():
                yield _part_of(line.rstrip(b"\n")) or line


def line_name(line: bytes) -> str:
    """Return what a damaged line is about: the id and the kind, where they can be made out."""
    id, kind, *_ = [*line.strip().split(b" ")[1:3], b"?", b"?"]
    words = f"recording {id[:40].decode(errors='backslashreplace')}"
    return (
        f"{words}: its {kind[:10].decode(errors='backslashreplace')} part in the spool is damaged"
    )


def _part_of(line: bytes) -> Part | None:
    try:
        crc, id, kind, payload = line.split(b" ", 3)
        found = Part(id.decode(), kind.decode(), payload)
        return found if found.crc == int(crc, 16) else None
    except ValueError:
        return None


def _claim(file: Path) -> Path:
    """Rename a spool under its writers' lock, so that no line can be added to what is read."""
    if _TAKING in file.name:
        return file
    claimed = file.with_name(f"{file.name}{_TAKING}-{os.getpid()}-{os.urandom(4).hex()}")
    with suppress(FileNotFoundError), file.open("rb") as lines:
        fcntl.flock(lines, fcntl.LOCK_EX)
        file.rename(claimed)
    return claimed


def _without_known(connection: Connection, parts: Iterable[Part]) -> Iterator[dict[str, object]]:
    """Yield the rows to insert: one for each part that the store does not hold yet.

    A recording has many parts of the kinds of a call; their checksums tell them apart.
    """
    parts = list(parts)
    ids = {one.id for one in parts}
    rows = connection.execute(select(part.c.id, part.c.kind, part.c.crc)) if ids else ()
    known = {(row.id, row.kind, row.crc) for row in rows if row.id in ids}
    for one in parts:
        key = (one.id, one.kind, one.crc)
        if key not in known:
            known.add(key)
            yield {"id": one.id, "kind": one.kind, "crc": key[2], "payload": one.payload}
