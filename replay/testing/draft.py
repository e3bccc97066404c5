"""What becomes of a recording that is to be a case: its file, or why it is set aside. Pure."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from replay.errors import ReplayError
from replay.outcome import Raised, Returned
from replay.recording import Recording
from replay.replayer.compare import ABSENT, ROOT
from replay.replayer.first_look import instant_of
from replay.replayer.noise import REDACTED, Dependence, Noise
from replay.replayer.place import array_of
from replay.replayer.rule import Instant, Rule, kind_of
from replay.replayer.verdict import Verdict
from replay.report.pieces import value_text
from replay.testing.accept import accepted
from replay.testing.case_file import COLLECTED_SUFFIX, SUFFIX, CaseFile
from replay.testing.name import case_name, file_stem, hashed_stem, unique

Expect: TypeAlias = Literal["recorded", "replayed"]
_HERE = Returned | Raised


@dataclass(frozen=True, slots=True)
class SetAside:
    """A recording that is no case, and why; `is_drift`: somebody has to say which is right."""

    recording: Recording
    why: str
    is_drift: bool = False


Draft: TypeAlias = CaseFile | SetAside


@dataclass(frozen=True, slots=True)
class Target:
    """Where cases go: `fixtures` in the project's folder `root`; `folders` hold their handlers.

    `is_collected` has pytest collect each by itself; `handler` replaces the recorded one.
    """

    root: Path
    fixtures: Path
    folders: tuple[Path, ...] = ()
    is_collected: bool = False

    def path_of(self, stem: str, name: str) -> Path:
        """Return a case's file, in a function's folder."""
        suffix = COLLECTED_SUFFIX if self.is_collected else SUFFIX
        return self.fixtures / stem / f"{name}{suffix}"

    def relative_folders(self) -> tuple[str, ...]:
        """Return the folders of handlers as a case's file names them."""
        inside = (folder for folder in self.folders if folder != self.root)
        return tuple(os.path.relpath(folder, self.root) for folder in inside)


def drafts(
    verdicts: Iterable[tuple[Verdict, str]],
    target: Target,
    *,
    expect: Expect | None,
    names: "Names",
) -> Iterator[Draft]:
    """Yield what becomes of each verdict's recording, whose dotted handler comes with it.

    Names are those that recordings have already, else new ones.
    """
    for verdict, handler in verdicts:
        draft = _draft(verdict, handler, target, expect=expect)
        yield names.named(draft, target) if isinstance(draft, CaseFile) else draft


def _draft(verdict: Verdict, handler: str, target: Target, *, expect: Expect | None) -> Draft:
    recording, replay = verdict.recording, verdict.replay
    if verdict.error is not None or replay is None:
        return SetAside(recording, f"{verdict.error}{_warmth(recording)}")
    unstable = [it.path for it in verdict.dependences if it.factor is None]
    if unstable:
        return SetAside(recording, f"it is not the same in two replays, at {unstable[0]}")
    at = instant_of(recording, replay.duration_us)
    rules = _rules((*verdict.noise, *verdict.dependences), at)
    if rules is None:
        return SetAside(recording, "more of it varies than a rule can excuse")
    why = _why_isolated(verdict)
    file = CaseFile(
        path=target.fixtures / "case",
        name="case",
        handler=handler,
        recording=recording,
        # How a recording ended that has no end, only its replay can say.
        expected=replay.outcome if recording.outcome is None else recording.outcome,
        folders=target.relative_folders(),
        runs="here" if why is None else "isolated",
        why=why,
        rules=rules,
    )
    return _expecting(file, verdict, expect) if verdict.differences else file


def _warmth(recording: Recording) -> str:
    is_warm = recording.invocation.sandbox.earlier > 0
    return "; its sandbox was warm, and a test begins with a cold one" if is_warm else ""


def _expecting(file: CaseFile, verdict: Verdict, expect: Expect | None) -> Draft:
    if expect is None:
        first = verdict.differences[0]
        values = f"{value_text(first.recorded)} -> {value_text(first.replayed)}"
        more = f" and {len(verdict.differences) - 1} more" if verdict.differences[1:] else ""
        call = "" if first.call is None else f"{first.call} "
        why = f"it drifts at {call}{first.path}: {values}{more}{_warmth(file.recording)}"
        return SetAside(file.recording, why, is_drift=True)
    assert verdict.replay is not None
    if expect == "recorded":
        return replace(file, replayed=verdict.replay.outcome)
    try:
        return accepted(file, verdict)
    except ReplayError as error:
        return SetAside(file.recording, error.message)


def _why_isolated(verdict: Verdict) -> str | None:
    """Return why a case needs a process of its own, as far as replays say; None: it does not."""
    assert verdict.replay is not None
    if not isinstance(verdict.replay.outcome, _HERE):
        return f"{type(verdict.replay.outcome).__name__} is the end of a process"
    found = [*(it.factor for it in verdict.dependences), *(it.factor for it in verdict.noise)]
    if any(factor in ("hash seed", "environment order") for factor in found):
        return "it depends on the hash seed or the order of variables"
    if verdict.replay.wrote or verdict.replay.made:
        return "it writes files"
    if any(it.kind == "raced" for it in verdict.replay.findings):
        return "its threads run at once"
    return None


def _rules(found: Iterable[Noise | Dependence], at: Instant) -> tuple[Rule, ...] | None:
    """Return a rule for each place that varies; None where a place is more than one value."""
    rules: dict[tuple[str | None, str], Rule] = {}
    for it in found:
        if isinstance(it, Noise) and it.factor is None:
            if it.rule == REDACTED and it.call is not None:  # made of a pseudonym
                rules[it.call, it.path] = Rule(it.path, "token", None, it.call, like=it.replayed)
            continue  # a rule of the project's
        then, now = (it.recorded, it.replayed) if isinstance(it, Noise) else (it.here, it.elsewhere)
        rule = _rule(it, then, now, at)
        if rule is None:
            if isinstance(it, Noise):
                return None
            continue  # it is fixed in a replay, and has no kind that could be asserted
        rules[rule.call, rule.path] = rule
    return tuple(rules.values())


def _rule(it: Noise | Dependence, then: object, now: object, at: Instant) -> Rule | None:
    if it.path == ROOT or ABSENT in (then, now):
        return None
    array = array_of(it.path)
    if it.factor in ("hash seed", "environment order") and array is not None:
        return Rule(array, "order", it.factor, it.call)
    is_of_time = it.factor in ("clock", "deadline", "pace")
    if is_of_time and type(then) is type(now) and kind_of(then, then, at, "clock") == "time":
        return Rule(it.path, "time", it.factor, it.call)
    if is_of_time and isinstance(it, Dependence):
        return None  # a number that a replay fixes is asserted as it is
    kind = kind_of(then, now, at, it.factor)
    if kind is None:
        return None
    like = now if kind in ("token", "span", "number") else ABSENT
    return Rule(it.path, kind, it.factor, it.call, like=like)


class Names:
    """What cases are called: within a function no two the same, and one recording always alike."""

    def __init__(self, cases: Iterable[CaseFile] = ()) -> None:
        self._by_id: dict[str, str] = {}
        self._taken: defaultdict[str, set[str]] = defaultdict(set)
        self._stems: dict[str, str] = {}
        for file in cases:
            self._by_id[file.recording.id] = file.name
            self._taken[file.recording.invocation.function_name].add(file.name)
            self._stems[file.recording.invocation.function_name] = file.path.parent.name

    def named(self, file: CaseFile, target: Target) -> CaseFile:
        """Return a case with its name and its path."""
        recording, function_name = file.recording, file.recording.invocation.function_name
        name = self._by_id.get(recording.id)
        if name is None:
            taken = self._taken[function_name]
            name = unique(case_name(recording, file.expected), recording, taken)
            self._by_id[recording.id] = name
            taken.add(name)
        return replace(file, name=name, path=target.path_of(self._stem(function_name), name))

    def _stem(self, function_name: str) -> str:
        """Return a function's folder, which is no other's: `a-b` and `a_b` have one slug."""
        if function_name not in self._stems:
            stem = file_stem(function_name)
            is_taken = stem in self._stems.values()
            self._stems[function_name] = hashed_stem(function_name) if is_taken else stem
        return self._stems[function_name]
