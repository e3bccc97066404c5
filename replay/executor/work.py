"""The interface of the two executors, and what they are told. Plain values.

`Work` is what may travel to another machine, `Here` is what stays on this one.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from replay.errors import DamagedError, ReplayError
from replay.executor.earlier import Earlier
from replay.executor.plan import Plan
from replay.executor.secret import Secrets
from replay.recording import Recording
from replay.replayer.pool import Isolation, Runtime
from replay.replayer.verdict import Verdict
from replay.testing.case_file import CaseFile

if TYPE_CHECKING:
    from replay.store.store import Store

Found: TypeAlias = Recording | CaseFile | DamagedError
"""What was read of a store or a file."""
Named: TypeAlias = str | Found
"""What a command was asked for: an id of the store, or what was found in a file."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is done with each recording, by which engine.

    `is_warm`: what its sandbox had seen before is replayed before it.
    """

    plan: Plan
    runtime: Runtime = "builtin"
    is_warm: bool = False


@dataclass(frozen=True, slots=True)
class Here:
    """What belongs to this machine: the store, opened when it is called for, and who is told.

    `tell` hears of each recording that cannot be read. `earlier` finds what warms a recording,
    None where nothing is to. `secrets` are true values for this run.
    """

    store: "Callable[[], Store]"
    tell: Callable[[ReplayError], None]
    earlier: Earlier | None = None
    secrets: Secrets = field(default_factory=Secrets)


class Executor(Protocol):
    """Replays what is named."""

    def verdicts(
        self, named: Iterable[Named], isolation: Isolation
    ) -> Generator[Verdict, None, None]:
        """Yield the verdict of each that can be read, in order, reading them as they are needed.

        Closing it ends what runs. Raises ReplayError where nothing can be replayed any more.
        """
