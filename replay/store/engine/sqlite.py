"""A store in a file of SQLite's: its connections, its transactions, and its errors in clear words.

A transaction that may write begins as one: a transaction that reads first and writes later fails
where another process has written in between, whatever the busy timeout.
"""

import os
import shlex
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from replay.errors import StoreError
from replay.store import revision, spool
from replay.store.column import insert_into
from replay.store.engine import backup, erase
from replay.store.engine.database import BUSY_S, DRIVER, NAME_STORE, Database, Result
from replay.store.engine.sqlite_error import decode_text, said_clearly
from replay.store.selection import Query
from replay.store.tables import metadata

_OURS = frozenset({*metadata.tables, "alembic_version"})


class SqliteDriver(sqlite3.Connection):
    """SQLite's own connection, as a `Driver`."""

    def insert(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows of all columns, in their order."""
        self.executemany(insert_into(table), rows)


class SqliteFile(Database):
    """One SQLite file, opened; a file that is not there is made with its first connection."""

    dialect = "sqlite"
    finds_parts = False
    reads_ahead = False

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.files = self.path = path
        self._engine = _engine(path)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def refuse_absent(self) -> None:
        """Raise StoreError where there is no file to open, or one that SQLite would do harm to."""
        refuse_absent(self.path)

    def refuse_foreign(self, connection: Connection) -> None:
        """Raise StoreError where it has other tables than ours, or acts by itself."""
        refuse_foreign(raw_of(connection), self.name)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection to read with; raises StoreError for what SQLite raises."""
        with said_clearly(self.name), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection that reads within one transaction."""
        with self.reading() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def scanning(self) -> Iterator[SqliteDriver]:
        """Yield the driver, which refuses text that is not UTF-8: five times as fast."""
        with self.reading() as connection, _plain_text(raw_of(connection)) as raw:
            yield raw

    def rows(self, query: Query) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self.reading() as connection:
            raw = raw_of(connection)
            try:
                with _plain_text(raw):
                    return raw.execute(query.text, query.values).fetchall()
            except sqlite3.OperationalError as error:
                if "decode" not in str(error):
                    raise
            return raw.execute(query.text, query.values).fetchall()

    def write(self, work: Callable[[Connection], Result], *, for_good: bool = False) -> Result:
        """Return what `work` returns, done in one transaction; `for_good` overwrites with zeros."""
        with said_clearly(self.name), self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
            # Some builds of SQLite overwrite by default, which takes ten times as long.
            how = "ON" if for_good else "FAST"
            connection.exec_driver_sql(f"PRAGMA secure_delete = {how}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            result = work(connection)
            connection.commit()
        return result

    def maker(self) -> Callable[[Connection], None]:
        """Return what makes the tables: SQL that Alembic, which takes 0.3 s to load, has given."""
        return partial(_make, statements=revision.statements())

    def make(self, work: Callable[[Connection], None]) -> None:
        """Do what makes or changes tables, in one transaction like any other."""
        self.write(work)

    def back_up(self, revision: str) -> str:
        """Copy the file, whose revision that is; return where the copy is, once it is whole."""
        return str(backup.back_up(self.path, revision))

    def copies(self, gone: Collection[str], kept: Set[str]) -> list[str]:
        """Return the copies beside the file that may hold recordings which are not kept."""
        return [str(file) for file in erase.copies(self.path, gone, kept)]

    def erase(self, ids: Collection[str], copies: Collection[str]) -> tuple[str, ...]:
        """Take what was deleted out of the file and what lies beside it; see erase.py."""
        with self.reading() as connection:
            left = erase.erase(raw_of(connection), self.path, ids, map(Path, copies))
        return tuple(map(str, left))


def _make(connection: Connection, statements: Iterable[str]) -> None:
    has_part = connection.exec_driver_sql(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'part'"
    ).first()
    for statement in statements:
        if not (has_part and statement.startswith("CREATE TABLE part ")):
            connection.exec_driver_sql(statement)


def _engine(path: Path) -> Engine:
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": BUSY_S, "factory": SqliteDriver})

    @event.listens_for(engine, "do_connect")
    def make_private(*_: object) -> None:
        # SQLite would make a file that others may read, as the umask has it.
        # Of one that is there, closing a descriptor would drop this process's locks.
        with suppress(OSError):  # SQLite names the reason better
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def take_over_transactions(connection: SqliteDriver, record: ConnectionPoolEntry) -> None:
        record.info[DRIVER] = connection
        connection.isolation_level = None
        connection.text_factory = decode_text
        connection.execute("PRAGMA trusted_schema = OFF")
        if path.exists() and not path.stat().st_size:  # a new one: as the recorder makes it
            connection.execute("PRAGMA journal_mode = WAL")

    return engine


def raw_of(connection: Connection) -> SqliteDriver:
    """Return SQLite's own connection."""
    return cast("SqliteDriver", connection.connection.dbapi_connection)


@contextmanager
def _plain_text(raw: SqliteDriver) -> Iterator[SqliteDriver]:
    raw.text_factory = str
    try:
        yield raw
    finally:
        raw.text_factory = decode_text


def refuse_absent(path: Path) -> None:
    """Raise StoreError where there is no file to open, or one that SQLite would do harm to."""
    refuse_link(path)
    if path.is_dir():
        raise StoreError(f"{path} is a directory, not a store", NAME_STORE)
    wal = path.with_name(path.name + "-wal")
    if path.exists() and not path.stat().st_size and wal.exists() and wal.stat().st_size:
        # SQLite would take it for a new database, and delete what the WAL still holds.
        raise StoreError(f"{path} was cut to nothing, but {wal.name} beside it was not", NAME_STORE)
    if not path.exists() and not spool.spools(path):
        raise StoreError(
            f"there is no store at {path.absolute()}",
            f"capture an invocation first (replay demo shows how), or {NAME_STORE}",
        )


def refuse_foreign(raw: sqlite3.Connection, name: str) -> None:
    """Raise StoreError where a database has tables, but not ours, or would do something by itself.

    A trigger, or a view in the place of a table, runs whatever it says when it is written or read.
    """
    rows = raw.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    for kind, made, sql in rows:
        is_plain = kind == "table" and str(sql)[:12].upper() == "CREATE TABLE"
        if kind == "trigger" or (made in _OURS and not is_plain and kind != "index"):
            raise StoreError(
                f"{name} has a {kind} {made!r}, which no store has: it could do anything",
                f"take its recordings into a store of your own: replay import {shlex.quote(name)}",
            )
    tables = {made for kind, made, _ in rows if kind == "table"}
    if tables and "part" not in tables:
        raise StoreError(f"{name} is a database, but no store: it has no table 'part'", NAME_STORE)


def refuse_link(path: Path) -> None:
    """Raise StoreError for a link to nothing, at whose end SQLite would make a store."""
    try:
        is_dangling = path.is_symlink() and not path.exists()
    except OSError as error:  # a name that is too long
        raise StoreError(f"{path} cannot be a store: {error.strerror}", NAME_STORE) from error
    if is_dangling:
        raise StoreError(f"{path} is a link to {path.readlink()}, which is not there", NAME_STORE)
