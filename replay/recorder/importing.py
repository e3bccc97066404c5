"""The import of the app by an entry of ours: outbound calls that it makes are kept.

They are written with the sandbox's first recording, since before it there is none to write to.
"""

import os
from contextvars import Token
from types import TracebackType
from typing import TYPE_CHECKING

from replay.recorder import running, sandbox
from replay.recorder.guard import guarded, say_once
from replay.recorder.recorder import watch_libraries
from replay.recorder.unfinished import MAX_HELD_BYTES, Held
from replay.settings import recorder_settings

if TYPE_CHECKING:
    from replay.recorder.calls import Calls


class Import:
    """While it is entered, calls are the import's; nothing where outbound calls are not wanted."""

    at_import = True

    def __init__(self) -> None:
        self.calls: Calls | None = None
        self.token: Token[running.Caller | None] | None = None
        self.held = Held()
        self.reads_ms: list[int] = []
        self.max_bytes = 0

    def write_call(self, kind: str, payload: bytes) -> None:
        """Keep a part for the first recording."""
        self.held.add(kind, payload)
        if self.held.refused:
            say_once("the app makes more outbound calls at import than can be kept")

    def __enter__(self) -> None:
        guarded(self._begin)

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _traceback: TracebackType | None
    ) -> None:
        if self.token is not None:
            guarded(running.end, self)

    def _begin(self) -> None:
        settings = recorder_settings(os.environ, store=None, sample=None, outbound=None)
        if settings.outbound:
            from replay.recorder.funnel import Funnel  # nothing of it where none are wanted
            from replay.recorder.variable import rules_of

            self.funnel = Funnel(rules_of(settings, os.environ), {})
            self.max_bytes = min(settings.max_body_bytes, MAX_HELD_BYTES // 4)
            watch_libraries()
            sandbox.imported(self)
            running.begin(self)
