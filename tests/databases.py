"""Raw looks into a database, each with a connection of its own that is closed again."""

import re
import sqlite3
from contextlib import closing, suppress
from importlib.resources import files
from pathlib import Path

from replay.packed_file import MAGIC
from replay.recorder.journal import Journal
from replay.recording import Recording
from replay.store.packing import packed, unpacked
from replay.zstd import zstd

_PAGE_BYTES = 4096


def query(path: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Run one statement and return its rows."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement, values).fetchall()


def capture_parts(path: Path, *recordings: Recording) -> None:
    """Write the parts of recordings as the recorder does."""
    with closing(Journal(str(path))) as journal:
        for recording in recordings:
            for part in recording.parts():
                journal.write(part.id, part.kind, part.payload, None)


def flip_payload(path: Path, id: str, kind: str = "begun") -> None:
    """Change a payload and leave its checksum."""
    where = "WHERE id = ? AND kind = ?"
    ((kept,),) = query(path, f"SELECT payload FROM part {where}", id, kind)
    payload = unpacked(kept)
    changed = payload.replace(b"app.handler", b"app.hendler") + (b" " if kind == "ended" else b"")
    # As it was kept, so that the checksum alone can tell.
    changed = changed if kept == payload else packed(changed)
    query(path, f"UPDATE part SET payload = ? {where}", changed, id, kind)


def content_of(file: Path) -> bytes:
    """Return the bytes of a file, and behind them those of every frame that can be found in it.

    One that lies on several pages of a database is found where a row says that it is there.
    """
    content = file.read_bytes()
    starts = [found.start() for found in re.finditer(re.escape(MAGIC), content)]
    frames = [_begun(content[start : start + _PAGE_BYTES]) for start in starts]
    return content + b"".join([*frames, *_rows_of(file)])


def _rows_of(file: Path) -> list[bytes]:
    uri = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    with suppress(sqlite3.Error), closing(sqlite3.connect(uri, uri=True)) as connection:
        rows = connection.execute("SELECT payload FROM part").fetchall()
        return [_begun(payload) for (payload,) in rows if payload.startswith(MAGIC)]
    return []


def _begun(frame: bytes) -> bytes:
    """Return what a frame unpacks to; nothing, where it is broken off."""
    known = zstd.ZstdDict(files("replay.store").joinpath("packing.dict").read_bytes())
    unpacking = zstd.ZstdDecompressor(zstd_dict=known)
    with suppress(zstd.ZstdError):
        return unpacking.decompress(frame, 2**20)
    return b""
