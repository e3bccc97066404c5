"""Parts into SQLite, each its own insert and its own commit, with the standard library alone.

The recorder knows one table, `part`, whose layout is frozen for ever and plain enough for SQLite
3.7.17, the oldest that AWS ships. WAL with synchronous=NORMAL survives the death of the process.
Whatever SQLite does not take within 25 ms goes to the spool, and SQLite is left alone for a second;
for good where this process can no longer tell which locks it has. What neither takes is counted.
"""

import atexit
import os
import sqlite3
from _thread import RLock  # threading is 0.6 ms of a cold start
from time import monotonic

from replay.part import BEGUN, part_crc
from replay.recorder import loading
from replay.recorder.connection import (
    ABANDONED,
    CREATE_PART,
    Identity,
    connect,
    create,
    free_bytes,
    look,
    set_aside,
    size_bytes,
)
from replay.recorder.guard import pass_on, say_once
from replay.recorder.sandbox import sandbox_id
from replay.recorder.ulid import new_ulid
from replay.settings import Settings, store_path

__all__ = ["CREATE_PART", "Journal", "journal_of"]

_INSERT = "INSERT INTO part (id, kind, crc, payload) VALUES (?, ?, ?, ?)"
_PAUSE_S = 1.0
_DAMAGED = (11, 26)
"""SQLite's primary result codes CORRUPT and NOTADB."""
_MAX_ABANDONED = 8
"""Each keeps up to three descriptors open: the host needs its own."""
_FULL = "store, WAL and spool have REPLAY_MAX_STORE_BYTES, or a quarter of what is free"
_NOBODY = 0
"""No process has this id."""


class Journal:
    """Where the parts of one store go from this process: one connection, under one lock."""

    def __init__(self, path: str, synchronous: str = "NORMAL") -> None:
        self.path = path
        self.synchronous = synchronous
        self.lost = 0
        self._wal = path + "-wal"
        self._lock = RLock()  # a signal handler may capture while this thread writes
        self._connection: sqlite3.Connection | None = None
        self._identity: Identity | None = None
        self._wal_inode: Identity | None = None
        self._size_bytes = 1
        self._paused_until = 0.0
        self._is_cut_off = False
        self._owner_pid = _NOBODY
        # A fork in the middle of a transaction loses acknowledged commits: hold the lock across it.
        os.register_at_fork(
            before=self._hold, after_in_parent=self._let_go, after_in_child=self._start_over
        )

    def close(self) -> None:
        """Close the connection, which folds the WAL into the file; writing opens it again."""
        with self._lock:
            if self._connection is not None and not self._is_inherited() and not self._is_cut_off:
                self._connection.close()
                self._connection = None

    def write(self, id: str, kind: str, payload: bytes, max_store_bytes: int | None) -> bool:
        """Make one part durable in the store, else in the spool; False: it is counted as lost."""
        if max_store_bytes is not None and kind == BEGUN and self.is_full(max_store_bytes):
            return self.lose(_FULL)
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
        except (sqlite3.Error, OSError) as error:
            pass_on(error)
            self._paused_until = monotonic() + _PAUSE_S
            say_once(f"{self.path}: {error}; captured parts go to the spool")
            return False

    def _spool(self, id: str, kind: str, payload: bytes) -> bool:
        try:
            with loading.lock:
                from replay.recorder import spool  # rarely needed
        except (OSError, ImportError) as error:  # no descriptor is left to read it with
            pass_on(error)
            return False
        return spool.append(self.path, id, kind, payload)

    def _is_paused(self) -> bool:
        if self._is_cut_off or self._is_inherited():
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
            connection = self._open()
            if connection is None:
                return False
            connection.execute(_INSERT, row)
        except sqlite3.DatabaseError as error:
            return self._mend(error)
        return True

    def _open(self) -> sqlite3.Connection | None:
        """Return the connection to the file that has the store's name now; None: leave it alone.

        A file that was deleted, replaced or cut to nothing takes inserts without any error.
        """
        found, size = look(self.path)
        if self._connection is not None and found == self._identity and size >= self._size_bytes:
            self._size_bytes = size
            if look(self._wal)[0] != self._wal_inode:
                self._cut_off("its write-ahead log was deleted or replaced")
                return None
            return self._connection
        if found and not size and self._was_cut(found):
            self._set_aside("it was cut to nothing", found)
        self._abandon()
        if len(ABANDONED) >= _MAX_ABANDONED:
            self._cut_off("it was deleted or replaced too often")
            return None
        is_cut = found is not None and self._size_bytes > size and found == self._identity
        self._identity = create(self.path)
        self._connection = connect(self.path, self._identity, self.synchronous)
        if self._connection is None:
            return None
        self._owner_pid = os.getpid()
        if is_cut:  # inserts into the WAL would go on, and no checkpoint ever succeed
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        self._size_bytes = size_bytes(self.path)
        self._wal_inode = look(self._wal)[0]
        return self._connection

    def _was_cut(self, found: Identity) -> bool:
        """Whether an empty file has had content: another process may just be making it."""
        if self._connection is not None:
            return found == self._identity
        # One that is being made has content before it has a log.
        return size_bytes(self._wal) > 0 and look(self.path) == (found, 0)

    def _cut_off(self, why: str) -> None:
        # The file is the same, so that SQLite would give another connection of this process the
        # locks and the shared memory of this one, which other processes do not see any more.
        self._is_cut_off = True
        say_once(f"{self.path}: {why}; this process captures into the spool")

    def _mend(self, error: sqlite3.DatabaseError) -> bool:
        if self._connection is None and isinstance(error, sqlite3.ProgrammingError):
            return False  # a signal handler forked while this thread was about to write
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in _DAMAGED:
            raise error
        self._abandon()
        self._set_aside(str(error), self._identity)
        return False

    def _set_aside(self, why: str, found: Identity | None) -> None:
        aside = f"{self.path}.damaged-{new_ulid()}"
        if set_aside(self.path, found, aside):
            say_once(f"{self.path}: {why}; set aside as {aside}")

    def is_full(self, max_store_bytes: int) -> bool:
        """Whether store, WAL and spool have reached a size together, or a quarter of the room."""
        from replay.recorder.place import spool_paths  # where there is a cap

        files = (self.path, self._wal, *spool_paths(self.path))
        size = sum(map(size_bytes, files))
        if size >= max_store_bytes:
            return True
        try:
            return size > (free_bytes(os.path.dirname(self.path)) + size) // 4
        except OSError as error:  # no such folder: the write will tell
            pass_on(error)
            return False

    def lose(self, why: str) -> bool:
        """Count a part as lost, and say why, once; False."""
        self.lost += 1
        say_once(f"a captured part is lost: {why}")
        try:
            with loading.lock:
                from replay.recorder import loss
            loss.note(self.path, sandbox_id(), self.lost)
        except (OSError, ImportError) as error:  # the next begun part may tell it all the same
            pass_on(error)
        return False

    def _abandon(self) -> None:
        if self._connection is not None:
            ABANDONED.append(self._connection)
        self._connection = None

    def _hold(self) -> None:
        self._lock.acquire()
        # SQLite in the child would take an inherited connection's locks for its own, and lose what
        # it writes when the parent, which then seems alone, folds the WAL and deletes it.
        self.close()

    def _let_go(self) -> None:
        self._lock.release()

    def _start_over(self) -> None:
        self.lost = 0  # the parent tells of its own
        self._lock = RLock()


_journals: dict[str, Journal] = {}


def journal_of(settings: Settings) -> Journal:
    """Return this process's journal of the store that `settings` name."""
    path = os.path.abspath(store_path(settings.store))
    journal = _journals.get(path)
    if journal is None:
        with loading.lock:
            if not _journals:
                atexit.register(_close_journals)
            journal = _journals.setdefault(path, Journal(path))
    journal.synchronous = settings.synchronous
    return journal


def _close_journals() -> None:
    for journal in _journals.values():
        journal.close()
