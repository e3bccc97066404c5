"""The execution environment this process is: an id and a count of the invocations it has seen.

Drawn at the first invocation, not at import, and again after a fork: a SnapStart image or a forked
worker must not share its parent's id.
"""

import os
import sys
from itertools import count

from replay.recorder.ulid import new_ulid


class _Sandbox:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self.id = new_ulid()
        self.sequence = count(1)
        self.python_version = ".".join(map(str, sys.version_info[:3]))


_current: _Sandbox | None = None


def next_place() -> dict[str, object]:
    """Return this sandbox and the next place in it, laid out as `invocation.Sandbox`."""
    global _current  # noqa: PLW0603 - a process is one sandbox
    sandbox = _current
    if sandbox is None or sandbox.pid != os.getpid():
        sandbox = _current = _Sandbox()
    return {
        "id": sandbox.id,
        "sequence": next(sandbox.sequence),
        "python_version": sandbox.python_version,
        "runtime_client": _runtime_client_version(),
    }


def _runtime_client_version() -> str | None:
    return getattr(sys.modules.get("awslambdaric"), "__version__", None)
