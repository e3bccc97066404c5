"""What can be said of a store without taking anything in: `replay doctor` asks this first.

Nothing here changes a file. What is wrong is a `Check` and never an exception, so that one trouble
does not hide the next.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, text

from replay.errors import StoreError
from replay.recorder.connection import network_of
from replay.settings import is_server, store_path
from replay.store import loss, revision, spool
from replay.store.check import Check
from replay.store.engine.address import database_of
from replay.store.engine.sqlite import SqliteFile, raw_of, refuse_absent, refuse_foreign
from replay.store.engine.wal import lost_frames

_FIXED_WAL = (3, 51, 3)
"""The first SQLite without a rare bug of two writers that checkpoint a WAL at once."""
_MIN_FREE_BYTES = 64 * 2**20
_MAX_LINES = 20
_SERVER_VERSION = text("SHOW server_version")
_RECOVER = "save what is left: sqlite3 {0} .recover | sqlite3 saved.db; replay import saved.db"


def examine_store(setting: str) -> Iterator[Check]:
    """Yield what is to say of a store; the last is "store", bad where it cannot be used."""
    return _server(setting) if is_server(setting) else _files_of(Path(store_path(setting)))


def _server(setting: str) -> Iterator[Check]:
    try:
        with closing(database_of(setting)) as database, database.reading() as connection:
            yield Check("server", "ok", f"PostgreSQL {connection.scalar(_SERVER_VERSION)}")
            database.refuse_absent()
            database.refuse_foreign(connection)
            yield _revision(connection, database.name)
    except StoreError as error:
        yield Check("store", "bad", error.message, error.hint)


def _files_of(path: Path) -> Iterator[Check]:
    yield _sqlite()
    yield from _modes(path)
    yield from _disk(path)
    yield from _network(path)
    yield from _spools(path)
    yield from _set_aside(path)
    yield _log(path)
    yield from _content(path)


def _sqlite() -> Check:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= _FIXED_WAL:
        return Check("sqlite", "ok", f"SQLite {version}")
    message = f"SQLite {version} has a rare WAL bug with two writers checkpointing at once"
    return Check("sqlite", "warn", message, "use a Python with SQLite 3.51.3 or later")


def _files(path: Path) -> list[Path]:
    beside = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
    return [file for file in (*beside, *spool.spools(path)) if file.exists()]


def _modes(path: Path) -> Iterator[Check]:
    files = [file for file in _files(path) if file.is_file()]
    open_ = [file for file in files if file.stat().st_mode & 0o077]
    theirs = [file for file in files if file.stat().st_uid != os.geteuid()]
    if open_:
        names = tuple(str(file) for file in open_)
        yield Check("mode", "bad", "others can read", f"chmod 600 {' '.join(names)}", names)
    if theirs:
        names = tuple(f"{file}: user {file.stat().st_uid}" for file in theirs)
        yield Check("owner", "warn", "somebody else owns", f"chown {os.geteuid()} FILE", names)
    if files and not open_ and not theirs:
        yield Check("mode", "ok", "nobody else can read the store")


def _disk(path: Path) -> Iterator[Check]:
    if not path.parent.is_dir():
        return
    free_bytes = shutil.disk_usage(path.parent).free
    size_bytes = sum(file.stat().st_size for file in _files(path))
    message = f"{free_bytes // 2**20:,} MiB free, the store has {size_bytes // 2**20:,} MiB"
    if free_bytes < max(_MIN_FREE_BYTES, size_bytes):
        hint = "an upgrade needs room for a backup; captured parts are lost on a full disk"
        yield Check("disk", "warn", message, hint)
    else:
        yield Check("disk", "ok", message)


def _network(path: Path) -> Iterator[Check]:
    kind = network_of(str(path.absolute().parent))
    if kind:
        message = f"{kind} is a network file system, where SQLite's write-ahead log does not work"
        hint = "what is captured goes to the spool; point REPLAY_STORE to a local disk"
        yield Check("network", "warn", message, hint)


def _spools(path: Path) -> Iterator[Check]:
    files = spool.spools(path)
    if not files:
        yield Check("spool", "ok", "nothing waits in the spool")
        return
    found = [one for file in files for one in spool.read(file)]
    torn = tuple(spool.line_name(one) for one in found if isinstance(one, bytes))
    names = " ".join(map(str, files))
    message = f"{len(found) - len(torn):,} parts wait in {names}"
    if torn:
        hint = "the next command takes the others in and sets the file aside"
        yield Check("spool", "bad", f"{message}; {len(torn):,} lines are damaged", hint, torn)
    else:
        yield Check("spool", "warn", message, "any other command takes them in")


def _set_aside(path: Path) -> Iterator[Check]:
    files = sorted(str(file) for file in path.parent.glob(f"{_escaped(path.name)}*.damaged*"))
    if files:
        hint = "see what is in them: replay import FILE, sqlite3 FILE .recover; then delete them"
        yield Check("set aside", "warn", f"{len(files)} damaged files", hint, tuple(files))


def _log(path: Path) -> Check:
    """Look into the WAL before SQLite opens it, and lets go of what it finds wrong."""
    name = f"{path.name}-wal"
    lost = lost_frames(path.with_name(name))
    if not lost:
        return Check("wal", "ok", "SQLite reads all of the write-ahead log")
    hint = "the last commits are lost: damage, or a power cut; replay list shows what is left"
    return Check("wal", "warn", f"SQLite leaves out {lost:,} pages of {name}", hint)


def _escaped(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _content(path: Path) -> Iterator[Check]:
    try:
        if not path.exists() and loss.notes(path):  # else the audit tells
            yield loss.check(path, {})
        refuse_absent(path)
        if not path.exists():  # a spool alone: the store is made of it
            yield Check("store", "ok", f"{path} is made of the spool")
            return
        if not path.stat().st_size:
            message = f"{path} is empty: it was cut to nothing, or nothing was captured yet"
            yield Check("store", "bad", message, f"restore it from a copy, or delete it: rm {path}")
            return
        with closing(SqliteFile(path)) as database, database.reading() as connection:
            refuse_foreign(raw_of(connection), str(path))
            yield _structure(connection, path)
            yield _journal(connection)
            yield _revision(connection, str(path))
    except StoreError as error:
        yield Check("store", "bad", error.message, error.hint)


def _structure(connection: Connection, path: Path) -> Check:
    rows = connection.exec_driver_sql(f"PRAGMA quick_check({_MAX_LINES})")
    lines = tuple(str(row[0]) for row in rows)
    if lines == ("ok",):
        return Check("structure", "ok", "SQLite finds the file whole")
    return Check("structure", "bad", "SQLite finds damage", _RECOVER.format(path), lines)


def _journal(connection: Connection) -> Check:
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    if mode == "wal":
        return Check("journal", "ok", "write-ahead log")
    return Check("journal", "ok", f"journal mode {mode}; the next capture turns it into wal")


def _revision(connection: Connection, name: str) -> Check:
    found = revision.current(connection)
    if found in (None, revision.HEAD):
        return Check("store", "ok", f"{name}, revision {found or 'to come'}")
    error = revision.refusal(name, str(found))
    return Check("store", "bad", error.message, error.hint)
