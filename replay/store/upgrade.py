"""Brings a store of an older revision to HEAD: a backup first, then one transaction.

Killed at any moment, the store is wholly of the old revision or wholly of the new one: SQLite's
schema changes are part of a transaction like any others. What other processes capture meanwhile
waits for it, or goes to the spool.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from replay.settings import store_path
from replay.store import revision
from replay.store.database import BUSY_S, Database, refuse_absent, refuse_foreign, said_clearly


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did: from one revision to another, with a copy of the store as it was."""

    before: str
    after: str
    backup: Path


def upgrade(setting: str, *, before_change: Callable[[Path], None]) -> Upgraded | None:
    """Bring the store to HEAD, or return None where there is nothing to do; raises StoreError.

    `before_change` is told where the backup is, once it is whole.
    """
    path = Path(store_path(setting))
    refuse_absent(path)
    with closing(Database(path)) as database:
        before = _older_revision(database)
        if before is None:
            return None
        backup = _back_up(path, before)
        before_change(backup)
        with database.writing() as connection:
            revision.migrate(connection)
    return Upgraded(before, revision.HEAD, backup)


def _older_revision(database: Database) -> str | None:
    name = str(database.path)
    with database.reading() as connection:
        refuse_foreign(connection, name)
        found = revision.current(connection)
    if found is not None and found not in (*revision.OLDER, revision.HEAD):
        raise revision.refusal(name, found)
    return None if found == revision.HEAD else found


def _back_up(path: Path, before: str) -> Path:
    """Copy the store as SQLite sees it, WAL included; a copy that is not whole has another name."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    backup = path.with_name(f"{path.name}.backup-{before}-{moment}")
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
