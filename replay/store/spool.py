"""Spool files of a store, as the recorder leaves them: found, claimed, read, and disposed of.

A spool is claimed by renaming it and waiting for its last writers. A process that dies then leaves
the claimed file to the next one. What an exporter has claimed counts as well: one that died would
leave it for ever, and one that is alive ships its parts from the store.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from glob import escape
from pathlib import Path
from stat import S_ISREG

from replay.recorder.place import SHIPPING, SPOOL, spool_paths
from replay.recorder.spool import claim_as, fields_of
from replay.recording import Part

_TAKING = ".taking"


def spools(store: Path) -> list[Path]:
    """Return the spool files of a store that are there, claimed ones first.

    No writer follows a link, and none adds to another user's file: in a folder that all share,
    anybody may have put it there.
    """
    places = [Path(place) for place in spool_paths(str(store))]
    found = [
        file
        for place in places
        for claim in (f"{_TAKING}-", SHIPPING)
        for file in sorted(place.parent.glob(f"{escape(place.name)}{claim}*"))
    ]
    return [file for file in (*found, *places) if _is_spool(file, beside=store)]


def _is_spool(file: Path, *, beside: Path) -> bool:
    try:
        status = file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    is_known = file.parent == beside.parent or status.st_uid == os.geteuid()
    return S_ISREG(status.st_mode) and is_known


def dispose(file: Path, *, keep: bool) -> None:
    """Delete a spool that was taken in; `keep` sets it aside, with the lines that were damaged."""
    with suppress(FileNotFoundError):
        if keep:
            spool, _, claim = file.name.rpartition(_TAKING)
            file.rename(file.with_name(f"{spool}.damaged{claim}"))
        else:
            file.unlink()


def read(file: Path) -> Iterator[Part | bytes]:
    """Yield each part of a spool file, and each damaged line as it stands."""
    # Where the file is gone, another process has taken it in between.
    with suppress(FileNotFoundError), file.open("rb") as lines:
        for line in lines:
            if line.strip():
                yield _part_of(line) or line


def line_name(line: bytes) -> str:
    """Return what a damaged line is about: the id and the kind, where they can be made out."""
    id, kind, *_ = [*line.strip().split(b" ")[1:3], b"?", b"?"]
    words = f"recording {id[:40].decode(errors='backslashreplace')}"
    return (
        f"{words}: its {kind[:10].decode(errors='backslashreplace')} part in the spool is damaged"
    )


def _part_of(line: bytes) -> Part | None:
    fields = fields_of(line)
    if fields is None:
        return None
    id, kind, crc, payload = fields
    found = Part(id, kind, payload)
    return found if found.crc == crc else None


def claim(file: Path) -> Path:
    """Rename a spool, and wait for those who write to it still: nobody begins to after that."""
    if f"{SPOOL}{_TAKING}-" in file.name:
        return file
    spool = file.name.rpartition(SHIPPING)[0] or file.name
    claimed = file.with_name(f"{spool}{_TAKING}-{os.getpid()}-{os.urandom(4).hex()}")
    claim_as(str(file), str(claimed))
    return claimed
