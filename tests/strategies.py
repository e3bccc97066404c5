"""Values that tests draw: what Lambda can pass in, and what a handler may return besides."""

from collections import OrderedDict, namedtuple
from decimal import Decimal

from hypothesis import strategies as st

from replay.codec import Truncated
from replay.interaction import AwsCall, Failure, HttpCall, Interaction, Response

Point = namedtuple("Point", "x y")

text = st.text(st.characters(exclude_categories=()), max_size=20)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**40), max_value=10**40)
    | st.floats(allow_nan=False)
    | text
)
events = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(text | st.just("$replay:int"), inner, max_size=5)
    ),
    max_leaves=20,
)
"""What a JSON parser gives, lone surrogates and infinity included."""

results = st.recursive(
    scalars
    | st.just(float("nan"))
    | st.binary(max_size=5)
    | st.decimals(allow_nan=True)
    | st.just(Decimal("1.10"))
    | st.sampled_from([{1}, object(), 1j, range(3), bytearray(b"x")]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.builds(Point, inner, inner)
        | st.builds(lambda d: OrderedDict(d), st.dictionaries(text, inner, max_size=3))
        | st.dictionaries(
            text
            | st.integers()
            | st.floats()
            | st.booleans()
            | st.none()
            | st.binary(max_size=3)
            | st.just((1,)),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
"""What a handler may return, acceptable to Lambda or not."""


bodies = st.none() | st.binary(max_size=8) | st.just(Truncated(9, "00ff", "head"))
headers = st.lists(st.tuples(text, text), max_size=2).map(tuple)
calls = st.builds(
    AwsCall, text, text, st.none() | text, st.dictionaries(text, scalars, max_size=3), st.booleans()
) | st.builds(HttpCall, st.sampled_from(["GET", "POST"]), text, headers, bodies)
responses = st.builds(
    Response,
    st.integers(100, 599),
    text,
    headers,
    bodies,
    st.none() | st.lists(st.integers(1, 9), max_size=2).map(tuple),
    st.booleans(),
)
failures = st.builds(Failure, text, text, text, st.lists(scalars, max_size=2).map(tuple))
answers = responses | failures


@st.composite
def interactions(draw, *, at_import: bool = False) -> tuple[Interaction, ...]:
    """The calls of an invocation, or of the import before it, some of them not answered."""
    made = []
    for sequence in range(1, draw(st.integers(0, 4)) + 1):
        answer = draw(st.none() | answers)
        duration_us = None if answer is None else draw(st.integers(0, 10**9))
        at_us = draw(st.integers(0, 10**9))
        made.append(Interaction(sequence, draw(calls), at_us, answer, duration_us, at_import))
    return tuple(made)
