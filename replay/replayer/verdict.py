"""From a case to its verdict: replay it, compare what Lambda would send, explain what differs.

`match`: nothing differs but noise. `drift`: something does. `error`: the case could not be
replayed; never that the handler raised, which is an outcome like any other. The engine is passed
in, so what stands here is the whole decision and does nothing else.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Literal, TypeAlias

from replay.errors import ReplayError
from replay.outcome import Outcome
from replay.recording import Recording
from replay.replayer import noise
from replay.replayer.case import Case
from replay.replayer.compare import ROOT, Difference, compare
from replay.replayer.engine import Replay, interrupt
from replay.replayer.noise import Looks, Noise
from replay.replayer.world import World

VerdictKind: TypeAlias = Literal["match", "drift", "error"]
Engine: TypeAlias = Callable[[Case, World], Replay]

_TOLERANCE_MS = 2_000.0
"""How far apart two clocks may run between entry and a read; the time the handler took is added."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one case; `differences` are the drift, `noise` what a factor explains.

    `replay` is None and `error` says why where the case could not be replayed.
    """

    kind: VerdictKind
    recording: Recording
    replay: Replay | None = None
    differences: tuple[Difference, ...] = ()
    noise: tuple[Noise, ...] = ()
    error: ReplayError | None = None


def judge(case: Case, engine: Engine) -> Verdict:
    """Replay `case` with `engine` and return its verdict; what cannot be replayed is an error."""
    recording = case.recording
    world = World(clock=case.clock, entropy_seed=recording.id)
    try:
        replay = engine(case, world)
        differences = compare(recording.outcome, replay.outcome)
        if not differences:
            return Verdict("match", recording, replay)
        found, drift = _look_again(case, world, replay, differences, engine)
    except ReplayError as error:
        return Verdict("error", recording, error=error)
    return Verdict("drift" if drift else "match", recording, replay, drift, found)


def _look_again(
    case: Case, world: World, replay: Replay, differences: tuple[Difference, ...], engine: Engine
) -> tuple[tuple[Noise, ...], tuple[Difference, ...]]:
    """Return noise and drift; replays the case once more in each world that could explain it."""
    if not case.second_look or all(difference.path == ROOT for difference in differences):
        return (), differences
    clock, entropy = world.moved("clock"), world.moved("entropy")
    hashes = [world.moved("hash seed", times) for times in (1, 2)]
    again, later, random, *rehashed = _replay_all(case, (world, clock, entropy, *hashes), engine)
    looks = Looks(
        first=replay.outcome,
        again=again,
        moved={"clock": (later,), "entropy": (random,), "hash seed": tuple(rehashed)},
        instant_ms=case.recording.invocation.captured_at_us / 1000,
        tolerance_ms=_TOLERANCE_MS + _spent_ms(case.recording.duration_us, replay.duration_us),
    )
    return noise.split(differences, looks)


def _replay_all(case: Case, worlds: Iterable[World], engine: Engine) -> list[Outcome]:
    with ThreadPoolExecutor(cpu_count()) as pool:
        try:
            return [replay.outcome for replay in pool.map(lambda w: engine(case, w), worlds)]
        except KeyboardInterrupt:
            interrupt()  # else leaving the pool would wait for each replay's own end
            raise


def _spent_ms(*durations_us: int | None) -> float:
    return sum(duration or 0 for duration in durations_us) / 1000
