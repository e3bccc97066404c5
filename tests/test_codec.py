"""The codec: total, and exact for every value that Lambda can pass in."""

import datetime
import decimal
import enum
import math
import uuid
from dataclasses import dataclass

import orjson
import pytest
from hypothesis import given
from strategies import events, results

from replay import codec
from replay.codec import Opaque, Truncated, decode, encode, encode_fields, is_plain


class Colour(str, enum.Enum):
    """An enumeration that equals a str, but is none."""

    RED = "red"


@dataclass
class Point:
    """A dataclass, which orjson would write as an object."""

    x: int


class Hostile:
    """An object whose every method raises."""

    def __repr__(self) -> str:
        raise RuntimeError("repr was called")

    __str__ = __eq__ = __hash__ = __iter__ = __repr__  # type: ignore[assignment]


def nested(depth: int) -> object:
    value: object = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


EXACT = [
    *(None, True, 0, -0.0, 1.0, 1e308, 2**63, -(2**64), 10**30, 10**5000),
    *(math.inf, -math.inf, "", "caf\u00e9 \u2028", "\ud83d", "\ud83d\ude00", "\\ud83d", "\x00"),
    *(b"", b"\xff\x00", {"a": b"x"}, [], {}, {"": ""}, {"\ud800": 1}, (1, (2,)), {1: 2, None: 3}),
    *({"$replay:int": "3"}, {"$replay:x": 1, "b": 2}, {"a": {"$replay:ref": 0}}),
    *(decimal.Decimal("1.10"), {"a": [math.inf, None]}, {"text": "$replay:int"}),
]
INEXACT = [
    (uuid.UUID(int=1), "uuid.UUID"),
    (datetime.date(2026, 1, 1), "datetime.date"),
    (datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "datetime.datetime"),
    ({1, 2}, "set"),
    (object(), "object"),
    (Colour.RED, "test_codec.Colour"),
    (Point(1), "test_codec.Point"),
    (Hostile(), "test_codec.Hostile"),
    (range(3), "range"),
    ((n for n in ()), "generator"),
    (bytearray(b"x"), "bytearray"),
    (int, "type"),
]


@pytest.mark.parametrize("value", EXACT, ids=lambda value: str(type(value).__name__))
def test_hazardous_values_come_back_exact(value):
    """Value and type survive, alone and inside an event."""
    for wrapped in (value, {"key": [value]}):
        decoded = decode(encode(wrapped))
        assert (wrapped, type(wrapped)) == (decoded, type(decoded))


def test_minus_zero_keeps_its_sign_and_nan_stays_nan():
    """Equality cannot tell these apart."""
    assert math.copysign(1, decode(encode(-0.0))) == -1
    assert math.isnan(decode(encode({"a": math.nan}))["a"])


@pytest.mark.parametrize(("value", "name"), INEXACT, ids=[name for _, name in INEXACT])
def test_what_cannot_be_written_becomes_opaque_with_its_type(value, name):
    """No method of the value's class is called, and nothing raises."""
    assert Opaque(name) == decode(encode(value))
    assert {"a": [Opaque(name)]} == decode(encode({"a": [value]}))


def test_orjson_alone_would_have_changed_these():
    """Positive control: without the tags, these values come back as something else."""
    changed = [{"a": math.inf}, (1, 2), {"u": uuid.UUID(int=1)}]
    for value in changed:
        assert orjson.loads(orjson.dumps(value)) != value


@pytest.mark.parametrize("depth", [250, 255, 990, 3000])
def test_deep_nesting_is_kept_without_deep_recursion(depth):
    """orjson stops at 254 levels, Lambda's parser does not."""
    value = nested(depth)
    decoded = decode(encode(value))
    for _ in range(depth):
        value, decoded = (
            next(iter(v.values())) if isinstance(v, dict) else v[0] for v in (value, decoded)
        )
    assert value == decoded == 1


def test_cycles_and_endless_sharing_end(monkeypatch):
    """A list that contains itself, and one that unfolds to 2 ** 60 leaves, are bounded."""
    cycle: list[object] = []
    cycle.append(cycle)
    shared: object = 1
    for _ in range(60):
        shared = [shared, shared]
    assert [Opaque("replay.codec.Circular")] == decode(encode(cycle))
    assert codec._MAX_NODES <= 1_000_000
    monkeypatch.setattr(codec, "_MAX_NODES", 10_000)
    assert 10_000 < len(encode(shared)) < 100_000


def test_opaque_and_truncated_survive_another_round():
    """What was read from a store can be written to another."""
    for value in (Opaque("a.B"), Truncated(7, "00ff", "head")):
        assert value == decode(encode(value))


def test_unknown_tags_are_refused():
    """A newer codec's tag is an error, not a dictionary."""
    with pytest.raises(ValueError, match="unknown tag"):
        decode(b'{"$replay:future":1}')


@pytest.mark.slow
@given(events)
def test_every_event_comes_back_equal(event):
    """The law for all that Lambda can pass in, by value and type, in one line of bytes."""
    encoded = encode(event)
    assert b"\n" not in encoded
    assert repr(event) == repr(decode(encoded))


@given(events)
def test_fields_are_encoded_as_their_values_are(event):
    """One pass or many."""
    fields = {
        "n": 1,
        "none": None,
        "rest": orjson.Fragment(encode([1])),
        "event": orjson.Fragment(encode(event)),
    }
    decoded = decode(encode_fields(fields))
    assert repr({**fields, "rest": [1], "event": decode(encode(event))}) == repr(decoded)


@given(results)
def test_any_value_at_all_is_encoded_and_decoded(value):
    """Total: nothing raises."""
    decode(encode(value))


@pytest.mark.slow
@given(results)
def test_plain_values_are_what_orjson_writes_exactly(value):
    """What passes as plain needs no tag, unless orjson refuses it."""
    if is_plain(value):
        try:
            written = orjson.dumps(value)
        except TypeError:
            return
        assert repr(value) == repr(orjson.loads(written))
