"""What a recording can be kept for: a line, a branch, an outcome, an error type, an operation.

Pure. Lines and branches are those that a replay ran; outcome, error and operations are recorded.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias

from replay.interaction import AwsCall, Call
from replay.outcome import Exited, Outcome, Raised, Returned, TimedOut
from replay.recording import Recording
from replay.replayer.coverage import EXIT, FileCoverage

FeatureKind: TypeAlias = Literal["line", "branch", "outcome", "error", "operation", "unmeasured"]
OutcomeKind: TypeAlias = Literal["returned", "raised", "timed_out", "exited", "unfinished"]
_DIGIT = re.compile(r"\d")
_LONGEST_NAME = 24
"""Characters of a path's segment that may still be a name, and not an id or a token."""


class Feature(NamedTuple):
    """One of them; `name` is a file, an outcome's kind, an error type, an operation or an id.

    `line` and `to` are those of a line or a branch, 0 otherwise; a branch to 0 leaves its function.
    A tuple, for millions of them are hashed.
    """

    kind: FeatureKind
    name: str
    line: int = 0
    to: int = 0

    @property
    def text(self) -> str:
        """What a person reads of it."""
        match self.kind:
            case "line":
                return f"{self.name}:{self.line}"
            case "branch":
                return f"branch {self.name}:{self.line}->{'exit' if self.to == EXIT else self.to}"
            case "outcome":
                return self.name.replace("_", " ")
            case "error":
                return f"raised {self.name}"
            case "operation":
                return self.name
            case "unmeasured":
                return "cannot be measured: it ended its process"


def outcome_kind(outcome: Outcome | None) -> OutcomeKind:
    """Return the word for an outcome; None is unfinished."""
    match outcome:
        case None:
            return "unfinished"
        case Returned():
            return "returned"
        case Raised():
            return "raised"
        case TimedOut():
            return "timed_out"
        case Exited():
            return "exited"


def operation_of(call: Call) -> str:
    """Return what an outbound call does, whatever it does it to: ids in a URL's path become `*`."""
    if isinstance(call, AwsCall):
        return call.name
    scheme, separator, rest = call.name.partition("://")
    host, *path = rest.split("/")
    named = (it if _is_name(it) else "*" for it in path)
    return f"{scheme}{separator}{'/'.join((host, *named))}"


def _is_name(segment: str) -> bool:
    return len(segment) <= _LONGEST_NAME and not _DIGIT.search(segment)


def recorded_features(recording: Recording) -> frozenset[Feature]:
    """Return the features that need no replay; calls of the import are not the recording's."""
    return frozenset(_recorded(recording))


def _recorded(recording: Recording) -> Iterator[Feature]:
    yield Feature("outcome", outcome_kind(recording.outcome))
    if isinstance(recording.outcome, Raised):
        yield Feature("error", recording.outcome.error_type)
    for interaction in recording.interactions:
        if not interaction.at_import:
            yield Feature("operation", operation_of(interaction.call))


def covered_features(file: FileCoverage) -> frozenset[Feature]:
    """Return the lines and branches of a file that a case ran."""
    lines = (Feature("line", file.path, line) for line in file.lines)
    branches = (Feature("branch", file.path, line, to) for line, to in file.branches)
    return frozenset((*lines, *branches))


def counts(features: Iterable[Feature]) -> dict[FeatureKind, int]:
    """Return how many there are of each kind, kinds that there are none of left out."""
    found: dict[FeatureKind, int] = {}
    for feature in features:
        found[feature.kind] = found.get(feature.kind, 0) + 1
    return found
