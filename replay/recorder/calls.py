"""The outbound calls of an invocation under way: numbered, timed, and written as they come.

Each is a sent part before the wire and an answered part after it. Loaded with the first library
that makes calls; whose they are is told by `running.py`.
"""

import os
import sys
from _thread import RLock, _local
from collections.abc import Callable
from itertools import count
from time import perf_counter_ns

from replay.interaction import Answer, Call, answer_document, call_document
from replay.part import ANSWERED, SENT, answered_payload, sent_payload
from replay.recorder import running
from replay.recorder.guard import guarded, pass_on


class Calls:
    """The calls of one invocation, or of one import."""

    def __init__(self, caller: running.Caller) -> None:
        self._caller = caller
        self._reads_told = 0
        self._began_ns = perf_counter_ns()
        self._pid = os.getpid()
        self._count = 0
        self._lanes = Lanes()
        self._under_way: dict[int, Sent] = {}
        self._lock = RLock()  # a signal handler may make a call while this thread writes one

    @property
    def max_bytes(self) -> int:
        """How much of a body is kept."""
        return self._caller.max_bytes

    def open(self, call: Call) -> "Sent | None":
        """Write the sent part of a call, and return the interaction that it begins.

        None in a fork of the handler's, whose numbers would be given twice.
        """
        if os.getpid() != self._pid:
            return None
        funnel = self._caller.funnel
        document = funnel.document(call_document(call))
        with self._lock:
            now_ns = perf_counter_ns()
            self._count += 1
            sent = self._under_way[self._count] = Sent(self, self._count)
            reads_ms = self._caller.reads_ms[self._reads_told :]
            self._reads_told += len(reads_ms)
            # Written in the order of their numbers: whoever reads them later need not sort.
            payload = sent_payload(
                sequence=sent.sequence,
                at_import=self._caller.at_import,
                at_us=(now_ns - self._began_ns) // 1000,
                lane=self._lanes.of_caller(),
                remaining_reads_ms=reads_ms,
                call=document,
                pseudonyms=funnel.pseudonyms(),
            )
            self._caller.write_call(SENT, payload)
        return sent

    def answered(self, sent: "Sent", answer: Answer) -> None:
        """Write the answered part of a call; the first answer counts."""
        if os.getpid() != self._pid or self._under_way.pop(sent.sequence, None) is None:
            return
        funnel = self._caller.funnel
        document = funnel.answer(answer_document(answer))
        payload = answered_payload(
            sequence=sent.sequence,
            at_import=self._caller.at_import,
            duration_us=sent.duration_us(),
            answer=document,
            pseudonyms=funnel.pseudonyms(),
        )
        self._caller.write_call(ANSWERED, payload)

    def close(self) -> None:
        """Settle the calls whose answer has begun to come: the handler wants no more of it."""
        for sent in list(self._under_way.values()):
            sent.cut_off()


class Sent:
    """One call that is on its way: an `outlet.Unanswered` of the recorder's."""

    __slots__ = ("_arrived_ns", "_began_ns", "_calls", "_so_far", "sequence")

    answer = None

    def __init__(self, calls: Calls, sequence: int) -> None:
        self.sequence = sequence
        self._calls = calls
        self._so_far: Callable[[], Answer] | None = None
        self._began_ns = perf_counter_ns()
        self._arrived_ns = 0

    @property
    def max_bytes(self) -> int:
        """How much of the answer's body is kept."""
        return self._calls.max_bytes

    def arrived(self, so_far: Callable[[], Answer]) -> None:
        """Note that the answer has begun to come; `so_far` returns what has been read of it."""
        self._arrived_ns = perf_counter_ns()
        self._so_far = so_far

    def settle(self, answer: Answer) -> None:
        """Write what came."""
        self._so_far = None
        guarded(self._calls.answered, self, answer)

    def cut_off(self) -> None:
        """Write what has been read of an answer that nobody reads to its end."""
        if self._so_far is not None:
            self.settle(self._so_far())

    def duration_us(self) -> int:
        """Return how long the caller had to wait: what it does between reads is its own time."""
        return ((self._arrived_ns or perf_counter_ns()) - self._began_ns) // 1000

    def wait(self) -> None:
        """Let no time pass: the call itself takes it."""

    async def wait_async(self) -> None:
        """As `wait`."""


class Lanes:
    """Numbers the threads that make calls, and in event loops the tasks, from 0."""

    def __init__(self) -> None:
        self._numbers = count()
        self._thread = _local()

    def of_caller(self) -> int:
        """Return the number of the calling thread or task."""
        asyncio = sys.modules.get("asyncio")
        try:
            task = asyncio.current_task() if asyncio else None
        except (RuntimeError, AttributeError) as error:  # no event loop runs in this thread
            pass_on(error)
            task = None
        # Numbers of threads, and addresses of tasks, are given again when one has ended.
        lanes = self._thread.__dict__.setdefault("lanes", [])
        for known, lane in lanes:
            if known is task:
                return int(lane)
        lanes.append((task, next(self._numbers)))
        return int(lanes[-1][1])


_first_call = RLock()


def _renew_lock() -> None:
    global _first_call  # noqa: PLW0603 - another thread of the parent's may have held it
    _first_call = RLock()


os.register_at_fork(after_in_child=_renew_lock)


class RecordingOutlet:
    """Gives each call to the invocation that makes it."""

    def wants_calls(self) -> bool:
        """Whether anything is being captured."""
        return running.is_any()

    def open_call(self, call: Call) -> Sent | None:
        """Return the interaction, None where nobody can say whose call it is."""
        return guarded(_open, call)


def _open(call: Call) -> Sent | None:
    caller = running.of_this_call()
    if caller is None:
        return None
    with _first_call:
        calls = caller.calls = caller.calls or Calls(caller)
    return calls.open(call)
