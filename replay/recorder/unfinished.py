"""One invocation under way: its parts from the begun one to the ended one.

Outside the sample they are held in memory, and written if the handler raises.
"""

import sys
from contextvars import Token
from time import perf_counter_ns
from typing import TYPE_CHECKING

from replay.asking import ask
from replay.codec import Truncated, encode
from replay.outcome import Exited, Raised, Returned
from replay.part import BEGUN, ENDED, ended_payload, outcome_document
from replay.recorder import loading, remaining, running, sandbox
from replay.recorder.environment import Environment
from replay.recorder.guard import attempted
from replay.recorder.ulid import new_ulid

if TYPE_CHECKING:
    from replay.recorder.calls import Calls
    from replay.recorder.entropy import Draws
    from replay.recorder.funnel import Funnel

_HEAD_BYTES = 4096
_EXITED: Returned | Raised | Exited = Exited(1)
_FULL_BYTES = 100
_HELD_BODY_BYTES = 1 << 20
MAX_HELD_BYTES = 16 * 2**20


class Unfinished:
    """One invocation whose begun part is written; `returned` or `raised` finishes it."""

    __slots__ = (
        "_awaited",
        "_began_ns",
        "_draws",
        "_duration_us",
        "_held",
        "_is_begun",
        "_journal",
        "_marshal",
        "_settings",
        "_ship",
        "_tape",
        "_until_ns",
        "calls",
        "funnel",
        "id",
        "is_watching",
        "token",
    )
    at_import = False

    def __init__(
        self, environment: Environment, funnel: "Funnel", awaited: bool, remaining_ms: int | None
    ) -> None:
        self.id = new_ulid()
        self.calls: Calls | None = None
        self.funnel = funnel
        self.token: Token[running.Caller | None] | None = None
        self._awaited = awaited
        self._marshal = environment.marshal
        self._journal = environment.journal
        self._settings = environment.settings
        self._ship = environment.ship
        self._until_ns = _until_ns(remaining_ms)
        self._held: Held | None = None
        self._is_begun = False
        self._tape: remaining.Tape | None = None
        self._draws: Draws | None = None
        self._began_ns = 0
        self._duration_us: int | None = None
        self.is_watching = False

    @property
    def max_bytes(self) -> int:
        """How much of the body of a call is kept: little where the store is full."""
        if self._held is not None:
            return min(_HELD_BODY_BYTES, self._settings.max_body_bytes)
        most = self._settings.max_store_bytes
        is_full = most is not None and self._journal.is_full(most)
        return _FULL_BYTES if is_full else self._settings.max_body_bytes

    @property
    def reads_ms(self) -> list[int]:
        """The remaining-time reads up to now."""
        return self._tape.values if self._tape else []

    def begin(self, payload: bytes, *, sampled: bool) -> None:
        """Write the begun part; outside the sample hold it in case the handler raises."""
        if sampled:
            self._begin(payload)
        else:
            self._held = Held()
            self._held.add(BEGUN, payload)

    def write_call(self, kind: str, payload: bytes) -> None:
        """Write a part of an outbound call, or hold it with the begun part."""
        if self._held is None:
            if self._is_begun:
                self._write(kind, payload)
        else:
            self._held.add(kind, payload)

    def watch(self, context: object, kind: str) -> None:
        """Keep what the handler reads, draws and sends from here on; it starts."""
        self.is_watching = True
        self._tape = remaining.Tape(context)
        remaining.start(self._tape, kind)
        if self._settings.tape:
            self._draws = attempted(_start_draws)  # a failure costs the tape and no more
        if self._settings.outbound:
            running.begin(self)
        self._began_ns = perf_counter_ns()

    def returned(self, result: object) -> None:
        """Write the ended part of a handler that returned `result`."""
        self.stop()
        if self._is_begun:
            # A result whose class exits when it is asked ends the runtime client as well.
            self._end(ask(self._marshal, result, default=_EXITED))

    def raised(self, error: BaseException) -> None:
        """Write the ended part of a handler that raised `error`, and the begun part if held."""
        with loading.lock:
            from replay.recorder.failure import outcome_of_exception  # traceback: 6 ms

        self.stop()
        if "replay.recorder.outbound.outlet" in sys.modules:  # a library is hooked
            from replay.recorder.outbound.trace import without_hooks

            without_hooks(error)
        if self._held is not None:
            (_, begun), *calls = self._held.parts
            refused, self._held = self._held.refused, None
            self._begin(begun)
            for kind, payload in calls:
                self.write_call(kind, payload)
            for _ in range(refused):
                self._journal.lose("an invocation outside the sample makes too many outbound calls")
        if self._is_begun:
            self._end(outcome_of_exception(error, awaited=self._awaited))

    def stop(self) -> None:
        """Leave everything as it was before `watch`; a second time, where the first has failed."""
        if self._duration_us is None and self._began_ns:
            self._duration_us = (perf_counter_ns() - self._began_ns) // 1000
        if self._tape is not None:
            remaining.stop(self._tape)
        if self._draws is not None:
            self._draws.stop()
        running.end(self)
        self.is_watching = False

    def _begin(self, payload: bytes) -> None:
        self._is_begun = self._write(BEGUN, payload)
        for kind, part in sandbox.calls_at_import() if self._is_begun else ():
            self._write(kind, part)

    def _end(self, outcome: Returned | Raised | Exited) -> None:
        tape = self._tape
        outcome = _capped_outcome(outcome, self._settings.max_bytes)
        document = self.funnel.document(outcome_document(outcome))
        payload = ended_payload(
            duration_us=self._duration_us,
            remaining_reads_ms=tape.values if tape else (),
            reads_complete=tape is not None and tape.complete,
            outcome=document,
            pseudonyms=self.funnel.pseudonyms(),
            entropy=self._draws.document() if self._draws else None,
        )
        self._write(ENDED, payload)
        if self._ship is not None:
            attempted(self._ship, self._left_s())

    def _left_s(self) -> float | None:
        return None if self._until_ns is None else (self._until_ns - perf_counter_ns()) / 1e9

    def _write(self, kind: str, payload: bytes) -> bool:
        return self._journal.write(self.id, kind, payload, self._settings.max_store_bytes)


class Held:
    """The parts of an invocation outside the sample, which is written if it raises."""

    __slots__ = ("_size_bytes", "parts", "refused")

    def __init__(self) -> None:
        self.parts: list[tuple[str, bytes]] = []
        self._size_bytes = 0
        self.refused = 0

    def add(self, kind: str, payload: bytes) -> None:
        """Hold a part, or count it where they are too many to be held in memory."""
        if self.parts and self._size_bytes + len(payload) > MAX_HELD_BYTES:
            self.refused += 1
            return
        self._size_bytes += len(payload)
        self.parts.append((kind, payload))


def _until_ns(remaining_ms: int | None) -> int | None:
    return None if remaining_ms is None else perf_counter_ns() + remaining_ms * 1_000_000


def _start_draws() -> "Draws":
    from replay.recorder import entropy  # nothing of it where no tape is asked for

    return entropy.start()


def truncated(encoded: bytes) -> Truncated:
    """Return what is kept of an encoded value over the cap."""
    head = encoded[:_HEAD_BYTES].decode(errors="replace")
    return Truncated(len(encoded), digest_of(encoded), head)


def _capped_outcome(
    outcome: Returned | Raised | Exited, max_bytes: int
) -> Returned | Raised | Exited:
    if isinstance(outcome, Returned):
        payload = outcome.payload
        if payload is None or len(payload) <= max_bytes:
            return outcome
        return Returned(None, outcome.content_type, digest_of(payload), len(payload))
    if isinstance(outcome, Raised):
        return _capped_raised(outcome, max_bytes)
    return outcome


def _capped_raised(outcome: Raised, max_bytes: int) -> Raised:
    """Drop what is only told of an error before what a replay is held to: its message."""
    whole = encode([outcome.arguments, [(link.message, link.stack) for link in outcome.chain]])
    if len(whole) + len(outcome.message) <= max_bytes:
        return outcome
    return Raised(
        outcome.error_type,
        outcome.message[:max_bytes],
        outcome.stack,
        outcome.module,
        (truncated(whole),),
    )


def digest_of(content: bytes) -> str:
    """Return what is kept of bytes over the cap: a BLAKE2b-128, in hexadecimal."""
    from hashlib import blake2b  # 3 ms, rarely needed

    return blake2b(content, digest_size=16).hexdigest()
