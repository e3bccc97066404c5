"""A context object as plain data, whatever it is, without disturbing it.

The runtime client's own class is read from its instance dictionary, so no code of the host runs.
Any other object is asked for the documented attributes; one that raises is left out, and a mock is
not asked at all, since it would count the questions. The result is laid out as
`invocation.ContextSnapshot`.
"""

from collections.abc import Callable
from math import isfinite
from typing import Any

from replay.codec import is_plain, type_name
from replay.invocation import ATTRIBUTES, CLIENT_CONTEXT_FIELDS, CLIENT_FIELDS, IDENTITY_FIELDS

_DEADLINE = "_epoch_deadline_time_in_ms"
_W3C = "_w3c_fields"
_READ = "get_remaining_time_in_millis"
_ABSENT = object()


class Entry:
    """What was seen of a context at entry: its snapshot and the remaining milliseconds."""

    __slots__ = ("context", "kind", "remaining_ms", "snapshot")

    def __init__(self, context: Any, now_us: int) -> None:
        inner, kind = _unwrap(context)
        self.context = inner
        self.kind = kind
        now_ms = now_us // 1000
        if kind == "value":
            self.remaining_ms = None
            self.snapshot = _document("value", context, value=context)
            return
        if kind == "object":
            self.remaining_ms = _ask_remaining_ms(inner)
            deadline = None if self.remaining_ms is None else now_ms + self.remaining_ms
        else:
            deadline = vars(inner)[_DEADLINE]
            deadline = deadline if type(deadline) is int else None
            self.remaining_ms = None if deadline is None else max(0, deadline - now_ms)
        self.snapshot = _snapshot_object(inner, kind, deadline, type_name(context))

    @property
    def request_id(self) -> str | None:
        """The AWS request id, where the context has one that is a str."""
        attributes: Any = self.snapshot["attributes"]
        request_id = attributes.get("aws_request_id")
        return request_id if type(request_id) is str else None


def _unwrap(context: Any) -> tuple[Any, str]:
    """Return the object to read, and its kind; a durable function's context holds the real one."""
    if is_plain(context):
        return context, "value"
    if _is_runtime_context(context):
        return context, "lambda"
    inner = _instance_dict(context).get("lambda_context")
    if inner is None and type_name(context).endswith("DurableContext"):
        inner = _ask(context, "lambda_context")
    return (inner, "durable") if _is_runtime_context(inner) else (context, "object")


def _is_runtime_context(context: object) -> bool:
    return type(context).__name__ == "LambdaContext" and _DEADLINE in _instance_dict(context)


def _instance_dict(value: object) -> dict[str, Any]:
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return attributes if type(attributes) is dict else {}


def _snapshot_object(context: Any, kind: str, deadline: int | None, name: str) -> dict[str, object]:
    instance = _instance_dict(context)
    ask = instance.get if kind != "object" else _asker(context)
    attributes = {key: ask(key, _ABSENT) for key in ATTRIBUTES}
    for key, fields in (("client_context", CLIENT_CONTEXT_FIELDS), ("identity", IDENTITY_FIELDS)):
        attributes[key] = _fields(attributes[key], fields)
    if type(attributes["client_context"]) is dict and "client" in attributes["client_context"]:
        client = attributes["client_context"]["client"]
        attributes["client_context"]["client"] = _fields(client, CLIENT_FIELDS)
    w3c = instance.get(_W3C)
    return _document(
        kind,
        name=name,
        attributes={key: value for key, value in attributes.items() if value is not _ABSENT},
        extra=_extra(instance),
        w3c=dict(w3c) if type(w3c) is dict else {},
        deadline_epoch_ms=deadline,
    )


def _document(
    kind: str, context: object = None, *, name: str = "", **known: object
) -> dict[str, object]:
    blank: dict[str, object] = {
        "attributes": {},
        "extra": {},
        "w3c": {},
        "deadline_epoch_ms": None,
        "value": None,
    }
    return {"kind": kind, "type_name": name or type_name(context), **blank, **known}


def _extra(instance: dict[str, Any]) -> dict[str, object]:
    return {
        key: value
        for key, value in instance.items()
        if key not in ATTRIBUTES and not key.startswith("_") and is_plain(value)
    }


def _fields(value: Any, names: tuple[str, ...]) -> Any:
    """Return an object's named fields as a dict; None, absent and plain values as they are."""
    if value is _ABSENT or is_plain(value) or _is_mock(value):
        return value
    found = {name: _ask(value, name, _ABSENT) for name in names}
    return {name: field for name, field in found.items() if field is not _ABSENT}


def _asker(context: Any) -> Callable[[str, object], Any]:
    if _is_mock(context):
        return _instance_dict(context).get
    return lambda name, default: _ask(context, name, default)


def _ask(value: Any, name: str, default: object = None) -> Any:
    try:
        return getattr(value, name, default)
    except Exception:  # noqa: BLE001 - a property of the host's class may raise anything
        return default


def _ask_remaining_ms(context: Any) -> int | None:
    if _is_mock(context):
        return None
    try:
        answer = getattr(context, _READ)()
    except Exception:  # noqa: BLE001 - no such method, or one that fails: no deadline
        return None
    is_number = type(answer) is int or (type(answer) is float and isfinite(answer))
    return max(0, int(answer)) if is_number else None


def _is_mock(value: object) -> bool:
    return any(kind.__module__ == "unittest.mock" for kind in type(value).__mro__)
