"""Which invocations of one decorated handler are captured, and what their begun part says.

`Recorder` belongs to the handler; each invocation it begins is an `Unfinished` recording. Both run
under the guard of the decorator, never around the handler.
"""

from collections.abc import Callable, Iterable
from time import time_ns
from typing import TYPE_CHECKING
from zlib import crc32

from replay.codec import encode
from replay.part import begun_payload
from replay.recorder import loading, remaining
from replay.recorder.environment import Environment
from replay.recorder.guard import attempted, failures
from replay.recorder.sandbox import next_place, outbound_calls
from replay.recorder.snapshot import Entry
from replay.recorder.unfinished import Unfinished, truncated
from replay.settings import RedactRule
from replay.version import __version__

if TYPE_CHECKING:
    from replay.recorder.funnel import Funnel
    from replay.recorder.outbound.outlet import Outlet

_PACKAGE_ENTRY = "replay.recorder.handler.handler"


class Recorder:
    """Captures the invocations of one handler; `name_handler` is asked if `_HANDLER` is not set."""

    def __init__(
        self,
        name_handler: Callable[[], str],
        *,
        sample: float | None,
        store: str | None,
        outbound: bool | None,
        redact: "str | Iterable[RedactRule] | None",
        awaited: bool,
    ) -> None:
        self._name_handler = name_handler
        self._awaited = awaited
        self._environment = Environment(
            store=store, sample=sample, outbound=outbound, redact=redact
        )
        self._own_name = ""
        self._has_watched = False
        self._has_loaded = False

    def begin(self, event: object, context: object) -> "Unfinished | None":
        """Make the begun part durable; None where this invocation is not captured."""
        environment = self._environment
        if self._has_loaded:
            environment.refresh()
        else:
            with loading.lock:
                environment.refresh()
        if not environment.is_capturing or remaining.is_watched(context):
            return None
        self._has_loaded = True
        if environment.settings.outbound and not self._has_watched:
            self._has_watched = True
            attempted(watch_libraries)
        now_us = time_ns() // 1000
        entry = Entry(context, now_us)
        funnel = environment.funnel()
        payload = self._begun_payload(event, entry, now_us, funnel)
        # After its sandbox's id.
        unfinished = Unfinished(environment, funnel, self._awaited, entry.remaining_ms)
        is_sampled = _is_sampled(environment.settings.sample, entry, unfinished.id)
        unfinished.begin(payload, sampled=is_sampled)
        attempted(unfinished.watch, entry.context, entry.kind)  # a failure costs what it watches
        return unfinished

    def _begun_payload(self, event: object, entry: Entry, now_us: int, funnel: "Funnel") -> bytes:
        environment = self._environment
        document = funnel.event(event, is_parsed=entry.kind == "lambda")
        if len(document) > environment.settings.max_bytes:
            document = encode(truncated(document))
        return begun_payload(
            replay_version=__version__,
            captured_at_us=now_us,
            handler=self._handler_name(),
            awaited=self._awaited,
            remaining_ms=entry.remaining_ms,
            trace_id=environment.trace_id,
            sandbox=next_place(),
            context=funnel.context(entry.snapshot),
            event=document,
            redaction=funnel.redaction(),
            environment=environment.encoded,
            lost_parts=environment.journal.lost + failures(),
            outbound=outbound_calls() if environment.settings.outbound else "off",
        )

    def _handler_name(self) -> str:
        if self._environment.handler not in ("", _PACKAGE_ENTRY):
            return self._environment.handler
        self._own_name = self._own_name or self._name_handler()
        return self._own_name


def watch_libraries() -> None:
    """Have outbound calls seen, those of libraries that are yet to be imported as well."""
    with loading.lock:
        from replay.recorder import library  # nothing of it where calls are not captured

    library.watch_libraries(_recording_outlet)


def _recording_outlet() -> "Outlet":
    from replay.recorder.calls import RecordingOutlet  # with the first library that makes calls

    return RecordingOutlet()


def _is_sampled(share: float, entry: Entry, id: str) -> bool:
    # By the request id, so that the retries of an invocation are all kept or all left out.
    key = entry.request_id or id
    return share >= 1 or crc32(key.encode(errors="replace")) < share * 2**32
