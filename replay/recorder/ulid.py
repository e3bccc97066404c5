"""Recording ids: ULIDs in lower case, 26 characters, ordered by time.

48 bits of milliseconds, 16 bits that count the ids of one process within a millisecond, 64 random
bits. Randomness comes from the operating system for each id, so neither a fork nor a sandbox that
is restored from a snapshot repeats one; a clock that is set back does not disturb the order.
"""

from _thread import RLock
from os import urandom
from time import time_ns

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(120, -1, -10)
_lock = RLock()  # a signal handler may draw one as well
_last = 0  # milliseconds << 16 | count


def new_ulid() -> str:
    """Return a fresh id, greater than every id this process has drawn before."""
    global _last  # noqa: PLW0603 - ids are ordered within the process
    now = time_ns() // 1_000_000 << 16
    with _lock:
        _last = now if now > _last else _last + 1
        stamp = _last
    number = stamp << 64 | int.from_bytes(urandom(8), "big")
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def milliseconds_of(id: str) -> int:
    """Return the time in a ULID, milliseconds since 1970; 0 for text that is none."""
    try:
        return int("".join([f"{_ALPHABET.index(character):05b}" for character in id[:10]]), 2)
    except ValueError:
        return 0
