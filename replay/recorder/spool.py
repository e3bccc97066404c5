"""The spool: what SQLite cannot take goes to an append-only file beside the store.

One line a part: CRC, id, kind and payload, which is one line of JSON itself. Each line begins on a
fresh line of its own, so a torn one spoils only itself. Writers hold a lock on the file for the
length of one write; whoever takes the file in renames it under the same lock (store/spool.py).
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


def _append_line(path: str, line: bytes) -> bool:
    if _held_until and monotonic() < _held_until.get(path, 0):
        return False
    try:
        descriptor = os.open(path, _FLAGS, 0o600)
    except OSError as error:
        pass_on(error)
        return False
    try:
        return _lock(descriptor, path) and _add(descriptor, path, line)
    except OSError as error:
        pass_on(error)
        return False
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: str) -> bool:
    """Take the writers' lock; False where others hold it for long, who are not waited for again."""
    for _ in range(_WAIT_MS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(0.001)
        else:
            return True
    _held_until[path] = monotonic() + _PAUSE_S
    return False


def _add(descriptor: int, path: str, line: bytes) -> bool:
    status = os.fstat(descriptor)
    if not os.path.samestat(status, os.stat(path)):
        return False  # taken in since it was opened: what is added now would not be read
    is_ours = S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
    if not is_ours or status.st_size + len(line) > MAX_BYTES:
        return False
    try:
        if os.write(descriptor, line) == len(line):
            return True
    except OSError as error:
        pass_on(error)
    os.ftruncate(descriptor, status.st_size)  # the disk is full: half a line is no part
    return False
