"""The builtin engine: a sandbox whose process, `worker.py`, stands in for AWS's runtime client.

Cases are sent ahead of their answers, as far as the socket holds them without blocking anybody.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from time import perf_counter_ns, sleep
from typing import Any, TypeAlias

from replay.entropy import entropy_document
from replay.errors import ReplayError
from replay.outcome import Exited, Outcome, Raised, Returned
from replay.recording import outcome_of, raised_of
from replay.replayer.case import Case
from replay.replayer.channel import BUFFERED_BYTES, Message
from replay.replayer.clock import entry_of
from replay.replayer.coverage import CoverageReader
from replay.replayer.engine import IMPORT_LIMIT_S, Sandbox, not_outermost
from replay.replayer.replay import Replay
from replay.replayer.secret import stand_ins
from replay.replayer.workspace import take_away
from replay.replayer.world import World

_LASTING = (Returned, Raised)
"""Outcomes that leave the process as it was."""
_HEAD_BYTES = 300
"""What a request weighs besides the begun part."""
_MANY = 8
_GATHERING_S = 0.002
"""How long answers gather while so many cases are ahead: to be woken by each costs both sides more
than to read it."""
_GENERATOR_BYTES = 3_500
"""What the state of a generator adds, in base64."""


_Asked: TypeAlias = tuple[Case, int, int]
"""A case that was sent, the number of its request, and its bytes."""


class BuiltinSandbox(Sandbox):
    """Runs a handler without AWS's code, on every system."""

    module = "replay.replayer.worker"
    forks = False
    """Whether each case runs in a fork of its own, which knows nothing of the others."""

    def __init__(self, case: Case, world: World, *, is_shared: bool = False) -> None:
        super().__init__(case, world, is_shared=is_shared)
        self._coverages = CoverageReader()
        self._asked = 0

    def _import(self) -> None:
        message = {**self._start_message(), "forks": self.forks}
        try:
            self._process.channel.send(message)
            answer = self._process.receive(IMPORT_LIMIT_S)
        except (EOFError, ConnectionError):
            raise self._ended_in_import() from None
        if answer is None:
            raise self._not_imported()
        head, _ = answer
        if head["stage"] == "failed":
            raise self._refused(raised_of(head["error"]))
        self.is_threaded, self._guard = head["is_threaded"], head["guard"]

    def replay(self, case: Case, world: World) -> Replay:
        """Run one case and return what it did; raises ReplayError where it cannot be had."""
        with suppress(ConnectionError):
            self._process.channel.send_all([self._request(case, world)])
        return self._answer(case, self._asked)

    def replay_all(self, cases: Sequence[Case]) -> Iterator[Replay | ReplayError]:
        """Yield what became of each case, until one of them has ended the process."""
        coming, ahead, ahead_bytes = deque(cases), deque[_Asked](), 0
        while coming or ahead:
            if coming and ahead_bytes <= BUFFERED_BYTES // 2:
                ahead_bytes += self._send_some(coming, ahead, BUFFERED_BYTES - ahead_bytes)
            if len(ahead) >= _MANY and not self._process.channel.has_unread:
                sleep(_GATHERING_S)
            case, number, size_bytes = ahead.popleft()
            ahead_bytes -= size_bytes
            try:
                replayed: Replay | ReplayError = self._answer(case, number)
            except ReplayError as error:
                replayed = error
            yield replayed
            # Asking the system costs a twentieth of a case.
            may_go_on = isinstance(replayed, Replay) and isinstance(replayed.outcome, _LASTING)
            if not may_go_on and not self.is_alive:
                return

    def _send_some(self, coming: deque[Case], ahead: deque[_Asked], room_bytes: int) -> int:
        """Send cases ahead of their answers, in one go; return how many bytes they are."""
        requests: list[Message] = []
        sent_bytes = 0
        while coming:
            size_bytes = _size_bytes(coming[0])
            if ahead and sent_bytes + size_bytes >= room_bytes:
                break
            case = coming.popleft()
            sent_bytes += size_bytes
            requests.append(self._request(case, World.of(case)))
            ahead.append((case, self._asked, size_bytes))
        with suppress(ConnectionError):  # the answer, which will not come, tells it
            self._process.channel.send_all(requests)
        return sent_bytes

    def _answer(self, case: Case, number: int) -> Replay:
        began_ns = perf_counter_ns()
        try:
            answer = self._received(number, case.limit_s)
        except (EOFError, ConnectionError):
            return self._exited(case, (perf_counter_ns() - began_ns) // 1000)
        if answer is None:
            return self._timed_out(case)
        head, payload = answer
        if head["stage"] == "bug":
            raise RuntimeError(f"the replay worker failed:\n{head['traceback']}")
        if head["stage"] == "quit":
            raise KeyboardInterrupt  # the debugger was left
        outcome, remaining_ms = _outcome(head, payload), case.recording.invocation.remaining_ms
        if isinstance(outcome, Exited) and head["stage"] != "exited" and not self.forks:
            self._process.end()  # it has answered what would have ended it
        replayed = self._replay(
            case, outcome, head["duration_us"], head.get("remaining_ms", remaining_ms), until=head
        )
        if head["stage"] == "exited":  # a fork that could not do so itself
            take_away(replayed.made)
        if head.get("inside"):
            raise not_outermost(case, f"the {head['inside']} is changed outside of it")
        if "coverage" not in head:
            return replayed
        return replace(replayed, coverage=self._coverages.read(head["coverage"]))

    def _received(self, number: int, limit_s: float | None) -> Message | None:
        """Return the answer to a request, by its number; None where the limit has passed.

        A fork that ends while it answers is told of a second time, by the process that made it.
        """
        while True:
            answer = self._process.receive(limit_s)
            if answer is None or answer[0]["number"] >= number:
                return answer

    def _request(self, case: Case, world: World) -> Message:
        self._asked += 1
        tape = world.tape_of(case.recording)
        calls = case.recording.call_parts(at_import=False)
        message = {
            "number": self._asked,
            "id": case.recording.id,
            "seed": world.seed,
            "entry": entry_of(case, world).values(),
            "tape": tape and entropy_document(tape),
            "breaks_at": case.breaks_at,
            "stand_ins": stand_ins(case.recording),
            "calls": [[part.kind, len(part.payload)] for part in calls],
        }
        return message, b"".join((_begun(case), *(part.payload for part in calls)))


class ForkingSandbox(BuiltinSandbox):
    """Imports the handler once and runs each case in a fork of that process."""

    forks = True


def _begun(case: Case) -> bytes:
    return case.recording.parts()[0].payload


def _size_bytes(case: Case) -> int:
    tape = case.recording.entropy
    taped = 2 * len(tape.drawn) + _GENERATOR_BYTES if tape else 0
    called = sum(len(part.payload) for part in case.recording.call_parts(at_import=False))
    return len(_begun(case)) + called + taped + _HEAD_BYTES


def _outcome(head: Mapping[str, Any], payload: bytes) -> Outcome:
    if head["stage"] == "exited":
        return Exited(head["status"])
    bare = head["outcome"]
    return outcome_of({**bare, "payload": payload} if bare["kind"] == "returned" else bare)
