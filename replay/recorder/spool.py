"""The spool: what SQLite cannot take goes to an append-only file beside the store.

One line a part: CRC, id, kind and payload, which is one line of JSON itself. Each line begins on a
fresh line of its own, so a torn one spoils only itself. Writers do not wait for one another: an
append of one write is whole. For its length they share a lock on the file; whoever takes the file
in renames it first, and then waits until he has the lock alone (store/spool.py).
"""

import fcntl
import os
from stat import S_ISREG
from time import monotonic, sleep

from replay.part import part_crc
from replay.recorder.guard import pass_on
from replay.recorder.place import spool_paths

MAX_BYTES = 256 * 2**20
"""Cap of a spool file: nobody has taken it in for long, and its disk is the host's too."""
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
_WAIT_MS = 8
_PAUSE_S = 1.0
_held_until: dict[str, float] = {}
"""Files whose lock somebody did not let go of in time, and until when they are left alone."""


def append(store: str, id: str, kind: str, payload: bytes) -> bool:
    """Add one part to the spool of `store`; False where neither place takes it."""
    line = b"\n%08x %s %s %s\n" % (part_crc(id, kind, payload), id.encode(), kind.encode(), payload)
    return any(_append_line(path, line) for path in spool_paths(store))


def fields_of(line: bytes) -> tuple[str, str, int, bytes] | None:
    """Return id, kind, checksum and payload of a line as `append` writes it; None of another."""
    try:
        crc, id, kind, payload = line.rstrip(b"\n").split(b" ", 3)
        return id.decode(), kind.decode(), int(crc, 16), payload
    except ValueError:
        return None


def claim_as(path: str, claimed: str) -> None:
    """Rename a spool and wait for those who write to it still; nothing where it is gone."""
    try:
        os.rename(path, claimed)
        descriptor = os.open(claimed, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _append_line(path: str, line: bytes) -> bool:
    if _held_until and monotonic() < _held_until.get(path, 0):
        return False
    for _ in range(3):  # it may be taken in between its opening and its lock
        try:
            descriptor = os.open(path, _FLAGS, 0o600)
        except OSError as error:
            pass_on(error)
            return False
        try:
            is_there = _lock(descriptor, path) and _is_at(descriptor, path)
            if is_there or path in _held_until:
                return is_there and _add(descriptor, line)
        except OSError as error:
            pass_on(error)
            return False
        finally:
            os.close(descriptor)
    return False


def _lock(descriptor: int, path: str) -> bool:
    """Take a lock beside other writers; False where somebody holds it alone for long."""
    for _ in range(_WAIT_MS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(0.001)
        else:
            _held_until.pop(path, None)
            return True
    _held_until[path] = monotonic() + _PAUSE_S
    return False


def _is_at(descriptor: int, path: str) -> bool:
    """Whether a file still has its name: what is added to one that is taken in is not read."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _add(descriptor: int, line: bytes) -> bool:
    status = os.fstat(descriptor)
    is_ours = S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
    if not is_ours or status.st_size + len(line) > MAX_BYTES:
        return False
    written = os.write(descriptor, line)
    if written == len(line):
        return True
    _take_back(descriptor, written)
    return False


def _take_back(descriptor: int, written: int) -> None:
    """Cut off half a line that a full disk has taken, unless another follows it already."""
    end = os.lseek(descriptor, 0, os.SEEK_CUR)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if os.fstat(descriptor).st_size == end:
        os.ftruncate(descriptor, end - written)
