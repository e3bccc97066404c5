"""`--pdb`: a replayed handler in Python's debugger, on the terminal.

At the handler's first line, or where it raised; the world of the replay is in force throughout.
"""

import pdb
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from replay.asking import is_our_file
from replay.recorder.decorator import function_of


@contextmanager
def breaking_at_entry(function: Callable[..., Any]) -> Iterator[None]:
    """Open the debugger at the first line of a handler that is called within."""
    code = getattr(function_of(function), "__code__", None)

    def trace(frame: FrameType, what: str, _argument: object) -> Any:
        if what != "call" or frame.f_code is not code:
            return None
        debugger = pdb.Pdb()
        debugger.set_trace(frame)
        return debugger.trace_dispatch

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)


def look_at(error: Exception) -> None:
    """Open the debugger where `error` was raised."""
    print(f"{type(error).__name__}: {error}")
    debugger = pdb.Pdb()
    debugger.reset()
    debugger.interaction(None, _handlers_own(error.__traceback__))


def _handlers_own(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and is_our_file(traceback.tb_frame.f_code.co_filename):
        traceback = traceback.tb_next
    return traceback
