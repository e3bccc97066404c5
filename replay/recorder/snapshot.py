"""A context object as plain data, whatever it is, without disturbing it.

The runtime client's own class is read from its instance dictionary, so no code of the host runs.
Any other object is asked for the documented attributes; one that raises is left out, and a mock is
not asked at all, since it would count the questions. The result is laid out as
`invocation.ContextSnapshot`.
"""

from math import isfinite
from typing import Any

from replay.asking import ask, instance_dict
from replay.codec import is_plain, type_name
from replay.part import ATTRIBUTES, CLIENT_CONTEXT_FIELDS, CLIENT_FIELDS, IDENTITY_FIELDS

_DEADLINE = "_epoch_deadline_time_in_ms"
_W3C = "_w3c_fields"
_READ = "get_remaining_time_in_millis"
_ABSENT = object()


class Entry:
    """What was seen of a context at entry: its snapshot and the remaining milliseconds."""

    __slots__ = ("context", "kind", "remaining_ms", "snapshot")

    def __init__(self, context: Any, now_us: int) -> None:
        self.context, self.kind = _unwrap(context)
        self.remaining_ms: int | None = None
        match self.kind:
            case "value":
                self.snapshot = _document("value", context, {}, value=context)
            case "object":
                self.remaining_ms = _ask_remaining_ms(context)
                self.snapshot = _snapshot_object(context, _deadline(self.remaining_ms, now_us))
            case _:
                instance = instance_dict(self.context)
                deadline = instance[_DEADLINE] if type(instance[_DEADLINE]) is int else None
                if deadline is not None:
                    self.remaining_ms = max(0, deadline - now_us // 1000)
                attributes = _runtime_attributes(instance)
                self.snapshot = _document(
                    self.kind,
                    context,
                    attributes,
                    extra=_extra(instance) if len(instance) > len(attributes) + 2 else {},
                    w3c=_plain_dict(instance.get(_W3C)),
                    deadline_epoch_ms=deadline,
                )

    @property
    def request_id(self) -> str | None:
        """The AWS request id, where the context has one that is a str."""
        attributes: Any = self.snapshot["attributes"]
        request_id = attributes.get("aws_request_id")
        return request_id if type(request_id) is str else None


def _unwrap(context: Any) -> tuple[Any, str]:
    """Return the object to read, and its kind; a durable function's context holds the real one."""
    if _is_runtime_context(context):
        return context, "lambda"
    if is_plain(context):
        return context, "value"
    inner = instance_dict(context).get("lambda_context")
    if inner is None and type_name(context).endswith("DurableContext"):
        inner = _ask(context, "lambda_context")
    return (inner, "durable") if _is_runtime_context(inner) else (context, "object")


def _is_runtime_context(context: object) -> bool:
    return type(context).__name__ == "LambdaContext" and _DEADLINE in instance_dict(context)


def _plain_dict(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _deadline(remaining_ms: int | None, now_us: int) -> int | None:
    return None if remaining_ms is None else now_us // 1000 + remaining_ms


def _runtime_attributes(instance: dict[str, Any]) -> dict[str, Any]:
    attributes = {name: instance[name] for name in ATTRIBUTES if name in instance}
    if attributes.get("client_context") is not None:
        attributes["client_context"] = _client_context(attributes["client_context"])
    if attributes.get("identity") is not None:
        attributes["identity"] = _fields(attributes["identity"], IDENTITY_FIELDS)
    return attributes


def _snapshot_object(context: Any, deadline_epoch_ms: int | None) -> dict[str, object]:
    instance = instance_dict(context)
    ask = instance.get if _is_mock(context) else lambda name, default: _ask(context, name, default)
    asked = {name: ask(name, _ABSENT) for name in ATTRIBUTES}
    attributes = {name: value for name, value in asked.items() if value is not _ABSENT}
    return _document(
        "object",
        context,
        _runtime_attributes(attributes),
        extra=_extra(instance),
        deadline_epoch_ms=deadline_epoch_ms,
    )


def _document(
    kind: str, context: object, attributes: dict[str, Any], **known: object
) -> dict[str, object]:
    return {
        "kind": kind,
        "type_name": type_name(context),
        "attributes": attributes,
        "extra": {},
        "w3c": {},
        "deadline_epoch_ms": None,
        "value": None,
        **known,
    }


def _client_context(value: Any) -> Any:
    fields = _fields(value, CLIENT_CONTEXT_FIELDS)
    if type(fields) is dict and fields.get("client") is not None:
        return {**fields, "client": _fields(fields["client"], CLIENT_FIELDS)}
    return fields


def _extra(instance: dict[str, Any]) -> dict[str, object]:
    return {
        key: value
        for key, value in instance.items()
        if key not in ATTRIBUTES and not key.startswith("_") and is_plain(value)
    }


def _fields(value: Any, names: tuple[str, ...]) -> Any:
    """Return an object's named fields as a dict; a plain value or a mock as it is."""
    if is_plain(value) or _is_mock(value):
        return value
    found = {name: _ask(value, name, _ABSENT) for name in names}
    return {name: field for name, field in found.items() if field is not _ABSENT}


def _ask(value: Any, name: str, default: object = None) -> Any:
    return ask(getattr, value, name, default, default=default)


def _ask_remaining_ms(context: Any) -> int | None:
    if _is_mock(context):
        return None
    answer = ask(_read_remaining_ms, context, default=None)
    is_number = type(answer) is int or (type(answer) is float and isfinite(answer))
    return max(0, int(answer)) if is_number else None


def _read_remaining_ms(context: Any) -> Any:
    return getattr(context, _READ)()


def _is_mock(value: object) -> bool:
    return any(kind.__module__ == "unittest.mock" for kind in type(value).__mro__)
