"""The tracer of a sandbox's process: begun before the import, asked about each case."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from replay.replayer.finding import FindingWriter
from replay.replayer.tracing.measured import Copy, Files, plain
from replay.replayer.tracing.project import Project
from replay.replayer.virtual import real


class Tracer:
    """Measures from its making on; `start` is the parent's first message.

    A case that ends the process by `os._exit`, as the deadline of the virtual clock does, leaves
    what it has run among the findings.
    """

    def __init__(self, start: Mapping[str, Any], findings: FindingWriter) -> None:
        project = Project(start["folders"], start["task_root"])
        self._files = Files(project)
        self._tracing = _tracing(self._files)
        self._sent: dict[Copy, int] = {}
        self._sent_at_import = 0
        self._forks: bool = start["forks"]
        self._running_in: int | None = None
        self._leave_last_words(findings)

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Take what is run within for the import's."""
        self._tracing.start()
        try:
            yield
        finally:
            self._tracing.stop()
            self._files.end_import()
            if self._forks:
                self._files.prepare()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take what is run within for a case's own."""
        self._files.clear_case()
        self._running_in = real.getpid()
        self._tracing.start()
        try:
            yield
        finally:
            self._tracing.stop()
            self._running_in = None

    def coverage(self) -> dict[str, Any]:
        """Return what the case has run: a number for each file, with what is `new` to the parent.

        Most invocations take one of few ways through a file. `at_import` is None where it is known.
        """
        new = []
        copies = self._files.in_case()
        for copy in copies:
            if copy not in self._sent:
                self._sent[copy] = len(self._sent)
                new.append([self._sent[copy], plain(copy)])
        files = [self._sent[copy] for copy in copies]
        return {"files": files, "new": new, "at_import": self._new_at_import()}

    def _new_at_import(self) -> list[Any] | None:
        count = self._files.count_at_import()
        if count == self._sent_at_import:
            return None
        self._sent_at_import = count
        return [plain(copy) for copy in self._files.at_import()]

    def _facts(self) -> dict[str, Any]:
        files, at_import = self._files.in_case(), self._files.at_import()
        return {"files": list(map(plain, files)), "at_import": list(map(plain, at_import))}

    def _leave_last_words(self, findings: FindingWriter) -> None:
        leave = os._exit

        def leave_measured(status: int) -> None:
            if self._running_in == real.getpid():  # and no fork that the handler has made
                findings.add("measured", **self._facts())
            leave(status)

        os._exit = leave_measured  # type: ignore[assignment]


def _tracing(files: Files) -> Any:
    if sys.version_info >= (3, 12):
        from replay.replayer.tracing.monitoring import Monitoring  # what Python 3.11 has not

        return Monitoring(files)
    from replay.replayer.tracing.settrace import Tracing

    return Tracing(files)
