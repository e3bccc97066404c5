"""What happens around one invocation: the begun part before the handler, the ended part after it.

`Recorder` belongs to one decorated handler; each invocation it begins is an `Unfinished` recording
until its outcome is known. Both run under the guard of the decorator, never around the handler.
"""

import functools
from collections.abc import Callable
from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING
from zlib import crc32

from replay.codec import Truncated, encode
from replay.outcome import Exited, Raised, Returned
from replay.part import BEGUN, ENDED, begun_payload, ended_payload, outcome_document
from replay.payload import marshal
from replay.recorder import remaining
from replay.recorder.environment import Environment
from replay.recorder.guard import guarded
from replay.recorder.sandbox import next_place
from replay.recorder.snapshot import Entry
from replay.recorder.ulid import new_ulid
from replay.version import __version__

if TYPE_CHECKING:
    from replay.recorder.entropy import Draws

_HEAD_BYTES = 4096
_PACKAGE_ENTRY = "replay.recorder.handler.handler"


class Recorder:
    """Captures the invocations of one handler; `name_handler` is asked if `_HANDLER` is not set."""

    def __init__(
        self,
        name_handler: Callable[[], str],
        *,
        sample: float | None,
        store: str | None,
        awaited: bool,
    ) -> None:
        self._name_handler = name_handler
        self._awaited = awaited
        self._environment = Environment(store=store, sample=sample)
        self._own_name = ""

    def begin(self, event: object, context: object) -> "Unfinished | None":
        """Make the begun part durable; None where this invocation is not captured."""
        environment = self._environment
        environment.refresh()
        if not environment.is_capturing or remaining.is_watched(context):
            return None
        now_us = time_ns() // 1000
        entry = Entry(context, now_us)
        payload = self._begun_payload(event, entry, now_us)
        unfinished = Unfinished(environment, self._awaited)
        is_sampled = _is_sampled(environment.settings.sample, entry, unfinished.id)
        unfinished.begin(payload, sampled=is_sampled)
        unfinished.watch(entry.context, entry.kind)
        return unfinished

    def _begun_payload(self, event: object, entry: Entry, now_us: int) -> bytes:
        environment = self._environment
        write = functools.partial(
            begun_payload,
            replay_version=__version__,
            captured_at_us=now_us,
            handler=self._handler_name(),
            awaited=self._awaited,
            remaining_ms=entry.remaining_ms,
            trace_id=environment.trace_id,
            sandbox=next_place(),
            context=entry.snapshot,
            environment=environment.encoded,
            lost_parts=environment.journal.lost,
        )
        payload = write(event=event, is_parsed=entry.kind == "lambda")
        max_bytes = environment.settings.max_bytes
        if len(payload) > max_bytes and len(encoded := encode(event)) > max_bytes:
            return write(event=_truncated(encoded))
        return payload

    def _handler_name(self) -> str:
        if self._environment.handler not in ("", _PACKAGE_ENTRY):
            return self._environment.handler
        self._own_name = self._own_name or self._name_handler()
        return self._own_name


class Unfinished:
    """One invocation whose begun part is written; `returned` or `raised` finishes it."""

    __slots__ = (
        "_awaited",
        "_began_ns",
        "_draws",
        "_escaped",
        "_held",
        "_is_begun",
        "_journal",
        "_settings",
        "_tape",
        "id",
    )

    def __init__(self, environment: Environment, awaited: bool) -> None:
        self.id = new_ulid()
        self._awaited = awaited
        self._escaped = environment.escapes_text
        self._journal = environment.journal
        self._settings = environment.settings
        self._held: bytes | None = None
        self._is_begun = False
        self._tape: remaining.Tape | None = None
        self._draws: Draws | None = None
        self._began_ns = 0

    def begin(self, payload: bytes, *, sampled: bool) -> None:
        """Write the begun part; outside the sample hold it in case the handler raises."""
        if sampled:
            self._is_begun = self._write(BEGUN, payload)
        else:
            self._held = payload

    def watch(self, context: object, kind: str) -> None:
        """Keep the remaining-time reads, and what is drawn, from here on; the handler starts."""
        self._tape = remaining.start(context, kind)
        if self._settings.tape:
            self._draws = guarded(_start_draws)  # a failure costs the tape and no more
        self._began_ns = perf_counter_ns()

    def returned(self, result: object) -> None:
        """Write the ended part of a handler that returned `result`."""
        duration_us = self._stop()
        if self._is_begun:
            outcome = marshal(result, escaped=self._escaped)
            self._end(duration_us, _capped_outcome(outcome, self._settings.max_bytes))

    def raised(self, error: BaseException) -> None:
        """Write the ended part of a handler that raised `error`, and the begun part if held."""
        from replay.recorder.failure import outcome_of_exception  # traceback: 6 ms, rarely needed

        duration_us = self._stop()
        if self._held is not None:
            self._is_begun = self._write(BEGUN, self._held)
        if self._is_begun:
            outcome = outcome_of_exception(error, awaited=self._awaited)
            self._end(duration_us, _capped_outcome(outcome, self._settings.max_bytes))

    def _stop(self) -> int:
        duration_us = (perf_counter_ns() - self._began_ns) // 1000
        if self._tape is not None:
            remaining.stop(self._tape)
        if self._draws is not None:
            self._draws.stop()
        return duration_us

    def _end(self, duration_us: int, outcome: Returned | Raised | Exited) -> None:
        tape = self._tape
        payload = ended_payload(
            duration_us=duration_us,
            remaining_reads_ms=tape.values if tape else (),
            reads_complete=tape is not None and tape.complete,
            outcome=outcome_document(outcome),
            entropy=self._draws.document() if self._draws else None,
        )
        self._write(ENDED, payload)

    def _write(self, kind: str, payload: bytes) -> bool:
        return self._journal.write(self.id, kind, payload, self._settings.max_store_bytes)


def _start_draws() -> "Draws":
    from replay.recorder import entropy  # nothing of it where no tape is asked for

    return entropy.start()


def _truncated(encoded: bytes) -> Truncated:
    head = encoded[:_HEAD_BYTES].decode(errors="replace")
    return Truncated(len(encoded), _digest(encoded), head)


def _capped_outcome(
    outcome: Returned | Raised | Exited, max_bytes: int
) -> Returned | Raised | Exited:
    if isinstance(outcome, Returned):
        payload = outcome.payload
        if payload is None or len(payload) <= max_bytes:
            return outcome
        return Returned(None, outcome.content_type, _digest(payload), len(payload))
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
        (_truncated(whole),),
    )


def _digest(content: bytes) -> str:
    from hashlib import blake2b  # 3 ms, rarely needed

    return blake2b(content, digest_size=16).hexdigest()


def _is_sampled(share: float, entry: Entry, id: str) -> bool:
    # By the request id, so that the retries of an invocation are all kept or all left out.
    key = entry.request_id or id
    return share >= 1 or crc32(key.encode(errors="replace")) < share * 2**32
