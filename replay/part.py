"""The bytes of a part: how the recorder writes them, FORMAT 1.

A part has an id, a kind, a checksum and a payload; a payload is a codec document. Reading them back
is in `recording.py`. Apart from it because the recorder loads this half alone.
"""

from collections.abc import Iterable, Mapping
from zlib import crc32

import orjson

from replay.codec import encode_fields
from replay.outcome import JSON_TYPE, ErrorLink, Exited, Outcome, Raised, Returned, TimedOut

FORMAT = 1
BEGUN = "begun"
SENT = "sent"
ANSWERED = "answered"
ENDED = "ended"

ATTRIBUTES = (
    "aws_request_id",
    "log_group_name",
    "log_stream_name",
    "function_name",
    "memory_limit_in_mb",
    "function_version",
    "invoked_function_arn",
    "tenant_id",
    "client_context",
    "identity",
)
"""The documented attributes of a context and `tenant_id`, in the order the runtime sets them."""
CLIENT_CONTEXT_FIELDS = ("custom", "env", "client")
CLIENT_FIELDS = (
    "installation_id",
    "app_title",
    "app_version_name",
    "app_version_code",
    "app_package_name",
)
IDENTITY_ON_THE_WIRE = {
    "cognito_identity_id": "cognitoIdentityId",
    "cognito_identity_pool_id": "cognitoIdentityPoolId",
}
"""The fields of an identity, and what Lambda calls them in its header."""
IDENTITY_FIELDS = tuple(IDENTITY_ON_THE_WIRE)


def part_crc(id: str, kind: str, payload: bytes) -> int:
    """Return the CRC-32 of a part; id and kind are covered as well."""
    return crc32(payload, crc32(f"{id}/{kind}/".encode()))


def begun_payload(
    *,
    replay_version: str,
    captured_at_us: int,
    handler: str,
    awaited: bool,
    remaining_ms: int | None,
    trace_id: str | None,
    sandbox: Mapping[str, object],
    context: bytes,
    environment: bytes,
    event: bytes,
    lost_parts: int = 0,
    outbound: str = "off",
    redaction: Mapping[str, object] | None = None,
) -> bytes:
    """Return the payload of a begun part; context, environment and event are codec documents.

    `lost_parts` are those that this process has lost before, since it began. `outbound` is one of
    `recording.Outbound`; `redaction` is laid out as `recording.Redaction`.
    """
    fields: dict[str, object] = {
        "format": FORMAT,
        "sequence": 0,
        "replay_version": replay_version,
        "captured_at_us": captured_at_us,
        "handler": handler,
        "awaited": awaited,
        "remaining_ms": remaining_ms,
        "trace_id": trace_id,
        "sandbox": sandbox,
        "environment": orjson.Fragment(environment),
        "context": orjson.Fragment(context),
    }
    if outbound != "off":
        fields["outbound"] = outbound
    if redaction is not None:
        fields["redaction"] = redaction
    if lost_parts:
        fields["lost_parts"] = lost_parts
    fields["event"] = orjson.Fragment(event)
    return encode_fields(fields)


def sent_payload(
    *,
    sequence: int,
    at_import: bool,
    at_us: int,
    lane: int,
    remaining_reads_ms: Iterable[int],
    call: bytes,
    pseudonyms: Mapping[str, str] | None = None,
) -> bytes:
    """Return the payload of a sent part; `call` is a codec document, see `call_document`.

    `remaining_reads_ms` are those since the part before, so that a killed invocation keeps them.
    """
    fields: dict[str, object] = {
        "format": FORMAT,
        "sequence": sequence,
        "at_import": at_import,
        "at_us": at_us,
        "lane": lane,
        "remaining_reads_ms": list(remaining_reads_ms),
    }
    return _with(fields, pseudonyms, "call", call)


def answered_payload(
    *,
    sequence: int,
    at_import: bool,
    duration_us: int,
    answer: bytes,
    pseudonyms: Mapping[str, str] | None = None,
) -> bytes:
    """Return the payload of an answered part; `answer` is a document, see `answer_document`."""
    fields: dict[str, object] = {
        "format": FORMAT,
        "sequence": sequence,
        "at_import": at_import,
        "duration_us": duration_us,
    }
    return _with(fields, pseudonyms, "answer", answer)


def ended_payload(
    *,
    duration_us: int | None,
    remaining_reads_ms: Iterable[int],
    reads_complete: bool,
    outcome: bytes,
    entropy: Mapping[str, object] | None = None,
    pseudonyms: Mapping[str, str] | None = None,
) -> bytes:
    """Return the payload of an ended part; `outcome` is a codec document, see `outcome_document`.

    `entropy`, where it was taped, is laid out as by `entropy_document`.
    """
    fields: dict[str, object] = {
        "format": FORMAT,
        "sequence": 0,
        "duration_us": duration_us,
        "remaining_reads_ms": list(remaining_reads_ms),
        "reads_complete": reads_complete,
    }
    if entropy is not None:
        fields["entropy"] = entropy
    return _with(fields, pseudonyms, "outcome", outcome)


def _with(
    fields: dict[str, object], pseudonyms: Mapping[str, str] | None, name: str, document: bytes
) -> bytes:
    """Return the payload of these fields, of the pseudonyms in a document, and of that."""
    if pseudonyms:
        fields["pseudonyms"] = pseudonyms
    fields[name] = orjson.Fragment(document)
    return encode_fields(fields)


def outcome_document(outcome: Outcome) -> dict[str, object]:
    """Return an outcome as the plain data that an ended part holds."""
    match outcome:
        case Returned(payload, content_type, digest_hex, size_bytes):
            if payload is None:
                what: dict[str, object] = {"digest": digest_hex, "size_bytes": size_bytes}
            else:
                what = {"payload": payload.decode() if content_type == JSON_TYPE else payload}
            return {"kind": "returned", "content_type": content_type, **what}
        case Raised():
            return {
                "kind": "raised",
                **_link_document(outcome),
                "arguments": list(outcome.arguments),
                "chain": [{"link": link.link, **_link_document(link)} for link in outcome.chain],
            }
        case TimedOut(limit_ms):
            return {"kind": "timed_out", "limit_ms": limit_ms}
        case Exited(status):
            return {"kind": "exited", "status": status}


def _link_document(error: Raised | ErrorLink) -> dict[str, object]:
    return {
        "error_type": error.error_type,
        "module": error.module,
        "message": error.message,
        "stack": list(error.stack),
    }
