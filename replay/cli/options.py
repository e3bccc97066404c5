"""Options that several commands share, or that make up one value, as that value."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any


def with_options(
    command: Callable[..., int],
    name: str,
    options: Mapping[str, Any],
    make: Callable[..., object],
) -> Callable[..., int]:
    """Return `command` with more options, which reach it as its parameter `name`.

    `options` are annotations for Typer by their names; `make` is called with what was given for
    each, None for what was not, and returns the value.
    """

    @functools.wraps(command)
    def make_and_call(*args: object, **given: Any) -> int:
        ours = {option: given.pop(option, None) for option in options}
        return command(*args, **{name: make(**ours)}, **given)

    # Typer reads options off a signature; this one has ours in the place of the one value.
    own = inspect.signature(command, eval_str=True).parameters.values()
    kind = inspect.Parameter.KEYWORD_ONLY
    ours = [
        inspect.Parameter(option, kind, default=None, annotation=annotation)
        for option, annotation in options.items()
    ]
    shown = [*(one for one in own if one.name != name), *ours]
    vars(make_and_call)["__signature__"] = inspect.Signature(shown)
    make_and_call.__annotations__ = {one.name: one.annotation for one in shown}
    return make_and_call
