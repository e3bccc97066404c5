"""Measures cases: replays each once, and tells what it has that it could be kept for.

Imports the replayer, never the store. Cases run in one warm process, which takes a twentieth of a
fork's time. What a handler keeps between invocations may make them run other lines there than they
do alone; so some of each kind are run again, alone, and where one differs, so are all.
"""

from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeAlias

from replay.codec import encode
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.coverage import Coverage, FileCoverage
from replay.replayer.pool import Isolation, Pool, default_isolation
from replay.replayer.verdict import Verdict
from replay.testing.feature import Feature, covered_features, outcome_kind, recorded_features
from replay.testing.minimize import Measured

_MOST_CHECKED = 24
"""Cases that are run again alone: of more ways than that through a handler, these are a sample."""

Judge: TypeAlias = Callable[[Isolation, Collection[str] | None], Generator[Verdict, None, None]]
"""Judges cases that are kept apart in a way: those of some ids, or all."""

_MOST_REMEMBERED = 50_000
"""Of what was computed once: what comes from another process is never the same object."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a report says of a recording, kept in the place of all of it."""

    function_name: str
    outcome: str
    error_type: str | None


@dataclass(slots=True)
class Measurement:
    """What came of measuring: the cases, those that could not be replayed, and what imports ran.

    `isolation` is how they were kept apart in the end.
    """

    isolation: Isolation
    cases: list[Measured] = field(default_factory=list)
    failed: list[Verdict] = field(default_factory=list)
    at_import: set[FileCoverage] = field(default_factory=set)
    sketches: dict[str, Sketch] = field(default_factory=dict)
    _representatives: dict[frozenset[Feature], str] = field(default_factory=dict)
    _files: dict[int, tuple[FileCoverage, frozenset[Feature]]] = field(default_factory=dict)
    _sets: dict[frozenset[Feature], frozenset[Feature]] = field(default_factory=dict)
    _unions: dict[tuple[object, ...], frozenset[Feature]] = field(default_factory=dict)
    _last_import: tuple[FileCoverage, ...] = ()

    def add(self, verdict: Verdict) -> None:
        """Take one case in; one that has been taken in already, from another file, counts once."""
        recording, replay = verdict.recording, verdict.replay
        if recording.id in self.sketches:
            return
        if replay is None:
            self.failed.append(verdict)
            return
        features = self._features(recording, replay.coverage)
        size_bytes = len(encode(recording.invocation.event))
        self.cases.append(Measured(recording.id, size_bytes, features))
        self.sketches[recording.id] = _sketch(recording)
        self._representatives[features] = recording.id

    def to_check(self) -> frozenset[str]:
        """Return the last case of each kind, by id: the one with most invocations before it."""
        ids = list(self._representatives.values())
        return frozenset(ids[:: -(-len(ids) // _MOST_CHECKED) or 1])

    def features_by_id(self) -> dict[str, frozenset[Feature]]:
        """Return the features of each case."""
        return {case.id: case.features for case in self.cases}

    def _features(self, recording: Recording, coverage: Coverage | None) -> frozenset[Feature]:
        """Return the one set that all cases share which have these features."""
        own = recorded_features(recording)
        if coverage is None:
            return own | {Feature("unmeasured", recording.id)}
        if coverage.at_import is not self._last_import:
            self._last_import = coverage.at_import
            self.at_import.update(coverage.at_import)
        if len(self._unions) > _MOST_REMEMBERED:
            self._unions.clear()
            self._files.clear()
        key = own, *map(id, coverage.files)  # of objects that stay: hashing them is slow
        if key not in self._unions:
            union = own.union(*map(self._of_file, coverage.files))
            self._unions[key] = self._sets.setdefault(union, union)
        return self._unions[key]

    def _of_file(self, file: FileCoverage) -> frozenset[Feature]:
        if id(file) not in self._files:
            self._files[id(file)] = file, covered_features(file)
        return self._files[id(file)][1]


def measure(
    judge: Judge,
    *,
    isolation: Isolation | None,
    progress: Callable[[int, int | None], None] = lambda _done, _total: None,
) -> Measurement:
    """Return what the cases run that are judged; they are judged again where they must be.

    Without an `isolation` they run in a warm process as long as that makes no difference to them.
    A case whose process ended without a word has the feature that it cannot be measured.
    """
    if isolation is not None:
        return _measure(judge, isolation, progress)
    measured = _measure(judge, "worker", progress)
    alone = default_isolation("builtin", is_one=False)
    checked = measured.to_check()
    by_itself = _measure(judge, alone, progress, only=checked).features_by_id()
    warm = measured.features_by_id()
    if by_itself == {id: warm[id] for id in checked}:
        return measured
    return _measure(judge, alone, progress)


def judging_here(read: Callable[[Collection[str] | None], Iterable[Case]], *, jobs: int) -> Judge:
    """Return what judges on this machine what `read` yields of some ids, or of all."""
    return lambda isolation, only: Pool("builtin", isolation, jobs).verdicts(read(only))


def _measure(
    judge: Judge,
    isolation: Isolation,
    progress: Callable[[int, int | None], None],
    *,
    only: Collection[str] | None = None,
) -> Measurement:
    measurement = Measurement(isolation)
    with closing(judge(isolation, only)) as verdicts:
        for done, verdict in enumerate(verdicts, start=1):
            measurement.add(verdict)
            progress(done, None)
    return measurement


def _sketch(recording: Recording) -> Sketch:
    return Sketch(
        recording.invocation.function_name,
        outcome_kind(recording.outcome),
        getattr(recording.outcome, "error_type", None),
    )
