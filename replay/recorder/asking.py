"""Asking objects of the host's, whose code may raise anything, without their trouble becoming ours.

A property that exits would never have been asked without us, so what it raises is an answer. What a
signal handler of the host's raises meanwhile, `KeyboardInterrupt`, and what another thread sets are
no answers and pass. Imports the standard library only.
"""

import _signal  # type: ignore[import-not-found]
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

Value = TypeVar("Value")
_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")


def ask(question: Callable[..., Value], *args: Any, default: Value) -> Value:
    """Return what `question` returns, `default` where the host's code in it raises."""
    try:
        return question(*args)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if not _is_answer(error, error.__traceback__):
            raise
        return default


def instance_dict(value: object) -> dict[str, Any]:
    """Return the attributes of an instance; an empty dictionary where it keeps none."""
    attributes = own_dict(value)
    return {} if attributes is None else attributes


def own_dict(value: object) -> dict[str, Any] | None:
    """Return the very dictionary that an instance keeps its attributes in, None without one."""
    if not type(value).__dictoffset__:
        return None
    # No code of its class runs, unless that has a property of this name.
    attributes = ask(object.__getattribute__, value, "__dict__", default=None)
    return attributes if type(attributes) is dict else None


def is_our_file(path: str) -> bool:
    """Whether a code object's file belongs to this package."""
    return path.startswith(_PACKAGE)


def _is_answer(error: BaseException, traceback: TracebackType | None) -> bool:
    # The module `signal` would make an Enum of each, and take a ValueError meanwhile for its own.
    handlers = [_signal.getsignal(number) for number in _signal.valid_signals()]
    codes = {getattr(getattr(one, "__func__", one), "__code__", None) for one in handlers}
    path = ""
    while traceback is not None:
        if traceback.tb_frame.f_code in codes:
            return False
        path = traceback.tb_frame.f_code.co_filename
        traceback = traceback.tb_next
    if is_our_file(path):  # nobody's code: the interpreter's, or set from outside while ours ran
        return isinstance(error, Exception) and type(error).__module__ == "builtins"
    return True
