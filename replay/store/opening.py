"""A store is opened: its tables are made where there are none, and what came since is taken in."""

from functools import partial

from sqlalchemy import Connection

from replay.store import intake, revision, spool
from replay.store.arrival import spooled
from replay.store.arrival.inbox import Inbox
from replay.store.arrival.spooled import SpoolReport
from replay.store.engine.address import database_of
from replay.store.engine.database import Database
from replay.store.intake import Progress


def open_database(
    setting: str, progress: Progress, *, create: bool
) -> tuple[Database, SpoolReport]:
    """Return what a setting names, and what was in its spool; raises StoreError.

    `create` makes a store where there is none.
    """
    database = database_of(setting)
    try:
        if not create:
            database.refuse_absent()
        return database, _taken_in(database, progress)
    except BaseException:
        database.close()
        raise


def _taken_in(database: Database, progress: Progress) -> SpoolReport:
    if not _is_current(database):
        intake.take_in_by_steps(database, progress)
    files = database.files
    if files is None or not spool.spools(files):
        return SpoolReport()
    report = spooled.take_in(Inbox(database), files)
    intake.take_in_by_steps(database, progress)
    return report


def _is_current(database: Database) -> bool:
    """Whether everything is taken in; makes the tables, raises StoreError for older ones."""
    with database.reading() as connection:
        database.refuse_foreign(connection)
        found = revision.current(connection)
        if found == revision.HEAD:
            return intake.is_complete(connection)
    if found is not None:
        raise revision.refusal(database.name, found)
    # Before the transaction that needs it: Alembic takes 0.3 s to load.
    make = database.maker()
    database.make(partial(_make, name=database.name, make=make))
    return False


def _make(connection: Connection, name: str, make: revision.Make) -> None:
    revision.ensure(connection, name, make)
    intake.start(connection)
