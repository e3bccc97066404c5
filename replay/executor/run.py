"""A run as it travels to the workers of a cluster, and what comes back of it. Plain values."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from replay.errors import ReplayError
from replay.executor.software import Software
from replay.executor.work import Work
from replay.replayer.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Run:
    """One run: folders are portable, `code` is the digest of what lies in them; by what software.

    The setting of the store is left out of its text, for workers log that and it may hold a
    password.
    """

    id: str
    work: Work
    code: str
    software: Software
    store: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Shard:
    """What came of a part of a run: verdicts in order, and why others could not be read."""

    verdicts: Sequence[Verdict] = ()
    refused: Sequence[ReplayError] = ()
