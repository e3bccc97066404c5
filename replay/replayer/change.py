"""Values set in the event of a case, in the place of the recorded ones. Pure."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from replay.codec import decode, encode
from replay.errors import ReplayError
from replay.replayer.case import Case, Change

_Place: TypeAlias = tuple[tuple[str | int, ...], str, Any]
"""Where a path leads: the steps there, the path of this place alone, and what stands there."""


def changed(case: Case, settings: Iterable[tuple[str, object]]) -> Case:
    """Return the case with each JSONPath (RFC 9535) of its event set to a value.

    Raises ReplayError for a path that matches nothing.
    """
    event = decode(encode(case.recording.invocation.event))
    changes: list[Change] = []
    for path, value in settings:
        found = _find(path, event, case.recording.id)
        if not found:
            raise ReplayError(
                f"recording {case.recording.id}: --set {path} matches nothing in its event",
                f"replay show {case.recording.id[-8:]} shows the event",
            )
        for location, where, recorded in _outermost(found):
            changes.append(Change(where, recorded, value))
            event = _with_value(event, location, value)
    return case.with_event(event, tuple(changes))


def _find(path: str, event: Any, id: str) -> list[_Place]:
    from replay.jsonpath import find  # with what it imports 30 ms, for this one option

    if not isinstance(event, dict | list):
        return [((), "$", event)] if path == "$" else []
    return [
        (tuple(node.location), node.path(), node.value)
        for node in find(path, event, f"recording {id}")
    ]


def _outermost(found: list[_Place]) -> list[_Place]:
    """Return the places that are in no other one of them: that is not there once it is set."""
    locations = {location for location, _, _ in found}
    return [
        it for it in found if not any(it[0][:depth] in locations for depth in range(len(it[0])))
    ]


def _with_value(event: Any, location: tuple[str | int, ...], value: object) -> Any:
    if not location:
        return value
    *parents, last = location
    holder = event
    for step in parents:
        holder = holder[step]
    holder[last] = value
    return event
