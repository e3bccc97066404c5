"""How many parts a process has lost, on disk: for `replay doctor`, where no later part tells it.

A file of one number for each sandbox that has lost some, beside the store or in the temporary
folder. It is written over with each loss. Best effort: on a full disk it may stay empty.
"""

import os

from replay.recorder.guard import pass_on
from replay.recorder.place import lost_paths

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK


def note(store: str, sandbox_id: str, count: int) -> bool:
    """Write down how many parts a sandbox has lost by now; False where that cannot be done."""
    return any(_write(place + sandbox_id, b"%d\n" % count) for place in lost_paths(store))


def _write(path: str, text: bytes) -> bool:
    try:
        descriptor = os.open(path, _FLAGS, 0o600)
    except OSError as error:
        pass_on(error)
        return False
    try:
        return os.pwrite(descriptor, text, 0) == len(text)
    except OSError as error:
        pass_on(error)
        return False
    finally:
        os.close(descriptor)
