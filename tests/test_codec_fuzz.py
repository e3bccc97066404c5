"""Values of every kind by the hundred thousand: what the codec gives back, what Lambda would send.

A plain seeded generator: Hypothesis, which the other tests use, takes ten times as long a value.
"""

import random
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import orjson
import pytest
from strategies import Point

from replay import codec, payload
from replay.codec import Opaque, Truncated, decode, encode, encode_fields, encode_parsed, type_name
from replay.outcome import Exited, Raised, Returned
from replay.payload import marshal

marshaller = pytest.importorskip("awslambdaric.lambda_runtime_marshaller")
MANY = 100_000
RUNTIMES = {"AWS_Lambda_python3.11": True, "AWS_Lambda_python3.13": False}
"""Whether the runtime client of each escapes what is not ASCII."""


class Text(str, Enum):
    """A str that is a member of an enumeration."""

    A = "a"


class Level(IntEnum):
    """An int that is a member of an enumeration."""

    LOW = 3


class OwnDict(dict):
    """A dict of somebody's own class."""


class OwnList(list):
    """A list of somebody's own class."""


CHARACTERS = 'ab"\\/\x00\x1f\x7f\n\u00e9\u2028\u4e16\ud83d\ude00\ud800\udfff\U0001f600$:\ufeff'
TEXTS = ["", "$replay:int", "$replay:", "$replay:deep", "$replay:x", "NaN", "null", "\\ud83d"]
NUMBERS = [
    *(0, 1, -1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**30),
    *(-(10**40), 2**70_000, 0.0, -0.0, 1.5, 1e16, 1e-7, 5e-324, 1.7976931348623157e308, 0.1 + 0.2),
    *(float("inf"), float("-inf"), float("nan"), 1e22, 123456789012345680.0),
]
OTHERS: list[Callable[[], object]] = [
    *(lambda: Decimal("1.10"), lambda: Decimal("NaN"), lambda: Decimal("-sNaN"), object),
    *(lambda: Decimal("1E+999999"), lambda: Decimal("-Infinity"), lambda: {1}, lambda: 1j),
    *(lambda: range(3), lambda: bytearray(b"x"), lambda: Text.A, lambda: Level.LOW, deque),
    *(lambda: UUID(int=1), lambda: date(2026, 1, 1), lambda: memoryview(b"x"), lambda: int),
    *(
        lambda: iter(()),
        lambda: frozenset(),
        lambda: Exception("x"),
        lambda: Truncated(7, "0f", "h"),
    ),
    *(lambda: Opaque("a.B"), lambda: Point, lambda: Text, lambda: NotImplemented, lambda: ...),
]


def values(seed: int, count: int) -> Iterator[object]:
    """Values that a handler may return, one in three of what a JSON parser gives alone."""
    chance = random.Random(seed)
    for number in range(count):
        yield _value(chance, chance.choice((0, 1, 2, 3, 4)), is_parsed=number % 3 == 0)


def _value(chance: random.Random, depth: int, *, is_parsed: bool) -> object:
    if depth == 0 or chance.random() < 0.2:
        return _leaf(chance, is_parsed=is_parsed)
    items = [
        _value(chance, depth - 1, is_parsed=is_parsed)
        for _ in range(chance.choice((0, 1, 1, 2, 3)))
    ]
    if chance.random() < 0.01:
        for _ in range(chance.randint(50, 150)):
            items = [items]
    kind = chance.random()
    if kind < 0.4:
        return items
    if is_parsed or kind < 0.8:
        return {_key(chance, is_parsed=is_parsed): item for item in items}
    makers = (tuple, OwnList, lambda it: Point(*[*it, 1, 2][:2]), OwnDict.fromkeys, OrderedDict)
    make = chance.choice(makers)
    if make in (OwnDict.fromkeys, OrderedDict):
        return make((_text(chance), item) for item in items) if make is OrderedDict else make("ab")
    return make(items)


def _leaf(chance: random.Random, *, is_parsed: bool) -> object:
    kind = chance.random()
    if kind < 0.4:
        return _text(chance)
    if kind < 0.75:
        number = chance.choice(NUMBERS) if kind < 0.6 else chance.getrandbits(chance.randint(1, 90))
        return number if kind < 0.7 else chance.uniform(-1e20, 1e20)
    if is_parsed or kind < 0.85:
        return chance.choice((None, True, False))
    return chance.randbytes(chance.randint(0, 4)) if kind < 0.9 else chance.choice(OTHERS)()


def _key(chance: random.Random, *, is_parsed: bool) -> object:
    if is_parsed or chance.random() < 0.8:
        return _text(chance)
    return chance.choice(
        (None, True, 1, 2**70, 1.5, float("inf"), b"k", (1, "a"), Text.A, Level.LOW)
    )


def _text(chance: random.Random) -> str:
    if chance.random() < 0.2:
        return chance.choice(TEXTS)
    return "".join(chance.choices(CHARACTERS, k=chance.randint(0, 6)))


def faithful(value: Any) -> object:
    """What is to come back: the value in its own type, and a mark of what cannot be written."""
    match value:
        case dict() if type(value) is dict:
            return {faithful(key): faithful(item) for key, item in value.items()}
        case list() | tuple() if type(value) in (list, tuple):
            return type(value)(map(faithful, value))
        case int() if type(value) is int and value.bit_length() > 2**16:
            return Opaque("replay.codec.TooLarge")
    exact = (str, int, float, bool, type(None), bytes, Decimal, Opaque, Truncated)
    return value if type(value) in exact else Opaque(type_name(value))


def codec_differs(value: object) -> bool:
    """Whether a value comes back as something else, by itself or as a field of a payload."""
    # Representations tell types, signs of zero, NaN, and the order of keys.
    expected = repr(faithful(value))
    if repr(decode(encode(value))) != expected:
        return True
    fields = {"n": 1, "event": value, "rest": orjson.Fragment(encode(value))}
    return repr(decode(encode_fields(fields))) != repr(
        {"n": 1, **dict.fromkeys(("event", "rest"), faithful(value))}
    )


def parsed_differs(value: object) -> bool:
    """Whether the short way, for what a parser has given, writes something else."""
    return encode_parsed(value) != encode(value)


@pytest.fixture
def real(monkeypatch) -> dict[str, Any]:
    """The client's own marshaller for each runtime."""
    made = {}
    for name in RUNTIMES:
        monkeypatch.setenv("AWS_EXECUTION_ENV", name)
        made[name] = marshaller.LambdaMarshaller()
    return made


def verdict_differs(value: object, real: dict[str, Any]) -> bool:
    """Whether a result is judged otherwise than by AWS's client, in any runtime."""
    if isinstance(value, bytes):
        return False  # goes out raw, and the marshaller never sees it
    return any(
        _real_verdict(value, real[name]) != _verdict(value, is_escaped)
        for name, is_escaped in RUNTIMES.items()
    )


def _verdict(value: object, is_escaped: bool) -> object:
    match marshal(value, escaped=is_escaped):
        case Returned(sent):
            return sent
        case Raised(message=message):
            return message
        case Exited() as ended:
            return ended


def _real_verdict(value: object, client: Any) -> object:
    try:
        text, _ = client.marshal_response(value)
    except Exception as error:  # the client's FaultException
        return error.msg
    try:
        return text.encode()
    except UnicodeEncodeError:  # where the client sends it, outside of any guard
        return Exited(1)


def judge(count: int, real: dict[str, Any], seed: int) -> tuple[int, int]:
    """How many values of so many the codec changes, and how many are marshalled otherwise."""
    changed = otherwise = 0
    for number, value in enumerate(values(seed, count)):
        changed += codec_differs(value) or (number % 3 == 0 and parsed_differs(value))
        otherwise += verdict_differs(value, real)
    return changed, otherwise


def test_values_come_back_exact_and_are_marshalled_as_lambda_does(real):
    """No crash, no difference, of two thousand."""
    assert judge(2_000, real, seed=1) == (0, 0)


@pytest.mark.long
def test_a_hundred_thousand_values_come_back_exact_and_are_marshalled_as_lambda_does(real):
    """No crash, no difference."""
    assert judge(MANY, real, seed=2) == (0, 0)


def merged(text: str) -> object:
    """What a first draft did: surrogates beside each other became one character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


DEFECTS: dict[str, tuple[dict[Any, Any], Any, Callable[[Any], object]]] = {
    "surrogates that merge": (codec._SCALARS, str, merged),
    "integers as floats": (codec._SCALARS, int, lambda it: float(it) if abs(it) < 2**999 else 0),
    "infinity as null": (codec._SCALARS, float, lambda it: it),
    "bytes as text": (codec._SCALARS, bytes, lambda it: it.decode("latin-1")),
}


@pytest.mark.slow
@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_of_the_codec_is_found(real, monkeypatch, defect):
    """Positive control: each of the mistakes that a codec makes."""
    table, kind, mistaken = DEFECTS[defect]
    monkeypatch.setitem(table, kind, mistaken)
    changed, _ = judge(2_000, real, seed=1)
    assert changed > 0


@pytest.mark.slow
def test_a_defect_of_the_marshaller_is_found(real, monkeypatch):
    """Positive control: what Python's own encoder would make of it."""
    monkeypatch.setattr(payload, "_is_decimal", lambda _: False)
    assert judge(2_000, real, seed=1)[1] > 0
    monkeypatch.undo()
    monkeypatch.setattr(payload, "_as_dict", lambda _: None)
    assert judge(2_000, real, seed=1)[1] > 0
