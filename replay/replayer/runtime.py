"""What AWS's runtime client does with a handler: find it, call it, make an outcome of what it did.

The builtin engine's stand-in for `awslambdaric.bootstrap` 4.2.2, with the same error names.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import BuiltinFunctionType, CoroutineType, FunctionType
from typing import Any

from replay.outcome import Outcome
from replay.payload import escapes_text, marshal
from replay.recorder.failure import outcome_of_exception

_NOTHING = nullcontext()


class ImportFailure(Exception):  # noqa: N818 - an outcome of the runtime, no error of ours
    """The handler cannot be had; `error_type` is the runtime client's own name for why."""

    def __init__(self, error_type: str, message: str, stack: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.stack = stack


def load(handler: str, *, is_named: bool = True) -> Callable[..., Any]:
    """Return what a dotted handler names, callable or not; raises ImportFailure.

    One that the user has not named may be no function of Python's own that a module has imported.
    """
    module_name, dot, function_name = handler.rpartition(".")
    if not dot:
        raise ImportFailure(
            "Runtime.MalformedHandlerName",
            f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)",
        )
    module = _import(module_name)
    try:
        function = getattr(module, function_name)
    except AttributeError:
        raise ImportFailure(
            "Runtime.HandlerNotFound",
            f"Handler '{function_name}' missing on module '{module_name}'",
        ) from None
    if not is_named and _is_pythons(function):
        raise ImportFailure(
            "Runtime.HandlerNotFound",
            f"Handler '{function_name}' of module '{module_name}' is {function.__module__}'s own",
        )
    return function  # type: ignore[no-any-return]


def _is_pythons(function: object) -> bool:
    is_plain = isinstance(function, FunctionType | BuiltinFunctionType | type)
    module = str(getattr(function, "__module__", "")).partition(".")[0]
    return is_plain and module in sys.stdlib_module_names


def _import(name: str) -> Any:
    if name.split(".", maxsplit=1)[0] in sys.builtin_module_names:
        raise ImportFailure(
            "Runtime.BuiltInModuleConflict",
            f"Cannot use built-in module {name} as a handler module",
        )
    try:
        return importlib.import_module(name.replace("/", "."))
    except ImportError as error:
        raise ImportFailure(
            "Runtime.ImportModuleError", f"Unable to import module '{name}': {error}"
        ) from error
    except SyntaxError as error:
        raise ImportFailure(
            "Runtime.UserCodeSyntaxError",
            f"Syntax error in module '{name}': {error}",
            [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'],
        ) from error
    except Exception as error:
        raise _failure_of(error) from error


def _failure_of(error: Exception) -> ImportFailure:
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first one is ours
    stack = traceback.format_list([(f.filename, f.lineno or 0, f.name, f.line) for f in frames])
    return ImportFailure(type(error).__name__, str(error), stack)


def restore() -> None:
    """Run the hooks that a SnapStart function has registered, as after its first snapshot.

    Raises ImportFailure where one fails, as the sandbox would then not start.
    """
    hooks = sys.modules.get("snapshot_restore_py")
    if hooks is None or os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return
    try:
        for function, args, kwargs in reversed(hooks.get_before_snapshot()):
            function(*args, **kwargs)
        for function, args, kwargs in hooks.get_after_restore():
            function(*args, **kwargs)
    except Exception as error:
        raise _failure_of(error) from error


def invoke(
    function: Callable[..., Any],
    event: Any,
    context: Any,
    *,
    awaited: bool,
    look_at: Callable[[Exception], None] | None = None,
    running: AbstractContextManager[None] = _NOTHING,
) -> Outcome:
    """Call the handler and return its outcome; `awaited` runs a coroutine handler to its end.

    `look_at` is shown what the handler raised; `running` is entered while it runs.
    """
    try:
        with running:
            result = function(event, context)
            if awaited and isinstance(result, CoroutineType):
                import asyncio  # 15 ms that most handlers have no use for

                result = asyncio.run(result)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the outcome
        if look_at is not None and isinstance(error, Exception):
            look_at(error)
        return outcome_of_exception(error, awaited=awaited)
    return marshal(result, escaped=escapes_text(os.environ))
