"""What a child process writes: a file, so that no amount of it can block the handler."""

import os
import tempfile

_MAX_BYTES = 1 << 20


class Output:
    """The file that stdout and stderr of a child go to, read up to where it was read before."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
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
        text = os.pread(self.fileno(), min(size - start, _MAX_BYTES), start)
        cut = "\n[output cut at 1 MiB]\n" if size - start > _MAX_BYTES else ""
        return text.decode(errors="replace") + cut

    def close(self) -> None:
        """Let go of the file, which is nowhere else."""
        self._file.close()
