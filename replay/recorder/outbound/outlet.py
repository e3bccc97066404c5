"""Where outbound calls go: to the recorder, or in a replay to whoever answers them.

The modules of the libraries describe a call as a value and `open_call` it. What they get is an
`Unanswered` interaction: with the recorder they send the call and `settle` it with what came; in a
replay it holds the recorded answer, and nothing is sent. Invariant: while one library carries out
its call through another, only the outer one is seen.
"""

from _thread import _local  # threading is 0.6 ms of a cold start
from collections.abc import Callable
from typing import Protocol

from replay.asking import ask
from replay.interaction import Answer, Call
from replay.recorder.guard import guarded


class Unanswered(Protocol):
    """One call under way."""

    @property
    def answer(self) -> Answer | None:
        """What a replay answers with; None: the call is to be sent for real."""

    @property
    def max_bytes(self) -> int:
        """How much of the answer's body is kept; of a longer one a head and a digest."""

    def arrived(self, so_far: Callable[[], Answer]) -> None:
        """Note that the answer has begun to come; `so_far` returns what has been read of it."""

    def settle(self, answer: Answer) -> None:
        """Take what came of the call that was sent; the first counts."""

    def wait(self) -> None:
        """Let the time pass that the recorded call took; for ever, if it was never answered."""

    async def wait_async(self) -> None:
        """As `wait`, in an event loop."""


class Outlet(Protocol):
    """What is asked for each call."""

    def wants_calls(self) -> bool:
        """Whether a call that is made now need be described at all."""

    def open_call(self, call: Call) -> Unanswered | None:
        """Return the interaction that begins with a call; None where it is none of ours."""


_outlet: Outlet | None = None
_inside = _local()


def use(outlet: Outlet | None) -> Outlet | None:
    """Have every call of this process go to `outlet`; return where they went before."""
    global _outlet
    before, _outlet = _outlet, outlet
    return before


def is_used() -> bool:
    """Whether calls go anywhere."""
    return _outlet is not None


def open_call(describe: Callable[[], Call | None]) -> Unanswered | None:
    """Return the interaction of a call that is described on demand; None: leave it alone.

    In a recorder nothing of ours is ever raised; in a replay what the outlet raises goes to the
    caller, for it stands for what the network would have done.
    """
    outlet = _outlet
    if outlet is None or is_inside() or not outlet.wants_calls():
        return None
    call = _described(describe)
    return None if call is None else outlet.open_call(call)


def _described(describe: Callable[[], Call | None]) -> Call | None:
    """Return a call; None where what the host has given to send cannot be looked at."""
    return ask(guarded, describe, default=None)


def is_inside() -> bool:
    """Whether this thread is carrying out a call that is seen already."""
    return getattr(_inside, "depth", 0) > 0


class Inside:
    """While it is entered, calls of this thread are parts of one that is seen already."""

    def __enter__(self) -> None:
        _inside.depth = getattr(_inside, "depth", 0) + 1

    def __exit__(self, *_: object) -> None:
        _inside.depth -= 1
