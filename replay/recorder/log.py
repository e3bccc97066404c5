"""Parts as lines of the function's log, for functions whose /tmp nobody fetches.

`REPLAY_STORE=stdout:`. They are written to descriptor 1 and not to `sys.stdout`, which is the
host's: AWS's client, a test or the handler itself may have put something else in its place, and
what is in there must be what it is without us. Descriptor 1 is the function's log, where each line
is an event; the client frames only what goes through `logging`, on a descriptor of its own.
`store/arrival/log.py` puts the lines together again. No file is made.
"""

import os
from _thread import RLock
from binascii import b2a_base64
from collections.abc import Iterator
from select import select
from zlib import compress, crc32

from replay.part import part_crc
from replay.recorder.guard import pass_on, say_once

PREFIX = b"replay-part/1 "
"""What a line begins with, wherever it stands in what a log service makes of it."""
PLAIN, ZLIB = b"p", b"z"
"""How a payload is packed, before it becomes base64."""
MAX_LINE_BYTES = 250_000
"""CloudWatch takes events of 256 KiB, 26 bytes of which are its own
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html)."""
_PIECE_BYTES = MAX_LINE_BYTES - 150
_FASTEST = 1
"""9 ms a MB; the next levels take two and three times that for 5 and 10 % less."""
_DESCRIPTOR = 1
_WAIT_S = 0.025


class Log:
    """Where this process's parts go in place of a `Journal`: every part is lines, nothing else."""

    def __init__(self) -> None:
        self.lost = 0
        self._lock = RLock()  # a signal handler may capture while this thread writes
        os.register_at_fork(after_in_child=self._start_over)

    def write(self, id: str, kind: str, payload: bytes, _max_store_bytes: int | None) -> bool:
        """Write the lines of one part; False: it is counted as lost."""
        try:
            with self._lock:
                for line in lines_of(id, kind, payload):
                    _write(line)
        except OSError as error:
            pass_on(error)
            return self.lose(f"standard output takes no line: {error}")
        return True

    def is_full(self, _max_store_bytes: int) -> bool:
        """Whether a cap is reached: there is none."""
        return False

    def lose(self, why: str) -> bool:
        """Count a part as lost, which the next begun part tells, and say why, once; False."""
        self.lost += 1
        say_once(f"a captured part is lost: {why}")
        return False

    def _start_over(self) -> None:
        self.lost = 0  # the parent tells of its own
        self._lock = RLock()


log = Log()


def lines_of(id: str, kind: str, payload: bytes) -> Iterator[bytes]:
    """Yield a part as lines of up to `MAX_LINE_BYTES`: text that JSON need not escape.

    Each has id, kind, which piece of how many, checksum of the part, packing, piece, and a checksum
    of all that.
    """
    packed = compress(payload, _FASTEST)
    packing, content = (ZLIB, packed) if len(packed) < len(payload) else (PLAIN, payload)
    text = b2a_base64(content, newline=False)
    count = -(-len(text) // _PIECE_BYTES)
    names = f"{id} {kind}".encode()
    crc = part_crc(id, kind, payload)
    for number in range(count):
        piece = text[number * _PIECE_BYTES : (number + 1) * _PIECE_BYTES]
        said = b"%s %d/%d %08x %s %s" % (names, number + 1, count, crc, packing, piece)
        yield b"%s%s %08x\n" % (PREFIX, said, crc32(said))


def _write(line: bytes) -> None:
    """Write a line, as one where the pipe takes it; raises OSError where it takes no more."""
    rest = memoryview(line)
    while rest:
        try:
            rest = rest[os.write(_DESCRIPTOR, rest) :]
        except BlockingIOError:  # the host has made it so
            if not select([], [_DESCRIPTOR], [], _WAIT_S)[1]:
                raise
