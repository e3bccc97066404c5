"""Differences between two outcomes, over what Lambda would send. Pure.

Payloads are compared as JSON: neither the order of an object's keys nor white space counts, numbers
count as written, so that 1, 1.0 and 1.00 differ, and JSON inside a string is looked into as if it
stood there itself. A path is an RFC 9535 query into the payload that the invoker sees; `$` alone
means that the outcomes are of different kinds, or payloads that are no JSON.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import zip_longest
from typing import Any, TypeAlias

from replay.outcome import JSON_TYPE, Exited, Outcome, Raised, Returned, TimedOut

ROOT = "$"
ERROR_TYPE_PATH = "$.errorType"


class Absent(Enum):
    """Stands for a value that one side does not have."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
Step: TypeAlias = str | int
# What no name may hold is ASCII; a class of all that it may hold takes 7 ms to compile.
_SHORTHAND = re.compile(r"[^\x00-@\[-^`{-\x7f][^\x00-/:-@\[-^`{-\x7f]*\Z")
# A number becomes the bytes of its literal: what is equal is equal as written, so that Python's own
# comparison finds the subtrees that do not differ, 20 times as fast as one written here.
_LITERALS = json.JSONDecoder(
    parse_float=str.encode, parse_int=str.encode, parse_constant=str.encode
)
_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One path at which the two sides differ; `ABSENT` where a side has nothing there.

    The path leads into the payload, or into the `call` of this name, an outbound one.
    """

    path: str
    recorded: object = ABSENT
    replayed: object = ABSENT
    call: str | None = None


def compare(recorded: Outcome | None, replayed: Outcome) -> tuple[Difference, ...]:
    """Return where the outcomes differ, in the order of the recorded payload.

    None is an unfinished recording; it is met by a replay that does not finish either.
    """
    if recorded is None:
        did_finish = not isinstance(replayed, TimedOut | Exited)
        return (Difference(ROOT, UNFINISHED, summary(replayed)),) if did_finish else ()
    if isinstance(recorded, Returned) and isinstance(replayed, Returned):
        return tuple(_compare_returned(recorded, replayed))
    if isinstance(recorded, Raised) and isinstance(replayed, Raised):
        return tuple(differences(error_payload(recorded), error_payload(replayed), ROOT))
    if isinstance(recorded, Exited) and recorded == replayed:
        return ()
    if isinstance(recorded, TimedOut) and isinstance(replayed, TimedOut):
        return ()
    return (Difference(ROOT, summary(recorded), summary(replayed)),)


UNFINISHED = {"kind": "unfinished"}


def summary(outcome: Outcome) -> dict[str, object]:
    """Return an outcome's kind and what tells it apart, as plain data."""
    match outcome:
        case Returned():
            return {"kind": "returned", "value": plain(value_of(outcome))}
        case Raised():
            return {
                "kind": "raised",
                "error_type": outcome.error_type,
                "message": outcome.message,
                "stack": list(outcome.stack),
            }
        case TimedOut(limit_ms):
            return {"kind": "timed_out", "limit_ms": limit_ms}
        case Exited(status):
            return {"kind": "exited", "status": status}


def error_payload(outcome: Raised) -> dict[str, object]:
    """Return what the invoker sees of an error and a replay is held to: not the stack."""
    return {"errorType": outcome.error_type, "errorMessage": outcome.message}


def value_of(outcome: Returned) -> Any:
    """Return the payload as a value: JSON as `parsed` gives it, or text, or a digest."""
    payload = outcome.payload
    if payload is None:
        return {"truncated": {"size_bytes": outcome.size_bytes, "digest": outcome.digest}}
    if outcome.content_type != JSON_TYPE:
        return {"base64": b64encode(payload).decode()}
    try:
        return parsed(payload.decode())
    except (ValueError, RecursionError):
        return _text(payload)


def plain(value: Any) -> Any:
    """Return a parsed value with its numbers as such, or as text where no float is equal."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return _number(value.decode()) if isinstance(value, bytes) else value


def _number(literal: str) -> int | float | str:
    try:
        if literal.lstrip("-").isdigit():
            return int(literal)
        exact = Decimal(literal)
        number = float(exact)
    except (ValueError, ArithmeticError):  # more digits than Python reads, or an exponent of many
        return literal
    return number if exact.is_finite() and Decimal(repr(number)) == exact else str(exact)


def parsed(text: str) -> Any:
    """Return JSON as a value, its numbers as the bytes of their literals; raises ValueError."""
    return _LITERALS.decode(text)


def _compare_returned(recorded: Returned, replayed: Returned) -> Iterator[Difference]:
    if recorded.payload is None:
        if replayed.payload is None or _digest(replayed.payload) != recorded.digest:
            yield Difference(ROOT, summary(recorded), summary(replayed))
    elif recorded.content_type != replayed.content_type:
        yield Difference(ROOT, summary(recorded), summary(replayed))
    elif recorded.payload != replayed.payload:
        try:
            yield from list(differences(value_of(recorded), value_of(replayed), ROOT))
        except RecursionError:  # nested as deep as Python's own stack
            yield Difference(ROOT, _text(recorded.payload), _text(replayed.payload))


def _text(payload: bytes | None) -> str:
    return (payload or b"").decode(errors="replace")


def _digest(payload: bytes) -> str:
    from hashlib import blake2b  # rarely needed

    return blake2b(payload, digest_size=16).hexdigest()


def differences(recorded: Any, replayed: Any, path: str = ROOT) -> Iterator[Difference]:
    """Yield where two parsed values differ, in the order of the recorded one."""
    if recorded == replayed:
        return
    if isinstance(recorded, dict) and isinstance(replayed, dict):
        for key in [*recorded, *(key for key in replayed if key not in recorded)]:
            sides = recorded.get(key, ABSENT), replayed.get(key, ABSENT)
            if sides[0] != sides[1]:
                yield from differences(*sides, path + _segment(key))
    elif isinstance(recorded, list) and isinstance(replayed, list):
        for index, sides in enumerate(zip_longest(recorded, replayed, fillvalue=ABSENT)):
            if sides[0] != sides[1]:
                yield from differences(*sides, f"{path}[{index}]")
    else:
        inner = _json_inside(recorded), _json_inside(replayed)
        if ABSENT in inner:
            yield Difference(path, plain(recorded), plain(replayed))
        else:
            yield from differences(*inner, path)


def _json_inside(value: Any) -> Any:
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return ABSENT
    try:
        return parsed(value)
    except (ValueError, RecursionError):
        return ABSENT


def _segment(key: str) -> str:
    if _SHORTHAND.match(key):
        return f".{key}"
    escaped = key.replace("\\", "\\\\").replace("'", "\\'")
    return "['" + "".join(_escaped(character) for character in escaped) + "']"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\u{ord(character):04x}" if character < " " else character
