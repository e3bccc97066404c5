"""Recordings out of a store file that came from somebody else: read as data, trusted in nothing.

The file is opened read-only and immutable, never attached; only the tables `part`, `tag`,
`recording` and `interaction` are read, only if their columns are ours, and everything read goes
through `Part` and its checksum. Triggers, views and other tables are never touched: an authorizer
refuses every statement but plain reads of what is named here. A WAL beside the file is read with
it, from a copy of both.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from replay.errors import DamagedError, StoreError
from replay.fixture import MAX_LINE_BYTES, Fixture
from replay.interaction import CALL_KINDS
from replay.recording import Part
from replay.store.engine.sqlite_error import damage_named, decode_text, is_corrupt
from replay.store.located import POSITIONS, Located, check, in_order, located
from replay.tag import is_tag

MAGIC = b"SQLite format 3\0"
_Columns: TypeAlias = tuple[tuple[str, str], ...]
_PART = (
    *(("n", "INTEGER"), ("id", "TEXT"), ("kind", "TEXT"), ("crc", "INTEGER")),
    ("payload", "BLOB"),
)
_BESIDE: dict[str, _Columns] = {
    "tag": (("recording_id", "TEXT"), ("name", "TEXT")),
    "recording": (("id", "TEXT"), ("begun_n", "INTEGER"), ("ended_n", "INTEGER")),
    "interaction": (*(("recording_id", "TEXT"), ("sent_n", "INTEGER"), ("answered_n", "INTEGER")),),
}
"""Tables that are looked into where they are there, each with the columns that it must have."""
_PLACES = {
    "recording": "SELECT begun_n, ended_n FROM recording WHERE id = ?",
    "interaction": "SELECT sent_n, answered_n FROM interaction WHERE recording_id = ?",
}
"""For the tables that say where parts are, how they are asked."""
_READ = {"part", *_BESIDE, "sqlite_master", "pragma_table_xinfo"}
_NAMES_ANOTHER = bytes.fromhex("d9d505f920a163d7")
"""What a rollback journal ends with behind the path of another file, which SQLite then deletes."""
_PROTECTION = ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON")
_LEFT = "what can be read is imported; ask for an export of the rest"
_NAME_STORE = "name a store file of replay, or what replay export has written"


def read(path: Path) -> Iterator[Fixture | DamagedError]:
    """Yield the recordings of a store file by id; raises StoreError where it is none of ours."""
    with ExitStack() as stack:
        connection = stack.enter_context(closing(_connect(path, stack)))
        try:
            _check_columns(connection, "part", _PART)
            beside = {name for name, columns in _BESIDE.items() if _has(connection, name, columns)}
            yield from _recordings(connection, path, beside)
        except sqlite3.Error as error:
            raise _refused(path, error) from error


def _refused(path: Path, error: sqlite3.Error) -> StoreError:
    if is_corrupt(str(error)):
        return StoreError(
            f"{path} is damaged: {error}", f"save what is left: sqlite3 {path} .recover"
        )
    return StoreError(f"{path} cannot be read as a store: {error}", _NAME_STORE)


def _connect(path: Path, stack: ExitStack) -> sqlite3.Connection:
    mode = "mode=ro&immutable=1"
    beside = [suffix for suffix in ("-wal", "-journal") if _has_content(path, suffix)]
    if beside:
        _refuse_command(path.with_name(path.name + "-journal"))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="replay-")))
        for suffix in ("", *beside):
            shutil.copyfile(path.with_name(path.name + suffix), folder / f"copy.db{suffix}")
        path = folder / "copy.db"
        mode = "mode=rw"  # SQLite folds a WAL or a journal in by writing
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
    connection.text_factory = decode_text
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_LINE_BYTES)
    for pragma in _PROTECTION:
        connection.execute(f"PRAGMA {pragma}")
    connection.set_authorizer(_authorize)
    return connection


def _refuse_command(journal: Path) -> None:
    """Raise StoreError for a journal that would have a file deleted that stands somewhere else."""
    with suppress(FileNotFoundError), journal.open("rb") as file:
        file.seek(max(0, journal.stat().st_size - len(_NAMES_ANOTHER)))
        if file.read() == _NAMES_ANOTHER:
            raise StoreError(
                f"{journal} names another file, which reading it would delete",
                "delete the journal, if you trust the rest; no store of replay's leaves such a one",
            )


def _has_content(path: Path, suffix: str) -> bool:
    beside = path.with_name(path.name + suffix)
    return beside.exists() and beside.stat().st_size > 0


def _authorize(action: int, table: str | None, *_: object) -> int:
    if action == sqlite3.SQLITE_SELECT or (action == sqlite3.SQLITE_READ and table in _READ):
        return sqlite3.SQLITE_OK
    is_column_list = action == sqlite3.SQLITE_PRAGMA and table == "table_xinfo"
    return sqlite3.SQLITE_OK if is_column_list else sqlite3.SQLITE_DENY


def _check_columns(connection: sqlite3.Connection, table: str, columns: _Columns) -> None:
    if not _has(connection, table, columns, and_no_more=True):
        raise sqlite3.DatabaseError(f"it has no table {table!r} with the columns of a store")


def _has(
    connection: sqlite3.Connection, table: str, columns: _Columns, *, and_no_more: bool = False
) -> bool:
    """Whether `table` is an ordinary table with these columns, none of them computed."""
    made = connection.execute("SELECT type, sql FROM sqlite_master WHERE name = ?", (table,))
    if [(kind, str(sql).upper()[:12]) for kind, sql in made] != [("table", "CREATE TABLE")]:
        return False  # before the next statement, which would build a virtual table
    rows = connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
    found = tuple((row[1], row[2]) for row in rows if not row[6])
    return found == columns if and_no_more else set(columns) <= set(found)


def _recordings(
    connection: sqlite3.Connection, path: Path, beside: set[str]
) -> Iterator[Fixture | DamagedError]:
    # Without payloads, so that sorting a large file takes little.
    rows = connection.execute("SELECT id, n FROM part NOT INDEXED ORDER BY id, n")
    for id, numbers in groupby(rows, key=itemgetter(0)):
        try:
            with damage_named(id):
                found = [n for _, n in numbers]
                for table in beside & _PLACES.keys():
                    _check_all_there(connection, table, id, numbers=found)
                parts = _parts(connection, str(id), found)
                yield Fixture(str(id), parts, _tags(connection, id) if "tag" in beside else ())
        except DamagedError as error:
            yield DamagedError(f"{path}: {error.message}", error.hint)


def _check_all_there(
    connection: sqlite3.Connection, table: str, id: object, *, numbers: list[int]
) -> None:
    """Raise DamagedError where the index of the store knows a part that does not say it is of `id`.

    Else a recording whose ended part has lost its name would be taken for unfinished.
    """
    rows: list[tuple[object, ...]] = []
    with suppress(sqlite3.Error):  # the index is a hint; the parts are the truth
        rows = connection.execute(_PLACES[table], (id,)).fetchall()
    if not {n for row in rows for n in row if n is not None} <= set(numbers):
        raise DamagedError(f"recording {id}: a part of it cannot be found", _LEFT)


def _parts(connection: sqlite3.Connection, id: str, numbers: list[int]) -> tuple[Part, ...]:
    found: list[Located] = []
    for n in numbers:
        row = _row_of(connection, id, n)
        if row is None:
            raise DamagedError(f"recording {id}: a part of it cannot be found", _LEFT)
        found.append(located(*row))
    # The first part of a slot counts: a spooled copy of it may have been committed as well.
    found = in_order(found)
    check(id, found)
    unknown = {one.part.kind for one in found} - {*POSITIONS, *CALL_KINDS}
    if unknown:
        raise DamagedError(
            f"recording {id}: a part of unknown kind {min(unknown)!r}",
            "pip install -U lambda-replay",
        )
    return tuple(one.part for one in found)


def _row_of(connection: sqlite3.Connection, id: str, n: int) -> tuple[Any, ...] | None:
    statement = "SELECT n, id, kind, crc, payload FROM part NOT INDEXED WHERE n = ?"
    try:
        row: tuple[Any, ...] | None = connection.execute(statement, (n,)).fetchone()
    except sqlite3.DataError as error:  # the limit that this connection has
        raise DamagedError(
            f"recording {id}: a part of it has over {MAX_LINE_BYTES // 2**20} MiB", _LEFT
        ) from error
    return row


def _tags(connection: sqlite3.Connection, id: object) -> tuple[str, ...]:
    rows = connection.execute("SELECT name FROM tag NOT INDEXED WHERE recording_id = ?", (id,))
    return tuple(sorted({name for (name,) in rows if is_tag(name)}))
