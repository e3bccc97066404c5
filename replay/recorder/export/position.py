"""How far the parts of a store have been shipped: a file beside it, put in place whole.

It outlives the process, as the store does, so that what an earlier one has left is shipped. Where
it is lost, parts are shipped again, under another name; `replay pull` takes each once.
"""

import os
from dataclasses import dataclass, replace

import orjson

from replay.recorder.guard import pass_on
from replay.recorder.ulid import new_ulid

_SUFFIX = ".shipped"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Position:
    """The last part that was acknowledged, by its number and checksum; 0 before the first.

    A store that was deleted and begun anew may have the same inode and the same numbers; of its
    parts none has the same checksum there. `sandbox_id` names the objects.
    """

    sandbox_id: str
    n: int = 0
    crc: int = 0

    def at(self, n: int, crc: int) -> "Position":
        """Return the position after one more object."""
        return replace(self, n=n, crc=crc)

    def save(self, store: str) -> None:
        """Put it in the place of the last one; raises OSError."""
        temporary = f"{store}{_SUFFIX}.{os.getpid()}"
        descriptor = os.open(temporary, _FLAGS, 0o600)
        try:
            os.write(descriptor, orjson.dumps([self.sandbox_id, self.n, self.crc]))
        finally:
            os.close(descriptor)
        os.replace(temporary, store + _SUFFIX)


def new_position() -> Position:
    """Return the position in a store of which nothing was shipped."""
    return Position(new_ulid())


def position_in(store: str) -> Position:
    """Return how far a store was shipped when that was saved last."""
    try:
        with open(store + _SUFFIX, "rb") as saved:
            sandbox_id, n, crc = orjson.loads(saved.read(1024))
        return Position(str(sandbox_id), int(n), int(crc))
    except (OSError, ValueError, TypeError) as error:
        pass_on(error)  # else it is the first time, or the file is no use
        return new_position()
