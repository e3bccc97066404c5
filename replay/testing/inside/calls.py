"""Outbound calls of a replay in this process, answered from its recording.

The libraries are hooked once for the process; outside of a replay their calls go where they went.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from replay.interaction import Call, Interaction
from replay.recorder.library import watch_libraries
from replay.recorder.outbound import outlet
from replay.replayer.case import Case
from replay.replayer.origin import Origin
from replay.replayer.outbound.responder import Responder
from replay.testing.inside.timeline import Line

if TYPE_CHECKING:
    from replay.testing.inside.process import Findings


class _Nobody:
    """Answers nothing: calls go out as if nobody had hooked them."""

    def wants_calls(self) -> bool:
        """Whether calls need be described: no."""
        return False

    def open_call(self, _call: Call) -> None:
        """Leave it alone."""


@contextmanager
def answering(
    at_import: Sequence[Interaction], line: Line, findings: "Findings", case: Case
) -> Iterator[Callable[[Sequence[Interaction]], None]]:
    """Answer calls within; yield what is to be called with those of the handler, as it begins."""
    watch_libraries(_Nobody)
    responder = Responder(
        at_import,
        line,
        findings,
        (),
        misses="error",
        origin=Origin(case.folders[0]).of_caller,
    )
    before = outlet.use(responder)
    try:
        yield responder.enter
    finally:
        outlet.use(before)
