"""The record of one invocation with the values planted in it, and the sheet on which one is written.

Numbers are listed by their decimal text: a secret 482113 in JSON is listed as "482113".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Value = TypeVar("Value", str, int)
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Secret:
    """A value that must not be stored. `clue`: what gives it away, 'name', 'shape' or 'both'."""

    value: str
    place: str
    name: str
    kind: str
    clue: str


@dataclass(frozen=True)
class Benign:
    """A value to be kept unchanged. `lookalike`: its name or shape resembles a secret's."""

    value: str
    place: str
    name: str
    lookalike: bool = False


@dataclass(frozen=True)
class Planted:
    """One recorded invocation as plain data, with the values planted in it."""

    name: str
    source: str
    event: Any
    client_context: dict[str, Any] | None
    environment: dict[str, str]
    requests: list[dict[str, Any]]
    aws: list[dict[str, Any]]
    returned: Any
    raised: dict[str, str] | None
    secrets: list[Secret]
    benign: list[Benign]


class Sheet:
    """Notes the values as they are written into an invocation; each method gives its value back."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source
        self.secrets: list[Secret] = []
        self.benign: list[Benign] = []

    def _hide(self, value: Value, place: str, name: str, kind: str, clue: str) -> Value:
        self.secrets.append(Secret(str(value), place, name, kind, clue))
        return value

    def named(self, value: Value, place: str, name: str, kind: str) -> Value:
        """A secret which only its name (or the words around it) gives away."""
        return self._hide(value, place, name, kind, "name")

    def shaped(self, value: Value, place: str, name: str, kind: str) -> Value:
        """A secret which only its shape gives away."""
        return self._hide(value, place, name, kind, "shape")

    def both(self, value: Value, place: str, name: str, kind: str) -> Value:
        """A secret which its name and its shape give away."""
        return self._hide(value, place, name, kind, "both")

    def keep(self, value: Value, place: str, name: str) -> Value:
        """An ordinary value."""
        self.benign.append(Benign(str(value), place, name))
        return value

    def alike(self, value: Value, place: str, name: str) -> Value:
        """A benign value that resembles a secret."""
        self.benign.append(Benign(str(value), place, name, True))
        return value

    def planted(
        self,
        event: Any,
        *,
        client_context: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
        requests: Sequence[dict[str, Any]] = (),
        aws: Sequence[dict[str, Any]] = (),
        returned: Any = None,
        raised: dict[str, str] | None = None,
    ) -> Planted:
        """The finished invocation."""
        return Planted(
            self.name,
            self.source,
            event,
            client_context,
            dict(environment or {}),
            list(requests),
            list(aws),
            returned,
            raised,
            self.secrets,
            self.benign,
        )


def request(
    method: str,
    url: str,
    headers: Pairs = (),
    body: str | bytes = "",
    *,
    status: int = 200,
    answer_headers: Pairs = (),
    answer_body: str | bytes = "",
) -> dict[str, Any]:
    """An outbound HTTP request and its answer."""
    return {
        "method": method,
        "url": url,
        "headers": [list(pair) for pair in headers],
        "body": body,
        "answer": {
            "status": status,
            "headers": [list(pair) for pair in answer_headers],
            "body": answer_body,
        },
    }


def call(service: str, operation: str, parameters: dict[str, Any], answer: Any) -> dict[str, Any]:
    """An outbound AWS call; the answer is plain JSON data."""
    return {
        "service": service,
        "operation": operation,
        "parameters": parameters,
        "answer_json": answer,
    }


def error(kind: str, message: str, line: str) -> dict[str, str]:
    """A raised builtin exception, with a line of source code shown in its traceback."""
    return {"type": kind, "message": message, "locals_line": line}
