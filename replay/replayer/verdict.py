"""From a case to its verdict: replay it, compare what Lambda would send, explain what differs.

`match`: nothing differs but noise. `drift`: something does. `error`: the case could not be
replayed; never that the handler raised, which is an outcome like any other. The engine is passed
in, so what stands here is the whole decision and does nothing else.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from os import cpu_count
from typing import Literal, TypeAlias

from replay.errors import ReplayError
from replay.recording import Recording
from replay.replayer import noise, relation
from replay.replayer.case import Case, Change
from replay.replayer.compare import ROOT, Difference
from replay.replayer.derivation import Derivation
from replay.replayer.engine import Sandbox
from replay.replayer.first_look import FirstLook, instant_of, seen_of
from replay.replayer.network import CLOSED, GuardKind, Network
from replay.replayer.noise import Dependence, Noise, SecondLook, Seen
from replay.replayer.outbound.contract import NO_CALLS, Contract, settled
from replay.replayer.place import place_of
from replay.replayer.replay import Replay
from replay.replayer.secret import stand_ins
from replay.replayer.warm import replay_at_once
from replay.replayer.world import Factor, World

VerdictKind: TypeAlias = Literal["match", "drift", "error"]
Engine: TypeAlias = type[Sandbox]
ReplayIn: TypeAlias = Callable[[Case, Sequence[World]], list[Replay]]
"""What replays a case in some worlds, one after the other; raises ReplayError."""


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


def error_of(case: Case, error: ReplayError) -> Verdict:
    """Return the verdict of a case that could not be replayed."""
    return Verdict("error", case.recording, error=error, changes=case.changes, network=case.network)


def settled_by(case: Case, replay: Replay) -> Verdict | None:
    """Return the verdict of a replay that does not differ from its recording, else None.

    None as well for a match that is to be looked at twice. A case that measures is settled by any
    replay: it asks what is run, not whether that differs.
    """
    if case.looks == "twice":
        return None
    first = FirstLook.at(case, replay)
    if first.differences and not case.measures:
        return None
    return _verdict(first, first.differences, first.excused)


def judge(
    case: Case, engine: Engine, *, at_once: int | None = None, replay: Replay | None = None
) -> Verdict:
    """Replay `case` in fresh processes and return its verdict; what cannot be is an error.

    Its second look has so many processes at once, as many as there are cores where None. `replay`
    is what such a process has come to, None where it is not known yet.
    """
    has_made = replay is not None and bool(replay.made)

    def replay_in(case: Case, worlds: Sequence[World]) -> list[Replay]:
        nonlocal has_made
        # One that makes files of fixed names would find those of another beside it.
        jobs = 1 if has_made else at_once or cpu_count()
        replays = replay_at_once(engine, case, worlds, jobs=jobs)
        has_made = any(it.made for it in replays)
        return replays

    return judge_by(case, replay_in, replay=replay)


def judge_by(case: Case, replay_in: ReplayIn, *, replay: Replay | None = None) -> Verdict:
    """Return the verdict of a case that `replay_in` replays; what it cannot replay is an error.

    `replay` is what it has come to in its own world, None where that is not known yet.
    """

    def replay_one(case: Case) -> Replay:
        return replay_in(case, (World.of(case),))[0]

    try:
        first = FirstLook.at(case, replay or replay_one(case))
        redacted = Derivation(first, replay_one)
        derived = redacted.all_that_differs()
        if derived is not None:
            return _verdict(first, (), (*first.excused, *derived))
        if _is_looked_at_again(first):
            verdict = _by_second_look(first, replay_in)
        else:
            verdict = _verdict(first, first.differences, first.excused)
        derived, left = redacted.split(verdict.differences)
    except ReplayError as error:
        return error_of(case, error)
    if not derived:
        return verdict
    return _verdict(first, left, (*verdict.noise, *derived), verdict.dependences)


def _verdict(
    first: FirstLook,
    drift: tuple[Difference, ...],
    found: tuple[Noise, ...],
    dependences: Iterable[Dependence] = (),
) -> Verdict:
    """Return the verdict of a replay of which this is drift, and that was found to be noise."""
    case, contract = first.case, first.seen.contract
    return Verdict(
        "drift" if drift else "match",
        case.recording,
        first.replay,
        drift,
        found,
        changes=case.changes,
        dependences=tuple(dependences),
        network=case.network,
        contract=settled(contract, drift) if contract.changed else contract,
    )


def _is_looked_at_again(first: FirstLook) -> bool:
    if first.case.looks == "twice":
        return True
    explicable = any(difference.path != ROOT for difference in first.differences)
    return explicable and first.case.looks == "once, then again"


def _by_second_look(first: FirstLook, replay_in: ReplayIn) -> Verdict:
    """Return the verdict once it is known what moves with which factor; raises ReplayError."""
    second = _second_look(first, replay_in)
    # A factor says more of a difference than that a value in it was redacted.
    others = [it for it in first.excused if it.rule != noise.REDACTED]
    redacted = [relation.difference_of(it) for it in first.excused if it.rule == noise.REDACTED]
    found, drift = noise.split((*first.differences, *redacted), second)
    unknown, drift = noise.excuse(drift, stand_ins(first.case.recording))
    found, apart = relation.split((*others, *found, *unknown))
    drift = (*drift, *apart)
    if first.case.looks != "twice":
        return _verdict(first, drift, found)
    told = {*map(place_of, drift), *map(place_of, found)}
    depends = (it for it in noise.dependences(second) if place_of(it) not in told)
    return _verdict(first, drift, found, depends)


def _second_look(first: FirstLook, replay_in: ReplayIn) -> SecondLook:
    """Replay a case again, and in each of the moved worlds."""
    case, world = first.case, World.of(first.case)
    moved = list(world.all_moved())
    replays = replay_in(case, (world, *(other for _, other in moved)))
    again, *others = (seen_of(case, it) for it in replays)
    by_factor: defaultdict[Factor, tuple[Seen, ...]] = defaultdict(tuple)
    for (factor, _), other in zip(moved, others, strict=True):
        by_factor[factor] += (other,)
    at = instant_of(case.recording, first.replay.duration_us)
    clock_runs = case.clock != "virtual"
    return SecondLook(first.seen, again, by_factor, at.epoch_ms, at.tolerance_ms, clock_runs)
