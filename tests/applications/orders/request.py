"""Calls of REST APIs (payload 1.0) and HTTP APIs (payload 2.0), and what they are refused for."""

import base64
import json
from dataclasses import dataclass
from decimal import Decimal


class Problem(Exception):
    """A refusal with its HTTP status."""

    def __init__(self, status, code, message, *, headers=None):
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}

    def document(self):
        return {"error": self.code, "message": str(self)}


class InvalidError(Problem):
    """A field of the call cannot be what it is."""

    def __init__(self, field, why):
        super().__init__(400, "Invalid", f"{field} {why}")
        self.field = field

    def document(self):
        return {**super().document(), "field": self.field}


class NotFoundError(Problem):
    """There is no such thing."""

    def __init__(self, message):
        super().__init__(404, "NotFound", message)


class ConflictError(Problem):
    """The order is not in a state in which it could be done."""

    def __init__(self, message):
        super().__init__(409, "Conflict", message)


class UnsupportedEventError(Exception):
    """The function was invoked by something else than API Gateway."""


@dataclass(frozen=True)
class Request:
    """One call: `body` is as it came."""

    method: str
    path: str
    query: dict
    user: str | None
    body: str | None
    is_base64: bool = False

    @property
    def segments(self):
        return [segment for segment in self.path.split("/") if segment]

    def document(self):
        """Return the body, a JSON object; numbers with a fraction are decimal."""
        text = self.body or ""
        try:
            if self.is_base64:
                text = base64.b64decode(text, validate=True).decode()
            document = json.loads(text, parse_float=Decimal)
        except ValueError:
            raise InvalidError("body", "is no JSON") from None
        if not isinstance(document, dict):
            raise InvalidError("body", "is no JSON object")
        return document


def request_of(event):
    """Return the call that an event is of."""
    if event.get("version") == "2.0":
        http = event["requestContext"]["http"]
        claims = event["requestContext"].get("authorizer", {}).get("jwt", {}).get("claims", {})
        method, path = http["method"], event["rawPath"]
        stage = event["requestContext"].get("stage", "$default")
        if stage != "$default":
            path = path.removeprefix(f"/{stage}")
    elif "httpMethod" in event:
        claims = (event["requestContext"].get("authorizer") or {}).get("claims", {})
        method, path = event["httpMethod"], event["path"]
    else:
        raise UnsupportedEventError(f"no HTTP call: {', '.join(sorted(event))}")
    query = event.get("queryStringParameters") or {}
    is_base64 = event.get("isBase64Encoded", False)
    return Request(method.upper(), path, query, claims.get("sub"), event.get("body"), is_base64)
