"""The context object that a replayed handler gets: AWS's own, rebuilt from a snapshot.

Same names, types, `repr`, truncation and errors as `awslambdaric.lambda_context` 4.2.2, which has
no wheels for macOS and is therefore not depended on; a test holds the two against each other.
Imports values only.
"""

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any

from replay.invocation import ContextSnapshot
from replay.part import ATTRIBUTES, CLIENT_CONTEXT_FIELDS, CLIENT_FIELDS, IDENTITY_FIELDS


class LambdaContext:
    """What AWS Lambda passes as the second argument; attributes as in AWS's documentation."""

    def __init__(self, snapshot: ContextSnapshot, deadline_epoch_ms: int) -> None:
        for name in ATTRIBUTES[:8]:
            if name in snapshot.attributes:
                setattr(self, name, snapshot.attributes[name])
        self._w3c_fields = dict(snapshot.w3c)
        for name, build in (("client_context", _client_context), ("identity", _identity)):
            if name in snapshot.attributes:
                setattr(self, name, build(snapshot.attributes[name]))
        self._epoch_deadline_time_in_ms = deadline_epoch_ms
        vars(self).update(snapshot.extra)

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the deadline by the wall clock, never below 0."""
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def w3c(self) -> dict[str, str]:
        """Return the W3C trace context of the invocation."""
        return dict(self._w3c_fields)

    def log(self, msg: object) -> None:
        """Write `msg` to the log as it is, without a line end."""
        for handler in logging.getLogger().handlers:
            if hasattr(handler, "log_sink"):
                handler.log_sink.log(str(msg))
                return
        sys.stdout.write(str(msg))

    def __repr__(self) -> str:
        names = (
            *("aws_request_id", "log_group_name", "log_stream_name", "function_name"),
            *("memory_limit_in_mb", "function_version", "invoked_function_arn"),
            *("client_context", "identity", "tenant_id"),
        )
        return _repr(self, names)


class _Fields:
    """An object of fixed fields, as the runtime client makes them: other attributes are refused."""

    __slots__: tuple[str, ...] = ()

    def __init__(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        return _repr(self, self.__slots__)


class CognitoIdentity(_Fields):
    """`context.identity`."""

    __slots__ = IDENTITY_FIELDS


class Client(_Fields):
    """`context.client_context.client`."""

    __slots__ = CLIENT_FIELDS


class ClientContext(_Fields):
    """`context.client_context`."""

    __slots__ = CLIENT_CONTEXT_FIELDS


def rebuild(snapshot: ContextSnapshot, deadline_epoch_ms: int) -> object:
    """Return the handler's second argument as it was recorded, with a deadline of its own."""
    if snapshot.kind == "value":
        return snapshot.value
    return LambdaContext(snapshot, deadline_epoch_ms)


def _client_context(value: Any) -> Any:
    if not _has_fields(value, CLIENT_CONTEXT_FIELDS):
        return value
    client = value.get("client")
    is_object = _has_fields(client, CLIENT_FIELDS)
    return ClientContext({**value, "client": Client(client)} if is_object else value)


def _identity(value: Any) -> Any:
    return CognitoIdentity(value) if _has_fields(value, IDENTITY_FIELDS) else value


def _has_fields(value: Any, names: tuple[str, ...]) -> bool:
    # An imagined context may hold a dict where the runtime's has an object.
    return isinstance(value, dict) and set(value) <= set(names)


def _repr(value: object, names: tuple[str, ...]) -> str:
    fields = ",".join(f"{name}={getattr(value, name)}" for name in names)
    return f"{type(value).__name__}([{fields}])"
