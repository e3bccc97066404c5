"""Measuring by `sys.monitoring`, from Python 3.12 on.

Events are asked for of the project's code objects alone. Turning a place off saves its next calls
and costs all code a visit when it is turned on again for the next case; so that is done only in a
case that comes by the same places thousands of times.
"""

import sys
from types import CodeType
from typing import Any

from replay.replayer.tracing.measured import Files, Jump, Unit

_PATIENCE = 5_000
"""How often a case may come by places that it has come by before until those are turned off."""


class Monitoring:
    """Adds what is run to `files`, in all threads, between `start` and `stop` and outside alike."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._jumps: list[Jump] = []
        self._patience = _PATIENCE
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
        self._monitoring = monitoring
        self._tool = monitoring.COVERAGE_ID
        self._off = monitoring.DISABLE
        events = monitoring.events
        monitoring.use_tool_id(self._tool, "replay")
        register = monitoring.register_callback
        self._has_directions = hasattr(events, "BRANCH_LEFT")  # from Python 3.14 on
        names = ("BRANCH_LEFT", "BRANCH_RIGHT") if self._has_directions else ("BRANCH",)
        self._line_events, self._branch_events = events.LINE, 0
        for name in names:
            self._branch_events |= getattr(events, name)
            register(self._tool, getattr(events, name), self._branch)
        register(self._tool, events.LINE, self._line)
        register(self._tool, events.PY_START, self._enter)
        monitoring.set_events(self._tool, events.PY_START)

    def start(self) -> None:
        """Have a case see every place again."""
        for jump in self._jumps:
            jump.seen.clear()
        if self._patience < 0:
            self._monitoring.restart_events()
        self._patience = _PATIENCE

    def stop(self) -> None:
        """Leave it on: nothing of the project runs before the next case."""

    def _enter(self, code: CodeType, _offset: int) -> object:
        file = self._files[code.co_filename]
        if file is not None:
            has_branches = bool(file.unit(code).map.targets)
            events = self._line_events | (self._branch_events if has_branches else 0)
            self._monitoring.set_local_events(self._tool, code, events)
        return self._off

    def _line(self, code: CodeType, line: int) -> object:
        lines = self._files.own(code).ran(code).lines
        if line not in lines:
            lines.add(line)
            return None
        return self._again()

    def _again(self) -> object:
        self._patience -= 1
        return self._off if self._patience < 0 else None

    def _branch(self, code: CodeType, source: int, destination: int) -> object:
        unit = self._files.own(code).unit(code)
        jump = unit.jumps.get(source) or self._jump(unit, source)
        if not jump.counts:
            return self._off
        if destination not in jump.seen:
            jump.seen.add(destination)
            jump.take(destination)
            return None
        # Before Python 3.14 both directions are turned off together.
        is_done = self._has_directions or len(jump.seen) > 1
        return self._again() if is_done else None

    def _jump(self, unit: Unit, source: int) -> "Jump":
        jump = unit.jumps.setdefault(source, Jump(unit, source))
        self._jumps.append(jump)
        return jump
