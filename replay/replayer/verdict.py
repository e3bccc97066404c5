"""From a case to its verdict: replay it, compare what Lambda would send, explain what differs.

`match`: nothing differs but noise. `drift`: something does. `error`: the case could not be
replayed; never that the handler raised, which is an outcome like any other. The engine is passed
in, so what stands here is the whole decision and does nothing else.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Sequence
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
from replay.replayer.replay import Replay
from replay.replayer.rule import Instant
from replay.replayer.rule import excused as excused_by_rules
from replay.replayer.secret import (
    NeedsSecretError,
    given,
    moved_tables,
    stand_ins,
    substituted,
)
from replay.replayer.warm import replay_at_once, replay_fresh
from replay.replayer.world import Factor, World

VerdictKind: TypeAlias = Literal["match", "drift", "error"]
Engine: TypeAlias = type[Sandbox]
ReplayOne: TypeAlias = Callable[[Case], Replay]
"""What replays a case in its own world; raises ReplayError."""

_MANY_SECRETS = 5
"""Above so many it is not asked which of them a drift rests on."""
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
    found, differs = _compared(case, seen, replay.duration_us)
    if differs and not case.measures:
        return None
    return _verdict(case, replay, seen.contract, drift=differs, found=found)


def _seen(case: Case, replay: Replay) -> Seen:
    recorded, sent = case.recording.interactions, replay.sent
    has_calls = bool(recorded or sent)
    return Seen(replay.outcome, contract_of(recorded, sent, case.rules) if has_calls else NO_CALLS)


def instant_of(recording: Recording, duration_us: int | None) -> Instant:
    """Return the wall clock at entry, and how far apart two reads of it may be."""
    return Instant(
        recording.invocation.captured_at_us / 1000,
        _TOLERANCE_MS + _spent_ms(recording.duration_us, duration_us),
    )


def _compared(
    case: Case, seen: Seen, duration_us: int
) -> tuple[tuple[Noise, ...], tuple[Difference, ...]]:
    """Return what a rule excuses of what differs, and what is left."""
    differences = compare(case.recording.outcome, seen.outcome)
    if seen.contract is NO_CALLS and not differences:
        return (), ()
    differences = (*differences, *seen.contract.differences)
    signed, left = noise.excuse(differences, stand_ins(case.recording))
    found, left = excused_by_rules(left, case.excuses, instant_of(case.recording, duration_us))
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
    return (*excused, *signed, *found), left


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
    has_made = False

    def replay_all(case: Case, worlds: Sequence[World]) -> list[Replay]:
        nonlocal has_made
        # One that makes files of fixed names would find those of another beside it.
        jobs = 1 if has_made else cpu_count()
        replays = replay_at_once(engine, case, worlds, jobs=jobs)
        has_made = any(it.kind == "made" for replay in replays for it in replay.findings)
        return replays

    def replay_one(case: Case) -> Replay:
        return replay_fresh(engine, case, World.of(case))

    verdict = judge_by(case, replay_all)
    if verdict.kind != "drift" or verdict.replay is None or not stand_ins(case.recording):
        return verdict
    try:
        return _judged_by_secrets(case, verdict, verdict.replay, replay_one)
    except ReplayError as error:
        return error_of(case, error)


def _all_derived(
    differences: tuple[Difference, ...], case: Case, replay: Replay, replay_one: ReplayOne
) -> tuple[Noise, ...] | None:
    """Return all that differs as noise where it was sent and made of redacted values, else None.

    A second look would tell no more. Raises ReplayError.
    """
    if case.looks == "twice" or not stand_ins(case.recording):
        return None
    if not differences or not all(it.call for it in differences):
        return None
    moved = _moved_with(moved_tables(case.recording)[""], case, replay, replay_one)
    derived, left = noise.derived(differences, moved)
    return None if left else derived


def _judged_by_secrets(
    case: Case, verdict: Verdict, replay: Replay, replay_one: ReplayOne
) -> Verdict:
    """Return the verdict of a drift once it is known what of it rests on redacted values.

    What is sent and made of them, such as a digest, is noise while it has the recorded form. What
    is proved with one, or returned and made of one, needs the true value: a NeedsSecretError.
    """
    seen, tables = _seen(case, replay), moved_tables(case.recording)
    moved = _moved_with(tables.pop(""), case, replay, replay_one)
    derived, left = noise.derived(verdict.differences, moved)
    proved = [it.facts["name"] for it in replay.findings if it.kind == "proved"]
    if left and (proved or any((it.call, it.path) in moved for it in left)):
        raise NeedsSecretError(
            proved or _names_of(tables, left, case, replay, replay_one), case.recording.id
        )
    found = (*verdict.noise, *derived)
    return _verdict(case, replay, seen.contract, drift=left, found=found)


def _moved_with(
    table: dict[str, str], case: Case, replay: Replay, replay_one: ReplayOne
) -> set[tuple[str | None, str]]:
    """Return the places, each a call and a path, that move with these pseudonyms."""
    if not table:
        return set()
    other = replay_one(dataclasses.replace(case, recording=given(case.recording, table)))
    back = {it: pseudonym for pseudonym, it in table.items()}
    here, there = _seen(case, replay), _seen(case, substituted(other, back))
    return {(it.call, it.path) for it in noise.differences_between(here, there)}


def _names_of(
    tables: dict[str, dict[str, str]],
    left: Sequence[Difference],
    case: Case,
    replay: Replay,
    replay_one: ReplayOne,
) -> list[str]:
    """Return the names of the secrets that a difference moves with."""
    if len(tables) > _MANY_SECRETS:
        return list(tables)
    places = {(it.call, it.path) for it in left}
    moving = (it for it in tables if places & _moved_with(tables[it], case, replay, replay_one))
    return list(moving) or list(tables)


def judge_by(case: Case, replay_all: Callable[[Case, Sequence[World]], list[Replay]]) -> Verdict:
    """Return the verdict of a case that `replay_all` replays in some worlds, one after the other.

    What it cannot replay is an error.
    """

    def replay_one(case: Case) -> Replay:
        return replay_all(case, (World.of(case),))[0]

    world = World.of(case)
    try:
        replay = replay_one(case)
        seen = _seen(case, replay)
        excused, differences = _compared(case, seen, replay.duration_us)
        if not _is_looked_at_again(case, differences):
            return _verdict(case, replay, seen.contract, drift=differences, found=excused)
        derived = _all_derived(differences, case, replay, replay_one)
        if derived is not None:
            return _verdict(case, replay, seen.contract, found=(*excused, *derived))
        again = replay_all(case, (world, *(other for _, other in world.all_moved())))
        looks = _looks(case, replay, [_seen(case, it) for it in again])
    except ReplayError as error:
        return error_of(case, error)
    redacted = [it for it in excused if it.rule == noise.REDACTED]
    found, drift = noise.split((*differences, *map(noise.difference_of, redacted)), looks)
    unknown, drift = noise.excuse(drift, stand_ins(case.recording))
    others = (it for it in excused if it.rule != noise.REDACTED)
    verdict = _verdict(case, replay, seen.contract, drift=drift, found=(*others, *found, *unknown))
    if case.looks != "twice":
        return verdict
    told = {(it.call, it.path) for it in drift} | {(it.call, it.path) for it in verdict.noise}
    depends = (it for it in noise.dependences(looks) if (it.call, it.path) not in told)
    return dataclasses.replace(verdict, dependences=tuple(depends))


def _is_looked_at_again(case: Case, differences: tuple[Difference, ...]) -> bool:
    if case.looks == "twice":
        return True
    explicable = any(difference.path != ROOT for difference in differences)
    return explicable and case.looks == "once, then again"


def _looks(case: Case, replay: Replay, seen: Sequence[Seen]) -> Looks:
    """Return a replay with what was seen again, and in each of the moved worlds."""
    again, *others = seen
    by_factor: defaultdict[Factor, tuple[Seen, ...]] = defaultdict(tuple)
    for (factor, _), other in zip(World.of(case).all_moved(), others, strict=True):
        by_factor[factor] += (other,)
    at = instant_of(case.recording, replay.duration_us)
    return Looks(
        first=_seen(case, replay),
        again=again,
        moved=by_factor,
        instant_ms=at.epoch_ms,
        tolerance_ms=at.tolerance_ms,
    )


def _spent_ms(*durations_us: int | None) -> float:
    return sum(duration or 0 for duration in durations_us) / 1000
