"""In the place of a connected socket: a recorded answer, for `HTTPResponse` to read.

Imports the standard library and this package. Invariant: nothing here opens a socket.
"""

import io
from collections.abc import Callable
from typing import Any

from replay.interaction import Failure
from replay.recorder.outbound.message import exception_of, response_bytes, so_far_of
from replay.recorder.outbound.outlet import Unanswered


class AnswerSocket:
    """In the place of a connected socket: takes whatever is sent, and gives a recorded answer."""

    def __init__(self, unanswered: Unanswered, method: str | None) -> None:
        self._unanswered = unanswered
        answer = unanswered.answer
        self._failure = exception_of(answer) if isinstance(answer, Failure) else None
        self._fails_at_once = isinstance(answer, Failure) and answer.stage == "request"
        response = so_far_of(answer) if isinstance(answer, Failure) else answer
        self._content = response_bytes(response, method=method or "GET") if response else b""

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Take what is sent, or raise what came of it."""
        memoryview(data)  # a TypeError here has `http.client` look for an iterable
        del flags
        if self._fails_at_once and self._failure is not None:
            self._unanswered.wait()
            raise self._failure

    def makefile(self, mode: str = "rb", *_: Any, **__: Any) -> io.BufferedReader:
        """Return the answer as what is received."""
        del mode
        raw = _AnswerFile(self._content, self._failure, self._unanswered.wait)
        return io.BufferedReader(raw)

    def settimeout(self, value: float | None) -> None:
        """Do nothing: the recorded answer takes as long as it took."""

    def setsockopt(self, *args: Any) -> None:
        """Do nothing."""

    def shutdown(self, how: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing: as with a real socket, its files stay open."""


class _AnswerFile(io.RawIOBase):
    """What is received: time passes, bytes come, then nothing or an exception."""

    def __init__(self, content: bytes, failure: Exception | None, wait: Callable[[], None]) -> None:
        self._content = io.BytesIO(content)
        self._failure = failure
        self._wait: Callable[[], None] | None = wait

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._wait is not None:
            wait, self._wait = self._wait, None
            wait()
        count = self._content.readinto(buffer)
        if not count and self._failure is not None:
            raise self._failure
        return count
