"""What can happen to a store under a running function: each is entered, and left again."""

import contextlib
import fcntl
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from databases import query

from replay.recorder import connection, journal, recorder, spool, ulid


@dataclass(frozen=True)
class Fault:
    """`strike` on a store; `destroys` what the store held, `is_total` where nothing can be kept."""

    strike: Callable[[Path], AbstractContextManager[None]]
    destroys: bool = False
    is_total: bool = False


def reopened(store: Path) -> None:
    """Have the journal open the store anew, as the next process would."""
    journal._journals[str(store)].close()


@contextmanager
def nothing(store: Path) -> Iterator[None]:
    yield


@contextmanager
def locked(store: Path, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute(begin)
        yield


@contextmanager
def locked_at_open(store: Path) -> Iterator[None]:
    reopened(store)
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def locked_with_its_spool(store: Path) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        stack.enter_context(locked(store))
        for place in spool.spool_paths(str(store)):
            held = stack.enter_context(open(place, "ab"))
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def limited(kind: int, limit: int) -> Iterator[None]:
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


@contextmanager
def full(store: Path) -> Iterator[None]:
    """No file may grow: SQLite's writes fail, and so do those of the spool."""
    with limited(resource.RLIMIT_FSIZE, 0):
        yield


@contextmanager
def full_at_open(store: Path) -> Iterator[None]:
    reopened(store)
    with full(store):
        yield


@contextmanager
def without_descriptors(store: Path) -> Iterator[None]:
    reopened(store)
    with limited(resource.RLIMIT_NOFILE, 0):
        yield


@contextmanager
def sealed(store: Path) -> Iterator[None]:
    """Nobody but root may enter the folder, and we are not root for now."""
    user = os.geteuid()
    store.parent.chmod(0o500)
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        store.parent.chmod(0o700)


@contextmanager
def missing(store: Path) -> Iterator[None]:
    away = store.parent.with_name("away")
    store.parent.rename(away)
    try:
        yield
    finally:
        away.rename(store.parent)


@contextmanager
def a_directory(store: Path) -> Iterator[None]:
    store.rename(store.with_name("away.db"))
    store.mkdir()
    try:
        yield
    finally:
        store.rmdir()


@contextmanager
def a_pipe(store: Path) -> Iterator[None]:
    store.rename(store.with_name("away.db"))
    os.mkfifo(store)
    yield


@contextmanager
def garbage(store: Path) -> Iterator[None]:
    reopened(store)
    with open(store, "r+b") as file:
        file.write(b"\xff" * 4000)
    yield


@contextmanager
def truncated(store: Path) -> Iterator[None]:
    reopened(store)
    os.truncate(store, store.stat().st_size // 2 + 7)
    yield


@contextmanager
def truncated_while_open(store: Path) -> Iterator[None]:
    """SQLite itself would write on, into a log that it can never fold."""
    os.truncate(store, 4096)
    yield


@contextmanager
def emptied(store: Path) -> Iterator[None]:
    os.truncate(store, 0)
    yield


@contextmanager
def deleted(store: Path) -> Iterator[None]:
    for file in store.parent.glob("replay.db*"):
        file.unlink()
    yield


@contextmanager
def replaced(store: Path) -> Iterator[None]:
    other = store.with_name("other.db")
    query(other, journal.CREATE_PART)
    os.replace(other, store)
    yield


@contextmanager
def without_its_log(store: Path) -> Iterator[None]:
    store.with_name("replay.db-wal").unlink(missing_ok=True)
    yield


@contextmanager
def of_a_newer_revision(store: Path) -> Iterator[None]:
    query(store, "CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)")
    query(store, "INSERT INTO alembic_version VALUES ('9999')")
    query(store, "CREATE INDEX IF NOT EXISTS theirs ON part (id)")
    yield


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        yield


@contextmanager
def on_a_network(store: Path) -> Iterator[None]:
    reopened(store)
    device = os.stat(store.parent).st_dev
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "_network_of_device", {device: "nfs4"})
        yield


@contextmanager
def without_stderr(store: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, missing(store):
        patch.setattr(sys, "stderr", None)
        yield


@contextmanager
def nowhere(store: Path) -> Iterator[None]:
    with variable("TMPDIR", "/nowhere"), missing(store):
        yield


@contextmanager
def in_another_year(store: Path, year: int) -> Iterator[None]:
    now_ns = (year - 1970) * 31_556_952 * 10**9
    with pytest.MonkeyPatch.context() as patch:
        for module in (recorder, ulid):
            patch.setattr(module, "time_ns", lambda: now_ns)
        yield


@contextmanager
def interrupted(store: Path) -> Iterator[None]:
    """Signals that the host takes without a word come all the time."""
    before = signal.signal(signal.SIGVTALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.0005, 0.0005)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


FAULTS = {
    "nothing": Fault(nothing),
    "locked": Fault(locked),
    "locked by a reader of all": Fault(lambda store: locked(store, "BEGIN EXCLUSIVE")),
    "locked at open": Fault(locked_at_open),
    "locked with its spool": Fault(locked_with_its_spool, is_total=True),
    "full": Fault(full, is_total=True),
    "full at open": Fault(full_at_open, is_total=True),
    "no descriptors": Fault(without_descriptors, is_total=True),
    "sealed": Fault(sealed, is_total=True),
    "missing": Fault(missing),
    "a directory": Fault(a_directory, destroys=True),
    "a pipe": Fault(a_pipe, destroys=True),
    "garbage": Fault(garbage, destroys=True),
    "truncated": Fault(truncated, destroys=True),
    "truncated while open": Fault(truncated_while_open, destroys=True),
    "emptied": Fault(emptied, destroys=True),
    "deleted": Fault(deleted, destroys=True),
    "replaced": Fault(replaced, destroys=True),
    "without its log": Fault(without_its_log, destroys=True),
    "of a newer revision": Fault(of_a_newer_revision),
    "over its cap": Fault(lambda _: variable("REPLAY_MAX_STORE_BYTES", "1"), is_total=True),
    "misconfigured": Fault(lambda _: variable("REPLAY_SAMPLE", "ten percent"), is_total=True),
    "on a network": Fault(on_a_network),
    "without stderr": Fault(without_stderr),
    "nowhere": Fault(nowhere, is_total=True),
    "in 1969": Fault(lambda store: in_another_year(store, 1969)),
    "in 2040": Fault(lambda store: in_another_year(store, 2040)),
    "interrupted": Fault(interrupted),
}
