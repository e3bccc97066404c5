"""What a child process finds out about its handler besides the outcome, each written down at once.

The handler may be killed at any moment, and may fork: findings go, a line each, to a file that the
parent made and alone reads. A handler that has closed the file loses them.
"""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from os import fstat
from typing import Any, Literal, Protocol, TypeAlias

from replay.codec import decode, encode
from replay.replayer.channel import out_of_reach

FindingKind: TypeAlias = Literal[
    "timed_out",
    "took",
    "computed",
    "raced",
    "refused",
    "called",
    "wrote",
    "made",
    "measured",
    "proved",
]
"""timed_out: the main thread crossed its deadline; took: microseconds that the handler has taken
by its own clock, where only the process knows; computed: from which read on the remaining time is
no longer the recorded one; raced: threads ran at once; refused: a way out of the replay that the
guard has closed; called: an
outbound call that the recording answers, or should; wrote: a file outside of the temporary folders;
made: one inside of them; measured: what lines a case has run that ended its process; proved:
something signed or verified with a pseudonym in the place of a secret."""

_MAX_UNREAD = 10_000
"""How many of the parent's own are kept until it reads: one that tries for ever fills no disk."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One of them; `facts` differ by kind."""

    kind: FindingKind
    facts: Mapping[str, Any]


class FindingSink(Protocol):
    """Where findings go."""

    def add(self, kind: FindingKind, **facts: object) -> None:
        """Take one."""


class FindingWriter:
    """The child's end, which every fork of it shares."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = out_of_reach(descriptor)
        os.close(descriptor)

    def add(self, kind: FindingKind, **facts: object) -> None:
        """Write one down."""
        _write(self._descriptor, kind, facts)

    def size_bytes(self) -> int:
        """Return how much has been written, for the parent to read up to."""
        with suppress(OSError):
            return fstat(self._descriptor).st_size
        return 0


class FindingReader:
    """The parent's end: the file."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._read_bytes = 0
        self._added = 0

    def add(self, kind: FindingKind, **facts: object) -> None:
        """Write down what the parent has found out itself, in its place among the others."""
        self._added += 1
        if self._added < _MAX_UNREAD:
            _write(self.fileno(), kind, facts)

    def fileno(self) -> int:
        """Return the descriptor, for the child to write to."""
        return self._file.fileno()

    def read(self, end: int | None = None) -> tuple[Finding, ...]:
        """Return what was found since it was last asked, or up to a size."""
        start, size = self._read_bytes, os.fstat(self.fileno()).st_size if end is None else end
        self._read_bytes, self._added = max(start, size), 0
        if size <= start:
            return ()
        lines = os.pread(self.fileno(), size - start, start).split(b"\n")
        return tuple(Finding(**decode(line)) for line in lines[:-1])  # a torn line has no end

    def read_again(self) -> tuple[Finding, ...]:
        """Return all that has been found since the process began."""
        self._read_bytes = 0
        return self.read()

    def close(self) -> None:
        """Let go of the file, which is nowhere else."""
        self._file.close()


def _write(descriptor: int, kind: FindingKind, facts: Mapping[str, object]) -> None:
    line = encode({"kind": kind, "facts": dict(facts)}) + b"\n"
    with suppress(OSError):
        os.write(descriptor, line)
