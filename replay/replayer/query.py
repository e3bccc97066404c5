"""Whether a path of a report is one of those that an RFC 9535 query names. Pure."""

import re
from importlib.util import find_spec
from typing import Any

from replay.errors import ReplayError

_STEP = re.compile(r"\.([^.\[\]'\"]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]")
_MAX_INDEX = 100_000
_MAX_DESCENTS = 2
"""Each multiplies the time by the depth of what is compared."""
_UNPLACED = re.compile(r"\[\s*-|:\s*-|\?")
_EVERYTHING = re.compile(r"\$(\.\.?\*|(\.\.)?\[\s*\*\s*\])?\Z")


def check(query: str) -> None:
    """Raise ReplayError for a query that no rule may have: of nothing, everything, or by value."""
    if _EVERYTHING.match(query):
        raise ReplayError(f"a rule excuses {query}, the whole payload", "name the path that varies")
    if not query.startswith("$"):
        raise ReplayError(f"the rule for {query} begins with no $", "write it as $.items[*].id")
    if _UNPLACED.search(query):
        raise ReplayError(
            f"the rule for {query} counts from an end, or looks at values",
            "name places: $.items[0].id, $.items[*].id",
        )
    if query.count("..") > _MAX_DESCENTS:
        raise ReplayError(f"the rule for {query} looks everywhere too often", "name the places")
    if not is_place(query) and find_spec("jsonpath_rfc9535") is not None:
        _find(query, None)


def is_place(path: str) -> bool:
    """Whether a query names a single place, as reports write it."""
    return "".join(match[0] for match in _STEP.finditer(path)) == path[1:]


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
