"""An exception as an outcome: what the runtime would report of it, and what a reader wants besides.

Loaded only when a handler raises, since `traceback` is not free. The frames are those below ours
(the decorator's, or the replayer's). Nothing of the exception is changed.
"""

import os
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Literal

from replay.asking import ask, is_our_file
from replay.outcome import ErrorLink, Exited, Raised

_MAX_LINKS = 10
_ARGUMENTS: Callable[[BaseException], tuple[object, ...]] = vars(BaseException)["args"].__get__
"""Where a class has a property of that name, these are there all the same."""
_UNREADABLE = "<its text cannot be read>"


def outcome_of_exception(error: BaseException, *, awaited: bool) -> Raised | Exited:
    """Return the outcome of a handler that ended in `error`.

    The runtime client reports an `Exception` and dies of anything else: with the status of a
    `SystemExit`, of SIGINT for a `KeyboardInterrupt`, with 1 otherwise, as of an exception that it
    cannot report: its text cannot be had or logged, the working directory is gone. A caller that
    awaits the handler itself gets whatever it raises.
    """
    if isinstance(error, SystemExit):
        return Exited(_exit_status(error.code))
    if isinstance(error, KeyboardInterrupt):
        return Exited(-2)
    message = _message(error)
    if not awaited and not (isinstance(error, Exception) and _can_be_reported(message)):
        return Exited(1)
    return Raised(
        error_type=type(error).__name__,
        module=type(error).__module__,
        message=_UNREADABLE if message is None else message,
        stack=_stack(error.__traceback__),
        arguments=_ARGUMENTS(error),
        chain=tuple(_chain(error)),
    )


def _exit_status(code: object) -> int:
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


def _message(error: BaseException) -> str | None:
    return ask(str, error, default=None)  # the client dies of a failing __str__


def _can_be_reported(message: str | None) -> bool:
    """Whether the client can log the message, and name the working directory beside it."""
    try:
        return message is not None and message.encode() is not None and bool(os.getcwd())
    except (UnicodeEncodeError, OSError):
        return False


def _stack(tb: TracebackType | None) -> tuple[str, ...]:
    while tb is not None and is_our_file(tb.tb_frame.f_code.co_filename):
        tb = tb.tb_next
    # Four-tuples, as the runtime client formats them: without the carets of newer Pythons.
    frames = [(f.filename, f.lineno or 0, f.name, f.line) for f in traceback.extract_tb(tb)]
    return tuple(traceback.format_list(frames))


def _chain(error: BaseException) -> Iterator[ErrorLink]:
    seen = {id(error)}
    current: Any = error
    while len(seen) <= _MAX_LINKS:
        cause = current.__cause__  # an exception may be false
        link: Literal["cause", "context"] = "context" if cause is None else "cause"
        hidden = cause is None and current.__suppress_context__
        current = None if hidden else current.__context__ if cause is None else cause
        if current is None or id(current) in seen:
            return
        seen.add(id(current))
        yield ErrorLink(
            link=link,
            error_type=type(current).__name__,
            module=type(current).__module__,
            message=_message(current) or "",
            stack=_stack(current.__traceback__),
        )
