"""Outbound calls of a handler and what came of them, as frozen values and as plain data.

An interaction is written in two parts: `sent` before the wire and `answered` after it. Imports the
standard library, the codec and `part`; loaded by the recorder only where a call is made.
Invariant: `call_of(call_document(call))` equals `call`, and so for answers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from replay.codec import Truncated, encode
from replay.part import ANSWERED, SENT, answered_payload, sent_payload

CALL_KINDS = (SENT, ANSWERED)
"""The kinds of the parts that an interaction is written in."""
Header: TypeAlias = tuple[str, str]
Body: TypeAlias = bytes | Truncated | None
"""The bytes of a message without its transfer coding; None: there was none, or none can be had."""
Stage: TypeAlias = Literal["request", "response", "body"]
"""How far a call had come when it failed: until the head of its answer, or in that, or after."""


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One attempt of an operation of an AWS service, by the names of botocore's models.

    `parameters` are what the operation was given, after botocore has filled in what it fills in;
    `is_read` says that the operation changes nothing, as far as its model tells; `endpoint` is
    where it was sent, a URL without a path.
    """

    service: str
    operation: str
    region: str | None
    parameters: Mapping[str, Any]
    is_read: bool
    endpoint: str = ""

    @property
    def name(self) -> str:
        """What messages call it, such as "dynamodb PutItem"."""
        return f"{self.service} {self.operation}"


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One HTTP request; credentials in its URL, its headers and its body are withheld."""

    method: str
    url: str
    headers: tuple[Header, ...] = ()
    body: Body = None

    @property
    def name(self) -> str:
        """What messages call it, such as "GET https://example.com/orders"."""
        return f"{self.method} {self.url.partition('?')[0]}"

    @property
    def is_read(self) -> bool:
        """Whether its method is one that changes nothing, by RFC 9110."""
        return self.method in ("GET", "HEAD", "OPTIONS", "TRACE")


Call: TypeAlias = AwsCall | HttpCall


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that came: `body` as it was coded, say gzip, but without chunks.

    `chunks` are their sizes where it came in chunks, else None; `is_complete` is False where the
    handler did not read to the end.
    """

    status: int
    reason: str = ""
    headers: tuple[Header, ...] = ()
    body: Body = b""
    chunks: tuple[int, ...] | None = None
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception that came in the place of an answer.

    `arguments` and `keywords` are what its class was given, as far as they are plain data; `cause`
    is what it stands for, such as the OSError under a library's own exception.
    """

    error_type: str
    module: str
    message: str
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    stage: Stage = "request"
    cause: "Failure | None" = None


Answer: TypeAlias = Response | Failure


@dataclass(frozen=True, slots=True)
class Interaction:
    """One outbound call and its answer; `answer` None: it was waiting for one to the end.

    `sequence` counts the calls of an invocation from 1; those that were made while the module was
    imported, which are the sandbox's (`at_import`), count by themselves. `at_us` is when it was
    sent, in microseconds after entry, or after the import began. `lane` numbers the threads and
    tasks that make calls, from 0: what is sent in one lane is sent in that order.
    """

    sequence: int
    call: Call
    at_us: int
    answer: Answer | None = None
    duration_us: int | None = None
    at_import: bool = False
    lane: int = 0


def call_payloads(interaction: Interaction) -> Iterator[tuple[str, bytes]]:
    """Yield the parts of an interaction, each as its kind and its payload."""
    place: dict[str, Any] = {
        "sequence": interaction.sequence,
        "at_import": interaction.at_import,
    }
    call, answer = encode(call_document(interaction.call)), interaction.answer
    when: dict[str, Any] = {"at_us": interaction.at_us, "lane": interaction.lane}
    yield SENT, sent_payload(**place, **when, remaining_reads_ms=(), call=call)
    if answer is not None:
        duration_us = interaction.duration_us or 0
        answered = encode(answer_document(answer))
        yield ANSWERED, answered_payload(**place, duration_us=duration_us, answer=answered)


def interactions_of(calls: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Interaction, ...]:
    """Return the interactions of decoded payloads, each with its kind; the first of a place counts.

    An answer to a call that is not there says nothing, and is left out. Raises KeyError and its
    like where they are laid out otherwise.
    """
    found: dict[str, dict[tuple[bool, int], Mapping[str, Any]]] = {SENT: {}, ANSWERED: {}}
    for kind, payload in calls:
        found[kind].setdefault((not payload["at_import"], payload["sequence"]), payload)
    sent, answered = found[SENT], found[ANSWERED]
    return tuple(_interaction_of(sent[place], answered.get(place)) for place in sorted(sent))


def _interaction_of(sent: Mapping[str, Any], answered: Mapping[str, Any] | None) -> Interaction:
    call = call_of(sent["call"])
    what: dict[str, Any] = {"at_import": sent["at_import"], "lane": sent["lane"]}
    if answered is not None:
        what |= {"answer": answer_of(answered["answer"]), "duration_us": answered["duration_us"]}
    return Interaction(sent["sequence"], call, sent["at_us"], **what)


def call_document(call: Call) -> dict[str, object]:
    """Return a call as the plain data that a sent part holds."""
    match call:
        case AwsCall(service, operation, region, parameters, is_read, endpoint):
            return {
                "kind": "aws",
                "service": service,
                "operation": operation,
                "region": region,
                "parameters": parameters,
                "is_read": is_read,
                "endpoint": endpoint,
            }
        case HttpCall(method, url, headers, body):
            return {
                "kind": "http",
                "method": method,
                "url": url,
                "headers": [list(header) for header in headers],
                "body": _readable(body),
            }


def call_of(document: Mapping[str, Any]) -> Call:
    """Return the call that `call_document` laid out; raises KeyError and its like if not."""
    match document["kind"]:
        case "aws":
            fields = ("service", "operation", "region", "parameters", "is_read", "endpoint")
            return AwsCall(**{name: document[name] for name in fields})
        case "http":
            headers, body = _headers_of(document["headers"]), _bytes_of(document["body"])
            return HttpCall(document["method"], document["url"], headers, body)
    raise ValueError(f"unknown call {document['kind']!r}")


def answer_document(answer: Answer) -> dict[str, object]:
    """Return an answer as the plain data that an answered part holds."""
    match answer:
        case Response(status, reason, headers, body, chunks, is_complete):
            return {
                "kind": "response",
                "status": status,
                "reason": reason,
                "headers": [list(header) for header in headers],
                "chunks": None if chunks is None else list(chunks),
                "is_complete": is_complete,
                "body": _readable(body),
            }
        case Failure(error_type, module, message, arguments, keywords, stage, cause):
            return {
                "kind": "failure",
                "error_type": error_type,
                "module": module,
                "message": message,
                "arguments": list(arguments),
                "keywords": dict(keywords),
                "stage": stage,
                "cause": cause and answer_document(cause),
            }


def answer_of(document: Mapping[str, Any]) -> Answer:
    """Return the answer that `answer_document` laid out; raises KeyError and its like if not."""
    match document["kind"]:
        case "response":
            chunks = document["chunks"]
            return Response(
                document["status"],
                document["reason"],
                _headers_of(document["headers"]),
                _bytes_of(document["body"]),
                None if chunks is None else tuple(chunks),
                document["is_complete"],
            )
        case "failure":
            return _failure_of(document)
    raise ValueError(f"unknown answer {document['kind']!r}")


def _failure_of(document: Mapping[str, Any]) -> Failure:
    cause = document["cause"]
    return Failure(
        document["error_type"],
        document["module"],
        document["message"],
        tuple(document["arguments"]),
        document["keywords"],
        document["stage"],
        cause and _failure_of(cause),
    )


def _headers_of(pairs: list[list[str]]) -> tuple[Header, ...]:
    return tuple((name, value) for name, value in pairs)


def _readable(body: Body) -> object:
    """Return a body as text where that is exact: a person may read it."""
    if not isinstance(body, bytes):
        return body
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _bytes_of(body: object) -> Body:
    if isinstance(body, str):
        return body.encode()
    if body is None or isinstance(body, bytes | Truncated):
        return body
    raise ValueError(f"a body is no {type(body).__name__}")
