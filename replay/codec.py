"""Total JSON codec: any Python value becomes bytes, and a value from Lambda comes back exact.

orjson does the work wherever it is exact. Where it is not - it refuses integers over 64 bits, lone
surrogates, bytes and deep nesting, turns NaN into null and a tuple into a list - the value is
written as an object with a single key that begins with `$replay:`, a *tag*. A dictionary of the
user that looks like a tag is itself written under one, so nothing is ambiguous.

Imports orjson and the standard library, and `untagger` where there is a tag to read. Invariants:
`encode` never raises and never calls code of the value's class; `decode(encode(x))` equals x in
value and type for every value that Lambda can pass in; every other value becomes `Opaque`, which
keeps its type name.
"""

import sys
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import orjson

TAG = "$replay:"
_MARK = TAG.encode()
_EXACT = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_SPAN = 60
"""Levels of nesting written in place; what lies deeper is hoisted. orjson stops at 254 levels, and
a tagged dictionary takes three."""
_MAX_NODES = 1_000_000
"""Values visited before the rest becomes opaque: bounds shared structures that unfold for ever."""
_MAX_SPANS = 100
"""Spans of nesting kept, 6,000 levels; Lambda's own parser gives up far earlier."""
_MAX_INT_BITS = 2**16
"""Longer integers become opaque: Lambda takes 14,285 bits, and the time to print one grows with the
square of its length."""

_RECURSION_LIMIT = 20_000
_MAX_DIGITS = 20_000
"""As many as the longest integer has that is kept; a number of millions takes hours."""


def admit_all_values() -> None:
    """Let this process hold what is kept: events nest deeper than Python's stack allows by itself.

    For commands alone: a recorder leaves its host as it is.
    """
    sys.setrecursionlimit(_RECURSION_LIMIT)
    sys.set_int_max_str_digits(_MAX_DIGITS)


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that cannot be written down; `type_name` is its class with the module."""

    type_name: str


@dataclass(frozen=True, slots=True)
class Truncated:
    """A value over the size cap: its head, its full encoded size and a BLAKE2b-128 digest."""

    size_bytes: int
    digest: str
    head: str


def encode(value: object) -> bytes:
    """Return `value` as one line of UTF-8 JSON; total, whatever the value is."""
    try:
        if is_plain(value):
            return _untagged(value)
    except (TypeError, RuntimeError):  # what orjson refuses; a container changed by another thread
        pass
    return orjson.dumps(_Tagger().tag_root(value))


def encode_parsed(value: object) -> bytes:
    """Return what `encode` does of a value that came out of a JSON parser.

    Of what that gives, orjson refuses all that it would not write exactly, save infinity, which
    becomes null; where there is no null, nothing need be looked through, which halves the time.
    """
    try:
        encoded = _untagged(value)
        if b"null" not in encoded or is_plain(value):
            return encoded
    except (TypeError, RuntimeError):
        pass
    return encode(value)


def encode_fields(fields: Mapping[str, object]) -> bytes:
    """Return an object of these fields, in one pass if that can be; total.

    A field is what JSON has, in exactly the types that parsing gives, or an `orjson.Fragment` of
    what `encode` has returned, or what orjson refuses.
    """
    try:
        return _untagged(fields)
    except (TypeError, RuntimeError):
        pass
    return orjson.dumps({name: _fragment(value) for name, value in fields.items()})


def _fragment(value: object) -> orjson.Fragment:
    return value if isinstance(value, orjson.Fragment) else orjson.Fragment(encode(value))


def _untagged(value: object) -> bytes:
    """Return what orjson makes of `value`; raises TypeError where a key looks like a tag."""
    encoded = orjson.dumps(value, option=_EXACT)
    if _may_hold_tag(encoded):
        raise TypeError
    return encoded


def _may_hold_tag(encoded: bytes) -> bool:
    # A search for one byte is ten times as fast as one for several.
    return b"$" in encoded and _MARK in encoded


def decode(encoded: bytes) -> Any:
    """Return the value that `encode` was given; raises ValueError on bytes it did not write."""
    value = orjson.loads(encoded)
    if not _may_hold_tag(encoded):
        return value
    from replay.untagger import Untagger  # of no use to who writes

    return Untagger(TAG, Opaque, _truncated).rebuild(value)


def is_plain(value: object) -> bool:
    """Whether `value` holds nothing but what JSON has, in exactly the types that parsing gives."""
    # The hot path of a capture: one flat loop, the common leaf types first. Keys need no look,
    # orjson refuses every key that is not exactly a str.
    containers: list[Any] = [[value]]
    visited = 0
    while containers:
        container = containers.pop()
        visited += 1
        if visited > _MAX_NODES:
            return False
        for item in container.values() if type(container) is dict else container:
            kind = type(item)
            if kind is str or kind is int or kind is bool or item is None:
                continue
            if kind is dict or kind is list:
                containers.append(item)
            elif kind is not float or not isfinite(item):
                return False
    return True


def type_name(value: object) -> str:
    """Return `module.Class` of `value` without running code of its class or metaclass."""
    kind = type(value)
    module = type.__dict__["__module__"].__get__(kind)
    name = type.__dict__["__qualname__"].__get__(kind)
    return name if module == "builtins" else f"{module}.{name}"


def _tagged(name: str, body: object) -> dict[str, object]:
    return {TAG + name: body}


class _Tagger:
    """Rewrites one value into what orjson writes exactly."""

    def __init__(self) -> None:
        self._pending: list[tuple[Any, frozenset[int]]] = []
        self._path: set[int] = set()
        self._nodes = 0

    def tag_root(self, value: object) -> object:
        root = self._tag(value, 0)
        # Deep subtrees queue up instead of recursing, so depth costs no Python stack.
        hoisted: list[object] = []
        while len(hoisted) < len(self._pending):
            subtree, ancestors = self._pending[len(hoisted)]
            self._path = set(ancestors)
            hoisted.append(self._tag(subtree, 1))
        return _tagged("deep", [root, *hoisted]) if hoisted else root

    def _tag(self, value: Any, depth: int) -> object:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            return _tagged("opaque", "replay.codec.TooLarge")
        tag_scalar = _SCALARS.get(type(value))
        if tag_scalar is not None:
            return tag_scalar(value)
        if type(value) in (dict, list, tuple):
            return self._tag_container(value, depth)
        return _tag_other(value)

    def _tag_container(self, value: Any, depth: int) -> object:
        if id(value) in self._path:
            return _tagged("opaque", "replay.codec.Circular")
        if len(self._path) >= _SPAN * _MAX_SPANS:
            return _tagged("opaque", "replay.codec.TooDeep")
        if depth == _SPAN:
            self._pending.append((value, frozenset(self._path)))
            return _tagged("ref", len(self._pending))
        self._path.add(id(value))
        tagged = self._tag_items(value, depth + 1)
        self._path.discard(id(value))
        return tagged

    def _tag_items(self, value: Any, depth: int) -> object:
        if type(value) is not dict:
            items = [self._tag(item, depth) for item in list(value)]
            return items if type(value) is list else _tagged("tuple", items)
        pairs = [(key, self._tag(item, depth)) for key, item in list(value.items())]
        if all(type(key) is str and _is_ordinary_key(key) for key, _ in pairs):
            return dict(pairs)
        return _tagged("dict", [[self._tag(key, depth), item] for key, item in pairs])


def _is_ordinary_key(key: str) -> bool:
    return not key.startswith(TAG) and _is_encodable(key)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _tag_str(value: str) -> object:
    # Adjacent lone surrogates must not merge into one character: \uXXXX escapes keep them apart.
    return (
        value if _is_encodable(value) else _tagged("str", value.encode("unicode_escape").decode())
    )


def _tag_int(value: int) -> object:
    # Hexadecimal has no limit of 4,300 digits and takes linear time.
    if -(2**63) <= value < 2**63:
        return value
    if value.bit_length() > _MAX_INT_BITS:
        return _tagged("opaque", "replay.codec.TooLarge")
    return _tagged("int", hex(value))


def _tag_float(value: float) -> object:
    return value if isfinite(value) else _tagged("float", repr(value))


def _tag_other(value: object) -> object:
    if type(value) is Truncated:
        return _tagged("truncated", [value.size_bytes, value.digest, value.head])
    if type(value) is Opaque:
        return _tagged("opaque", value.type_name)
    name = type_name(value)
    # Known by name, so that decimal is not imported for it; a subclass has another name.
    return _tagged("decimal", str(value)) if name == "decimal.Decimal" else _tagged("opaque", name)


def _same(value: object) -> object:
    return value


_SCALARS: dict[type, Callable[[Any], object]] = {
    str: _tag_str,
    int: _tag_int,
    float: _tag_float,
    bool: _same,
    type(None): _same,
    bytes: lambda value: _tagged("bytes", b2a_base64(value, newline=False).decode()),
}


def _truncated(body: list[Any]) -> Truncated:
    size_bytes, digest, head = body
    if [type(size_bytes), type(digest), type(head)] != [int, str, str]:
        raise TypeError("it says no size, digest and head")
    return Truncated(size_bytes, digest, head)
