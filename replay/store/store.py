"""The store: recordings go in and come out as `Recording`; rows never leave this package.

Opening it takes in what the recorder has written since. A recording that cannot be read comes out
as the `DamagedError` that says why, in its place among the others.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Row,
    create_engine,
    delete,
    event,
    exc,
    insert,
    inspect,
    select,
)

from replay.errors import DamagedError, StoreError
from replay.recording import Recording
from replay.settings import store_path
from replay.store import intake, reference, revision, spool
from replay.store.intake import Progress
from replay.store.selection import Selection
from replay.store.tables import part, recording

_BUSY_S = 30
_PAGE = 200
_NAME_STORE = "name the store with --store PATH or REPLAY_STORE=PATH"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows of one recording; `damage` says why the rest cannot be had."""

    id: str
    captured_at_us: int
    function_name: str | None = None
    alias: str | None = None
    source: str | None = None
    outcome: str | None = None
    error_type: str | None = None
    duration_us: int | None = None
    remaining_ms: int | None = None
    request_id: str | None = None
    cold: bool | None = None
    size_bytes: int | None = None
    damage: str | None = None


class Store:
    """One store, opened; `spool` says what was taken from its spool on the way."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self.spool = spool.SpoolReport()

    @classmethod
    def open(
        cls, setting: str, *, progress: Progress | None = None, create: bool = False
    ) -> "Store":
        """Return the store that `setting` names, taken in; raises StoreError."""
        path = Path(store_path(setting))
        if not create:
            _refuse_absent(path)
        store = cls(_engine(path), str(path))
        try:
            store._take_in(path, progress or _say_nothing)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def add(self, added: Recording) -> None:
        """Store a recording; one that the store has is left as it is."""
        with self._writing() as connection:
            if connection.scalar(select(recording.c.id).where(recording.c.id == added.id)) is None:
                rows = [
                    {"id": one.id, "kind": one.kind, "crc": one.crc, "payload": one.payload}
                    for one in added.parts()
                ]
                connection.execute(insert(part), rows)
                intake.take_in(connection, _say_nothing)

    def get(self, id: str) -> Recording:
        """Return the recording of a full id; raises DamagedError, or ReplayError if unknown."""
        with self._reading() as connection:
            row = connection.execute(select(recording).where(recording.c.id == id)).one_or_none()
            if row is None:
                raise reference.unknown(id)
            return intake.read(id, intake.locate(connection, row))

    def find(self, selection: Selection) -> Iterator[Recording | DamagedError]:
        """Yield the selected recordings, newest first, each read when it is asked for."""
        for summary in self._matching(selection):
            try:
                yield self.get(summary.id)
            except DamagedError as error:
                yield error

    def summaries(self, selection: Selection) -> list[Summary]:
        """Return summaries of the selected recordings, newest first."""
        return list(self._matching(selection))

    def checked(self, summaries: list[Summary]) -> list[Summary]:
        """Return the summaries with `damage` where a part's checksum does not hold any more."""
        with self._reading() as connection:
            return [self._checked(connection, summary) for summary in summaries]

    def _checked(self, connection: Connection, summary: Summary) -> Summary:
        row = connection.execute(select(recording).where(recording.c.id == summary.id)).one()
        try:
            intake.check(summary.id, intake.locate(connection, row))
        except DamagedError as error:
            return replace(summary, damage=summary.damage or str(error))
        return summary

    def remove(self, id: str) -> None:
        """Delete a recording and its parts."""
        with self._writing() as connection:
            connection.execute(delete(part).where(part.c.id == id))
            connection.execute(delete(recording).where(recording.c.id == id))
            intake.rewind(connection)

    def resolve(self, text: str) -> tuple[str, ...]:
        """Return the ids that an argument means; several for a request id with several attempts.

        Takes a full id, a tail of 4 or more characters, a request id, `@latest` or `@N`, the Nth
        newest. Raises ReplayError where it is unknown or ambiguous, listing the candidates.
        """
        with self._reading() as connection:
            return reference.resolve(connection, text)

    def _matching(self, selection: Selection) -> Iterator[Summary]:
        found = self._pages(selection)
        if selection.where:
            found = (summary for summary in found if self._has_values(summary.id, selection))
        return islice(found, selection.limit)

    def _pages(self, selection: Selection) -> Iterator[Summary]:
        """Yield page after page by key, so that no transaction stays open between them."""
        size = min(_PAGE, selection.limit or _PAGE)
        last: str | None = None
        while True:
            statement = selection.statement().limit(size)
            if last is not None:
                statement = statement.where(recording.c.id < last)
            with self._reading() as connection:
                rows = connection.execute(statement).all()
            yield from map(_summary, rows)
            if len(rows) < size:
                return
            last = rows[-1].id

    def _has_values(self, id: str, selection: Selection) -> bool:
        from jsonpath_rfc9535 import find  # 30 ms, for this one filter

        try:
            found = self.get(id).invocation.event
        except DamagedError:
            return False
        if not isinstance(found, dict | list):
            return False
        return all(
            any(type(one) is type(value) and one == value for one in find(path, found).values())
            for path, value in selection.where
        )

    def _take_in(self, path: Path, progress: Progress) -> None:
        with self._reading() as connection:
            _refuse_foreign(connection, self._name)
            if _is_current(connection) and not spool.spools(path):
                return
        with self._writing() as connection:
            revision.ensure(connection, self._name)
            self.spool, files = spool.take_in(connection, path)
            intake.take_in(connection, progress)
        for file in files:
            spool.dispose(file, keep=self.spool.damaged > 0)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _said_clearly(self._name), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _said_clearly(self._name), self._engine.connect() as connection:
            # Taken at once: a transaction that reads first and writes later fails where another
            # process has written in between, whatever the busy timeout.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()


def _say_nothing(_done: int, _total: int) -> None:
    pass


def _engine(path: Path) -> Engine:
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": _BUSY_S})

    @event.listens_for(engine, "connect")
    def take_over_transactions(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        # One id that is not UTF-8 may not hide the others.
        connection.text_factory = lambda raw: raw.decode(errors="backslashreplace")

    return engine


def _refuse_absent(path: Path) -> None:
    if path.is_dir():
        raise StoreError(f"{path} is a directory, not a store", _NAME_STORE)
    wal = path.with_name(path.name + "-wal")
    if path.exists() and not path.stat().st_size and wal.exists() and wal.stat().st_size:
        # SQLite would take it for a new database, and delete what the WAL still holds.
        raise StoreError(
            f"{path} was cut to nothing, but {wal.name} beside it was not", _NAME_STORE
        )
    if not path.exists() and not spool.spools(path):
        raise StoreError(
            f"there is no store at {path.absolute()}",
            f"capture an invocation first (replay demo shows how), or {_NAME_STORE}",
        )


def _refuse_foreign(connection: Connection, name: str) -> None:
    tables = inspect(connection).get_table_names()
    if tables and "part" not in tables:
        raise StoreError(f"{name} is a database, but no store: it has no table 'part'", _NAME_STORE)


def _is_current(connection: Connection) -> bool:
    return revision.current(connection) == revision.HEAD and intake.is_complete(connection)


@contextmanager
def _said_clearly(name: str) -> Iterator[None]:
    try:
        yield
    except exc.DBAPIError as error:
        why = str(error.orig)
        if "not a database" in why:
            raise StoreError(f"{name} is no database", _NAME_STORE) from error
        if "malformed" in why or "disk I/O" in why:
            raise StoreError(
                f"{name} is damaged: {why}", f"save what is left: sqlite3 {name} .recover"
            ) from error
        raise StoreError(f"{name} cannot be used: {why}", _NAME_STORE) from error


def _summary(row: Row[Any]) -> Summary:
    return Summary(**{name: getattr(row, name) for name in Summary.__slots__})
