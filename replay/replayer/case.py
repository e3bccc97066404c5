"""A case: a recording with how it is to be replayed. Pure values."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from replay.recording import Recording
from replay.replayer.network import CLOSED, Network
from replay.replayer.outbound.rules import STANDARD, Rules

if TYPE_CHECKING:
    from replay.replayer.rule import Rule  # which knows worlds, and they know cases

Clock: TypeAlias = Literal["virtual", "shifted", "live"]
Break: TypeAlias = Literal["raise", "entry"]
Misses: TypeAlias = Literal["error", "live"]
"""What becomes of an outbound call that nothing recorded answers: refused, or made for real."""
Looks: TypeAlias = Literal["once", "once, then again", "twice"]
"""Whether what differs is replayed again, to tell why; `twice`: what matches as well."""

_NO_DEADLINE_MS = 900_000
"""Lambda's longest timeout; the limit of a case whose context had no deadline."""
_PAST_DEADLINE_MS = 60_000
_LEAST_LIMIT_MS = 3_000
"""Real time that a virtual replay has at least: what it takes depends on how busy a machine is."""
_COMPUTING_LIMIT_MS = 30_000
"""Real time after which a virtual replay is taken for a busy loop, if its recording took less."""


@dataclass(frozen=True, slots=True)
class Change:
    """A value of the event that was set for a replay, in the place of the recorded one."""

    path: str
    recorded: Any
    replayed: Any


@dataclass(frozen=True, slots=True)
class Case:
    """One recording and how to replay it.

    `handler` is dotted, `folders` are where its module is looked for, first to last; `timeout_s`
    is a limit in real seconds, None for the recorded deadline alone. `changes` are what was set in
    the event; `breaks_at` opens a debugger there, without any limit; `is_captured` captures a
    handler that has no decorator; `is_named` says that the user has named the handler, which else
    must be the project's own; `network` is what may be reached; `earlier` are the invocations
    of its sandbox to replay before it, None for a cold one; `excuses` are the places that may
    vary. `measures` says that what it runs of its project is measured; it is then replayed once,
    wherever that may be.
    """

    recording: Recording
    handler: str
    folders: tuple[Path, ...]
    clock: Clock = "virtual"
    timeout_s: float | None = None
    looks: Looks = "once, then again"
    changes: tuple[Change, ...] = ()
    breaks_at: Break | None = None
    is_captured: bool = False
    is_named: bool = False
    network: Network = CLOSED
    misses: Misses = "error"
    rules: Rules = STANDARD
    earlier: Iterable[Recording] | None = None
    excuses: "tuple[Rule, ...]" = ()
    measures: bool = False

    def with_event(self, event: object, changes: tuple[Change, ...]) -> "Case":
        """Return the case with another event in place of the recorded one."""
        invocation = replace(self.recording.invocation, event=event)
        return replace(
            self, recording=replace(self.recording, invocation=invocation), changes=changes
        )

    @property
    def deadline_ms(self) -> int:
        """The milliseconds after entry at which the handler has timed out, by its own clock."""
        remaining_ms = self.recording.invocation.remaining_ms
        if remaining_ms is None:
            return _NO_DEADLINE_MS
        # A recorded handler that finished past its deadline was not killed by it: a local runner
        # or a test set it in the past, so it cannot be what ends the replay.
        ran_past = (self.recording.duration_us or 0) >= remaining_ms * 1000
        if self.recording.outcome is not None and ran_past:
            return max(_PAST_DEADLINE_MS, 2 * (self.recording.duration_us or 0) // 1000)
        return remaining_ms

    @property
    def limit_s(self) -> float | None:
        """The real seconds after which the handler is killed; None, for ever, under a debugger."""
        return None if self.breaks_at else self._limit_ms() / 1000

    @property
    def is_cut_short(self) -> bool:
        """Whether that limit comes before the deadline."""
        return self._limit_ms() < self.deadline_ms

    def _limit_ms(self) -> int:
        if self.timeout_s is not None:
            return min(self._longest_ms(), int(self.timeout_s * 1000))
        if self.clock != "virtual":
            return self.deadline_ms
        took_ms = (self.recording.duration_us or 0) // 1000
        return min(self._longest_ms(), max(_COMPUTING_LIMIT_MS, 3 * took_ms))

    def _longest_ms(self) -> int:
        return max(self.deadline_ms, _LEAST_LIMIT_MS if self.clock == "virtual" else 0)
