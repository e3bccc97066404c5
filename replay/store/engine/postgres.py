"""A store in a PostgreSQL database, which a team shares; the extra `postgres` brings psycopg.

Whoever writes holds the row `part` of the table `intake` first, so that parts are numbered in the
order of their commits, as in SQLite: no sequence, no advisory lock, nothing but rows, which other
engines that speak PostgreSQL's protocol have too. A transaction that such an engine refuses for a
conflict is done again.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    exc,
    func,
    inspect,
    make_url,
    select,
)
from sqlalchemy.pool import ConnectionPoolEntry

from replay.errors import ReplayError, StoreError
from replay.store import revision
from replay.store.engine.database import BUSY_S, DRIVER, NAME_STORE, Database, Result
from replay.store.engine.postgres_error import said_clearly, state_of
from replay.store.selection import Query
from replay.store.tables import metadata

if TYPE_CHECKING:
    import psycopg

_CONNECTION = {
    "connect_timeout": 10,  # seconds
    "keepalives_idle": 30,  # a connection that waits for replays is dropped on many a way else
    "application_name": "lambda-replay",
    "client_encoding": "utf8",  # psycopg gives bytes for text where the server has SQL_ASCII
}
_ADDRESS = "write it as postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE"
_AGAIN = ("40001", "40P01")
"""SQLSTATE of a transaction that was refused for a conflict, and would pass if done again."""
_MADE_BY_ANOTHER = ("23505", "42P07", "42710")
"""What is raised where another process has made the tables at the same time."""
_BACKUP = "replay_backup_"
_COPY_OF = "copy of the store in schema "
_COPIES = (
    "SELECT nspname::text FROM pg_namespace"  # noqa: S608 - ours
    f" WHERE obj_description(oid, 'pg_namespace') = '{_COPY_OF}' || current_schema()"
    " ORDER BY nspname"
)
_TRIES = 8
_PAUSE_S = 0.02
_OURS = ("part", "alembic_version")
"""Tables that are in every store here: no recorder makes one with `part` alone."""
_LOCK = "SELECT taken_n FROM intake WHERE name = 'part' FOR UPDATE"


class PostgresServer(Database):
    """One database of a server, opened: connected to when it is first read or written."""

    dialect = "postgresql"
    finds_parts = True
    reads_ahead = True

    def __init__(self, address: str) -> None:
        self._engine = _engine(address)
        super().__init__(_told(self._engine.url))

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def refuse_absent(self) -> None:
        """Raise StoreError where the database is empty."""
        with self.reading() as connection:
            if not inspect(connection).get_table_names():
                raise StoreError(
                    f"there is no store in {self.name}",
                    f"replay push copies recordings there, or {NAME_STORE}",
                )

    def refuse_foreign(self, connection: Connection) -> None:
        """Raise StoreError where it has tables, but not ours: no store is made among others'."""
        tables = set(inspect(connection).get_table_names())
        lacking = [name for name in _OURS if name not in tables]
        if tables and lacking:
            raise StoreError(
                f"{self.name} is a database, but no store: it has no table {lacking[0]!r}",
                "give the store a database of its own, or a schema:"
                " ...?options=-csearch_path%3DSCHEMA",
            )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection to read with; raises StoreError for what the server raises."""
        with said_clearly(self.name), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection that reads within one transaction."""
        with said_clearly(self.name), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ")

    def rows(self, query: Query) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self.scanning() as driver:
            return driver.execute(query.text, query.values).fetchall()

    @contextmanager
    def scanning(self) -> Iterator["_Driver"]:
        """Yield the driver of a connection to read with."""
        with self.reading() as connection:
            yield connection.info[DRIVER]

    def write(self, work: Callable[[Connection], Result], *, for_good: bool = False) -> Result:
        """Return what `work` returns, done in one transaction; the server overwrites nothing."""
        del for_good

        def locked(connection: Connection) -> Result:
            connection.exec_driver_sql(_LOCK)
            return work(connection)

        return self._committed(locked, again=_AGAIN)

    def maker(self) -> Callable[[Connection], None]:
        """Return what makes the tables: all migrations."""
        return revision.migrate

    def make(self, work: Callable[[Connection], None]) -> None:
        """Do what makes or changes tables, in one transaction: DDL is part of it as in SQLite."""
        self._committed(work, again=(*_AGAIN, *_MADE_BY_ANOTHER))

    def back_up(self, revision: str) -> str:
        """Copy all tables into a schema of their own, which is a store; return its name."""
        schema = f"{_BACKUP}{revision}_{time.time_ns() // 1000}"

        def copy(connection: Connection) -> None:
            connection.exec_driver_sql(_LOCK)
            connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
            connection.exec_driver_sql(_marked(connection, schema))
            for table in inspect(connection).get_table_names():
                copied = f"{schema}.{table}"
                connection.exec_driver_sql(f"CREATE TABLE {copied} (LIKE {table} INCLUDING ALL)")
                connection.exec_driver_sql(f"INSERT INTO {copied} SELECT * FROM {table}")  # noqa: S608

        self.make(copy)
        return f"schema {schema}"

    def copies(self, gone: Collection[str], kept: Set[str]) -> list[str]:
        """Return the schemas that were copied of it before an upgrade, whatever they hold."""
        del gone, kept
        with self.reading() as connection:
            schemas = connection.exec_driver_sql(_COPIES).scalars().all()
        return [f"schema {name}" for name in schemas]

    def erase(self, ids: Collection[str], copies: Collection[str]) -> tuple[str, ...]:
        """Rewrite the tables without what was deleted, and drop copies of them."""
        del ids
        with self.reading() as connection:
            # A server waits for locks without end, and whoever comes later waits behind.
            connection.exec_driver_sql(f"SET lock_timeout = '{BUSY_S}s'")
            for copied in copies:
                connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {copied.split()[-1]} CASCADE")
            for table in metadata.tables:
                self._rewrite(connection, table)
        return ()

    def _rewrite(self, connection: Connection, table: str) -> None:
        """Rewrite a table; raises StoreError where the server only warns that it has not."""
        told: list[str] = []
        raw: psycopg.Connection[Any] = connection.connection.dbapi_connection  # type: ignore[assignment]
        hear = _hearing(told)
        raw.add_notice_handler(hear)
        try:
            connection.exec_driver_sql(f"VACUUM FULL {table}")
        finally:
            raw.remove_notice_handler(hear)
        if told:
            raise StoreError(
                f"{self.name} still has the bytes of what is deleted: {told[0]}",
                "once more as the owner of the tables: replay prune --purge",
            )

    def _committed(self, work: Callable[[Connection], Result], *, again: Sequence[str]) -> Result:
        """Return what `work` returns, once it is committed."""
        for tried in range(1, _TRIES + 1):
            try:
                with self._engine.begin() as connection:
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_S}s'")
                    return work(connection)
            except Exception as error:
                if tried == _TRIES or state_of(error) not in again:
                    with said_clearly(self.name):
                        raise
            time.sleep(_PAUSE_S * 2**tried)
        raise AssertionError  # the last try returns or raises


class _Driver:
    """psycopg's connection, as a `Driver`."""

    def __init__(self, raw: "psycopg.Connection[Any]") -> None:
        self._raw = raw

    def execute(self, text: str, values: Sequence[Any] = (), /) -> "psycopg.Cursor[Any]":
        """Run a statement; `?` stands for each value."""
        return self._raw.execute(_translated(text), values)

    def executemany(self, text: str, rows: Iterable[Sequence[Any]], /) -> None:
        """Run a statement for each row, without waiting for each answer."""
        with self._raw.cursor() as cursor:
            cursor.executemany(_translated(text), rows)

    def insert(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        """Copy rows of all columns, in their order, into a table."""
        columns = ", ".join(table.c.keys())
        copying = f"COPY {table.name} ({columns}) FROM STDIN".encode()
        with self._raw.cursor() as cursor, cursor.copy(copying) as copy:
            for row in rows:
                copy.write_row(row)


@lru_cache(maxsize=512)
def _translated(text: str) -> bytes:
    """Return a statement of ours as psycopg takes it; no text in one has a question mark."""
    text = text.replace("%", "%%").replace("?", "%s")
    return text.replace("group_concat(", "string_agg(").encode()


for _logging in ("psycopg", "sqlalchemy"):
    # What they log of a lost connection is raised as well; logging prints it where nobody listens.
    logging.getLogger(_logging).addHandler(logging.NullHandler())


def _engine(address: str) -> Engine:
    if address.count("@") > 1:  # what follows the first one would be told as the host
        raise StoreError(
            f"the address {address[:12]}... has more than one @",
            f"write %40 for an @ in a password; {_ADDRESS}",
        )
    try:
        url = make_url(address).set(drivername="postgresql+psycopg")
        # A connection that has been idle may have been ended by the server, or on the way.
        engine = create_engine(url, connect_args=_CONNECTION, pool_pre_ping=True)
    except (exc.ArgumentError, ValueError) as error:  # their words may have the password
        raise StoreError(f"the address {address[:12]}... names no store", _ADDRESS) from error
    except ImportError as error:
        raise ReplayError(
            f"a store in PostgreSQL needs psycopg: {error}",
            "pip install 'lambda-replay[postgres]'",
        ) from error

    @event.listens_for(engine, "connect")
    def keep_driver(connection: "psycopg.Connection[Any]", record: ConnectionPoolEntry) -> None:
        if connection.info.parameter_status("standard_conforming_strings") == "off":
            # libpq escapes bytes for a literal then, and COPY would store the escapes.
            connection.execute("SET standard_conforming_strings = on")
            connection.commit()
        record.info[DRIVER] = _Driver(connection)

    return engine


def _told(url: URL) -> str:
    """Return an address for messages: without passwords, which libpq takes as parameters too."""
    secret = {name: "***" for name in url.query if "password" in name}
    return url.update_query_dict(secret).render_as_string(hide_password=True)


def _marked(connection: Connection, schema: str) -> str:
    """Return the statement that notes of which store a copy is: others may share the database."""
    own = connection.scalar(select(func.current_schema()))
    noted = f"{_COPY_OF}{own}".replace("'", "''")
    return f"COMMENT ON SCHEMA {schema} IS '{noted}'"


def _hearing(told: list[str]) -> Callable[["psycopg.errors.Diagnostic"], None]:
    """Return what keeps the server's warnings."""

    def hear(notice: "psycopg.errors.Diagnostic") -> None:
        if notice.severity_nonlocalized == "WARNING":
            told.append(notice.message_primary or "")

    return hear
