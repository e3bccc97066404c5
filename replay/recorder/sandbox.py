"""The execution environment this process is: an id and a count of the invocations it has seen.

Drawn at the first invocation, not at import, and again after a fork: a SnapStart image or a forked
worker must not share its parent's id.
"""

import os
import sys
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from replay.recorder.ulid import new_ulid

if TYPE_CHECKING:
    from replay.recorder.importing import Import


class _Sandbox:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self.id = new_ulid()
        self.sequence = count(1)
        self.has_told_import = False
        self.python_version = ".".join(map(str, sys.version_info[:3]))


_current: _Sandbox | None = None
_import: "Import | None" = None


def sandbox_id() -> str:
    """Return the id of this sandbox."""
    return _sandbox().id


def _sandbox() -> _Sandbox:
    global _current  # noqa: PLW0603 - a process is one sandbox
    sandbox = _current
    if sandbox is None or sandbox.pid != os.getpid():
        sandbox = _current = _Sandbox()
    return sandbox


def next_place() -> dict[str, object]:
    """Return this sandbox and the next place in it, laid out as `invocation.Sandbox`."""
    sandbox = _sandbox()
    return {
        "id": sandbox.id,
        "sequence": next(sandbox.sequence),
        "python_version": sandbox.python_version,
        "runtime_client": _runtime_client_version(),
    }


def imported(app_import: "Import") -> None:
    """Take note of an import of the app that was watched: its calls belong to this sandbox."""
    global _import  # noqa: PLW0603 - a process imports one app
    _import = app_import


def outbound_calls() -> str:
    """Return which outbound calls a recording of this sandbox knows, as in `recording.Outbound`."""
    return "handler" if _import is None else "all"


def calls_at_import() -> Sequence[tuple[str, bytes]]:
    """Return the parts of the calls made at import, for the sandbox's first recording only."""
    sandbox = _current
    if _import is None or sandbox is None or sandbox.has_told_import:
        return ()
    sandbox.has_told_import = True
    return _import.held.parts


def _runtime_client_version() -> str | None:
    return getattr(sys.modules.get("awslambdaric"), "__version__", None)
