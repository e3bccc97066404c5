"""Raw looks into a database, each with a connection of its own that is closed again."""

import sqlite3
from contextlib import closing
from pathlib import Path

from replay.recorder.journal import Journal
from replay.recording import Recording


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
    ((payload,),) = query(path, f"SELECT payload FROM part {where}", id, kind)
    changed = payload.replace(b"app.handler", b"app.hendler") + (b" " if kind == "ended" else b"")
    query(path, f"UPDATE part SET payload = ? {where}", changed, id, kind)
