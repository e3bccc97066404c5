"""Puts the virtual clock's functions in the places of the real ones, in every module.

What is loaded already may have taken functions by name, or made locks: all of its names are looked
through. What is loaded later finds the new ones.
time-machine changes the wall clock where no name can: in the C functions of `time` and `datetime`.
"""

import os
import sys
from collections.abc import Callable, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

from replay.replayer.virtual import real
from replay.replayer.virtual.lock import Lock, RLock

_OURS = ("replay", "time_machine", "_time_machine")


def replace_everywhere(replacements: Mapping[Any, object]) -> None:
    """Put each value in the place of its key in every loaded module but ours; locks likewise."""
    by_id = {id(old): _named_as(old, new) for old, new in replacements.items()}
    for capable in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks):
        found: list[Any] = [by_id[id(function)] for function in capable if id(function) in by_id]
        capable.update(found)
    made: dict[int, Lock] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _OURS or not isinstance(module, ModuleType):
            continue
        names = vars(module)
        for key, value in list(names.items()):
            if id(value) in by_id:
                names[key] = by_id[id(value)]
            elif type(value) in (real.LockType, real.RLockType):
                kind = Lock if type(value) is real.LockType else RLock
                names[key] = made.setdefault(id(value), kind(value))


class Function:
    """Stands in for a function of the interpreter's: no method of a class that holds it.

    Copied and pickled by its name, as that is.
    """

    def __init__(self, stood_in_for: Any, function: Callable[..., Any]) -> None:
        self.__module__ = stood_in_for.__module__
        self.__name__: str = stood_in_for.__name__
        self.__qualname__ = self.__name__
        self.__doc__ = stood_in_for.__doc__
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call what stands in."""
        return self._function(*args, **kwargs)

    def __reduce__(self) -> str:
        return self.__name__


def _named_as(old: Any, new: object) -> object:
    return Function(old, new) if isinstance(new, MethodType | FunctionType) else new
