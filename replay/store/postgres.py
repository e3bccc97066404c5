"""A store in a PostgreSQL database, which a team shares; the extra `postgres` brings psycopg.

Whoever writes holds the row `part` of the table `intake` first, so that parts are numbered in the
order of their commits, as in SQLite: no sequence, no advisory lock, nothing but rows, which other
engines that speak PostgreSQL's protocol have too. A transaction that such an engine refuses for a
conflict is done again.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, exc, inspect, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from replay.errors import ReplayError, StoreError
from replay.store import revision
from replay.store.database import BUSY_S, DRIVER, NAME_STORE, Database, Result
from replay.store.selection import Query
from replay.store.tables import metadata

if TYPE_CHECKING:
    import psycopg

_CONNECTION = {
    "connect_timeout": 10,  # seconds
    "keepalives_idle": 30,  # a connection that waits for replays is dropped on many a way else
    "application_name": "lambda-replay",
}
_ADDRESS = "write it as postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE"
_AGAIN = ("40001", "40P01")
"""SQLSTATE of a transaction that was refused for a conflict, and would pass if done again."""
_MADE_BY_ANOTHER = ("23505", "42P07", "42710")
"""What is raised where another process has made the tables at the same time."""
_BUSY = "55P03"
_BACKUP = "replay_backup_"
_TRIES = 8
_PAUSE_S = 0.02
_LOCK = "SELECT taken_n FROM intake WHERE name = 'part' FOR UPDATE"
_HINTS = {
    "42501": "have the user granted the right to it",
    "53": "make room on the server; what was taken stays, and the next run goes on",
    _BUSY: "wait until what holds it has ended",
}
"""By the start of the SQLSTATE, what to do."""
_REFUSED = {
    "authentication failed": "check the user and the password in REPLAY_STORE",
    "does not exist": "name another database, or make it: createdb NAME",
}
"""By words of the message, where no connection was made: psycopg gives no SQLSTATE then."""
_UNREACHED = (
    "check host, port and database in REPLAY_STORE, and that the server runs; what was taken"
    " stays, and the next run goes on"
)


class PostgresServer(Database):
    """One database of a server, opened: connected to when it is first read or written."""

    dialect = "postgresql"
    finds_parts = True

    def __init__(self, address: str) -> None:
        self._engine = _engine(address)
        super().__init__(self._engine.url.render_as_string(hide_password=True))

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
        if tables and "part" not in tables:
            raise StoreError(
                f"{self.name} is a database, but no store: it has no table 'part'",
                "give the store a database of its own, or a schema:"
                " ...?options=-csearch_path%3DSCHEMA",
            )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection to read with; raises StoreError for what the server raises."""
        with self._said_clearly(), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

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
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_S}s'")
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
            for table in inspect(connection).get_table_names():
                copied = f"{schema}.{table}"
                connection.exec_driver_sql(f"CREATE TABLE {copied} (LIKE {table} INCLUDING ALL)")
                connection.exec_driver_sql(f"INSERT INTO {copied} SELECT * FROM {table}")  # noqa: S608

        self.make(copy)
        return f"schema {schema}"

    def copies(self, gone: Collection[str], kept: Set[str]) -> list[str]:
        """Return the schemas that were copied before an upgrade, whatever they hold."""
        del gone, kept
        with self.reading() as connection:
            schemas = inspect(connection).get_schema_names()
        return [f"schema {name}" for name in schemas if name.startswith(_BACKUP)]

    def erase(self, ids: Collection[str], copies: Collection[str]) -> tuple[str, ...]:
        """Rewrite the tables without what was deleted, and drop copies of them."""
        del ids
        with self.reading() as connection:
            for copied in copies:
                connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {copied.split()[-1]} CASCADE")
            for table in metadata.tables:
                connection.exec_driver_sql(f"VACUUM FULL {table}")
        return ()

    def _committed(self, work: Callable[[Connection], Result], *, again: Sequence[str]) -> Result:
        """Return what `work` returns, once it is committed."""
        for tried in range(1, _TRIES + 1):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except Exception as error:
                if tried == _TRIES or _state_of(error) not in again:
                    with self._said_clearly():
                        raise
            time.sleep(_PAUSE_S * 2**tried)
        raise AssertionError  # the last try returns or raises

    @contextmanager
    def _said_clearly(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if _driver_error(error) is None:
                raise
            state = _state_of(error) or ""
            why = _first_line(error)
            hints = [hint for start, hint in _HINTS.items() if state.startswith(start)]
            hints += [hint for words, hint in _REFUSED.items() if not state and words in why]
            raise StoreError(
                f"{self.name} cannot be used: {why}", (*hints, _UNREACHED)[0]
            ) from error


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


def _engine(address: str) -> Engine:
    try:
        url = make_url(address).set(drivername="postgresql+psycopg")
        engine = create_engine(url, connect_args=_CONNECTION)
    except (exc.ArgumentError, ValueError) as error:  # their words may have the password
        raise StoreError(f"the address {address[:12]}... names no store", _ADDRESS) from error
    except ImportError as error:
        raise ReplayError(
            f"a store in PostgreSQL needs psycopg: {error}",
            "pip install 'lambda-replay[postgres]'",
        ) from error

    @event.listens_for(engine, "connect")
    def keep_driver(connection: "psycopg.Connection[Any]", record: ConnectionPoolEntry) -> None:
        record.info[DRIVER] = _Driver(connection)

    return engine


def _driver_error(error: Exception) -> Any:
    """Return the driver's own error in what was raised, None where it is none."""
    import psycopg

    found = error.orig if isinstance(error, exc.DBAPIError) else error
    return found if isinstance(found, psycopg.Error) else None


def _state_of(error: Exception) -> str | None:
    return getattr(_driver_error(error), "sqlstate", None)


def _first_line(error: Exception) -> str:
    return str(_driver_error(error)).strip().partition("\n")[0]
