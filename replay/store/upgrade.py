"""Brings a store of an older revision to HEAD: a backup first, then one transaction.

Killed at any moment, the store is wholly of the old revision or wholly of the new one: changes of
the schema are part of a transaction like any others. What other processes capture meanwhile waits
for it, or goes to the spool.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from replay.store import revision
from replay.store.engine.address import database_of
from replay.store.engine.database import Database


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did: from one revision to another, with a copy of the store as it was."""

    before: str
    after: str
    backup: str


def upgrade(setting: str, *, before_change: Callable[[str], None]) -> Upgraded | None:
    """Bring the store to HEAD, or return None where there is nothing to do; raises StoreError.

    `before_change` is told where the backup is, once it is whole.
    """
    with closing(database_of(setting)) as database:
        database.refuse_absent()
        before = _older_revision(database)
        if before is None:
            return None
        backup = database.back_up(before)
        before_change(backup)
        database.make(revision.migrate)
    return Upgraded(before, revision.HEAD, backup)


def _older_revision(database: Database) -> str | None:
    with database.reading() as connection:
        database.refuse_foreign(connection)
        found = revision.current(connection)
    if found is not None and found not in (*revision.OLDER, revision.HEAD):
        raise revision.refusal(database.name, found)
    return None if found == revision.HEAD else found
