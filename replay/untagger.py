"""Values out of the tags that the codec has written, or that somebody has made up.

Apart from `codec.py` because the recorder never reads. Imports the standard library. Invariant:
whatever the tags say, it takes time and memory in proportion to their bytes, and what the codec
cannot have written is a ValueError.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable
from typing import Any

_MAX_DEPTH = 6_100
"""As deep as the codec writes, and the payload around it."""
_MAX_INT_DIGITS = 2**14 + 3
"""Hexadecimal; the codec writes no longer ones, and printing takes the square of their number."""
_MAX_ALIKE = 64
"""Keys of a dictionary that have one hash."""


class Untagger:
    """Rebuilds values; `mark` makes what stands for one that could not be written, `cut` for a cut.

    A deep subtree is referred to once, from an entry before its own: so a small document cannot
    unfold to a large value, nor to one without end.
    """

    def __init__(
        self, prefix: str, mark: Callable[[str], object], cut: Callable[[list[Any]], object]
    ) -> None:
        self._prefix = prefix
        self._of_text = {**_OF_TEXT, "opaque": mark}
        self._of_list = {"truncated": cut, "tuple": self._tuple, "dict": self._dict}
        self._of_list["deep"] = self._deep
        self._hoisted: dict[int, tuple[Any, int]] = {}
        self._depth = 0
        self._height = 0

    def rebuild(self, value: Any) -> Any:
        """Return what a parsed document stands for; raises ValueError."""
        try:
            return self._untag(value)
        except (TypeError, LookupError, ArithmeticError, RecursionError, Base64Error) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error

    def _untag(self, value: Any) -> Any:
        kind = type(value)
        if kind is list:
            self._enter()
            items = [self._untag(item) for item in value]
            self._depth -= 1
            return items
        if kind is not dict:
            return value
        if len(value) == 1:
            (key, body), *_ = value.items()
            if key.startswith(self._prefix):
                return self._untag_one(key[len(self._prefix) :], body)
        self._enter()
        fields = {key: self._untag(item) for key, item in value.items()}
        self._depth -= 1
        return fields

    def _enter(self, levels: int = 1) -> None:
        """Go down some levels; raises ValueError where that is too deep."""
        self._depth += levels
        if self._depth > _MAX_DEPTH:
            raise ValueError(f"nested over {_MAX_DEPTH:,} levels deep")
        self._height = max(self._height, self._depth)

    def _untag_one(self, name: str, body: Any) -> Any:
        if name == "ref":
            return self._ref(_checked(body, int))
        if name in self._of_list:
            return self._of_list[name](_checked(body, list))
        if name not in self._of_text:
            raise ValueError(f"unknown tag {self._prefix}{name}")
        return self._of_text[name](_checked(body, str))

    def _tuple(self, body: list[Any]) -> tuple[Any, ...]:
        return tuple(self._untag(body))

    def _dict(self, pairs: list[Any]) -> dict[Any, Any]:
        self._enter()
        rebuilt: dict[Any, Any] = {}
        alike: dict[int, int] = {}
        for tagged_key, item in pairs:
            key = self._untag(tagged_key)
            # Numbers are hashed without a secret: a dictionary of such keys takes hours to fill.
            count = alike[hash(key)] = alike.get(hash(key), 0) + 1
            if count > _MAX_ALIKE:
                raise ValueError("too many keys of one hash")
            rebuilt[key] = self._untag(item)
        self._depth -= 1
        return rebuilt

    def _deep(self, entries: list[Any]) -> Any:
        outer = self._hoisted, self._depth, self._height
        self._hoisted = {}
        # A reference always points to a later entry, so the last entry is rebuilt first.
        for index in range(len(entries) - 1, -1, -1):
            self._depth = self._height = 0
            self._hoisted[index] = self._untag(entries[index]), self._height
        root, height = self._hoisted.pop(0)
        if self._hoisted:
            raise ValueError("a subtree that nothing refers to")
        self._hoisted, self._depth, self._height = outer
        self._pass(height)
        return root

    def _ref(self, index: int) -> Any:
        subtree, height = self._hoisted.pop(index)
        self._pass(height)
        return subtree

    def _pass(self, height: int) -> None:
        """Count the levels of a value that is there already."""
        self._enter(height)
        self._depth -= height


def _checked(body: Any, kind: type) -> Any:
    if type(body) is not kind:
        raise TypeError(f"the body of a tag is no {kind.__name__}")
    return body


def _int(body: str) -> int:
    if len(body) > _MAX_INT_DIGITS:
        raise ValueError("an integer that is too long")
    return int(body, 16)


def _decimal(body: str) -> object:
    from decimal import Decimal

    return Decimal(body)


_OF_TEXT: dict[str, Callable[[str], object]] = {
    "str": lambda body: body.encode().decode("unicode_escape"),
    "int": _int,
    "float": float,
    "bytes": lambda body: a2b_base64(body, strict_mode=True),
    "decimal": _decimal,
}
