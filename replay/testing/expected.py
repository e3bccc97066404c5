"""The outcome that a case expects, as JSON for reading and for editing by hand. Pure."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import orjson

from replay.outcome import JSON_TYPE, Exited, Outcome, Raised, Returned, TimedOut


def expected_document(outcome: Outcome | None) -> dict[str, object]:
    """Return an outcome for reading and for editing by hand; None does not finish."""
    match outcome:
        case None:
            return {"kind": "unfinished"}
        case Returned(payload=None):
            kept = {"digest": outcome.digest, "size_bytes": outcome.size_bytes}
            return {"kind": "returned", "content_type": outcome.content_type, **kept}
        case Returned(payload=bytes(payload)):
            return {"kind": "returned", **_payload_document(payload, outcome.content_type)}
        case Raised():
            said = {"error_type": outcome.error_type, "message": outcome.message}
            return {"kind": "raised", **said}
        case TimedOut(limit_ms):
            return {"kind": "timed_out", "limit_ms": limit_ms}
        case Exited(status):
            return {"kind": "exited", "status": status}
    raise AssertionError(outcome)


def _payload_document(payload: bytes, content_type: str) -> dict[str, object]:
    if content_type != JSON_TYPE:
        return {"content_type": content_type, "base64": b64encode(payload).decode()}
    try:
        value = orjson.loads(payload)
        # What orjson would round stays as it was written.
        is_exact = orjson.dumps(value) == _without_spaces(payload)
    except (ValueError, TypeError, RecursionError):  # lone surrogates, NaN, nested too deep
        return {"payload": payload.decode(errors="backslashreplace")}
    return {"value": value} if is_exact else {"payload": payload.decode()}


def _without_spaces(payload: bytes) -> bytes:
    return json.dumps(json.loads(payload), separators=(",", ":"), ensure_ascii=False).encode(
        errors="surrogatepass"
    )


def expected_of(document: Mapping[str, Any], recorded: Outcome | None) -> Outcome | None:
    """Return the outcome that a document says: the recorded one itself, if it says that."""
    # As text: 1, 1.0 and True are equal to each other.
    if isinstance(recorded, Returned) and recorded.payload is not None and "value" in document:
        is_recorded = orjson.dumps(orjson.loads(recorded.payload)) == orjson.dumps(
            document["value"]
        )
    else:
        is_recorded = json.dumps(expected_document(recorded)) == json.dumps(document)
    return recorded if is_recorded else outcome_of(document)


def outcome_of(document: Mapping[str, Any]) -> Outcome | None:
    """Return the outcome that a document says; raises KeyError and its like where it says none."""
    match document["kind"]:
        case "unfinished":
            return None
        case "returned":
            return _returned_of(document)
        case "raised":
            return Raised(document["error_type"], document["message"])
        case "timed_out":
            return TimedOut(document["limit_ms"])
        case "exited":
            return Exited(document["status"])
    raise ValueError(f"unknown kind {document['kind']!r}")


def _returned_of(document: Mapping[str, Any]) -> Returned:
    if "value" in document:
        return Returned(orjson.dumps(document["value"]))
    if "payload" in document:
        return Returned(document["payload"].encode())
    if "base64" in document:
        return Returned(b64decode(document["base64"]), document["content_type"])
    return Returned(None, document["content_type"], document["digest"], document["size_bytes"])
