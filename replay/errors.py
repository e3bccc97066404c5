"""Errors that a person reads: what happened, to which thing, why, and the command that mends it.

Imports the standard library alone, so that every other module can raise them. A `ReplayError` is
always an answer to the user and never a bug of ours; whatever else escapes a command is reported as
a bug.
"""

from collections.abc import Callable
from copyreg import __newobj__  # type: ignore[attr-defined]
from typing import Any

MISUSE = 2
"""Exit code of everything that could not be replayed or was asked for wrongly."""


class ReplayError(Exception):
    """A clear, one-line failure with its remedy; `exit_code` is what the command ends with."""

    def __init__(self, message: str, hint: str = "", exit_code: int = MISUSE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...], dict[str, Any]]:
        # Children are made of other things than a message; what is copied is what was made of them.
        return __newobj__, (type(self), *self.args), vars(self)


class SettingsError(ReplayError):
    """A setting cannot be understood; the message names where it came from."""


class StoreError(ReplayError):
    """The store as a whole cannot be used: absent, foreign, damaged, of another revision."""


class DamagedError(ReplayError):
    """One recording cannot be read; the others can."""


class UnknownError(ReplayError):
    """There is no such recording, or another process has deleted it meanwhile."""


class RedactionError(ReplayError):
    """A captured value cannot be redacted within bounds; it is not stored then."""
