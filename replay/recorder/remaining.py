"""Every value that the handler reads from `get_remaining_time_in_millis()`, in order.

The runtime client's class is wrapped once; which invocation a value belongs to is told by a context
variable, and in threads, which do not inherit it, by the context object. An attribute set on the
instance would show in `vars(context)` and break pickling, so only contexts of other classes get
one, where they have a plain instance dictionary; the rest keep their entry value alone.
"""

import functools
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any

from replay.asking import ask, own_dict
from replay.recorder.running import reset

_METHOD = "get_remaining_time_in_millis"
_MAX_READS = 65_536

Read = Callable[..., Any]


class Tape:
    """The reads of one invocation; `complete` says that none was missed."""

    __slots__ = ("complete", "context", "token", "values", "wrapped", "wrapper")

    def __init__(self, context: object) -> None:
        self.context = context
        self.values: list[int] = []
        self.complete = False
        self.wrapped: dict[str, Any] | None = None
        self.wrapper: Read | None = None
        self.token: Token[Tape | None] | None = None

    def add(self, value: object) -> None:
        """Keep one value that the context returned."""
        if type(value) is not int or len(self.values) >= _MAX_READS:
            self.complete = False
        else:
            self.values.append(value)


_current: ContextVar[Tape | None] = ContextVar("replay_tape", default=None)
_by_context: dict[int, Tape] = {}


def is_watched(context: object) -> bool:
    """Whether `context` is that of an invocation under way: a decorator within a decorator."""
    tape = _current.get()
    return tape is not None and context is not None and tape.context is context


def start(tape: Tape, kind: str) -> None:
    """Begin to keep what the context of `tape` returns; `stop` must follow, also on a failure."""
    context: Any = tape.context
    if kind in ("lambda", "durable"):
        _wrap_class(type(context))
        tape.complete = True
    elif kind == "object":
        tape.complete = _wrap_instance(context, tape)
    _by_context[id(context)] = tape
    tape.token = _current.set(tape)


def stop(tape: Tape) -> None:
    """End what `start` began and leave the context as it was; again, where that has failed."""
    if _by_context.get(id(tape.context)) is tape:
        del _by_context[id(tape.context)]
    if tape.wrapped is not None and tape.wrapped.get(_METHOD) is tape.wrapper:
        del tape.wrapped[_METHOD]
    tape.wrapped = None
    token, tape.token = tape.token, None
    reset(_current, token)


def _wrap_class(kind: type) -> None:
    original: Any = getattr(kind, _METHOD, None)
    if original is None or hasattr(original, "wrapped_by_replay"):
        return

    @functools.wraps(original)
    def read(self: Any, *args: Any, **kwargs: Any) -> Any:
        value = original(self, *args, **kwargs)
        tape = _current.get()
        if tape is None or tape.context is not self:
            tape = _by_context.get(id(self))
        if tape is not None:
            tape.add(value)
        return value

    read.wrapped_by_replay = True  # type: ignore[attr-defined]
    setattr(kind, _METHOD, read)


def _wrap_instance(context: Any, tape: Tape) -> bool:
    instance = own_dict(context)
    original = ask(getattr, type(context), _METHOD, None, default=None)
    bound = ask(getattr, context, _METHOD, None, default=None)
    if instance is None or _METHOD in instance or not callable(original) or not callable(bound):
        return False

    @functools.wraps(original)
    def read(*args: Any, **kwargs: Any) -> Any:
        value = bound(*args, **kwargs)
        tape.add(value)
        return value

    tape.wrapped, tape.wrapper = instance, read
    instance[_METHOD] = read
    return True
