"""What is captured of an invocation passes here on its way into a part, before it is written.

A value that cannot be redacted, within bounds or at all, is not stored: how it is laid out, its
size and a digest are.
"""

from collections.abc import Callable, Mapping
from typing import Any

from replay.codec import Truncated, encode, encode_parsed
from replay.recorder import loading
from replay.recorder.guard import attempted
from replay.recorder.unfinished import digest_of
from replay.redaction.redactor import RULES, Redactor, Rules, is_of_caller

_FAILED = "replay-withheld: it could not be redacted"
_CONTEXT_VALUES = ("client_context", "identity")
_KEPT = {
    "aws": ("kind", "service", "operation", "region", "is_read", "endpoint"),
    "http": ("kind", "method"),
    "response": ("kind", "status", "chunks"),
    "failure": ("kind", "error_type", "module", "stage"),
    "returned": ("kind", "content_type"),
    "raised": ("kind", "error_type", "module"),
}
"""Of each kind of document what holds no captured value."""
_IN_PLACE: dict[str, dict[str, Any]] = {
    "http": {"url": "replay-withheld:", "headers": []},
    "response": {"reason": "", "headers": [], "is_complete": False},
    "failure": {"message": _FAILED, "arguments": [], "keywords": {}, "cause": None},
    "raised": {"message": _FAILED, "stack": [], "arguments": [], "chain": []},
}


class Funnel:
    """The way into the parts of one recording.

    `environment` has the pseudonyms of the variables that are withheld, `of_environment` those in
    the values of the others.
    """

    __slots__ = ("_environment", "_of_environment", "_redactor", "_rules")

    def __init__(
        self,
        rules: Rules | None,
        environment: Mapping[str, str],
        of_environment: Mapping[str, str] | None = None,
    ) -> None:
        self._rules = rules
        self._environment = environment
        self._of_environment = of_environment or {}
        self._redactor = Redactor(rules)

    def event(self, event: object, *, is_parsed: bool) -> bytes:
        """Return an event as a document; `is_parsed` says that it came out of a JSON parser."""
        encoded = encode_parsed(event) if is_parsed else encode(event)
        return self._redacted(encoded, lambda: encode(_truncated(encoded)), event=event)

    def context(self, snapshot: Mapping[str, Any]) -> bytes:
        """Return the snapshot of a context as a document: what its caller sent is redacted."""
        encoded = encode(snapshot)
        if not is_of_caller(snapshot):
            return encoded
        attributes = snapshot["attributes"].items()
        bare = {name: it for name, it in attributes if name not in _CONTEXT_VALUES}
        return self._redacted(
            encoded, lambda: encode({**snapshot, "attributes": bare, "extra": {}, "value": None})
        )

    def document(self, document: Mapping[str, Any]) -> bytes:
        """Return a call or an outcome as a document."""
        encoded = encode(document)
        return self._redacted(encoded, lambda: encode(_shape(document, encoded)))

    def environment(self, variables: Mapping[str, str]) -> bytes:
        """Return variables as a document."""
        return self._redacted(encode(variables), lambda: b"{}")

    def answer(self, document: Mapping[str, Any]) -> bytes:
        """Return an answer as a document; the program may keep the secrets that it was given."""
        redacted = self.document(document)
        with loading.lock:
            self._redactor.remember()
        return redacted

    def redaction(self) -> dict[str, object] | None:
        """Return what a begun part tells of its redaction, once its documents have passed."""
        if self._rules is None:
            return None
        return {
            "mode": self._rules.mode,
            "rules": RULES,
            "generation": 0,
            "environment": self._environment,
            "pseudonyms": {**self._of_environment, **self._redactor.take_fresh()},
        }

    def pseudonyms(self) -> dict[str, str]:
        """Return the pseudonyms in the documents that have passed since this was asked last."""
        with loading.lock:
            return self._redactor.take_fresh()

    def _redacted(
        self, encoded: bytes, instead: Callable[[], bytes], *, event: object = None
    ) -> bytes:
        with loading.lock:  # threads of one invocation share its secrets; the first load a module
            redacted = attempted(self._redactor.encoded, encoded, event=event)
        return instead() if redacted is None else redacted


def _truncated(encoded: bytes) -> Truncated:
    return Truncated(len(encoded), digest_of(encoded), _FAILED)


def _shape(document: Mapping[str, Any], encoded: bytes) -> dict[str, Any]:
    """Return a document without the captured values in it."""
    kind = document["kind"]
    kept = _KEPT.get(kind)
    if kept is None:
        return dict(document)
    shape = {**{name: document[name] for name in kept}, **_IN_PLACE.get(kind, {})}
    match kind:
        case "aws":
            shape["parameters"] = {"replay-withheld": _truncated(encoded)}
        case "http" | "response":
            shape["body"] = _truncated(encoded)
        case "returned":
            shape |= {"digest": _truncated(encoded).digest, "size_bytes": len(encoded)}
    return shape
