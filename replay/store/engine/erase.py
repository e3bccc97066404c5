"""Bytes leave the files of a store for good, once their recordings are deleted.

SQLite leaves what was deleted in pages that it uses again some day, in the write-ahead log, and in
copies that were set aside or made before an upgrade. Invariant: afterwards no file beside the store
holds the id of a recording that was erased, which is looked for byte by byte; else it is told.
"""

import re
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Set
from contextlib import closing
from glob import escape
from pathlib import Path

from replay.errors import StoreError
from replay.recorder.place import spool_paths
from replay.store.engine.sqlite_error import decode_text

_ID = re.compile(rb"(?=([0-7][0-9a-hjkmnp-tv-z]{25}))")
_ID_BYTES = 26
_PIECE_BYTES = 2**20
_PAUSE_S = 0.01
_COPIES = (".backup-*", ".damaged-*")
"""How copies of a store are called, after its own name: before an upgrade, and set aside."""


def copies(store: Path, gone: Collection[str], kept: Set[str]) -> list[Path]:
    """Return the copies beside a store that may hold bytes of recordings which are not kept.

    `gone` are ids that are to be erased, `kept` all those that stay in the store.
    """
    places = (store, *map(Path, spool_paths(str(store))))
    found = {
        file
        for place in places
        for end in _COPIES
        for file in place.parent.glob(f"{escape(place.name)}{end}")
    }
    return sorted(file for file in found if file.is_file() and _may_hold(file, gone, kept))


def _may_hold(file: Path, gone: Collection[str], kept: Set[str]) -> bool:
    """Whether a copy has recordings that are not kept, or bytes of which nobody can say whose."""
    if ".damaged" in file.name:
        return True
    try:
        return not _recordings_in(file) <= kept or any(id in gone for id in _ids_in(file))
    except sqlite3.Error:
        return True


def _recordings_in(file: Path) -> set[str]:
    """Return the ids of a copy's recordings; raises sqlite3.Error where there may be more."""
    uri = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.text_factory = decode_text
        if connection.execute("PRAGMA freelist_count").fetchone() != (0,):
            raise sqlite3.DataError("its free pages may hold anything")
        return {id for (id,) in connection.execute("SELECT id FROM part")}


def erase(
    raw: sqlite3.Connection, store: Path, ids: Collection[str], remove: Iterable[Path]
) -> tuple[Path, ...]:
    """Rewrite the store without what was deleted, and remove copies; raises StoreError.

    Returns the files beside it that hold one of `ids` all the same.
    """
    raw.execute("PRAGMA secure_delete = ON")
    raw.execute("VACUUM")
    if not _empty_log(raw):
        raise StoreError(
            f"{store}: its write-ahead log is being read by another process",
            "end what reads the store, then once more: replay prune --purge",
        )
    for file in remove:
        file.unlink(missing_ok=True)
    return tuple(_holding(store, frozenset(ids)))


def _empty_log(raw: sqlite3.Connection) -> bool:
    """Whether the write-ahead log could be emptied, within the time that others are waited for.

    SQLite waits for those who read or write, but not for the checkpoint of one who captures.
    """
    (wait_ms,) = raw.execute("PRAGMA busy_timeout").fetchone()
    ends = time.monotonic() + wait_ms / 1000
    while raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > ends:
            return False
        time.sleep(_PAUSE_S)
    return True


def _holding(store: Path, ids: frozenset[str]) -> Iterator[Path]:
    """Yield the files beside a store that hold one of the ids."""
    for place in (store, *map(Path, spool_paths(str(store)))):
        beside = sorted(place.parent.glob(f"{escape(place.name)}[-.]*"))
        for file in (place, *beside):
            if file.is_file() and any(id in ids for id in _ids_in(file)):
                yield file


def _ids_in(file: Path) -> Iterator[str]:
    """Yield what could be the id of a recording in the bytes of a file, whatever it is."""
    with file.open("rb") as opened:
        tail = b""
        while piece := opened.read(_PIECE_BYTES):
            for found in _ID.finditer(tail + piece):
                yield found[1].decode()
            tail = piece[1 - _ID_BYTES :]
