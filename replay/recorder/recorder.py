"""What happens around one invocation: the begun part before the handler, the ended part after it.

`Recorder` belongs to one decorated handler; each invocation it begins is an `Unfinished` recording
until its outcome is known. Both run under the guard of the decorator, never around the handler.
"""

import os
import sys
from collections.abc import Callable, Mapping
from time import perf_counter_ns, time_ns
from typing import Any
from zlib import crc32

from replay.codec import Truncated, encode
from replay.invocation import Exited, Raised, Returned
from replay.payload import marshal
from replay.recorder import remaining
from replay.recorder.environment import TRACE_ID, Environment
from replay.recorder.journal import Journal, journal_of
from replay.recorder.sandbox import next_place
from replay.recorder.snapshot import Entry
from replay.recorder.ulid import new_ulid
from replay.recording import BEGUN, ENDED, begun_payload, ended_payload, outcome_document
from replay.settings import Settings, recorder_settings
from replay.version import __version__

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
        self._sample = sample
        self._store = store
        self._awaited = awaited
        self._environment: Environment | None = None
        self._own_name = ""

    def begin(self, event: object, context: object) -> "Unfinished | None":
        """Make the begun part durable; None where this invocation is not captured."""
        environment = self._look_around()
        if not self._is_wanted(environment) or remaining.is_watched(context):
            return None
        now_us = time_ns() // 1000
        entry = Entry(context, now_us)
        settings = environment.settings
        unfinished = Unfinished(new_ulid(), settings, self._awaited)
        payload = begun_payload(
            replay_version=__version__,
            captured_at_us=now_us,
            handler=self._handler_name(environment),
            awaited=self._awaited,
            remaining_ms=entry.remaining_ms,
            trace_id=os.environ.get(TRACE_ID),
            sandbox=next_place(),
            context=encode(entry.snapshot),
            environment=environment.encoded,
            event=_capped(encode(event), settings.max_bytes),
        )
        unfinished.begin(payload, sampled=_is_sampled(settings.sample, entry, unfinished.id))
        unfinished.watch(entry.context, entry.kind)
        return unfinished

    def _look_around(self) -> Environment:
        if self._environment is None:
            self._environment = Environment(self._read_settings)
        self._environment.refresh()
        return self._environment

    def _read_settings(self, variables: Mapping[str, str]) -> Settings:
        return recorder_settings(variables, store=self._store, sample=self._sample)

    def _is_wanted(self, environment: Environment) -> bool:
        if environment.capture:
            return environment.capture != "off"
        return self._store is not None or environment.names_store or not _in_test_runner()

    def _handler_name(self, environment: Environment) -> str:
        if environment.handler not in ("", _PACKAGE_ENTRY):
            return environment.handler
        self._own_name = self._own_name or self._name_handler()
        return self._own_name


class Unfinished:
    """One invocation whose begun part is written; `returned` or `raised` finishes it."""

    __slots__ = ("_awaited", "_began_ns", "_held", "_journal", "_settings", "_tape", "id")

    def __init__(self, id: str, settings: Settings, awaited: bool) -> None:
        self.id = id
        self._settings = settings
        self._awaited = awaited
        self._journal: Journal = journal_of(settings)
        self._held: bytes | None = None
        self._tape: remaining.Tape | None = None
        self._began_ns = 0

    def begin(self, payload: bytes, *, sampled: bool) -> None:
        """Write the begun part; outside the sample hold it in case the handler raises."""
        if sampled:
            self._write(BEGUN, payload)
        else:
            self._held = payload

    def watch(self, context: object, kind: str) -> None:
        """Keep the remaining-time reads from here on; the handler starts now."""
        self._tape = remaining.start(context, kind)
        self._began_ns = perf_counter_ns()

    def returned(self, result: object) -> None:
        """Write the ended part of a handler that returned `result`."""
        duration_us = self._stop()
        if self._held is None:
            outcome = marshal(result, os.environ)
            self._end(duration_us, _capped_outcome(outcome, self._settings.max_bytes))

    def raised(self, error: BaseException) -> None:
        """Write the ended part of a handler that raised `error`, and the begun part if held."""
        from replay.recorder.failure import outcome_of_exception  # traceback: 6 ms, rarely needed

        duration_us = self._stop()
        if self._held is not None:
            self._write(BEGUN, self._held)
        outcome = outcome_of_exception(error, awaited=self._awaited)
        self._end(duration_us, _capped_outcome(outcome, self._settings.max_bytes))

    def _stop(self) -> int:
        duration_us = (perf_counter_ns() - self._began_ns) // 1000
        if self._tape is not None:
            remaining.stop(self._tape)
        return duration_us

    def _end(self, duration_us: int, outcome: Returned | Raised | Exited) -> None:
        tape = self._tape
        payload = ended_payload(
            duration_us=duration_us,
            remaining_reads_ms=tape.values if tape else (),
            reads_complete=tape is not None and tape.complete,
            outcome=outcome_document(outcome),
        )
        self._write(ENDED, payload)

    def _write(self, kind: str, payload: bytes) -> None:
        self._journal.write(self.id, kind, payload, self._settings.max_store_bytes)


def _capped(encoded: bytes, max_bytes: int) -> bytes:
    if len(encoded) <= max_bytes:
        return encoded
    head = encoded[:_HEAD_BYTES].decode(errors="replace")
    return encode(Truncated(len(encoded), _digest(encoded), head))


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
    arguments = encode(list(outcome.arguments))
    message = outcome.message
    if len(arguments) + len(message) <= max_bytes:
        return outcome
    truncated = Truncated(len(arguments), _digest(arguments), "")
    return Raised(
        outcome.error_type, message[:_HEAD_BYTES], outcome.stack, outcome.module, (truncated,)
    )


def _digest(content: bytes) -> str:
    from hashlib import blake2b  # 3 ms, rarely needed

    return blake2b(content, digest_size=16).hexdigest()


def _is_sampled(share: float, entry: Entry, id: str) -> bool:
    # By the request id, so that the retries of an invocation are all kept or all left out.
    key = entry.request_id or id
    return share >= 1 or crc32(key.encode(errors="replace")) < share * 2**32


def _in_test_runner() -> bool:
    if "PYTEST_CURRENT_TEST" in os.environ and "_pytest" in sys.modules:
        return True
    spec: Any = getattr(sys.modules.get("__main__"), "__spec__", None)
    return getattr(spec, "name", None) == "unittest.__main__"
