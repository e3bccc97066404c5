"""Marshalling, held against the real runtime client's."""

import collections
import decimal
import enum
import types

import pytest
from hypothesis import given
from strategies import results

from replay.outcome import Exited, Raised, Returned
from replay.payload import escapes_text, marshal

marshaller = pytest.importorskip("awslambdaric.lambda_runtime_marshaller")


class Sized(str, enum.Enum):
    """A str that is a member of an enumeration."""

    BIG = "big"


class Level(enum.IntEnum):
    """An int that is a member of an enumeration."""

    LOW = 3


class LikeNamedTuple:
    """Not a tuple, but with `_asdict`."""

    def __init__(self, result):
        self.result = result

    def _asdict(self):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def circular():
    value = []
    value.append(value)
    return value


Pair = collections.namedtuple("Pair", "a b")
TABLE = [
    *(None, True, 1, 1.0, "", [], {}, (), 10**30, 10**5000, float("nan"), float("-inf"), -0.0),
    *({"a": decimal.Decimal("1.10")}, decimal.Decimal("NaN"), decimal.Decimal("-sNaN")),
    *(decimal.Decimal("-Infinity"), decimal.Decimal("1E+2"), {decimal.Decimal(1): 1}),
    *(Pair(1, [Pair(2, 3)]), LikeNamedTuple({"z": 1}), LikeNamedTuple([1])),
    *(LikeNamedTuple(TypeError("t")), LikeNamedTuple(KeyError("k")), Pair, type),
    *({"b": b"text"}, {b"key": 1}, [b"\xff"], {b"\xff": 1}, bytearray(b"x"), memoryview(b"x")),
    *(Sized.BIG, {Sized.BIG: Level.LOW}, {1: 2, 1.5: 3, True: 4, None: 5}, {(1,): 2}),
    *({1, 2}, object(), 1j, range(2), iter(()), circular(), types.MappingProxyType({})),
    *(
        collections.OrderedDict(a=1),
        collections.UserDict(),
        collections.deque(),
        "\u2028\x7f\u00e9",
    ),
    *({"a": [1, {"b": (2, 3)}]}, {"nested": [[[]]]}, enum.Enum("E", "A")["A"]),
]


def lambdas_own(value, monkeypatch, execution_env):
    """What the real marshaller makes of a value: bytes, or the message of its refusal."""
    monkeypatch.setenv("AWS_EXECUTION_ENV", execution_env)
    try:
        return marshaller.LambdaMarshaller().marshal_response(value)[0]
    except Exception as error:  # the client's FaultException
        return error.msg


def ours(value, execution_env):
    outcome = marshal(value, escaped=escapes_text({"AWS_EXECUTION_ENV": execution_env}))
    match outcome:
        case Returned(payload):
            return payload.decode()
        case Raised(error_type, message):
            assert error_type == "Runtime.MarshalError"
            return message
        case Exited():
            return outcome


@pytest.mark.slow
@pytest.mark.parametrize("execution_env", ["AWS_Lambda_python3.11", "AWS_Lambda_python3.13"])
@pytest.mark.parametrize("value", TABLE, ids=lambda value: type(value).__name__)
def test_the_table_of_hazardous_results_is_marshalled_as_lambda_does(
    value, execution_env, monkeypatch
):
    """Same bytes or same refusal, message included."""
    assert lambdas_own(value, monkeypatch, execution_env) == ours(value, execution_env)


@pytest.mark.parametrize("inner", [float("inf"), b"x", decimal.Decimal("1.0"), {1: 2}, {(1,): 2}])
def test_a_result_that_nests_deep_is_marshalled_as_lambda_does(inner, monkeypatch):
    """Also what Python's own encoder does not write, and what nobody writes."""
    for _ in range(350):
        inner = {"a": [inner]}
    assert lambdas_own(inner, monkeypatch, "AWS_Lambda_python3.11") == ours(inner, "")


def test_bytes_go_out_raw():
    """A result of bytes is no JSON."""
    assert Returned(b"\xff", "application/unknown") == marshal(b"\xff", escaped=True)


def test_a_lone_surrogate_kills_the_newer_runtime():
    """Escaped it passes; raw, the client cannot encode it and dies."""
    assert Returned(b'"\\ud800"') == marshal("\ud800", escaped=True)
    assert Exited(1) == marshal("\ud800", escaped=False)


@given(results)
def test_any_result_is_marshalled_as_lambda_does(value):
    """The law behind the table; what differs in type from what it seems is among the values."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if not isinstance(value, bytes):
            assert lambdas_own(value, monkeypatch, "AWS_Lambda_python3.11") == ours(value, "")
