"""A recording, the parts that it is written in, and their bytes.

How parts are written is in `part.py`; here they are read. A payload of an older format goes through
`CONVERTERS`, one format at a time. Invariant: reading the parts of a recording gives the same
recording, and a damaged or unknown payload is a `DamagedError` that says why.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from replay.codec import decode, encode
from replay.entropy import EntropyTape, entropy_document, entropy_of
from replay.errors import DamagedError
from replay.interaction import CALL_KINDS, Interaction, call_payloads, interactions_of
from replay.invocation import ContextSnapshot, Invocation, Redaction, Sandbox
from replay.layout import check_layout
from replay.outcome import ErrorLink, Exited, Outcome, Raised, Returned, TimedOut
from replay.part import (
    BEGUN,
    ENDED,
    FORMAT,
    begun_payload,
    ended_payload,
    outcome_document,
    part_crc,
)
from replay.version import __version__

_OF_SANDBOX = b'"at_import":true'
_HEAD_BYTES = 64
"""Where a call's payload says whose it is: format and sequence come before, and no captured value.
"""
_MAX_WHY = 100
"""Characters of what a payload says of itself in a message."""
_Document: TypeAlias = dict[str, Any]
CONVERTERS: dict[int, Callable[[_Document], _Document]] = {}
"""For each older format N the function that turns a decoded payload of N into one of N + 1."""


Outbound: TypeAlias = Literal["off", "handler", "all"]
"""Which outbound calls a capture has seen: none, those made by the handler, or those that were made
while its module was imported as well."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a recording, as it was committed: its payload is never changed."""

    id: str
    kind: str
    payload: bytes

    @property
    def crc(self) -> int:
        """The checksum that is stored beside the payload."""
        return part_crc(self.id, self.kind, self.payload)

    @property
    def is_of_sandbox(self) -> bool:
        """Whether it is of a call made at import, by the sandbox and no invocation of it."""
        return self.kind in CALL_KINDS and _OF_SANDBOX in self.payload[:_HEAD_BYTES]


@dataclass(frozen=True, slots=True)
class Recording:
    """A captured invocation with what came of it; `outcome` None means unfinished.

    `remaining_reads_ms` are the values that the handler read from the context, in order;
    `reads_complete` is False where the context's class allowed the entry value only;
    `replay_version` is the version that wrote it; `lost_parts` are those that its process had
    lost by then, of whatever recordings; `entropy` is None where it was not taped. `outbound` says
    which calls were watched for; `interactions` are those that were made, in the order in which
    they were sent, the sandbox's own before the handler's. `redaction` is None where none was done.
    """

    id: str
    invocation: Invocation
    outcome: Outcome | None = None
    duration_us: int | None = None
    remaining_reads_ms: tuple[int, ...] = ()
    reads_complete: bool = True
    replay_version: str = __version__
    lost_parts: int = 0
    entropy: EntropyTape | None = None
    outbound: Outbound = "off"
    interactions: tuple[Interaction, ...] = ()
    redaction: Redaction | None = None
    _read_from: tuple[Part, ...] | None = field(default=None, init=False, repr=False, compare=False)

    def parts(self) -> tuple[Part, ...]:
        """Return the parts that `from_parts` reads back: those it was read from, if it was."""
        if self._read_from is not None:
            return self._read_from
        begun = Part(self.id, BEGUN, _begun_of(self))
        calls = [
            Part(self.id, kind, payload)
            for interaction in self.interactions
            for kind, payload in call_payloads(interaction)
        ]
        if self.outcome is None:
            return (begun, *calls)
        ended = ended_payload(
            duration_us=self.duration_us,
            remaining_reads_ms=self.remaining_reads_ms,
            reads_complete=self.reads_complete,
            outcome=encode(outcome_document(self.outcome)),
            entropy=entropy_document(self.entropy) if self.entropy else None,
        )
        return (begun, *calls, Part(self.id, ENDED, ended))

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables as a replay sets them: pseudonyms in the places of those withheld."""
        recorded = self.invocation.environment
        return {**recorded, **self.redaction.environment} if self.redaction else recorded

    def call_parts(self, *, at_import: bool) -> tuple[Part, ...]:
        """Return the parts of the handler's calls, or of those that its import made."""
        if not self.interactions:
            return ()
        parts = (part for part in self.parts() if part.kind in CALL_KINDS)
        return tuple(part for part in parts if part.is_of_sandbox == at_import)

    @classmethod
    def from_parts(cls, id: str, parts: Iterable[Part]) -> "Recording":
        """Return the recording that `parts` make up; raises DamagedError, naming `id`."""
        read_from = tuple(parts)
        payloads = {part.kind: part.payload for part in read_from}
        if BEGUN not in payloads:
            raise DamagedError(f"recording {id}: its begun part is missing")
        begun = read_payload(id, BEGUN, payloads[BEGUN])
        ended = read_payload(id, ENDED, payloads[ENDED]) if ENDED in payloads else None
        calls = [
            (part.kind, read_payload(id, part.kind, part.payload))
            for part in read_from
            if part.kind in CALL_KINDS
        ]
        try:
            check_layout(begun, calls, ended)
            recording = _recording_of(id, begun, calls, ended)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"{type(error).__name__}: {error}"
            raise DamagedError(
                f"recording {id}: not laid out as format {FORMAT} ({why})"
            ) from error
        # Payload bytes are the truth; whatever is changed by `replace` is written anew.
        object.__setattr__(recording, "_read_from", read_from)
        return recording


def digest(parts: Iterable[Part]) -> str:
    """Return the BLAKE2b-128 of a recording's parts in the order given, in hexadecimal.

    Calls of the import are left out: they are the sandbox's, and travel with any of its recordings.
    """
    from hashlib import blake2b  # 3 ms that the recorder does not pay

    state = blake2b(digest_size=16)
    for part in parts:
        if part.is_of_sandbox:
            continue
        state.update(f"{part.kind}/{len(part.payload)}/".encode() + part.payload)
    return state.hexdigest()


def invocation_of(id: str, begun: bytes) -> Invocation:
    """Return the invocation of a begun part that has been read before, and is laid out well."""
    return _invocation_of(read_payload(id, BEGUN, begun))


def outcome_of(document: Mapping[str, Any]) -> Outcome:
    """Return the outcome that `outcome_document` laid out; raises KeyError and its like if not."""
    match document["kind"]:
        case "returned":
            payload = document.get("payload")
            payload = payload.encode() if isinstance(payload, str) else payload
            digest, size_bytes = document.get("digest"), document.get("size_bytes")
            return Returned(payload, document["content_type"], digest, size_bytes)
        case "raised":
            return raised_of(document)
        case "timed_out":
            return TimedOut(document["limit_ms"])
        case "exited":
            return Exited(document["status"])
    raise ValueError(f"unknown outcome {document['kind']!r}")


def raised_of(document: Mapping[str, Any]) -> Raised:
    """Return the error that `outcome_document` laid out."""
    links = [ErrorLink(link=link["link"], **_link_fields(link)) for link in document["chain"]]
    arguments = tuple(document["arguments"])
    return Raised(**_link_fields(document), arguments=arguments, chain=tuple(links))


def _link_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: document[name] for name in ("error_type", "module", "message")}
    return {**fields, "stack": tuple(document["stack"])}


def read_payload(id: str, kind: str, payload: bytes) -> _Document:
    """Return a part's payload as plain data of the current format; raises DamagedError."""
    try:
        document = decode(payload)
        number = _format_of(document)
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedError(
            f"recording {id}: its {kind} part cannot be decoded ({str(error)[:_MAX_WHY]})"
        ) from error
    while number in CONVERTERS:
        document = CONVERTERS[number](document)
        number = document["format"]
    if number == FORMAT:
        return dict(document)
    writer = str(document.get("replay_version", ""))[:_MAX_WHY]
    raise DamagedError(
        f"recording {id} has format {number}; this version reads formats up to {FORMAT}",
        f"pip install 'lambda-replay>={writer}'" if writer else "pip install -U lambda-replay",
    )


def _format_of(document: Any) -> int:
    number = document["format"]
    if type(document) is not dict or type(number) is not int:
        raise ValueError("no object with a format")
    return number


def _begun_of(recording: Recording) -> bytes:
    invocation = recording.invocation
    return begun_payload(
        replay_version=recording.replay_version,
        captured_at_us=invocation.captured_at_us,
        handler=invocation.handler,
        awaited=invocation.awaited,
        remaining_ms=invocation.remaining_ms,
        trace_id=invocation.trace_id,
        sandbox=_fields_of(invocation.sandbox),
        context=encode(_fields_of(invocation.context)),
        environment=encode(dict(invocation.environment)),
        event=encode(invocation.event),
        lost_parts=recording.lost_parts,
        outbound=recording.outbound,
        redaction=_fields_of(recording.redaction) if recording.redaction else None,
    )


def _fields_of(value: Sandbox | ContextSnapshot | Redaction) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__slots__}


def _redaction_of(begun: _Document, others: Iterable[_Document]) -> Redaction | None:
    if "redaction" not in begun:
        return None
    found = dict(begun["redaction"])
    found["pseudonyms"] = {
        **found["pseudonyms"],
        **{it: name for other in others for it, name in other.get("pseudonyms", {}).items()},
    }
    return Redaction(**found)


def _invocation_of(begun: _Document) -> Invocation:
    return Invocation(
        handler=begun["handler"],
        event=begun["event"],
        context=ContextSnapshot(**begun["context"]),
        environment=begun["environment"],
        captured_at_us=begun["captured_at_us"],
        remaining_ms=begun["remaining_ms"],
        trace_id=begun["trace_id"],
        sandbox=Sandbox(**begun["sandbox"]),
        awaited=begun["awaited"],
    )


def _recording_of(
    id: str, begun: _Document, calls: list[tuple[str, _Document]], ended: _Document | None
) -> Recording:
    invocation = _invocation_of(begun)
    what: _Document = {
        "replay_version": begun["replay_version"],
        "lost_parts": begun.get("lost_parts", 0),
        "outbound": begun.get("outbound", "off"),
        "interactions": interactions_of(calls) if calls else (),
        "redaction": _redaction_of(begun, [*(call for _, call in calls), ended or {}]),
    }
    if ended is None:
        reads = [ms for _, call in calls for ms in call.get("remaining_reads_ms", ())]
        return Recording(id, invocation, remaining_reads_ms=tuple(reads), **what)
    return Recording(
        id,
        invocation,
        outcome=outcome_of(ended["outcome"]),
        duration_us=ended["duration_us"],
        remaining_reads_ms=tuple(ended["remaining_reads_ms"]),
        reads_complete=ended["reads_complete"],
        entropy=entropy_of(ended["entropy"]) if "entropy" in ended else None,
        **what,
    )
