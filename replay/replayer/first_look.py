"""The first look at a replay: what differs from its recording, and what of it is excused. Pure.

Most replays match and are looked at no further; what the second look tells is in `noise.py`.
"""

from dataclasses import dataclass

from replay.recording import Recording
from replay.replayer import noise, relation
from replay.replayer.case import Case
from replay.replayer.compare import Difference, compare
from replay.replayer.noise import Noise, Seen
from replay.replayer.outbound.contract import NO_CALLS, contract_of
from replay.replayer.replay import Replay
from replay.replayer.rule import Instant, excused
from replay.replayer.secret import stand_ins

_TOLERANCE_MS = 2_000.0
"""How far apart two clocks may run between entry and a read; the time the handler took is added."""


@dataclass(frozen=True, slots=True)
class FirstLook:
    """A replay of `case` beside its recording: what was `seen` of it, and what of that differs.

    `excused` are differences that a rule, or a value known to be redacted, accounts for;
    `differences` are those left.
    """

    case: Case
    replay: Replay
    seen: Seen
    excused: tuple[Noise, ...] = ()
    differences: tuple[Difference, ...] = ()

    @classmethod
    def at(cls, case: Case, replay: Replay) -> "FirstLook":
        """Look at a replay; raises ReplayError for a rule of the case that cannot be read."""
        seen = seen_of(case, replay)
        differences = compare(case.recording.outcome, seen.outcome)
        if seen.contract is NO_CALLS and not differences:
            return cls(case, replay, seen)
        differences = (*differences, *seen.contract.differences)
        signed, left = noise.excuse(differences, stand_ins(case.recording))
        found, left = excused(left, case.excuses, instant_of(case.recording, replay.duration_us))
        found, apart = relation.split(found)
        of_calls = [
            Noise(d.path, d.recorded, d.replayed, rule=it.rule, call=d.call)
            for it in seen.contract.excused
            for d in (it.difference,)
        ]
        return cls(case, replay, seen, (*of_calls, *signed, *found), (*left, *apart))


def seen_of(case: Case, replay: Replay) -> Seen:
    """Return what a replay has come to, beside what its recording holds."""
    recorded, sent = case.recording.interactions, replay.sent
    has_calls = bool(recorded or sent)
    return Seen(replay.outcome, contract_of(recorded, sent, case.rules) if has_calls else NO_CALLS)


def instant_of(recording: Recording, duration_us: int | None) -> Instant:
    """Return the wall clock at entry, and how far apart two reads of it may be."""
    return Instant(
        recording.invocation.captured_at_us / 1000,
        _TOLERANCE_MS + _spent_ms(recording.duration_us, duration_us),
    )


def _spent_ms(*durations_us: int | None) -> float:
    return sum(duration or 0 for duration in durations_us) / 1000
