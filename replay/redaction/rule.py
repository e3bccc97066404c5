"""Rules of the user's own: which names, places and values are secret besides those that are known.

A rule is a name pattern (`customer*`), a JSONPath (`$.detail.customer.phone`), or a callable that
is given the name and the value of each leaf and returns what is to be stored. `!pattern` says that
a name is not secret. Standard library only.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from re import compile as compile_pattern
from typing import Any, TypeAlias

from replay.asking import is_answer
from replay.errors import RedactionError, SettingsError
from replay.redaction.name import Secrecy, secrecy_of
from replay.settings import RedactRule

LeafRule: TypeAlias = Callable[[str, Any], Any]
_STEP = compile_pattern(
    r"\.\.(?P<deep>[\w\-]+)|\.(?P<name>[\w\-]+|\*)|\[(?P<index>\d+|\*)\]"
    r"""|\[(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\]"""
)
ANY = object()
"""A step of a path that takes every member."""


@dataclass(frozen=True, slots=True)
class Path:
    """A JSONPath of names, indices, `*` and `..name`, as a text and as its steps."""

    text: str
    steps: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Deep:
    name: str


@dataclass(frozen=True, slots=True)
class OwnRules:
    """What a user has added to the rules."""

    names: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()
    leaf_rules: tuple[LeafRule, ...] = ()

    def secrecy_of(self, name: str) -> Secrecy:
        """Return what a name says, by these rules and by those that are known."""
        lowered = name.lower()
        if any(fnmatchcase(lowered, pattern) for pattern in self.exempt):
            return Secrecy.HARMLESS
        if any(fnmatchcase(lowered, pattern) for pattern in self.names):
            return Secrecy.SECRET
        return secrecy_of(name)


def own_rules(rules: Iterable[RedactRule]) -> OwnRules:
    """Return rules as they are applied; raises SettingsError, naming the one that is off."""
    names: list[str] = []
    exempt: list[str] = []
    paths: list[Path] = []
    leaf_rules: list[LeafRule] = []
    for rule in rules:
        if callable(rule):
            leaf_rules.append(rule)
        elif not isinstance(rule, str) or not rule:
            raise SettingsError(
                f"a rule for redaction is {rule!r}",
                'write a name pattern ("customer*"), a JSONPath ("$.detail.phone") or a function',
            )
        elif rule.startswith("$"):
            paths.append(path_of(rule))
        elif rule.startswith("!"):
            exempt.append(rule[1:].lower())
        else:
            names.append(rule.lower())
    return OwnRules(tuple(names), tuple(exempt), tuple(paths), tuple(leaf_rules))


def path_of(text: str) -> Path:
    """Return the path that a JSONPath names; raises SettingsError where it is none of ours."""
    at, steps = 1, []
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise SettingsError(
                f"{text!r} is no path for redaction, from {text[at:]!r} on",
                "names, [0], [*], * and ..name are known: $.Records[*].body.phone",
            )
        steps.append(_step_of(match.groupdict()))
        at = match.end()
    if not steps:
        raise SettingsError("the path $ would redact everything", "write REPLAY_REDACT=strict")
    return Path(text, tuple(steps))


def _step_of(found: dict[str, str | None]) -> Any:
    if found["deep"] is not None:
        return _Deep(found["deep"])
    if found["quoted"] is not None:
        return found["quoted"]
    if found["index"] is not None:
        return ANY if found["index"] == "*" else int(found["index"])
    return ANY if found["name"] == "*" else found["name"]


def places(value: Any, steps: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield each container and key in it that a path leads to."""
    step, rest = steps[0], steps[1:]
    for key in list(_keys(value, step)):
        if not rest:
            yield value, key
        else:
            yield from places(value[key], rest)
    if isinstance(step, _Deep) and isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from places(item, steps)


def _keys(value: Any, step: Any) -> Iterable[Any]:
    if isinstance(step, _Deep):
        step = step.name
    if isinstance(value, dict):
        return list(value) if step is ANY else [step] if step in value else []
    if isinstance(value, list):
        if step is ANY:
            return range(len(value))
        return [step] if isinstance(step, int) and step < len(value) else []
    return []


def apply_leaf_rules(rules: Sequence[LeafRule], value: Any, name: str = "") -> Any:
    """Return a value with each leaf as the rules have it; raises RedactionError if one fails."""
    if isinstance(value, dict):
        return {key: apply_leaf_rules(rules, item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [apply_leaf_rules(rules, item, name) for item in value]
    for rule in rules:
        try:
            value = rule(name, value)
        except Exception as error:
            if not is_answer(error):
                raise
            what = getattr(rule, "__name__", type(rule).__name__)
            raise RedactionError(f"the rule {what} failed: {type(error).__name__}") from error
    return value
