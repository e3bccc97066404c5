"""An answer's body, kept while whoever asked for it reads it.

Stands in the place of the file that `http.client.HTTPResponse` reads its connection through, below
everything that decodes: it reads what it is told to read, no earlier and no more.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from replay.interaction import Response
from replay.recorder.guard import guarded
from replay.recorder.outbound.body import BodyTape
from replay.recorder.outbound.outlet import Unanswered


class Teed:
    """A binary file, of which all that is read is shown to `keep`; `end` is told of its close."""

    def __init__(
        self, file: Any, keep: Callable[[bytes], object], end: Callable[[], object]
    ) -> None:
        self._file = file
        self._keep = keep
        self._end = end

    def read(self, *args: Any) -> Any:
        """Read."""
        return self._kept(self._file.read(*args))

    def read1(self, *args: Any) -> Any:
        """Read once."""
        return self._kept(self._file.read1(*args))

    def readline(self, *args: Any) -> Any:
        """Read a line."""
        return self._kept(self._file.readline(*args))

    def readinto(self, buffer: Any) -> Any:
        """Read into a buffer."""
        size = self._file.readinto(buffer)
        guarded(self._keep, bytes(memoryview(buffer).cast("B")[: size or 0]))
        return size

    def close(self) -> None:
        """Close it."""
        guarded(self._end)
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def _kept(self, piece: Any) -> Any:
        if piece:
            guarded(self._keep, piece)
        return piece


def tee(http_response: Any, head: Response, unanswered: Unanswered) -> None:
    """Settle `unanswered` with `head` and the body of an `http.client.HTTPResponse`, once read.

    Where there is none to be read any more, at once.
    """
    is_chunked = bool(getattr(http_response, "chunked", False))
    length = http_response.length
    tape = (
        ChunkTape(unanswered.max_bytes) if is_chunked else PlainTape(unanswered.max_bytes, length)
    )

    def so_far() -> Response:
        return replace(head, body=tape.body(), chunks=tape.chunks(), is_complete=tape.is_complete)

    if http_response.fp is None or http_response.isclosed():
        unanswered.settle(replace(so_far(), is_complete=True))
        return
    unanswered.arrived(so_far)
    http_response.fp = Teed(http_response.fp, tape.add, lambda: unanswered.settle(so_far()))


class PlainTape:
    """A body as it comes; complete once `length` bytes are there, or at its end without one."""

    def __init__(self, max_bytes: int, length: int | None) -> None:
        self._tape = BodyTape(max_bytes)
        self._left = length

    def add(self, piece: bytes) -> None:
        """Keep a piece."""
        self._tape.add(piece)
        if self._left is not None:
            self._left -= len(piece)

    def body(self) -> Any:
        """Return what was kept."""
        return self._tape.body()

    def chunks(self) -> None:
        """Return no sizes: it did not come in chunks."""

    @property
    def is_complete(self) -> bool:
        """Whether it was read to its end, as far as anybody can tell."""
        return self._left is None or self._left <= 0


class ChunkTape:
    """A body that comes in chunks, by RFC 9112 section 7.1; kept without them."""

    def __init__(self, max_bytes: int) -> None:
        self._tape = BodyTape(max_bytes)
        self._sizes: list[int] = []
        self._line = bytearray()
        self._left = 0
        self._is_data = False
        self.is_complete = False

    def add(self, piece: bytes) -> None:
        """Keep a piece of what is on the wire."""
        view = memoryview(piece)
        while view and not self.is_complete:
            view = self._take_data(view) if self._is_data else self._take_line(view)

    def body(self) -> Any:
        """Return what was kept."""
        return self._tape.body()

    def chunks(self) -> tuple[int, ...]:
        """Return the sizes of the chunks."""
        return tuple(self._sizes)

    def _take_data(self, view: memoryview) -> memoryview:
        taken = view[: self._left]
        self._tape.add(bytes(taken))
        self._left -= len(taken)
        self._is_data = self._left > 0
        return view[len(taken) :]

    def _take_line(self, view: memoryview) -> memoryview:
        text = bytes(view)
        end = text.find(b"\n") + 1
        self._line += text[: end or len(text)]
        if end:
            self._begin_chunk(bytes(self._line).split(b";")[0].strip())
            self._line.clear()
        return view[end or len(text) :]

    def _begin_chunk(self, size: bytes) -> None:
        if not size:  # the end of the chunk before
            return
        self._left = int(size, 16)
        self._is_data = self._left > 0
        self.is_complete = not self._is_data
        if self._is_data:
            self._sizes.append(self._left)
