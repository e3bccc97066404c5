"""From a case to its verdict: replay it, compare what Lambda would send, explain what differs.

`match`: nothing differs but noise. `drift`: something does. `error`: the case could not be
replayed; never that the handler raised, which is an outcome like any other. The engine is passed
in, so what stands here is the whole decision and does nothing else.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from os import cpu_count
from typing import Literal, TypeAlias

from replay.errors import ReplayError
from replay.recording import Recording
from replay.replayer import noise
from replay.replayer.case import Case, Change
from replay.replayer.compare import ROOT, Difference, compare
from replay.replayer.engine import Sandbox
from replay.replayer.network import CLOSED, GuardKind, Network
from replay.replayer.noise import Dependence, Looks, Noise, Seen
from replay.replayer.outbound.contract import NO_CALLS, Contract, contract_of, settled
from replay.replayer.process import interrupt
from replay.replayer.replay import Replay
from replay.replayer.warm import replay_fresh
from replay.replayer.world import Factor, World

VerdictKind: TypeAlias = Literal["match", "drift", "error"]
Engine: TypeAlias = type[Sandbox]

_MOVES: tuple[tuple[Factor, int], ...] = (
    ("clock", 1),
    ("pace", 1),
    ("deadline", 1),
    ("entropy", 1),
    ("hash seed", 2),
    ("environment order", 1),
)
"""How often the second look moves each factor."""
_TOLERANCE_MS = 2_000.0
"""How far apart two clocks may run between entry and a read; the time the handler took is added."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one case; `differences` are the drift, `noise` what a factor explains.

    `replay` is None and `error` says why where the case could not be replayed. `changes` are what
    was set in the event for this replay, `dependences` what a match was found to depend on;
    `network` is what it was allowed to reach.
    """

    kind: VerdictKind
    recording: Recording
    replay: Replay | None = None
    differences: tuple[Difference, ...] = ()
    noise: tuple[Noise, ...] = ()
    error: ReplayError | None = None
    changes: tuple[Change, ...] = ()
    dependences: tuple[Dependence, ...] = ()
    network: Network = CLOSED
    contract: Contract = NO_CALLS

    @property
    def guard(self) -> GuardKind | None:
        """What kept the handler from the network; None where there was no replay to be kept."""
        return self.network.guard if self.replay is None else self.replay.guard


def settled_by(case: Case, replay: Replay) -> Verdict | None:
    """Return the verdict of a replay that does not differ from its recording, else None.

    None as well for a match that is to be looked at twice. A case that measures is settled by any
    replay: it asks what is run, not whether that differs.
    """
    if case.looks == "twice":
        return None
    seen = _seen(case, replay)
    found, differs = _compared(case, seen)
    if differs and not case.measures:
        return None
    return _verdict(case, replay, seen.contract, drift=differs, found=found)


def _seen(case: Case, replay: Replay) -> Seen:
    recorded, sent = case.recording.interactions, replay.sent
    has_calls = bool(recorded or sent)
    return Seen(replay.outcome, contract_of(recorded, sent, case.rules) if has_calls else NO_CALLS)


def _compared(case: Case, seen: Seen) -> tuple[tuple[Noise, ...], tuple[Difference, ...]]:
    """Return what a rule excuses of what differs, and what is left."""
    differences = compare(case.recording.outcome, seen.outcome)
    if seen.contract is NO_CALLS and not differences:
        return (), ()
    found, left = noise.excuse((*differences, *seen.contract.differences))
    excused = [
        Noise(
            it.difference.path,
            it.difference.recorded,
            it.difference.replayed,
            rule=it.rule,
            call=it.difference.call,
        )
        for it in seen.contract.excused
    ]
    return (*excused, *found), left


def _verdict(
    case: Case,
    replay: Replay,
    contract: Contract,
    *,
    drift: tuple[Difference, ...] = (),
    found: tuple[Noise, ...] = (),
) -> Verdict:
    return Verdict(
        "drift" if drift else "match",
        case.recording,
        replay,
        drift,
        found,
        changes=case.changes,
        network=case.network,
        contract=settled(contract, drift) if contract.changed else contract,
    )


def error_of(case: Case, error: ReplayError) -> Verdict:
    """Return the verdict of a case that could not be replayed."""
    return Verdict("error", case.recording, error=error, changes=case.changes, network=case.network)


def judge(case: Case, engine: Engine) -> Verdict:
    """Replay `case` in fresh processes and return its verdict; what cannot be is an error."""
    world = World.of(case)
    try:
        replay = replay_fresh(engine, case, world)
        seen = _seen(case, replay)
        excused, differences = _compared(case, seen)
        if not _is_looked_at_again(case, differences):
            return _verdict(case, replay, seen.contract, drift=differences, found=excused)
        looks = _look_again(case, world, replay, seen, engine)
    except ReplayError as error:
        return error_of(case, error)
    if not differences:
        matched = _verdict(case, replay, seen.contract, found=excused)
        return dataclasses.replace(matched, dependences=noise.dependences(looks))
    found, drift = noise.split(differences, looks)
    return _verdict(case, replay, seen.contract, drift=drift, found=(*excused, *found))


def _is_looked_at_again(case: Case, differences: tuple[Difference, ...]) -> bool:
    if case.looks == "twice":
        return True
    explicable = any(difference.path != ROOT for difference in differences)
    return explicable and case.looks == "once, then again"


def _look_again(case: Case, world: World, replay: Replay, seen: Seen, engine: Engine) -> Looks:
    """Replay the case once more in each world that could explain why it differs."""
    moved = [
        (factor, world.moved(factor, n)) for factor, times in _MOVES for n in range(1, times + 1)
    ]
    again, *others = _replay_all(case, (world, *(other for _, other in moved)), engine)
    by_factor: defaultdict[Factor, tuple[Seen, ...]] = defaultdict(tuple)
    for (factor, _), other in zip(moved, others, strict=True):
        by_factor[factor] += (other,)
    return Looks(
        first=seen,
        again=again,
        moved=by_factor,
        instant_ms=case.recording.invocation.captured_at_us / 1000,
        tolerance_ms=_TOLERANCE_MS + _spent_ms(case.recording.duration_us, replay.duration_us),
    )


def _replay_all(case: Case, worlds: Iterable[World], engine: Engine) -> list[Seen]:
    from concurrent.futures import ThreadPoolExecutor  # a match needs no second look

    with ThreadPoolExecutor(cpu_count()) as pool:
        try:
            replays = pool.map(lambda world: replay_fresh(engine, case, world), worlds)
            return [_seen(case, replay) for replay in replays]
        except KeyboardInterrupt:
            interrupt()  # else leaving the pool would wait for each replay's own end
            raise


def _spent_ms(*durations_us: int | None) -> float:
    return sum(duration or 0 for duration in durations_us) / 1000
