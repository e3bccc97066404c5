"""Our frames in the trace of an exception that has come through a hooked library, taken out again.

The runtime reports a trace to the invoker, which is to be what it would be without capture.
"""

import os
from types import TracebackType

_HERE = os.path.join(os.path.dirname(__file__), "")
_MAX_LINKS = 20


def without_hooks(error: BaseException | None) -> None:
    """Take the frames of this package out of an exception's trace, and of those it hangs on."""
    for _ in range(_MAX_LINKS):
        if error is None:
            return
        _skip(error.__traceback__)
        # An exception may be false.
        error = error.__context__ if error.__cause__ is None else error.__cause__


def _skip(trace: TracebackType | None) -> None:
    while trace is not None:
        following = trace.tb_next
        while following is not None and _is_hook(following):
            following = following.tb_next
        if following is not trace.tb_next:
            trace.tb_next = following
        trace = following


def _is_hook(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(_HERE)
