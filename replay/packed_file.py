"""Files that are packed with zstd, read and written as a stream: of any size, in the same memory.

What is read may have been made up by anybody. Imports the standard library, and zstd where a file
is packed. Invariant: no more is in memory than a window, 128 MiB at most, and what was asked for.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from replay.errors import ReplayError

if TYPE_CHECKING:
    from replay.zstd import zstd

ENDING = ".zst"
MAGIC = b"(\xb5/\xfd"
"""How a zstd frame begins."""
_CHUNK_BYTES = 2**17
_WRITTEN_BYTES = 2**20
_WINDOW_LOG = 27
"""Of 128 MiB, the greatest that the command `zstd` takes without being told to."""
_MAX_SILENT_BYTES = 2**30
"""A file that unpacks to so much without the end of a line was made to take time."""


class UnpackingError(Exception):
    """A packed file cannot be read any further; the message says why."""


def unpacked(stream: BinaryIO, name: str) -> BinaryIO:
    """Return what is packed in a stream, or the stream itself where nothing is.

    Raises ReplayError where `name` says that something would be. Reading it raises UnpackingError
    where the file is damaged, cut, or a bomb.
    """
    if not _begins_packed(stream):
        if name.endswith(ENDING):
            raise ReplayError(f"{name} is no zstd data, as its name says", "name it as what it is")
        return stream
    return cast("BinaryIO", io.BufferedReader(_Unpacking(stream), _CHUNK_BYTES))


@contextmanager
def packing(file: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Yield what to write into, packed where `name` ends in `.zst`; the file stays open."""
    if not name.endswith(ENDING):
        yield file
        return
    from replay.zstd import zstd

    checked = {int(zstd.CompressionParameter.checksum_flag): 1}
    with zstd.ZstdFile(file, "wb", options=checked) as packed:
        # Line by line, packing would take twice as long.
        lines = io.BufferedWriter(cast("io.RawIOBase", packed), _WRITTEN_BYTES)
        yield cast("BinaryIO", lines)
        lines.flush()


def _begins_packed(stream: BinaryIO) -> bool:
    peek = getattr(stream, "peek", None)
    if peek is not None:
        return bytes(peek(len(MAGIC))[: len(MAGIC)]) == MAGIC
    begun_at = stream.tell()
    begin = stream.read(len(MAGIC))
    stream.seek(begun_at)
    return begin == MAGIC


class _Unpacking(io.RawIOBase):
    """One frame after the other, as `cat` puts them together."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._frame = self._next_frame()
        self._silent_bytes = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as one step goes; 0 at the end."""
        room = memoryview(buffer).cast("B")
        content = self._read(len(room))
        room[: len(content)] = content
        self._refuse_silence(content)
        return len(content)

    def _read(self, size_bytes: int) -> bytes:
        from replay.zstd import zstd

        try:
            while True:
                if self._frame.eof:
                    rest = self._frame.unused_data or self._packed.read(_CHUNK_BYTES)
                    if not rest:
                        return b""
                    self._frame = self._next_frame()
                else:
                    rest = self._packed.read(_CHUNK_BYTES) if self._frame.needs_input else b""
                    if not rest and self._frame.needs_input:
                        raise UnpackingError("its end is not there: it was cut")
                if content := self._frame.decompress(rest, size_bytes):
                    return content
        except zstd.ZstdError as error:
            raise UnpackingError(f"it is damaged, or no zstd data ({error})") from error

    def _next_frame(self) -> "zstd.ZstdDecompressor":
        from replay.zstd import zstd

        limited = {int(zstd.DecompressionParameter.window_log_max): _WINDOW_LOG}
        return zstd.ZstdDecompressor(options=limited)

    def _refuse_silence(self, content: bytes) -> None:
        is_silent = b"\n" not in content or not content.strip()
        self._silent_bytes = self._silent_bytes + len(content) if is_silent else 0
        if self._silent_bytes > _MAX_SILENT_BYTES:
            raise UnpackingError("it unpacks to over 1 GiB without a line of JSON")
