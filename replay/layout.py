"""What the payloads of a recording's parts hold, field by field: checked when they are read.

A payload may come from anybody: whatever is made of it afterwards takes its fields for what they
are called. Imports the codec. Invariant: what the recorder writes passes; of anything else, the
first field that is of another kind is a ValueError that names it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from replay.codec import Truncated

Check: TypeAlias = type | Callable[[Any], bool]
"""The type that a value has exactly, or what says whether it may be one."""
Layout: TypeAlias = Mapping[str, Check]
_MAX_NUMBER = 2**128
"""Above it arithmetic with fractions fails; a fake context may tell of many years."""


def check_layout(
    begun: Mapping[str, Any],
    calls: Iterable[tuple[str, Mapping[str, Any]]],
    ended: Mapping[str, Any] | None,
) -> None:
    """Raise ValueError, or KeyError, where a part of a recording is laid out otherwise."""
    _check_begun(begun)
    for kind, payload in calls:
        _check_call(kind, payload)
    if ended is not None:
        _check_ended(ended)


def _check_begun(payload: Mapping[str, Any]) -> None:
    _check(payload, _BEGUN)
    _check(payload["context"], _CONTEXT, "context ")
    _check(payload["sandbox"], _SANDBOX, "sandbox ")
    if payload.get("outbound", "off") not in ("off", "handler", "all"):
        raise ValueError("outbound is no known word")
    if not _is_number(payload.get("lost_parts", 0)):
        raise ValueError("lost_parts is of another kind")
    if "redaction" in payload:
        _check(payload["redaction"], _REDACTION, "redaction ")


def _check_ended(payload: Mapping[str, Any]) -> None:
    _check(payload, _ENDED)
    _check_pseudonyms(payload)
    _check_outcome(payload["outcome"])


def _check_outcome(outcome: Mapping[str, Any]) -> None:
    kind = outcome["kind"]
    _check(outcome, _OUTCOMES[kind], "outcome ")
    if kind == "returned" and type(outcome.get("payload")) not in (str, bytes):
        _check(outcome, _DIGEST, "outcome ")
    for link in outcome["chain"] if kind == "raised" else ():
        _check(link, {"link": str, **_LINK}, "chain ")


def _check_call(kind: str, payload: Mapping[str, Any]) -> None:
    _check(payload, _CALL)
    _check_pseudonyms(payload)
    if kind == "sent":
        _check(payload, _SENT)
        _check(payload["call"], _CALLS[payload["call"]["kind"]], "call ")
        return
    _check(payload, _ANSWERED)
    _check_answer(payload["answer"])


def _check_answer(answer: Mapping[str, Any]) -> None:
    cause: Any = answer
    while cause is not None:
        _check(cause, _ANSWERS[cause["kind"]], "answer ")
        cause = cause.get("cause")


def _check_pseudonyms(payload: Mapping[str, Any]) -> None:
    if not _is_texts(payload.get("pseudonyms", {})):
        raise ValueError("pseudonyms is of another kind")


def _check(document: Mapping[str, Any], layout: Layout, where: str = "") -> None:
    for name, check in layout.items():
        value = document[name]
        if type(value) is not check and (type(check) is type or not check(value)):
            raise ValueError(f"{where}{name} is of another kind")


def _or_none(check: Check) -> Check:
    if type(check) is type:
        return lambda value: value is None or type(value) is check
    return lambda value: value is None or check(value)


def _all(check: Check) -> Check:
    return lambda value: type(value) is list and all(_is(it, check) for it in value)


def _is(value: Any, check: Check) -> bool:
    return type(value) is check or (type(check) is not type and bool(check(value)))


def _is_number(value: Any) -> bool:
    return type(value) is int and abs(value) < _MAX_NUMBER


def _is_header(value: Any) -> bool:
    return type(value) is list and [type(it) for it in value] == [str, str]


def _is_texts(value: Any) -> bool:
    return type(value) is dict and {*map(type, value), *map(type, value.values())} <= {str}


def _is_body(value: Any) -> bool:
    return value is None or type(value) in (str, bytes, Truncated)


def _is_anything(_: Any) -> bool:
    return True


_BEGUN: Layout = {
    "replay_version": str,
    "captured_at_us": _is_number,
    "handler": str,
    "awaited": bool,
    "remaining_ms": _or_none(_is_number),
    "trace_id": _or_none(str),
    "sandbox": dict,
    "context": dict,
    "environment": _is_texts,
    "event": _is_anything,
}
_CONTEXT: Layout = {
    "kind": lambda value: value in ("lambda", "durable", "object", "value"),
    "type_name": str,
    "attributes": dict,
    "extra": dict,
    "w3c": dict,
    "deadline_epoch_ms": _or_none(_is_number),
}
_REDACTION: Layout = {
    "mode": str,
    "rules": _is_number,
    "generation": _is_number,
    "environment": _is_texts,
    "pseudonyms": _is_texts,
}
_SANDBOX: Layout = {
    "id": str,
    "sequence": _is_number,
    "python_version": str,
    "runtime_client": _or_none(str),
}
_ENDED: Layout = {
    "duration_us": _or_none(_is_number),
    "remaining_reads_ms": _all(_is_number),
    "reads_complete": bool,
    "outcome": dict,
}
_LINK: Layout = {
    "error_type": str,
    "module": str,
    "message": str,
    "stack": _all(str),
}
_DIGEST: Layout = {"digest": str, "size_bytes": _is_number}
_OUTCOMES: Mapping[str, Layout] = {
    "returned": {"content_type": str},
    "raised": {**_LINK, "arguments": list, "chain": _all(dict)},
    "timed_out": {"limit_ms": _is_number},
    "exited": {"status": _is_number},
}
_CALL: Layout = {"sequence": _is_number, "at_import": bool}
_SENT: Layout = {
    "at_us": _is_number,
    "lane": _is_number,
    "remaining_reads_ms": _all(_is_number),
    "call": dict,
}
_ANSWERED: Layout = {"duration_us": _is_number, "answer": dict}
_CALLS: Mapping[str, Layout] = {
    "aws": {
        "service": str,
        "operation": str,
        "region": _or_none(str),
        "parameters": dict,
        "is_read": bool,
        "endpoint": str,
    },
    "http": {
        "method": str,
        "url": str,
        "headers": _all(_is_header),
        "body": _is_body,
    },
}
_ANSWERS: Mapping[str, Layout] = {
    "response": {
        "status": _is_number,
        "reason": str,
        "headers": _all(_is_header),
        "chunks": _or_none(_all(_is_number)),
        "is_complete": bool,
        "body": _is_body,
    },
    "failure": {
        **dict.fromkeys(("error_type", "module", "message"), str),
        "arguments": list,
        "keywords": dict,
        "stage": lambda value: value in ("request", "response", "body"),
        "cause": _or_none(dict),
    },
}
