"""Whether a rule still has something to say: that there is a place where it says there is. Pure."""

from typing import Any

from replay.outcome import Outcome, Raised, Returned
from replay.replayer.compare import ABSENT, Difference, error_payload, parsed, value_of
from replay.replayer.noise import Noise
from replay.replayer.query import is_place, steps_of
from replay.replayer.rule import Rule, is_at
from replay.replayer.verdict import Verdict
from replay.testing.case_file import CaseFile


def unused_rules(file: CaseFile, verdict: Verdict) -> tuple[Rule, ...]:
    """Return the rules of a case that excuse nothing, and whose places are not there any more."""
    if verdict.replay is None:
        return ()
    outcomes = file.expected, verdict.replay.outcome
    calls = {f"{it.sequence} {it.call.name}" for it in file.recording.interactions}
    return tuple(
        rule
        for rule in file.rules
        if not any(is_at(rule, _difference(it)) for it in verdict.noise)
        and not _is_there(rule, outcomes, calls)
    )


def _difference(noise: Noise) -> Difference:
    return Difference(noise.path, noise.recorded, noise.replayed, noise.call)


def _is_there(rule: Rule, outcomes: tuple[Outcome | None, ...], calls: set[str]) -> bool:
    if not is_place(rule.path):
        return True  # of several places it cannot be said so easily
    if rule.call is not None:
        return rule.call in calls or rule.call == "*"
    return any(_has_place(rule.path, outcome) for outcome in outcomes)


def _has_place(path: str, outcome: Outcome | None) -> bool:
    if isinstance(outcome, Raised):
        value: Any = error_payload(outcome)
    elif isinstance(outcome, Returned):
        value = value_of(outcome)
    else:
        return False
    for step in steps_of(path):
        value = _at(value, step)
        if value is ABSENT:
            return False
    return True


def _at(value: Any, step: str | int) -> Any:
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            value = parsed(value)  # paths lead into JSON inside of strings
        except (ValueError, RecursionError):
            return ABSENT
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return ABSENT
