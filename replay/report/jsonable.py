"""Decoded values as plain JSON."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from replay.codec import Opaque, Truncated

_INDENT = 2
_MAX_SPACES = 64 * 2**20


def jsonable_mapping(mapping: Mapping[str, object]) -> dict[str, object]:
    """Return a mapping with every value as `jsonable` gives it."""
    return {name: jsonable(value) for name, value in mapping.items()}


def jsonable(value: Any) -> Any:
    """Return a decoded value as plain JSON: what JSON cannot say is described in an object."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, bytes):
        return {"base64": b64encode(value).decode()}
    if isinstance(value, Opaque):
        return {"opaque": value.type_name}
    if isinstance(value, Truncated):
        return {"truncated": {"size_bytes": value.size_bytes, "digest": value.digest}}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)


def indent_of(value: Any) -> int | None:
    """Return by how much a value's JSON is indented; None, on one line, where it nests too deep.

    Indentation grows with the square of the depth: a megabyte can be made to take gigabytes.
    """
    level, depth, spaces = [value], 0, 0
    while level and spaces < _MAX_SPACES:
        level = [item for one in level for item in _items(one)]
        depth += 1
        spaces += len(level) * depth * _INDENT
    return _INDENT if spaces < _MAX_SPACES else None


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()
