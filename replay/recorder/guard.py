"""The recorder's one guard: our own failures are said once on stderr, everything else passes.

Exceptions that belong to the host - its timeout raised from a signal handler while our code runs,
`KeyboardInterrupt`, `SystemExit` - go through untouched and reach the host exactly once.
"""

import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, TypeVar

from replay.asking import ask, is_our_file, is_stdlib_file
from replay.errors import ReplayError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_MODULES = ("builtins", "sqlite3", "orjson", "json.decoder")
"""Of the exceptions that our own steps may end in."""
_said: set[str] = set()
_failures: dict[int, int] = {}
"""How many steps have failed, for each process: a fork has its own."""


def guarded(
    step: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result | None:
    """Return what `step` returns, or None after saying on stderr that it failed."""
    try:
        return step(*args, **kwargs)
    except Exception as error:
        if not _is_ours(error):
            raise
        _failures[os.getpid()] = failures() + 1
        say_once(f"{type(error).__name__}: {error}")
        return None


def attempted(
    step: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result | None:
    """Return what `guarded` does, of a step whose failure costs no part."""
    done = []

    def attempt() -> Result:
        result = step(*args, **kwargs)
        done.append(True)
        return result

    result = guarded(attempt)
    if not done:
        _failures[os.getpid()] = failures() - 1  # other threads' failures count
    return result


def failures() -> int:
    """Return how many steps have failed in this process: each has cost a part."""
    return _failures.get(os.getpid(), 0)


def say_once(message: str) -> None:
    """Write one line to stderr the first time that `message` occurs in this process."""
    if message in _said or len(_said) > 100:
        return
    _said.add(message)
    ask(_print, f"replay: {_line(message)}", default=None)  # it may be closed, or the host's own


def _print(line: str) -> None:
    if sys.stderr is not None:  # else `print` would take stdout
        print(line, file=sys.stderr)


def pass_on(error: Exception) -> None:
    """Raise an exception that is the host's, such as a TimeoutError from its signal handler."""
    if not _is_ours(error):
        raise error


def _line(message: str) -> str:
    """Return a message as one line that commands no terminal: it may quote somebody else."""
    if message.isprintable():
        return message
    return "".join([c if c.isprintable() else ascii(c)[1:-1] for c in message])


def _is_ours(error: Exception) -> bool:
    module = type(error).__module__
    known = isinstance(error, ReplayError) or module in _MODULES
    if type(error) is TimeoutError and error.errno is None:  # no system call's
        return False
    path = _innermost_file(error.__traceback__)
    return known and (is_our_file(path) or is_stdlib_file(path))


def _innermost_file(traceback: TracebackType | None) -> str:
    path = ""
    while traceback is not None:
        path = traceback.tb_frame.f_code.co_filename
        traceback = traceback.tb_next
    return path
