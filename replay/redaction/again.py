"""A stored recording redacted again, by rules that it did not have, or did not have yet.

Works on the bytes of its parts. A part in which nothing is found stays the same to the byte; where
one changes, the recording has a new generation.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from replay.part import ANSWERED, BEGUN, ENDED, SENT
from replay.recording import Part, read_payload
from replay.redaction.redactor import RULES, Redactor, Rules, is_of_caller

_FIELDS = {
    BEGUN: ("event", "context", "environment"),
    SENT: ("call",),
    ANSWERED: ("answer",),
    ENDED: ("outcome",),
}
"""The fields of each kind of part that hold captured values."""


def redacted_again(parts: Sequence[Part], rules: Rules) -> tuple[Part, ...] | None:
    """Return the parts of a recording redacted, None where nothing is found.

    Raises RedactionError where a value cannot be redacted, DamagedError where it cannot be read.
    """
    documents = [_document(part) for part in parts]
    redactor = Redactor(rules)
    redactor.keep(it for document in documents for it in _pseudonyms(document))
    changed = [False] * len(parts)
    for _ in range(2):  # what a later part gives away stood in an earlier one as well
        for index, (part, document) in enumerate(zip(parts, documents, strict=True)):
            changed[index] |= _redact(part.kind, document, redactor)
    if not any(changed):
        return None
    for index, (part, document) in enumerate(zip(parts, documents, strict=True)):
        if part.kind == BEGUN:
            document["redaction"] = _next_generation(document, rules)
            changed[index] = True
    return tuple(
        Part(part.id, part.kind, orjson.dumps(document)) if is_changed else part
        for part, document, is_changed in zip(parts, documents, changed, strict=True)
    )


def _document(part: Part) -> dict[str, Any]:
    read_payload(part.id, part.kind, part.payload)  # what cannot be read is damaged
    document: dict[str, Any] = orjson.loads(part.payload)
    return document


def _pseudonyms(document: dict[str, Any]) -> Iterable[str]:
    redaction = document.get("redaction", {})
    yield from redaction.get("pseudonyms", {})
    yield from redaction.get("environment", {}).values()
    yield from document.get("pseudonyms", {})


def _redact(kind: str, document: dict[str, Any], redactor: Redactor) -> bool:
    """Redact the captured values of one part; whether something was found."""
    is_changed = False
    for field in _FIELDS[kind]:
        if field == "context" and not is_of_caller(document[field]):
            continue
        encoded = orjson.dumps(document[field])
        event = document[field] if field == "event" else None
        redacted = redactor.encoded(encoded, event=event)
        if redacted != encoded:
            document[field] = orjson.loads(redacted)
            is_changed = True
    fresh = redactor.take_fresh()
    if fresh:
        holder = document.setdefault("redaction", _not_yet()) if kind == BEGUN else document
        holder["pseudonyms"] = {**holder.get("pseudonyms", {}), **fresh}
    return is_changed


def _not_yet() -> dict[str, Any]:
    return {"mode": "off", "rules": 0, "generation": 0, "environment": {}, "pseudonyms": {}}


def _next_generation(document: dict[str, Any], rules: Rules) -> dict[str, Any]:
    before = document.get("redaction") or _not_yet()
    return {**before, "mode": rules.mode, "rules": RULES, "generation": before["generation"] + 1}
