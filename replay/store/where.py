"""Whether an event has values at paths: what no column tells. Pure."""

from collections.abc import Iterable

from replay.jsonpath import find
from replay.recording import Recording


def has_values(found: Recording, where: Iterable[tuple[str, object]]) -> bool:
    """Whether the event has each value, of its very type, at its JSONPath."""
    event = found.invocation.event
    if not isinstance(event, dict | list):
        return False
    nodes = ((find(path, event, f"recording {found.id}"), value) for path, value in where)
    return all(
        any(type(one) is type(value) and one == value for one in there.values())
        for there, value in nodes
    )
