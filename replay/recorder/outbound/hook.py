"""A wrapper of ours in the place of a library's method, once, whoever asks for it."""

import functools
from collections.abc import Callable
from typing import Any

_MARK = "is_seen_by_replay"


def hook(owner: Any, name: str, wrapper_of: Callable[[Any], Any]) -> None:
    """Put a wrapper in the place of a method, unless there is one of ours already."""
    original = getattr(owner, name)
    if getattr(original, _MARK, False):  # `functools.wraps` hands it on to other people's wrappers
        return
    wrapper = functools.wraps(original)(wrapper_of(original))
    vars(wrapper)[_MARK] = True
    setattr(owner, name, wrapper)
