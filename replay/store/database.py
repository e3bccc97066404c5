"""The SQLite file of a store: its connections, its transactions, and its errors in clear words.

A transaction that may write begins as one: a transaction that reads first and writes later fails
where another process has written in between, whatever the busy timeout.
"""

import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc

from replay.errors import DamagedError, StoreError
from replay.store import spool
from replay.store.selection import Query
from replay.store.tables import metadata

BUSY_S = 30
"""How long a command waits for another process's transaction."""
NAME_STORE = "name the store with --store PATH or REPLAY_STORE=PATH"
_OURS = frozenset({*metadata.tables, "alembic_version"})
_CORRUPT = ("malformed", "disk I/O", "database corruption")


class Database:
    """One SQLite file, opened; a file that is not there is made with its first connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = _engine(path)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection to read with; raises StoreError for what SQLite raises."""
        with said_clearly(str(self.path)), self._engine.connect() as connection:
            yield connection

    def rows(self, query: Query) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self.reading() as connection:
            try:
                with plain_text(connection) as raw:
                    return raw.execute(query.text, query.values).fetchall()
            except sqlite3.OperationalError as error:
                if "decode" not in str(error):
                    raise
            return driver(connection).execute(query.text, query.values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection in one write transaction, committed at the end of the block."""
        with said_clearly(str(self.path)), self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()


def _engine(path: Path) -> Engine:
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "do_connect")
    def make_private(*_: object) -> None:
        # SQLite would make a file that others may read, as the umask has it.
        # Of one that is there, closing a descriptor would drop this process's locks.
        with suppress(OSError):  # SQLite names the reason better
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def take_over_transactions(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.text_factory = decode_text
        connection.execute("PRAGMA trusted_schema = OFF")
        if path.exists() and not path.stat().st_size:  # a new one: as the recorder makes it
            connection.execute("PRAGMA journal_mode = WAL")

    return engine


class PageEnds:
    """Where the pages of a walk through a table ended.

    A damaged tree gives rows out of order, so that the row to go on from may lead back: the walk
    would never end. A value of the key may be of any type then.
    """

    def __init__(self) -> None:
        self._seen: set[object] = set()

    def add(self, end: object) -> None:
        """Note the end of a page; raises sqlite3.DatabaseError where one has ended there before."""
        if end in self._seen:
            raise sqlite3.DatabaseError("database corruption: rows are out of order")
        self._seen.add(end)


def driver(connection: Connection) -> sqlite3.Connection:
    """Return SQLite's own connection, where SQLAlchemy would take longer than the statement."""
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


@contextmanager
def plain_text(connection: Connection) -> Iterator[sqlite3.Connection]:
    """Yield the driver's connection, which refuses text that is not UTF-8: five times as fast."""
    raw = driver(connection)
    raw.text_factory = str
    try:
        yield raw
    finally:
        raw.text_factory = decode_text


def decode_text(raw: bytes) -> str:
    """Return text of a database; one id that is not UTF-8 may not hide the others."""
    return raw.decode(errors="backslashreplace")


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


def refuse_foreign(connection: Connection, name: str) -> None:
    """Raise StoreError where a database has tables, but not ours, or would do something by itself.

    A trigger, or a view in the place of a table, runs whatever it says when it is written or read.
    """
    rows = driver(connection).execute("SELECT type, name, sql FROM sqlite_master").fetchall()
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


@contextmanager
def said_clearly(name: str) -> Iterator[None]:
    """Turn what SQLite raises inside the block into a StoreError."""
    try:
        yield
    except (exc.DBAPIError, sqlite3.Error) as error:
        why = _why(error)
        if "not a database" in why:
            raise StoreError(f"{name} is no database", NAME_STORE) from error
        if is_corrupt(why):
            raise StoreError(
                f"{name} is damaged: {why}", f"save what is left: sqlite3 {name} .recover"
            ) from error
        raise StoreError(f"{name} cannot be used: {why}", NAME_STORE) from error


@contextmanager
def damage_named(id: str) -> Iterator[None]:
    """Turn corruption that SQLite meets inside the block into the DamagedError of one recording."""
    try:
        yield
    except (exc.DBAPIError, sqlite3.Error) as error:
        why = _why(error)
        if not is_corrupt(why):
            raise
        raise DamagedError(
            f"recording {id}: its bytes cannot be read ({why})",
            "replay doctor says what else is damaged; restore the store from a copy",
        ) from error


def _why(error: Exception) -> str:
    return str(error.orig) if isinstance(error, exc.DBAPIError) else str(error)


def is_corrupt(why: str) -> bool:
    """Whether SQLite's message says that the file is damaged."""
    return any(word in why for word in _CORRUPT)
