"""A copy of a store's file as SQLite sees it, WAL included, made before the store is changed."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from replay.store.engine.database import BUSY_S
from replay.store.engine.sqlite_error import said_clearly


def moment_text() -> str:
    """Return this moment as names of copies have it, in UTC."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def back_up(path: Path, before: str) -> Path:
    """Copy the store as SQLite sees it, WAL included; a copy that is not whole has another name."""
    backup = path.with_name(f"{path.name}.backup-{before}-{moment_text()}")
    unfinished = backup.with_name(f"{backup.name}.unfinished")
    with said_clearly(str(path)):
        source = sqlite3.connect(path, timeout=BUSY_S)
        with closing(source), said_clearly(f"the backup {unfinished}"):
            _copy(source, unfinished)
    unfinished.rename(backup)
    return backup


def _copy(source: sqlite3.Connection, unfinished: Path) -> None:
    try:
        os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise sqlite3.OperationalError(error.strerror) from error
    with closing(sqlite3.connect(unfinished)) as copy:
        source.backup(copy)  # in one step, so of one moment; writers of a WAL are not held up
        copy.execute("VACUUM")  # of free pages a purge could not say whose bytes they hold
