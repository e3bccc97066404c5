"""Measuring by `sys.settrace`, below Python 3.12.

The function that Python calls first returns None for what is not the project's, so that libraries
run almost at their own speed.
"""

import sys
import threading
from types import FrameType
from typing import Any

from replay.replayer.coverage import EXIT
from replay.replayer.tracing.measured import Files, Unit

_RESUMED = 0x20 | 0x80 | 0x200
"""Flags of the code of generators, coroutines and asynchronous generators."""


class Tracing:
    """Adds what is run to `files`: in this thread between `start` and `stop`, in others always."""

    def __init__(self, files: Files) -> None:
        self._files = files
        threading.settrace(self._enter)

    def start(self) -> None:
        """Trace this thread."""
        sys.settrace(self._enter)

    def stop(self) -> None:
        """Trace it no longer."""
        sys.settrace(None)

    def _enter(self, frame: FrameType, _what: str, _argument: object) -> Any:
        # Reading a frame's code is an audit event, which the guards' hooks hear: most frames are
        # told apart by their module's file, and the line that their function begins in.
        name = frame.f_globals.get("__file__")
        file = self._files[name] if type(name) is str else None
        unit = None if file is None else file.beginning.get(frame.f_lineno)
        if unit is None:
            if file is None and type(name) is str:
                return None
            code = frame.f_code
            file = self._files[code.co_filename]
            if file is None:
                return None
            unit = file.unit(code)
        if unit.is_done():
            return None
        return _of_branches(unit, frame) if unit.map.targets else _of_lines(unit)


def _of_lines(unit: Unit) -> Any:
    add = unit.lines.add

    def trace(frame: FrameType, what: str, _argument: object) -> None:
        if what == "line":
            add(frame.f_lineno)

    return trace  # returning None it stays in place, and refers to nothing that refers to it


def _of_branches(unit: Unit, entered: FrameType) -> Any:
    add, add_branch = unit.lines.add, unit.branches.add
    targets, leaves, returns = unit.map.targets, unit.map.leaves, unit.map.returns
    before = entered.f_lineno if unit.code.co_flags & _RESUMED else 0

    def trace(frame: FrameType, what: str, _argument: object) -> None:
        nonlocal before
        if what == "line":
            line = frame.f_lineno
            add(line)
            if before in targets and line in targets[before]:
                add_branch((before, line))
            before = line
        elif before in leaves and what == "return" and frame.f_lasti in returns:
            add_branch((before, EXIT))

    return trace
