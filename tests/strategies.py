"""Values that tests draw: what Lambda can pass in, and what a handler may return besides."""

from collections import OrderedDict, namedtuple
from decimal import Decimal

from hypothesis import strategies as st

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
