"""`@capture`: every invocation of the decorated handler becomes a recording.

The handler behaves as if the decorator were not there. Nothing happens at import. Here is which
callable is decorated how; what happens around a call is in `bootstrap.py` and `recorder.py`.
"""

import functools
import sys
from collections.abc import Callable, Iterable
from os.path import basename
from types import FunctionType, MethodType
from typing import Any, TypeVar, overload

from replay.recorder import bootstrap
from replay.recorder.recorder import Recorder
from replay.settings import RedactRule

Handler = TypeVar("Handler", bound=Callable[..., Any])

_CO_COROUTINE = 0x80


@overload
def capture(handler: Handler, /) -> Handler: ...
@overload
def capture(
    *,
    sample: float | None = None,
    store: str | None = None,
    outbound: bool | None = None,
    redact: str | Iterable[RedactRule] | None = None,
) -> Callable[[Handler], Handler]: ...
def capture(
    handler: Any = None,
    /,
    *,
    sample: float | None = None,
    store: str | None = None,
    outbound: bool | None = None,
    redact: str | Iterable[RedactRule] | None = None,
) -> Any:
    """Return `handler` so that each of its invocations is stored; bare or with arguments.

    Takes a function, an async function, a method or a callable object. `sample` is the share of
    invocations to store, by a hash of the request id; one that raises is stored all the same.
    `store` is a path; `outbound` False leaves outbound calls alone. `redact` is `"balanced"`,
    `"strict"`, `"off"`, or rules of your own besides: name patterns, JSONPaths, functions of the
    name and the value of a leaf. `REPLAY_*` variables outrank them all. Must be the outermost
    decorator.
    """
    arguments = {"sample": sample, "store": store, "outbound": outbound, "redact": redact}
    if handler is None:
        return lambda decorated: _decorate(decorated, arguments)
    return _decorate(handler, arguments)


def _decorate(handler: Any, arguments: dict[str, Any]) -> Any:
    if isinstance(handler, staticmethod | classmethod):
        return type(handler)(_decorate(handler.__func__, arguments))
    awaited = _is_coroutine_function(handler)
    recorder = Recorder(lambda: _dotted_name(handler, wrapper), awaited=awaited, **arguments)
    wrap = bootstrap.wrap_async if awaited else bootstrap.wrap
    wrapper = wrap(handler, recorder, _Arguments(handler).of)
    functools.update_wrapper(wrapper, handler)
    if not hasattr(wrapper, "__qualname__") or not hasattr(handler, "__name__"):
        wrapper.__name__ = wrapper.__qualname__ = type(handler).__name__
    return wrapper


class _Arguments:
    """Where event and context stand among the arguments of a handler."""

    __slots__ = ("names", "offset")

    def __init__(self, handler: Any) -> None:
        names = _parameter_names(handler)
        is_method = names[:1] in (("self",), ("cls",))
        # A bound method and a callable object are called without their first parameter.
        self.offset = 1 if is_method and isinstance(handler, FunctionType) else 0
        self.names = (
            (*names[is_method:], "event", "context") if len(names) < 2 else names[is_method:]
        )

    def of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        """Return event and context as the handler will get them; None for one that is missing."""
        if len(args) == self.offset + 2:
            return args[-2], args[-1]
        given = args[self.offset : self.offset + 2]
        missing = self.names[len(given) : 2]
        return (*given, *(kwargs.get(name) for name in missing), None, None)[:2]


def _parameter_names(handler: Any) -> tuple[str, ...]:
    function = function_of(handler)
    code = getattr(function, "__code__", None)
    return code.co_varnames[: code.co_argcount] if code is not None else ()


def function_of(handler: Any) -> Any:
    """Return the plain function at the heart of a decorated, bound, partial or callable handler."""
    for _ in range(100):
        if isinstance(handler, functools.partial):
            handler = handler.func
        elif isinstance(handler, MethodType):
            handler = handler.__func__
        elif hasattr(handler, "__wrapped__"):
            handler = handler.__wrapped__
        elif hasattr(handler, "__code__"):
            return handler
        else:
            handler = _call_of(handler)
    return handler


def _is_coroutine_function(handler: Any) -> bool:
    # As inspect.iscoroutinefunction, without decorators: only what is called decides.
    while isinstance(handler, functools.partial | MethodType):
        handler = handler.func if isinstance(handler, functools.partial) else handler.__func__
    code = getattr(handler, "__code__", None)
    if code is None:
        code = getattr(_call_of(handler), "__code__", None)
    return code is not None and bool(code.co_flags & _CO_COROUTINE)


def _call_of(handler: Any) -> Any:
    return getattr(type(handler), "__call__", None)  # noqa: B004 - the method itself is wanted


def _dotted_name(handler: Any, wrapper: Any) -> str:
    """Return the name by which the handler can be imported: that of its variable if it has one."""
    module = getattr(handler, "__module__", None) or type(handler).__module__
    variables = vars(sys.modules[module]) if module in sys.modules else {}
    found = [name for name, value in list(variables.items()) if value is wrapper]
    name = found[0] if found else getattr(handler, "__qualname__", type(handler).__qualname__)
    return f"{_main_module_name() if module == '__main__' else module}.{name}"


def _main_module_name() -> str:
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name)
    return basename(getattr(main, "__file__", "") or "__main__").removesuffix(".py")
