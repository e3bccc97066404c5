"""Shapes of set B: an invocation as data, what in it is secret, and what is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

Plain = TypeVar("Plain", str, int)
CLUE = {"n": "name", "s": "shape", "b": "both"}


@dataclass(frozen=True)
class Secret:
    """Must not be stored. Numbers are given by their decimal text."""

    value: str
    place: str
    name: str
    kind: str
    clue: str


@dataclass(frozen=True)
class Benign:
    """Must stay as it is."""

    value: str
    place: str
    name: str
    lookalike: bool = False


@dataclass(frozen=True)
class Planted:
    """An invocation and everything it did; `answer_json` of an AWS call is plain JSON data."""

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


@dataclass
class Case:
    """An invocation being written down."""

    name: str
    source: str
    environment: dict[str, str] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    aws: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    benign: list[Benign] = field(default_factory=list)

    def hide(self, clue: str, kind: str, place: str, name: str, value: Plain) -> Plain:
        """Plant a secret; the clue is n(ame), s(hape) or b(oth)."""
        self.secrets.append(Secret(str(value), place, name, kind, CLUE[clue]))
        return value

    def show(self, place: str, name: str, value: Plain) -> Plain:
        """Plant an ordinary value."""
        self.benign.append(Benign(str(value), place, name))
        return value

    def trap(self, place: str, name: str, value: Plain) -> Plain:
        """Plant a benign value that looks like a secret."""
        self.benign.append(Benign(str(value), place, name, True))
        return value

    def http(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: str | bytes,
        status: int,
        answer_headers: dict[str, str],
        answer: str | bytes,
    ) -> None:
        """Add an outbound HTTP request."""
        self.requests.append(
            {
                "method": method,
                "url": url,
                "headers": [[name, value] for name, value in headers.items()],
                "body": body,
                "answer": {
                    "status": status,
                    "headers": [[name, value] for name, value in answer_headers.items()],
                    "body": answer,
                },
            }
        )

    def call(self, service: str, operation: str, parameters: dict[str, Any], answer: Any) -> None:
        """Add an AWS call."""
        self.aws.append(
            {
                "service": service,
                "operation": operation,
                "parameters": parameters,
                "answer_json": answer,
            }
        )

    def _done(
        self,
        event: Any,
        context: dict[str, Any] | None,
        returned: Any,
        raised: dict[str, str] | None,
    ) -> Planted:
        return Planted(
            self.name,
            self.source,
            event,
            context,
            self.environment,
            self.requests,
            self.aws,
            returned,
            raised,
            self.secrets,
            self.benign,
        )

    def returns(self, event: Any, returned: Any, context: dict[str, Any] | None = None) -> Planted:
        """Finish an invocation that returned."""
        return self._done(event, context, returned, None)

    def raises(
        self, event: Any, kind: str, message: str, line: str, context: dict[str, Any] | None = None
    ) -> Planted:
        """Finish an invocation that raised; the line of code is shown in the traceback."""
        return self._done(
            event, context, None, {"type": kind, "message": message, "locals_line": line}
        )
