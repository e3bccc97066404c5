"""Data classes of the set, and the sheet on which one invocation is written down.

A number is listed by its decimal text. A value which sits inside a longer text (a password in a connection
string, the signature of a signed URL, a line of a private key) is listed alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple, TypeVar, Union

Value = TypeVar("Value", str, int)
Text = Union[str, bytes]


@dataclass(frozen=True)
class Secret:
    """A value that must not be stored; `clue` is 'name', 'shape' or 'both'."""

    value: str
    place: str
    name: str
    kind: str
    clue: str


@dataclass(frozen=True)
class Benign:
    """A value to be kept as it is; `lookalike` when its name or shape resembles a secret's."""

    value: str
    place: str
    name: str
    lookalike: bool = False


@dataclass(frozen=True)
class Planted:
    """One recorded invocation as plain data, and what is planted in it."""

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
    """Collects what is planted; every method hands its value back, to be written in place."""

    def __init__(self, name: str, source: str) -> None:
        self.title = name
        self.source = source
        self.secrets: list[Secret] = []
        self.benign: list[Benign] = []

    def _secret(self, value: Value, place: str, name: str, kind: str, clue: str) -> Value:
        self.secrets.append(Secret(str(value), place, name, kind, clue))
        return value

    def name(self, value: Value, place: str, name: str, kind: str) -> Value:
        """Secret by its name or the words around it; the value looks ordinary."""
        return self._secret(value, place, name, kind, "name")

    def shape(self, value: Value, place: str, name: str, kind: str) -> Value:
        """Secret by its shape; the name is innocent."""
        return self._secret(value, place, name, kind, "shape")

    def both(self, value: Value, place: str, name: str, kind: str) -> Value:
        """Secret by its name and by its shape."""
        return self._secret(value, place, name, kind, "both")

    def keep(self, value: Value, place: str, name: str) -> Value:
        """Ordinary data."""
        self.benign.append(Benign(str(value), place, name))
        return value

    def alike(self, value: Value, place: str, name: str) -> Value:
        """Ordinary data which resembles a secret."""
        self.benign.append(Benign(str(value), place, name, True))
        return value

    def done(
        self,
        event: Any,
        *,
        context: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
        requests: Sequence[dict[str, Any]] = (),
        aws: Sequence[dict[str, Any]] = (),
        returned: Any = None,
        raised: dict[str, str] | None = None,
    ) -> Planted:
        """The invocation as written."""
        return Planted(
            self.title,
            self.source,
            event,
            context,
            dict(environment or {}),
            list(requests),
            list(aws),
            returned,
            raised,
            self.secrets,
            self.benign,
        )


def http(
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    body: Text,
    status: int,
    answer_headers: Sequence[tuple[str, str]],
    answer_body: Text,
) -> dict[str, Any]:
    """An outbound HTTP exchange."""
    return {
        "method": method,
        "url": url,
        "headers": [[name, value] for name, value in headers],
        "body": body,
        "answer": {
            "status": status,
            "headers": [[name, value] for name, value in answer_headers],
            "body": answer_body,
        },
    }


def boto(service: str, operation: str, parameters: dict[str, Any], answer: Any) -> dict[str, Any]:
    """An outbound AWS call."""
    return {
        "service": service,
        "operation": operation,
        "parameters": parameters,
        "answer_json": answer,
    }


def fault(kind: str, message: str, line: str) -> dict[str, str]:
    """A raised exception, with the source line its traceback shows."""
    return {"type": kind, "message": message, "locals_line": line}
