"""Parts into SQLite, each its own insert and its own commit, with the standard library alone.

The recorder knows one table, `part`, whose layout is frozen for ever and plain enough for SQLite
3.7.17, the oldest that AWS ships. WAL with synchronous=NORMAL survives the death of the process.
Whatever SQLite does not take within 25 ms goes to the spool, and SQLite is left alone for a second.
"""

import atexit
import os
import sqlite3
from _thread import RLock, allocate_lock  # threading is 0.6 ms of a cold start
from time import monotonic

from replay.part import BEGUN, part_crc
from replay.recorder.guard import say_once
from replay.recorder.ulid import new_ulid
from replay.settings import Settings, store_path

CREATE_PART = (
    "CREATE TABLE IF NOT EXISTS part"
    " (n INTEGER PRIMARY KEY, id TEXT, kind TEXT, crc INTEGER, payload BLOB)"
)
_INSERT = "INSERT INTO part (id, kind, crc, payload) VALUES (?, ?, ?, ?)"
_BUSY_S = 0.025
_PAUSE_S = 1.0
_CHECKPOINT_PAGES = 1000
"""Pages in the WAL before SQLite checkpoints inside a commit. Fewer make each checkpoint shorter,
but its two syncs then fall on one capture in a hundred: at 256 pages p99 was 21 raw commits."""
_DAMAGED = (11, 26)
"""SQLite's primary result codes CORRUPT and NOTADB."""
_EMPTY = (0, 0)
"""Stands for the identity of a file without content."""
_ABANDONED: list[sqlite3.Connection] = []
"""Connections never to be closed: closing one that a fork inherited, or whose file was replaced,
would take the WAL away from under the connection that now owns it."""
_NOBODY = 0
"""No process has this id."""


class Journal:
    """Where the parts of one store go from this process: one connection, under one lock."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lost = 0
        self._lock = RLock()  # a signal handler may capture while this thread writes
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._paused_until = 0.0
        self._owner_pid = _NOBODY
        # A fork in the middle of a transaction loses acknowledged commits: hold the lock across it.
        os.register_at_fork(
            before=self._hold, after_in_parent=self._let_go, after_in_child=self._start_over
        )

    def close(self) -> None:
        """Close the connection, which folds the WAL into the file; writing opens it again."""
        with self._lock:
            if self._connection is not None and not self._is_inherited():
                self._connection.close()
                self._connection = None

    def write(self, id: str, kind: str, payload: bytes, max_store_bytes: int | None) -> bool:
        """Make one part durable in the store, else in the spool; False: it is counted as lost."""
        if max_store_bytes is not None and kind == BEGUN and self.is_full(max_store_bytes):
            return self.lose("the store has reached REPLAY_MAX_STORE_BYTES")
        row = (id, kind, part_crc(id, kind, payload), payload)
        if self._is_inherited():  # a lock that another thread of the parent's held is held for ever
            self._lock = RLock()
        # `with` alone is safe: an exception that a signal raises between acquire() and try
        # would leave the lock held for ever.
        with self._lock:
            if self._insert(row) or self._spool(id, kind, payload):
                return True
        return self.lose(f"neither {self.path} nor its spool can be written")

    def _insert(self, row: tuple[str, str, int, bytes]) -> bool:
        if self._is_paused():
            return False
        try:
            return self._execute(row) or self._execute(row)
        except sqlite3.Error as error:
            self._paused_until = monotonic() + _PAUSE_S
            say_once(f"{self.path}: {error}; captured parts go to the spool")
            return False

    def _spool(self, id: str, kind: str, payload: bytes) -> bool:
        from replay.recorder import spool  # rarely needed

        return spool.append(self.path, id, kind, payload)

    def _is_paused(self) -> bool:
        if self._is_inherited():
            return True
        return self._paused_until > 0 and monotonic() < self._paused_until

    def _is_inherited(self) -> bool:
        """Whether a fork that Python was not told of has left us a connection of its parent's.

        SQLite takes the parent's locks for this process's own, also on a connection that we open
        ourselves: it would write to a WAL that the parent may delete. The spool needs no SQLite.
        """
        return self._connection is not None and self._owner_pid != os.getpid()

    def _execute(self, row: tuple[str, str, int, bytes]) -> bool:
        """Insert one row; False when the file had to be replaced first and a retry may do."""
        try:
            self._open().execute(_INSERT, row)
        except sqlite3.DatabaseError as error:
            return self._mend(error)
        return True

    def _open(self) -> sqlite3.Connection:
        # A file that was deleted, replaced or cut to nothing takes inserts without any error.
        identity = _identity(self.path)
        if self._connection is None or identity != self._identity:
            if self._connection is not None and identity is _EMPTY:
                self._set_aside("it was cut to nothing")
            self._abandon()
            self._connection = _connect(self.path)
            self._owner_pid = os.getpid()
            self._identity = _identity(self.path)
        return self._connection

    def _mend(self, error: sqlite3.DatabaseError) -> bool:
        if self._connection is None and isinstance(error, sqlite3.ProgrammingError):
            return False  # a signal handler forked while this thread was about to write
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in _DAMAGED:
            raise error
        self._abandon()
        self._set_aside(str(error))
        return False

    def _set_aside(self, why: str) -> None:
        aside = f"{self.path}.damaged-{new_ulid()}"
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(self.path + suffix):
                os.rename(self.path + suffix, aside + suffix)
        say_once(f"{self.path}: {why}; set aside as {aside}")

    def is_full(self, max_store_bytes: int) -> bool:
        """Whether store, WAL and spool have reached a size together."""
        from replay.recorder.spool import SUFFIX

        files = (self.path, self.path + "-wal", self.path + SUFFIX)
        return sum(_size_bytes(path) for path in files) >= max_store_bytes

    def lose(self, why: str) -> bool:
        """Count a part as lost, and say why, once; False."""
        self.lost += 1
        say_once(f"a captured part is lost: {why}")
        return False

    def _abandon(self) -> None:
        if self._connection is not None:
            _ABANDONED.append(self._connection)
        self._connection = None

    def _hold(self) -> None:
        self._lock.acquire()
        # SQLite in the child would take an inherited connection's locks for its own, and lose what
        # it writes when the parent, which then seems alone, folds the WAL and deletes it.
        self.close()

    def _let_go(self) -> None:
        self._lock.release()

    def _start_over(self) -> None:
        self._abandon()
        self.lost = 0  # the parent tells of its own
        self._lock = RLock()


_journals: dict[str, Journal] = {}
_journals_lock = allocate_lock()


def journal_of(settings: Settings) -> Journal:
    """Return this process's journal of the store that `settings` name."""
    path = os.path.abspath(store_path(settings.store))
    journal = _journals.get(path)
    if journal is None:
        with _journals_lock:
            if not _journals:
                atexit.register(_close_journals)
            journal = _journals.setdefault(path, Journal(path))
    return journal


def _close_journals() -> None:
    for journal in _journals.values():
        journal.close()


def _connect(path: str) -> sqlite3.Connection:
    try:
        # Only a new file is opened: closing one would drop the locks of this process on it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError:
        pass  # SQLite names the reason better
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        connection.execute(CREATE_PART)
    except BaseException:  # the host's own timeout may end it as well
        connection.close()
        raise
    return connection


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status.st_size else _EMPTY


def _size_bytes(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
