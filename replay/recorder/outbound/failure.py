"""Exceptions that calls end in: kept as values, and built again as what they were.

Imports the standard library and this package. Invariant: a recording names no class but those of
the libraries that calls are made with, and none of a module that is not loaded.
"""

import sys
from typing import Any, TypeVar

from replay.errors import ReplayError
from replay.interaction import Failure, Stage

Raised = TypeVar("Raised", bound=BaseException)
_MAX_CAUSES = 5
_PLAIN = str | bytes | int | float | None
_KEYWORDS = ("code", "message", "path", "status")
"""What constructors of exceptions want by name, and keep by it."""
_LIBRARIES = frozenset(
    {"aiohttp", "anyio", "asyncio", "builtins", "h11", "h2", "httpcore", "httpx", "socket", "ssl"}
)
"""Where the class of a recorded exception may come from: a recording names no others."""


def failure_of(error: BaseException, stage: Stage, **keywords: Any) -> Failure:
    """Return what a call ended in; in its body `response` is what had come of an answer."""
    return _failure(error, stage, _MAX_CAUSES, keywords)


def _failure(error: BaseException, stage: Stage, causes: int, keywords: dict[str, Any]) -> Failure:
    kind, cause = type(error), error.__cause__
    is_plain = all(isinstance(it, _PLAIN) for it in error.args)
    found = {name: vars(error)[name] for name in _KEYWORDS if name in vars(error)}
    return Failure(
        kind.__name__,
        kind.__module__,
        str(error),
        error.args if is_plain else (),
        {name: value for name, value in found.items() if isinstance(value, _PLAIN)} | keywords,
        stage,
        _failure(cause, stage, causes - 1, {}) if cause is not None and causes else None,
    )


def class_of(failure: Failure) -> type[Exception] | None:
    """Return the class of a recorded exception, where its library is loaded."""
    kind = _known_class_of(failure)
    return kind if kind is not None and issubclass(kind, Exception) else None


def _known_class_of(failure: Failure) -> type[BaseException] | None:
    is_known = failure.module.partition(".")[0] in _LIBRARIES
    found = getattr(sys.modules.get(failure.module), failure.error_type, None) if is_known else None
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def rebuilt(failure: Failure) -> Exception | None:
    """Return a recorded exception with its causes; None where it cannot be had."""
    error = _rebuilt(failure)
    return error if isinstance(error, Exception) else None


def _rebuilt(failure: Failure | None) -> BaseException | None:
    kind = _known_class_of(failure) if failure is not None else None
    if failure is None or kind is None:
        return None
    arguments = failure.arguments or ((failure.message,) if failure.message else ())
    for args, keywords in ((arguments, {}), ((), failure.keywords)):
        try:
            return caused(kind(*args, **keywords), failure.cause)
        except Exception:  # noqa: BLE001, S112 - it may be of another version
            continue
    return None


def caused(error: Raised, cause: Failure | None) -> Raised:
    """Return an exception as one that a recorded cause led to."""
    found = _rebuilt(cause)
    if found is not None:
        error.__cause__ = error.__context__ = found
    return error


def unknown(failure: Failure) -> ReplayError:
    """Return what is raised in the place of an exception that cannot be had."""
    name = f"{failure.module}.{failure.error_type}"
    message = f"the recorded call ended in {name}, which cannot be raised here: {failure.message}"
    return ReplayError(message, "install the version of its library that was recorded with")


def is_cancellation(failure: Failure) -> bool:
    """Whether a call ended because somebody else had no more use for it."""
    return failure.error_type in ("CancelledError", "Cancelled")  # asyncio's, trio's
