"""The frames that stand between the runtime and the handler.

AWS's runtime client reports a handler's error without the leading frames whose file is called
`bootstrap.py`, as its own is. So is this one: the invoker sees the stack trace that it would see
without capture. The result and the exceptions of the handler pass through as the same objects, and
each step of ours runs under the guard. Within a replay nothing is stored; an observer is shown the
event and the result instead.
"""

import sys
from collections.abc import Callable
from typing import Any

from replay.recorder.guard import attempted, guarded
from replay.recorder.recorder import Recorder
from replay.recorder.unfinished import Unfinished

Arguments = Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, Any]]


class Observer:
    """Is shown what passes a captured handler in a replay; a subclass says what it makes of it."""

    def called(self, event: object) -> None:
        """See the event as the decorator gets it."""
        raise NotImplementedError

    def returned(self, result: object) -> None:
        """See the result as the decorator gives it."""
        raise NotImplementedError


_observer: Observer | None = None


def observe(observer: Observer | None) -> None:
    """Make each captured handler of this process show itself to `observer` and store nothing.

    None: capture again.
    """
    global _observer  # noqa: PLW0603 - one process is either a replay or not
    _observer = observer


def _end_raised(unfinished: Unfinished) -> None:
    error = sys.exc_info()[1]
    if error is not None:
        guarded(unfinished.raised, error)
    if unfinished.is_watching:
        attempted(unfinished.stop)


def wrap(handler: Any, recorder: Recorder, arguments: Arguments) -> Any:
    """Return a function that captures each call of `handler`."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        event, context = arguments(args, kwargs)
        if _observer is not None:
            _observer.called(event)
            result = handler(*args, **kwargs)
            _observer.returned(result)
            return result
        unfinished = guarded(recorder.begin, event, context)
        if unfinished is None:
            return handler(*args, **kwargs)
        has_returned = False
        try:
            result = handler(*args, **kwargs)
            has_returned = True
        finally:  # `raise` would raise what the interpreter holds for the current exception by then
            if not has_returned:
                _end_raised(unfinished)
        guarded(unfinished.returned, result)
        if unfinished.is_watching:
            attempted(unfinished.stop)
        return result

    return wrapper


def wrap_async(handler: Any, recorder: Recorder, arguments: Arguments) -> Any:
    """Return a coroutine function that captures each awaited call of `handler`."""

    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        event, context = arguments(args, kwargs)
        if _observer is not None:
            _observer.called(event)
            result = await handler(*args, **kwargs)
            _observer.returned(result)
            return result
        unfinished = guarded(recorder.begin, event, context)
        if unfinished is None:
            return await handler(*args, **kwargs)
        has_returned = False
        try:
            result = await handler(*args, **kwargs)
            has_returned = True
        finally:  # `raise` would raise what the interpreter holds for the current exception by then
            if not has_returned:
                _end_raised(unfinished)
        guarded(unfinished.returned, result)
        if unfinished.is_watching:
            attempted(unfinished.stop)
        return result

    return wrapper
