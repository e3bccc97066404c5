"""Answers the outbound calls of a replayed handler, in its own process.

What the handler sends is written down as a finding, call by call, so that it is known also of a
handler that is killed. A call that nothing recorded is like is a miss: it is refused as the guard
refuses a connection, and the verdict names it.
"""

import errno
from collections.abc import Callable, Sequence
from typing import Literal, Protocol
from urllib.parse import urlsplit

from replay.interaction import Answer, AwsCall, Call, Interaction, Response, call_document
from replay.recorder.calls import Lanes
from replay.replayer.finding import FindingSink
from replay.replayer.network import Endpoint
from replay.replayer.network_guard import RefusedError
from replay.replayer.outbound.echo import Echo
from replay.replayer.outbound.match import Matcher

_PORTS = {"http": 80, "https": 443}


class Waiting(Protocol):
    """What lets time pass in a replay."""

    def pass_time(self, duration_us: int | None) -> None:
        """Let the time of a recorded call pass; None: it was never answered."""

    async def pass_time_async(self, duration_us: int | None) -> None:
        """As `pass_time`, in an event loop."""


class Responder:
    """The outlet of a replay: `enter` begins an invocation, before that it is the import.

    Calls to an endpoint that is `let_through` are left alone, and so are misses that go out `live`.
    """

    def __init__(
        self,
        at_import: Sequence[Interaction],
        clock: Waiting,
        findings: FindingSink,
        let_through: Sequence[Endpoint],
        *,
        misses: Literal["error", "live"],
        origin: Callable[[], str | None],
    ) -> None:
        self._matcher = Matcher(at_import)
        self._clock = clock
        self._findings = findings
        self._let_through = let_through
        self._misses = misses
        self._origin = origin
        self._lanes = Lanes()
        self._echo = Echo()
        self._is_import = True

    def enter(self, recorded: Sequence[Interaction]) -> None:
        """Answer the calls of a handler from here on."""
        self._matcher = Matcher(recorded)
        self._lanes = Lanes()
        self._echo = Echo()
        self._is_import = False

    def wants_calls(self) -> bool:
        """Whether calls are answered: always."""
        return True

    def open_call(self, call: Call) -> "Recorded | None":
        """Return the recorded interaction that answers a call; raises RefusedError on a miss."""
        if self._is_let_through(call):
            return None
        found = self._matcher.take(call)
        if found is None and self._misses == "live":
            return None
        is_kept = found is None or _is_kept(found.answer)
        answered_by = None if found is None else found.sequence
        self._findings.add(
            "called",
            at_import=self._is_import,
            lane=self._lanes.of_caller(),
            answered_by=answered_by,
            is_kept=is_kept,
            where=None if found is not None and is_kept else self._origin(),
            call=call_document(call),
        )
        if found is None or not is_kept:
            raise RefusedError(errno.ECONNREFUSED, f"no recorded answer to {call.name}")
        if found.call != call:
            self._echo.learn(found.call, call)
        answer = self._echo.applied(found.answer or Response(0))
        duration_us = None if found.answer is None else found.duration_us or 0
        return Recorded(answer, duration_us, self._clock)

    def _is_let_through(self, call: Call) -> bool:
        url = urlsplit(call.endpoint if isinstance(call, AwsCall) else call.url)
        port = url.port or _PORTS.get(url.scheme)
        return any(
            (url.hostname or "") in endpoint.names and port == endpoint.port
            for endpoint in self._let_through
        )


class Recorded:
    """A recorded interaction as what its call is under way to: an `outlet.Unanswered`."""

    max_bytes = 0

    def __init__(self, answer: Answer, duration_us: int | None, clock: Waiting) -> None:
        self.answer = answer
        self._duration_us = duration_us
        self._clock = clock

    def arrived(self, so_far: Callable[[], Answer]) -> None:
        """Need not be told: nothing is on its way."""

    def settle(self, answer: Answer) -> None:
        """Need not be told: the answer is the recorded one."""

    def wait(self) -> None:
        """Let the time pass that the call took; what was never answered waits for the deadline."""
        self._clock.pass_time(self._duration_us)
        self._refuse_unanswered()

    async def wait_async(self) -> None:
        """As `wait`, in an event loop."""
        await self._clock.pass_time_async(self._duration_us)
        self._refuse_unanswered()

    def _refuse_unanswered(self) -> None:
        """Raise for a call without an answer, where no deadline has ended the wait: at import."""
        if self._duration_us is None:
            raise RefusedError(errno.ECONNREFUSED, "the recorded call was never answered")


def _is_kept(answer: Answer | None) -> bool:
    return not isinstance(answer, Response) or isinstance(answer.body, bytes)
