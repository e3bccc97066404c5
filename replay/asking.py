"""Asking objects of the host's, whose code may raise anything, without their trouble becoming ours.

A property that exits would never have been asked without us, so what it raises is an answer. What a
signal handler of the host's raises meanwhile, `KeyboardInterrupt`, and what another thread sets are
no answers and pass. Imports the standard library only.
"""

import _signal  # type: ignore[import-not-found]
import os
from collections.abc import Callable
from typing import Any, TypeVar

Value = TypeVar("Value")
_PACKAGE = os.path.join(os.path.dirname(__file__), "")
_STDLIB = os.path.dirname(os.__file__)


def ask(question: Callable[..., Value], *args: Any, default: Value) -> Value:
    """Return what `question` returns, `default` where the host's code in it raises."""
    try:
        return question(*args)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if not is_answer(error):
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


def is_stdlib_file(path: str) -> bool:
    """Whether a code object's file belongs to the standard library."""
    in_stdlib = path.startswith(_STDLIB) and "site-packages" not in path[len(_STDLIB) :]
    return in_stdlib or path.startswith("<frozen ")


def is_answer(error: BaseException) -> bool:
    """Whether the code that was asked raised `error`: nobody's signal handler, nor another thread.

    Asked where the exception was caught; its traceback begins there.
    """
    # The module `signal` would make an Enum of each, and take a ValueError meanwhile for its own.
    handlers = [_signal.getsignal(number) for number in _signal.valid_signals()]
    codes = {getattr(getattr(one, "__func__", one), "__code__", None) for one in handlers}
    is_hosts = False
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code in codes:
            return False
        is_hosts = is_hosts or not (
            is_our_file(code.co_filename) or is_stdlib_file(code.co_filename)
        )
        traceback = traceback.tb_next
    # Where no code of the host's ran, it may have been set from outside.
    return is_hosts or (isinstance(error, Exception) and type(error).__module__ == "builtins")
