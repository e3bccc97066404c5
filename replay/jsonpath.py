"""RFC 9535 queries of events, as options and settings give them.

Imports errors, and the library when it is asked: it takes 30 ms. Invariant: whatever a query or the
value says, it ends in an answer or a ReplayError.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from replay.errors import ReplayError

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathNodeList

_MAX_CHARACTERS = 2_000
"""Each step of a query takes of the interpreter's own stack, which ends the process."""
_MAX_QUOTED = 200
_MAX_DEPTH = 2_000
"""Twice what Lambda's parser takes; the library's own limit is a hundred."""


def check_path(path: str, what: str) -> None:
    """Raise ReplayError, naming the option or setting `what`, where `path` is no JSONPath."""
    import jsonpath_rfc9535 as jsonpath

    if len(path) > _MAX_CHARACTERS:
        raise ReplayError(f"{what}: a path of {len(path):,} characters", path_hint(what))
    try:
        _environment().compile(path)
    except (jsonpath.JSONPathError, RecursionError) as error:
        why = str(error) or "nested too deeply"
        raise ReplayError(f"{what} {shorten(path)!r}: {why}", path_hint(what)) from error


def find(path: str, value: Any, where: str) -> "JSONPathNodeList":
    """Return the nodes of `value` at `path`; raises ReplayError, naming `where` the value is."""
    import jsonpath_rfc9535 as jsonpath

    try:
        return _environment().find(path, value)
    except (jsonpath.JSONPathError, RecursionError) as error:
        why = str(error) or "nested too deeply"
        raise ReplayError(
            f"{where}: {path} cannot be looked for ({why})", "name a place"
        ) from error


@cache
def _environment() -> "JSONPathEnvironment":
    from jsonpath_rfc9535 import JSONPathEnvironment

    environment = JSONPathEnvironment()
    environment.max_recursion_depth = _MAX_DEPTH
    return environment


def path_hint(what: str) -> str:
    """Return how an option that takes a path and a value is written."""
    return f"write {what} '$.detail.id=42'"


def shorten(text: str) -> str:
    """Return a text as a message can quote it."""
    return text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}..."
