"""What a child process writes: a file, so that no amount of it can block the handler."""

import fcntl
import os
import re
import tempfile

_MAX_BYTES = 1 << 20
_HELD_BYTES = 1 << 26
_FRAME = re.compile(rb"\xa5\x5a\x00[\x02-\x1b](.{4}).{8}", re.DOTALL)
"""What AWS's runtime client puts before a log message: its kind, its length, its time."""


class Output:
    """The file that stdout and stderr of a child go to, read up to where it was read before."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        fcntl.fcntl(self._file, fcntl.F_SETFL, os.O_RDWR | os.O_APPEND)  # also after `trim`
        self._read_bytes = 0

    def fileno(self) -> int:
        """Return the descriptor, for the child to write to."""
        return self._file.fileno()

    def text(self, end: int | None = None) -> str:
        """Return what has been written since it was last asked, or up to a size; cut at 1 MiB."""
        start, size = self._read_bytes, os.fstat(self.fileno()).st_size if end is None else end
        self._read_bytes = size
        if size <= start:
            return ""
        written = os.pread(self.fileno(), min(size - start, _MAX_BYTES), start)
        cut = "\n[output cut at 1 MiB]\n" if size - start > _MAX_BYTES else ""
        return _unframed(written).decode(errors="replace") + cut

    def trim(self) -> None:
        """Give back the room of what is too much to be read, before it fills the disk."""
        read_to = self._read_bytes + _MAX_BYTES
        if os.fstat(self.fileno()).st_size > read_to + _HELD_BYTES:
            os.ftruncate(self.fileno(), read_to + 1)  # one more, to be cut

    def close(self) -> None:
        """Let go of the file, which is nowhere else."""
        self._file.close()


def _unframed(written: bytes) -> bytes:
    """Return what was written, each log message out of its frame and on a line of its own."""
    pieces, at = [], 0
    while frame := _FRAME.search(written, at):
        message = written[frame.end() : frame.end() + int.from_bytes(frame[1])]
        ends = b"" if message.endswith(b"\n") else b"\n"
        pieces += [written[at : frame.start()], message, ends]
        at = frame.end() + len(message)
    return b"".join([*pieces, written[at:]])
