"""What a case is called: by what invoked the handler, and by what came of it. Pure.

`post_orders_returns_201`, `sqs_orders_of_3_reports_1_failure`, `order_placed_raises_key_error`. The
words are captured text: whatever is in them, a name is an ASCII identifier that is no keyword.
"""

import keyword
import re
from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b
from typing import Any

import orjson

from replay.event import source_of
from replay.outcome import Exited, Outcome, Raised, Returned, TimedOut
from replay.recording import Recording

_MAX_CHARACTERS = 60
_MAX_WORDS = 12
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")
_FALLBACK = "event"
_ID = re.compile(r"\d+|[0-9a-fA-F-]{16,}|(?=.*\d)[A-Za-z0-9_-]{20,}|[A-Za-z]+-\d+")


def case_name(recording: Recording, outcome: Outcome | None) -> str:
    """Return what a case is called, an identifier in lower case; others may be called the same."""
    event = recording.invocation.event
    words = slug(*_trigger(event), *_consequence(outcome))
    return words if words[0].isalpha() else f"{_FALLBACK}_{words}"


def slug(*words: object) -> str:
    """Return words as one identifier of ASCII letters, digits and underscores; never empty."""
    text = " ".join(str(word) for word in words)
    parts = _NOT_A_WORD.sub(" ", _CAMEL.sub(" ", text).lower()).split()[:_MAX_WORDS]
    found = "_".join(parts)[:_MAX_CHARACTERS].strip("_") or _FALLBACK
    return f"{found}_" if keyword.iskeyword(found) else found


def file_stem(function_name: str) -> str:
    """Return what a function's folder and module are called: its slug.

    A name that is no slug itself, but for hyphens, carries a hash: others may have the same slug.
    """
    found = slug(function_name)
    return found if found == function_name.replace("-", "_") else hashed_stem(function_name)


def hashed_stem(function_name: str) -> str:
    """Return what it is called where another function has its slug."""
    digest = blake2b(function_name.encode(errors="replace"), digest_size=3).hexdigest()
    return f"{slug(function_name)}_{digest}"


def unique(name: str, recording: Recording, taken: Collection[str]) -> str:
    """Return the name, followed by the end of the recording's id where another case has it."""
    return f"{name}_{recording.id[-8:]}" if name in taken else name


def _trigger(event: Any) -> Iterable[object]:
    source = source_of(event)
    if source is None:
        return _of_unknown(event)
    service = source.removeprefix("aws:")
    match source:
        case "aws:apigateway" | "aws:elb":
            resource = str(event.get("resource") or "")
            path = event.get("path") if "+}" in resource or not resource else resource
            return _of_request(event.get("httpMethod"), path)
        case "aws:apigateway-http" | "aws:lambda-url":
            return _of_request(*_route(event))
        case "aws:events":
            return (event.get("detail-type"),)
        case "aws:cognito-idp":
            return (event.get("triggerSource"),)
        case "aws:s3":
            return _of_records("s3", event, _inside(event, "Records", 0, "eventName"))
    return _of_records(service, event, _queue_of(event))


def _of_unknown(event: Any) -> Iterable[object]:
    if not isinstance(event, Mapping):
        return ("event", "of", type(event).__name__)
    for key in ("action", "operation", "type", "command", "job"):
        if isinstance(event.get(key), str):
            return (event[key],)
    return ("event", *(["with", *list(event)[:3]] if event else ["without", "fields"]))


def _of_request(method: object, path: object) -> Iterable[object]:
    segments = [it for it in str(path or "").split("/") if it]
    # What is in an id says nothing to a reader.
    named = ["id" if _ID.fullmatch(segment) else segment for segment in segments]
    return method or "request", *(named or ["root"])


def _route(event: Mapping[str, Any]) -> tuple[object, object]:
    route = str(event.get("routeKey") or "")
    method, space, path = route.partition(" ")
    if space and "+}" not in path:
        return method, path
    http = event["requestContext"]["http"]
    return http.get("method"), event.get("rawPath")


def _of_records(service: str, event: Any, what: object) -> Iterable[object]:
    records = event.get("Records") if isinstance(event, Mapping) else None
    several = ("of", len(records)) if isinstance(records, list) and len(records) > 1 else ()
    return service, *((what,) if what else ()), *several


def _queue_of(event: Any) -> str | None:
    record = _inside(event, "Records", 0)
    if not isinstance(record, Mapping):
        return None
    arn = record.get("eventSourceARN") or _inside(record, "Sns", "TopicArn")
    return str(arn).split("/stream/", maxsplit=1)[0].split(":")[-1].split("/")[-1] if arn else None


def _inside(value: Any, *steps: str | int) -> Any:
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _consequence(outcome: Outcome | None) -> Iterable[object]:
    match outcome:
        case None:
            return ("does", "not", "finish")
        case Returned():
            return _of_result(outcome)
        case Raised(error_type=error_type):
            return ("raises", error_type.rpartition(".")[2])
        case TimedOut():
            return ("times", "out")
        case Exited(status):
            return ("exits", "by", "signal", -status) if status < 0 else ("exits", status)


def _of_result(outcome: Returned) -> Iterable[object]:
    try:
        result = orjson.loads(outcome.payload or b"")
    except ValueError:
        return ("returns",)
    if isinstance(result, Mapping):
        failures = result.get("batchItemFailures")
        if isinstance(failures, list) and failures:
            return "reports", len(failures), "failure" if len(failures) == 1 else "failures"
        if isinstance(result.get("statusCode"), int | str):
            return "returns", result["statusCode"]
    return ("returns", "none") if result is None else ("returns",)
