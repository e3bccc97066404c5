"""One connection to a store's SQLite file, as the journal wants it: WAL, one frozen table.

Imports the guard and the standard library. Invariant: a file that is there is opened by SQLite
alone, since closing any other descriptor of it would drop the locks that this process has on it.
"""

import os
import sqlite3

from replay.recorder.guard import pass_on
from replay.recorder.ulid import new_ulid

CREATE_PART = (
    "CREATE TABLE IF NOT EXISTS part"
    " (n INTEGER PRIMARY KEY, id TEXT, kind TEXT, crc INTEGER, payload BLOB)"
)
_BUSY_S = 0.025
_CHECKPOINT_PAGES = 1000
"""Pages in the WAL before SQLite checkpoints inside a commit. Fewer make each checkpoint shorter,
but its two syncs then fall on one capture in a hundred: at 256 pages p99 was 21 raw commits."""
_MOUNTS = "/proc/self/mountinfo"
_NETWORKS = ("nfs", "cifs", "smb", "9p", "ceph", "lustre", "gluster", "afs", "beegfs", "gpfs")
_NETWORK_FUSE = ("sshfs", "s3fs", "ceph", "gluster", "goofys", "gcsfuse", "mount-s3", "rclone")
_network_of_device: dict[int, str] = {}

Identity = tuple[int, int]

ABANDONED: list[sqlite3.Connection] = []
"""Connections never to be closed: closing one that a fork inherited, or whose file was replaced,
would take the WAL away from under the connection that now owns it."""


def create(path: str) -> Identity | None:
    """Make a store of no parts, unless there is a file; return which one has the name, if any."""
    refuse_network(os.path.dirname(path))
    try:
        _make(path)
    except (OSError, sqlite3.Error) as error:
        pass_on(error)  # SQLite names the reason better
    return look(path)[0]


def _make(path: str) -> None:
    """Make a store of no parts, unless there is a file; raises OSError or sqlite3.Error.

    It gets its name when it is whole. Where a store is replaced while another process opens it,
    SQLite may have the old file and the new log; if the old one were empty yet, it would make the
    table in it a second time, and write that to the log of those who have filled theirs.
    """
    if look(path)[0] is not None:
        return
    whole = f"{path}.new-{new_ulid()}"
    os.close(os.open(whole, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        connection = sqlite3.connect(whole, isolation_level=None)
        try:
            connection.execute(CREATE_PART)
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        with _Alone(os.path.dirname(path)):
            _name(whole, path)
    finally:
        os.unlink(whole)


def _name(whole: str, path: str) -> None:
    """Give a file its name, unless there is one of that name by now."""
    if look(path)[0] is not None:
        return
    # SQLite would take the log of a file that is gone for that of this one.
    for suffix in ("-wal", "-shm"):
        if look(path + suffix)[0] is not None:
            os.rename(path + suffix, f"{path}.damaged-{new_ulid()}{suffix}")
    os.link(whole, path)


class _Alone:
    """While it is entered, no other process makes or sets aside a store in a folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        import fcntl  # rarely needed

        self._descriptor = os.open(self._folder, os.O_RDONLY)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)  # for as long as three renames take

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def connect(path: str, found: Identity | None, synchronous: str) -> sqlite3.Connection | None:
    """Return a connection that commits each insert; raises sqlite3.Error within 25 ms.

    None where another file than the one that was `found` has the name by now: SQLite may have
    opened the one and the write-ahead log of the other. It holds no lock on that log, so that
    another process which closes its connection deletes it while this one writes.
    """
    # Nothing is written until it is known that file and log belong together.
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        if look(path)[0] == found:
            connection.execute(CREATE_PART)
    except BaseException:  # the host's own timeout may end it as well
        if look(path)[0] == found:
            connection.close()
        else:
            ABANDONED.append(connection)
        raise
    if look(path)[0] == found:
        return connection
    ABANDONED.append(connection)
    return None


def look(path: str) -> tuple[Identity | None, int]:
    """Return what tells a file from another of its name, and its size; None where there is none."""
    try:
        status = os.stat(path)
    except OSError as error:
        pass_on(error)
        return None, 0
    return (status.st_dev, status.st_ino), status.st_size


def set_aside(path: str, found: Identity | None, aside: str) -> bool:
    """Rename a store's files, unless another process has done so and begun a new one."""
    with _Alone(os.path.dirname(path)):
        if look(path)[0] != found:
            return False
        for suffix in ("-wal", "-shm", ""):
            if os.path.exists(path + suffix):
                os.rename(path + suffix, aside + suffix)
        return True


def size_bytes(path: str) -> int:
    """Return the size of a file, 0 where there is none."""
    return look(path)[1]


def free_bytes(folder: str) -> int:
    """Return the room that is left where `folder` lies."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def refuse_network(folder: str) -> None:
    """Raise sqlite3.OperationalError where `folder` is on a network file system.

    A WAL needs memory that all processes share (https://sqlite.org/wal.html).
    """
    kind = network_of(folder)
    if kind:
        raise sqlite3.OperationalError(f"{kind} is a network file system, where WAL does not work")


def network_of(folder: str) -> str:
    """Return the type of the network file system that `folder` is on, empty where it is on none."""
    try:
        device = os.stat(folder).st_dev
        if device not in _network_of_device:
            _network_of_device[device] = _find_network(device, _read(_MOUNTS))
    except OSError as error:  # no such folder, or not Linux: SQLite will say
        pass_on(error)
        return ""
    return _network_of_device[device]


def _read(path: str) -> bytes:
    # A file object would be warned of where the host's own timeout ends this half way.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        pieces = [os.read(descriptor, 65536)]
        while pieces[-1]:
            pieces.append(os.read(descriptor, 65536))
    finally:
        os.close(descriptor)
    return b"".join(pieces)


def _find_network(device: int, mounts: bytes) -> str:
    wanted = b"%d:%d" % (os.major(device), os.minor(device))
    for line in mounts.split(b"\n"):
        fields = line.split(b" ")
        if len(fields) > 2 and fields[2] == wanted:
            kind = line.partition(b" - ")[2].split(b" ")[0].decode(errors="replace")
            return kind if _is_network(kind) else ""
    return ""


def _is_network(kind: str) -> bool:
    name = kind.removeprefix("fuse.")
    return name.startswith(_NETWORKS if name == kind else (*_NETWORKS, *_NETWORK_FUSE))
