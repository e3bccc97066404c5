"""Holds a captured call against the bare one: whatever a host can see of it must be the same."""

import contextlib
import gc
import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import replay.recorder.bootstrap

OURS = {replay.recorder.bootstrap.__file__, __file__}
"""Where the frames between the host and its handler are; any other frame of ours would show."""


@dataclass(frozen=True)
class Seen:
    """What a host sees of one call."""

    what: object
    printed: str
    changed: dict[str, object]
    made: object = field(compare=False)


def see(handler: Callable[..., object], event: object, context: object, made: list) -> Seen:
    """Call a handler that appends to `made` what it is about to return or raise."""
    made.clear()
    before = surroundings(context)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            result = handler(event, context)
        except BaseException as error:
            what = told(error, made)
        else:
            what = ("returned", bool(made) and result is made[-1])
    after = surroundings(context)
    changed = {name: value for name, value in after.items() if value != before[name]}
    return Seen(what, out.getvalue(), changed, made[-1] if made else None)


def told(error: BaseException, made: list) -> tuple[object, ...]:
    """What there is to know of an exception, without asking it anything."""
    chain = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        chain.append(
            (
                type(link),
                bool(made) and link is made[-1],
                [type(argument) for argument in BaseException.args.__get__(link)],
                stack(link),
                type(link.__cause__),
                link.__suppress_context__,
                vars(link),
            )
        )
        link = link.__context__
    return ("raised", *chain)


def stack(error: BaseException) -> list[tuple[str, str, int]]:
    frames = []
    tb = error.__traceback__
    while tb is not None:
        code = tb.tb_frame.f_code
        if code.co_filename not in OURS:
            frames.append((code.co_filename, code.co_name, tb.tb_lineno))
        tb = tb.tb_next
    return frames


def surroundings(context: object) -> dict[str, object]:
    """What a call of ours must leave as it was."""
    try:
        attributes = dict(object.__getattribute__(context, "__dict__"))
    except (AttributeError, TypeError):
        attributes = {}
    return {
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "timer": signal.getitimer(signal.ITIMER_REAL)[1],
        "blocked": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "threads": threading.active_count(),
        "environment": dict(os.environ),
        "folder": Path.cwd(),
        "tracing": (sys.gettrace(), sys.getprofile()),
        "hooks": (sys.excepthook, sys.unraisablehook, threading.excepthook),
        "collecting": (gc.isenabled(), gc.get_threshold()),
        "limit": sys.getrecursionlimit(),
        "error": sys.exc_info(),
        "context": attributes,
    }
