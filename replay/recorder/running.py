"""Whose outbound calls are made right now: those of an invocation under way, or of an import.

A context variable tells it; in threads, which do not inherit it, there being only one does. Loaded
with the recorder: what a call is written as is loaded with the first library that makes calls.
"""

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Protocol

from replay.recorder.guard import pass_on

if TYPE_CHECKING:
    from replay.recorder.calls import Calls
    from replay.recorder.funnel import Funnel


class Caller(Protocol):
    """What calls belong to; `calls` are those made so far, None before the first."""

    calls: "Calls | None"
    funnel: "Funnel"
    token: "Token[Caller | None] | None"

    @property
    def max_bytes(self) -> int:
        """How much of a body is kept."""

    @property
    def reads_ms(self) -> list[int]:
        """The remaining-time reads up to now."""

    @property
    def at_import(self) -> bool:
        """Whether it is an import."""

    def write_call(self, kind: str, payload: bytes) -> None:
        """Keep a part of a call."""


_current: ContextVar[Caller | None] = ContextVar("replay_caller", default=None)
_is_ours: ContextVar[bool] = ContextVar("replay_is_ours", default=False)
_running: list[Caller] = []


def begin(caller: Caller) -> None:
    """Let calls of this context belong to `caller`, and those of threads if there is no other."""
    _running.append(caller)
    caller.token = _current.set(caller)


def end(caller: Caller) -> None:
    """End what `begin` began; answers that were not read to their end are cut off."""
    if caller in _running:
        _running.remove(caller)
    token, caller.token = caller.token, None
    reset(_current, token)
    if caller.calls is not None:
        caller.calls.close()


def belong_to_nobody() -> None:
    """Let calls of this context, that of a thread of ours, belong to no invocation."""
    _is_ours.set(True)


def reset(variable: ContextVar[Any], token: Token[Any] | None) -> None:
    """Give a context variable the value that it had before the token was given, if one was."""
    if token is not None:
        try:
            variable.reset(token)
        except ValueError as error:  # a coroutine that was closed in another context
            pass_on(error)
            variable.set(None)


def is_any() -> bool:
    """Whether anything is under way."""
    return bool(_running)


def of_this_call() -> Caller | None:
    """Return whose call is being made; None where nobody can say."""
    caller = _current.get()
    if caller is not None and caller in _running:
        return caller
    running = _running[:]
    return running[0] if len(running) == 1 and not _is_ours.get() else None
