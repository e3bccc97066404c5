"""The spool: what SQLite cannot take goes to an append-only file beside the store.

One line a part: CRC, id, kind and payload, which is one line of JSON itself. Each line begins on a
fresh line of its own, so a torn one spoils only itself. Writers hold a lock on the file for the
length of one write; whoever takes the file in renames it under the same lock (store/spool.py).
"""

import fcntl
import os
from time import sleep

from replay.part import part_crc

SUFFIX = ".spool"


def spool_paths(store: str) -> tuple[str, str]:
    """Return the two places for a store's spool: beside it, and in the temporary folder."""
    from tempfile import gettempdir  # 3 ms of a cold start, rarely needed

    elsewhere = os.path.abspath(store).replace(os.sep, "%")
    return store + SUFFIX, os.path.join(gettempdir(), f"replay-{elsewhere}{SUFFIX}")


def append(store: str, id: str, kind: str, payload: bytes) -> bool:
    """Add one part to the spool of `store`; False where neither place takes it."""
    line = b"\n%08x %s %s %s\n" % (part_crc(id, kind, payload), id.encode(), kind.encode(), payload)
    return any(_append_line(path, line) for path in spool_paths(store))


def _lock(descriptor: int) -> None:
    """Take the writers' lock within 25 ms; raises OSError where others hold it for longer."""
    for _ in range(25):
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(0.001)
    raise BlockingIOError


def _append_line(path: str, line: bytes) -> bool:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError:
        return False
    try:
        _lock(descriptor)
        if not os.path.samestat(os.fstat(descriptor), os.stat(path)):
            return False  # taken in since it was opened: what is added now would not be read
        return os.write(descriptor, line) == len(line)
    except OSError:
        return False
    finally:
        os.close(descriptor)
