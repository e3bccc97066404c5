"""What `replay minimize` prints: a row for each case that is kept, and what nothing covers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import get_args

from replay.report.pieces import STYLES, Piece, escaped
from replay.testing.edited import Edited, LinesRun
from replay.testing.feature import Feature, FeatureKind, counts
from replay.testing.measure import Measurement, Sketch
from replay.testing.minimize import Kept

_LISTED = 3
"""So many lines or branches of a file are named; of more their number is told."""
_NOUNS: dict[FeatureKind, tuple[str, str]] = {
    "line": ("line", "lines"),
    "branch": ("branch", "branches"),
    "outcome": ("outcome", "outcomes"),
    "error": ("error type", "error types"),
    "operation": ("operation", "operations"),
}

_ORDER = get_args(FeatureKind)


@dataclass(frozen=True, slots=True)
class Minimized:
    """What was kept of what was measured; `edited` and `run` where edited lines alone counted."""

    kept: tuple[Kept, ...]
    measurement: Measurement
    edited: Edited | None = None
    run: LinesRun | None = None

    def features(self) -> frozenset[Feature]:
        """Return what the kept cases have together."""
        return frozenset[Feature]().union(*(kept.features for kept in self.kept))

    def sketch(self, kept: Kept) -> Sketch:
        """Return what is to be said of a case."""
        return self.measurement.sketches[kept.id]


def kept_pieces(kept: Kept, sketch: Sketch) -> Iterator[Piece]:
    """Yield one row: id, function, outcome, what it is for, how many recordings are alike."""
    words = f"{sketch.outcome.replace('_', ' ')} {sketch.error_type or ''}".rstrip()
    yield kept.id[-8:], "bold"
    yield f"  {escaped(sketch.function_name)}  ", ""
    yield escaped(words), STYLES.get(sketch.outcome, "")
    yield f"  {escaped(purpose_text(kept.purpose))}", ""
    if kept.alike > 1:
        yield f"  {kept.alike:,} alike", "dim"


def purpose_text(purpose: Iterable[Feature]) -> str:
    """Return features in few words: "12 lines of app.py, branch app.py:31->35, timed out"."""
    ordered = sorted(purpose, key=lambda it: (_ORDER.index(it.kind), it))
    grouped = groupby(ordered, key=lambda it: (it.kind, it.name))
    return ", ".join(text for (kind, name), some in grouped for text in _texts(kind, name, some))


def _texts(kind: FeatureKind, name: str, some: Iterable[Feature]) -> Iterator[str]:
    features = list(some)
    if kind in ("line", "branch") and len(features) > _LISTED:
        yield f"{len(features):,} {_NOUNS[kind][1]} of {name}"
    else:
        yield from (feature.text for feature in features)


def closing_text(minimized: Minimized) -> str:
    """Return the last line: how many were kept, and what they cover."""
    kept, measured = len(minimized.kept), len(minimized.measurement.cases)
    covered = counts(minimized.features())
    parts = [
        f"{covered[kind]:,} {singular if covered[kind] == 1 else plural}"
        for kind, (singular, plural) in _NOUNS.items()
        if kind in covered
    ]
    of = f"kept {kept:,} of {measured:,} recording{'' if measured == 1 else 's'}"
    if minimized.edited is not None and not parts:
        return f"{of}: none runs an edited line"
    edited = " that were edited, of those that any of them runs" if minimized.edited else ""
    return f"{of}: all {', '.join(parts)}{edited}"


def gaps(minimized: Minimized) -> Iterator[str]:
    """Yield what is to be known of edited lines that no case runs."""
    if minimized.edited is None or minimized.run is None:
        return
    loaded = {file.path for file in minimized.measurement.at_import}
    for path, lines in sorted(minimized.run.by_none.items()):
        if lines and path in loaded:
            yield f"no recording runs {path}:{ranges(lines)}"
    unloaded = minimized.edited.lines.keys() - loaded
    if unloaded:
        yield f"edited, and loaded by no recording: {', '.join(sorted(unloaded))}"
    for path in minimized.edited.unreadable:
        yield f"edited, and no Python that can be read: {path}"


def ranges(lines: Iterable[int]) -> str:
    """Return line numbers as ranges: "4,7-9"."""
    runs: list[list[int]] = []
    for line in sorted(lines):
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)


def minimized_document(minimized: Minimized) -> dict[str, object]:
    """Return what `replay minimize --json` prints."""
    measurement = minimized.measurement
    document: dict[str, object] = {
        "kept": [_kept_document(kept, minimized.sketch(kept)) for kept in minimized.kept],
        "measured": len(measurement.cases),
        "isolation": measurement.isolation,
        "covered": counts(minimized.features()),
        "left_out": [
            {"id": it.recording.id, "error": it.error.message if it.error else None}
            for it in measurement.failed
        ],
    }
    if minimized.run is not None and minimized.edited is not None:
        document["edited"] = {
            "run": _plain(minimized.run.by_cases),
            "run_at_import": _plain(minimized.run.at_import),
            "not_run": _plain(minimized.run.by_none),
            "unreadable": list(minimized.edited.unreadable),
        }
    return document


def _plain(lines: Mapping[str, Sequence[int] | frozenset[int]]) -> dict[str, list[int]]:
    return {path: sorted(numbers) for path, numbers in sorted(lines.items()) if numbers}


def _kept_document(kept: Kept, sketch: Sketch) -> dict[str, object]:
    outcome = {"kind": sketch.outcome}
    if sketch.error_type is not None:
        outcome["error_type"] = sketch.error_type
    return {
        "id": kept.id,
        "function_name": sketch.function_name,
        "outcome": outcome,
        "event_bytes": kept.size_bytes,
        "alike": kept.alike,
        "purpose": [_feature_document(feature) for feature in kept.purpose],
    }


def _feature_document(feature: Feature) -> dict[str, object]:
    document: dict[str, object] = {"kind": feature.kind, "name": feature.name}
    if feature.line:
        document["line"] = feature.line
    if feature.kind == "branch":
        document["to"] = feature.to or None
    return document
