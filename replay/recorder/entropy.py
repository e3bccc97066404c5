"""What the invocation draws from the system's randomness: `REPLAY_TAPE=entropy`.

Loaded at the first invocation that is taped. `os.urandom`, `os.getrandom` and what `random` has of
them are wrapped then, once; the host gets the bytes that it would get. Which invocation a draw
belongs to is told by a context variable, and in threads, which do not inherit it, by there being
only one. A name that a module took by `from os import urandom` before that is not seen.
"""

import functools
import os
import sys
from _random import Random
from _thread import allocate_lock
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any

from replay.entropy import EntropyTape, GeneratorState, entropy_document
from replay.recorder.running import reset

_MAX_BYTES = 65_536
_SOURCES = ("urandom", "getrandom")

Draw = Callable[..., Any]


class Draws:
    """The draws of one invocation under way; `outer` are those of an invocation around it."""

    __slots__ = ("_drawn", "_generator", "_is_complete", "is_open", "outer", "token")

    def __init__(self, outer: "Draws | None") -> None:
        generator = _generator()
        state = generator.getstate() if generator is not None else None
        self._generator = GeneratorState.of(state) if state else None
        self._is_complete = _are_in_place()
        self._drawn = bytearray()
        self.is_open = True
        self.outer = outer
        self.token: Token[Draws | None] | None = None

    def add(self, drawn: object) -> None:
        """Keep what was drawn, as far as there is room."""
        room = max(0, _MAX_BYTES - len(self._drawn))
        if type(drawn) is not bytes or len(drawn) > room:
            self.miss()
        if type(drawn) is bytes:
            self._drawn += drawn[:room]

    def miss(self) -> None:
        """Note that something is not kept."""
        self._is_complete = False

    def stop(self) -> None:
        """End what `start` began."""
        self.is_open = False  # a task that the handler has left behind may know it still
        if self in _open:
            _open.remove(self)
        if self._generator is None and "random" in sys.modules:
            self.miss()  # it was imported, and seeded itself, on the way
        reset(_current, self.token)

    def document(self) -> dict[str, object]:
        """Return what was kept, laid out as by `entropy_document`."""
        return entropy_document(EntropyTape(bytes(self._drawn), self._generator, self._is_complete))


_current: ContextVar[Draws | None] = ContextVar("replay_draws", default=None)
_open: list[Draws] = []
_wrapped: dict[str, Draw] = {}
_lock = allocate_lock()


def start() -> Draws:
    """Begin to keep what is drawn; `stop` must follow."""
    with _lock:
        if not _wrapped:
            _wrap_sources()
    outer = _current.get()
    draws = Draws(outer if outer is not None and outer.is_open else None)
    _open.append(draws)
    draws.token = _current.set(draws)
    return draws


def _generator() -> Any:
    """Return the shared generator of `random` where that is imported, and is Python's own."""
    module = sys.modules.get("random")
    generator = getattr(module, "_inst", None)
    is_own = isinstance(generator, Random) and type(generator) is getattr(module, "Random", None)
    return generator if is_own else None


def _are_in_place() -> bool:
    """Whether nobody has put something else in the place of a wrapper."""
    return all(getattr(os, name, None) is wrapper for name, wrapper in _wrapped.items())


def _wrap_sources() -> None:
    originals = {name: getattr(os, name) for name in _SOURCES if hasattr(os, name)}
    for name, original in originals.items():
        _wrapped[name] = _wrapper(original)
        setattr(os, name, _wrapped[name])
    random = sys.modules.get("random")
    if getattr(random, "_urandom", None) is originals["urandom"]:
        vars(random)["_urandom"] = _wrapped["urandom"]  # what SystemRandom, so secrets, draws from


def _wrapper(original: Draw) -> Draw:
    @functools.wraps(original)
    def draw(*args: Any, **kwargs: Any) -> Any:
        drawn = original(*args, **kwargs)
        _keep(drawn)
        return drawn

    draw.__module__ = "os"  # where whoever pickles it finds it again
    return draw


def _keep(drawn: object) -> None:
    draws = _current.get()
    if draws is None or not draws.is_open:
        running = _open[:]
        if len(running) != 1:
            for one in running:
                one.miss()  # a thread's: nobody can say of which invocation
            return
        draws = running[0]
    while draws is not None:
        draws.add(drawn)
        draws = draws.outer
