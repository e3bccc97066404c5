"""Whether a path of a report is one of those that an RFC 9535 query names. Pure."""

import re
from typing import Any

from replay.errors import ReplayError

_STEP = re.compile(r"\.([^.\[\]'\"]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]")
_MAX_INDEX = 100_000


def matches(query: str, path: str) -> bool:
    """Return whether `query` names the place at `path`; raises ReplayError for a bad query.

    Filters that look at values name nothing: a place is all that there is to look at.
    """
    steps = steps_of(path)
    if any(isinstance(step, int) and step > _MAX_INDEX for step in steps):
        return False
    found = _find(query, _document_with(steps))
    return any(tuple(node.location) == steps for node in found)


def _find(query: str, document: Any) -> Any:
    try:
        import jsonpath_rfc9535 as jsonpath  # 30 ms, for such rules alone
    except ImportError as error:
        raise ReplayError(
            f"the rule for {query} names several places, which takes a library to read",
            "pip install jsonpath-rfc9535",
        ) from error
    try:
        return jsonpath.find(query, document)
    except jsonpath.JSONPathError as error:
        raise ReplayError(
            f"the rule for {query} is no JSONPath ({error})", "write it as in RFC 9535: $.items[*]"
        ) from error


def steps_of(path: str) -> tuple[str | int, ...]:
    """Return the names and indices that lead to a place, as reports write it."""
    return tuple(
        int(index) if index else name or re.sub(r"\\(.)", r"\1", quoted)
        for name, index, quoted in _STEP.findall(path)
    )


def _document_with(steps: tuple[str | int, ...]) -> Any:
    """Return the smallest document that has a place there."""
    document: Any = None
    for step in reversed(steps):
        document = [None] * step + [document] if isinstance(step, int) else {step: document}
    return document
