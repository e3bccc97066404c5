"""Measuring by `sys.monitoring`, from Python 3.12 on.

Events are asked for of the project's code objects alone. Turning a place off saves its next calls
and costs all code a visit when it is turned on again for the next case; so that is done only in a
case that comes by the same places thousands of times.
"""

import sys
from types import CodeType
from typing import Any

from replay.replayer.tracing.measured import Files, Unit

_PATIENCE = 5_000
"""How often a case may come by places that it has come by before until those are turned off."""


class Monitoring:
    """Adds what is run to `files`, in all threads, between `start` and `stop` and outside alike."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._units: dict[int, Unit] = {}
        self._seen: set[tuple[int, int, int]] = set()
        self._patience = _PATIENCE
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
        self._monitoring = monitoring
        self._tool = monitoring.COVERAGE_ID
        self._off = monitoring.DISABLE
        events = monitoring.events
        monitoring.use_tool_id(self._tool, "replay")
        self._own_events = events.LINE
        register = monitoring.register_callback
        if hasattr(events, "BRANCH_LEFT"):  # Python 3.14: each direction by itself
            self._own_events |= events.BRANCH_LEFT | events.BRANCH_RIGHT
            register(self._tool, events.BRANCH_LEFT, self._branch)
            register(self._tool, events.BRANCH_RIGHT, self._branch)
        else:
            self._own_events |= events.BRANCH
            register(self._tool, events.BRANCH, self._either_branch)
        register(self._tool, events.LINE, self._line)
        register(self._tool, events.PY_START, self._enter)
        monitoring.set_events(self._tool, events.PY_START)

    def start(self) -> None:
        """Have a case see every place again."""
        self._seen.clear()
        if self._patience < 0:
            self._monitoring.restart_events()
        self._patience = _PATIENCE

    def stop(self) -> None:
        """Leave it on: nothing of the project runs before the next case."""

    def _enter(self, code: CodeType, _offset: int) -> object:
        file = self._files[code.co_filename]
        if file is not None and id(code) not in self._units:
            self._units[id(code)] = file.units.get(id(code)) or file.add(code)
            self._monitoring.set_local_events(self._tool, code, self._own_events)
        return self._off

    def _line(self, code: CodeType, line: int) -> object:
        lines = self._units[id(code)].lines
        if line not in lines:
            lines.add(line)
            return None
        return self._again()

    def _again(self) -> object:
        self._patience -= 1
        return self._off if self._patience < 0 else None

    def _branch(self, code: CodeType, source: int, destination: int) -> object:
        if (id(code), source, destination) in self._seen:
            return self._again()
        self._add(code, source, destination)
        return None

    def _either_branch(self, code: CodeType, source: int, destination: int) -> object:
        """As `_branch`, where both directions are turned off together."""
        place = id(code), source
        if (*place, destination) not in self._seen:
            self._add(code, source, destination)
            self._seen.add((*place, -1 if (*place, -2) in self._seen else -2))
        elif (*place, -1) in self._seen:
            return self._again()
        return None

    def _add(self, code: CodeType, source: int, destination: int) -> None:
        self._seen.add((id(code), source, destination))
        unit = self._units[id(code)]
        line, to = unit.map.line(source), unit.map.target(source, destination)
        if line is not None and to is not None and to in unit.map.targets.get(line, ()):
            unit.branches.add((line, to))
