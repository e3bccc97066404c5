"""What Lambda would send for a handler's result: the marshalling rules of AWS's runtime client.

The client uses simplejson with namedtuples as objects, NaN allowed, Decimals written digit by digit
and non-ASCII text raw since Python 3.12 (awslambdaric 4.2.2, lambda_runtime_marshaller.py).
simplejson is not ours to import inside somebody's Lambda, so its rules stand here; a test holds
them against the real marshaller. Invariant: nothing of the result is consumed or changed.
"""

import json
import sys
from collections.abc import Mapping
from json.encoder import encode_basestring, encode_basestring_ascii
from math import isfinite, isnan
from typing import Any

from replay.asking import is_answer
from replay.codec import is_plain
from replay.outcome import BINARY_TYPE, Exited, Raised, Returned

MARSHAL_ERROR = "Runtime.MarshalError"
_RAW_TEXT_RUNTIMES = frozenset(f"AWS_Lambda_python3.{minor}" for minor in range(12, 16))
"""Values of AWS_EXECUTION_ENV for which the runtime client leaves non-ASCII text unescaped."""
_CONSTANTS = {None: "null", True: "true", False: "false"}


def escapes_text(environment: Mapping[str, str]) -> bool:
    """Whether the runtime client escapes non-ASCII text, by its `AWS_EXECUTION_ENV`."""
    return environment.get("AWS_EXECUTION_ENV") not in _RAW_TEXT_RUNTIMES


def marshal(result: object, *, escaped: bool) -> Returned | Raised | Exited:
    """Return the outcome that the runtime client makes of a handler's result.

    `escaped` says what `escapes_text` says. A result that the client refuses is `Raised` with
    `Runtime.MarshalError`; one that makes it crash - a lone surrogate where text goes out raw - is
    `Exited`.
    """
    if isinstance(result, bytes):
        return Returned(bytes(result), BINARY_TYPE)
    try:
        text = _encode_plain(result, escaped) or _encode_any(result, escaped)
        return Returned(text.encode())
    except UnicodeEncodeError:
        return Exited(1)
    except _RefusedError as error:
        return Raised(MARSHAL_ERROR, f"Unable to marshal response: {error}")


class _RefusedError(Exception):
    """The client would refuse the result, with this message."""


def _encode_plain(result: object, escaped: bool) -> str | None:
    if not is_plain(result):
        return None
    try:  # the C encoder agrees with simplejson on plain values, save for keys that it refuses
        return (_ESCAPING if escaped else _RAW).encode(result)
    except TypeError:
        return None
    except (ValueError, RecursionError) as error:
        raise _RefusedError(str(error)) from None


def _encode_any(result: object, escaped: bool) -> str:
    try:
        return _Marshaller(escaped).encode(result)
    except Exception as error:  # as the client does, whatever the classes raise
        if not is_answer(error):
            raise
        raise _RefusedError(str(error)) from None


_ESCAPING = json.JSONEncoder()
_RAW = json.JSONEncoder(ensure_ascii=False)


class _Marshaller:
    """simplejson's encoder with the client's options, in its order of type checks."""

    def __init__(self, escaped: bool) -> None:
        self._quote = encode_basestring_ascii if escaped else encode_basestring
        self._path: set[int] = set()

    def encode(self, value: Any) -> str:
        leaf = self._leaf(value)
        if leaf is not None:
            return leaf
        if id(value) in self._path:
            raise ValueError("Circular reference detected")
        self._path.add(id(value))
        as_dict = _as_dict(value)
        pairs = value if as_dict is None and isinstance(value, dict) else as_dict
        texts: list[str] = []
        # Loops, and no function for each kind: as with the client, a level of nesting takes one
        # of the thousand frames that Python has.
        if pairs is not None:
            for key, item in pairs.items():
                texts.append(f"{self._encode_key(key)}: {self.encode(item)}")
            text = "{" + ", ".join(texts) + "}"
        elif isinstance(value, list | tuple):
            for item in value:
                texts.append(self.encode(item))  # noqa: PERF401
            text = "[" + ", ".join(texts) + "]"
        else:
            text = _other_text(value)
        self._path.remove(id(value))
        return text

    def _leaf(self, value: Any) -> str | None:
        if isinstance(value, str):
            return self._quote(value)
        if isinstance(value, bytes):
            return self._quote(str(value, "utf-8"))
        if value is None or value is True or value is False:
            return _CONSTANTS[value]
        if isinstance(value, int):
            return str(int(value))
        return _float_text(value) if isinstance(value, float) else None

    def _encode_key(self, key: Any) -> str:
        if isinstance(key, str | bytes):
            return self.encode(key)
        if key is None or isinstance(key, int | float):
            return f'"{self.encode(key)}"'
        name = type(key).__name__
        raise TypeError(f"keys must be str, int, float, bool or None, not {name}")


def _as_dict(value: Any) -> dict[Any, Any] | None:
    method = getattr(value, "_asdict", None)
    if not callable(method):
        return None
    try:
        as_dict = method()
    except TypeError:  # as with the method of a class that was returned itself
        return None
    if not isinstance(as_dict, dict):
        raise TypeError(f"_asdict() must return a dict, not {type(as_dict).__name__}")
    return as_dict


def _other_text(value: Any) -> str:
    if _is_decimal(value):
        return "NaN" if value.is_nan() else str(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _is_decimal(value: object) -> bool:
    decimal = sys.modules.get("decimal")  # nobody has made a Decimal before this was imported
    return decimal is not None and isinstance(value, decimal.Decimal)


def _float_text(value: float) -> str:
    if isfinite(value):
        return repr(float(value))
    return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
