"""An opened store, whichever engine keeps it: its connections, its transactions, its errors.

`SqliteFile` and `PostgresServer` are the two. Statements are written once, in the SQL that both
speak, with `?` for each value. Invariant: one transaction writes at a time, from its first
statement on, so that what it has read stays true until it ends.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar, cast

from sqlalchemy import Connection, Table

from replay.errors import StoreError
from replay.store.selection import Query

Result = TypeVar("Result")
DRIVER = "driver"
"""Under this name each connection carries its driver."""
BUSY_S = 30
"""How long a command waits for another process's transaction."""
NAME_STORE = "name the store with --store STORE or REPLAY_STORE=STORE"


class Rows(Protocol):
    """What a statement has found, or done."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Any:
        """Return the next row, None where there is none."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows that are left."""


class Driver(Protocol):
    """The engine's own connection, where SQLAlchemy would take longer than the statement."""

    def execute(self, text: str, values: Sequence[Any] = ..., /) -> Rows:
        """Run a statement; `?` stands for each value."""

    def executemany(self, text: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Run a statement for each row."""

    def insert(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows of all columns, in their order, as fast as the engine takes them."""


class Database(ABC):
    """One store, opened; what its engine raises is a StoreError that says what to do."""

    dialect: ClassVar[Literal["sqlite", "postgresql"]]
    finds_parts: ClassVar[bool]
    """Whether an index finds the parts of a recording: the recorder's table has none."""
    reads_ahead: ClassVar[bool]
    """Whether all rows of a statement are in memory before the first is given."""
    files: Path | None = None
    """The file, beside which spools, notes and copies are; None for a server."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def close(self) -> None:
        """Let go of the store."""

    @abstractmethod
    def refuse_absent(self) -> None:
        """Raise StoreError where there is no store, or one that opening it would do harm to."""

    @abstractmethod
    def refuse_foreign(self, connection: Connection) -> None:
        """Raise StoreError for a database that is no store of ours, or none that can be trusted."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """Yield a connection to read with; each statement sees what is committed by then."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Connection]:
        """Yield a connection to read with; all statements see what the first one sees."""

    @abstractmethod
    def scanning(self) -> AbstractContextManager[Driver]:
        """Yield a driver to read many rows with; it may refuse a page with damaged text."""

    @abstractmethod
    def write(self, work: Callable[[Connection], Result], *, for_good: bool = False) -> Result:
        """Return what `work` returns, done in one transaction; it may be called again.

        `for_good` overwrites what is deleted, where the engine can do that.
        """

    @abstractmethod
    def maker(self) -> Callable[[Connection], None]:
        """Return what makes the tables of a new store, once loaded what that needs."""

    @abstractmethod
    def make(self, work: Callable[[Connection], None]) -> None:
        """Do what makes or changes tables, in one transaction; it may be called again."""

    @abstractmethod
    def back_up(self, revision: str) -> str:
        """Copy the store, whose revision that is; return where the copy is, once it is whole."""

    @abstractmethod
    def copies(self, gone: Collection[str], kept: Set[str]) -> list[str]:
        """Return where copies are that may hold recordings which are not kept.

        `gone` are ids that are to be erased, `kept` all those that stay in the store.
        """

    @abstractmethod
    def erase(self, ids: Collection[str], copies: Collection[str]) -> tuple[str, ...]:
        """Take what was deleted out of the store for good, and remove copies.

        Returns the files that hold one of `ids` all the same.
        """

    @abstractmethod
    def rows(self, query: Query) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""


class PageEnds:
    """Where the pages of a walk through a table ended.

    A damaged tree gives rows out of order, so that the row to go on from may lead back: the walk
    would never end. A value of the key may be of any type then.
    """

    def __init__(self) -> None:
        self._seen: set[object] = set()

    def add(self, end: object) -> None:
        """Note the end of a page; raises StoreError where one has ended there before."""
        if end in self._seen:
            raise StoreError(
                "the store is damaged: its rows are out of order",
                "save what is left: sqlite3 STORE .recover",
            )
        self._seen.add(end)


def driver(connection: Connection) -> Driver:
    """Return the driver of a connection, which takes statements as they are written here."""
    return cast("Driver", connection.info[DRIVER])
