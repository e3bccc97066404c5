"""Ids that were the same must be the same again, wherever they stand."""

import pytest

from replay.replayer.noise import Noise
from replay.replayer.relation import broken

A, B = "75897f94-b20c-4d54-90b0-55321075bb64", "fe44a5b8-8f5b-4be7-8247-8497aae5cebf"
X, Y, Z = A[::-1], B[::-1], "0" * 36


@pytest.mark.parametrize(
    ("recorded", "replayed", "apart"),
    [
        ((A, A), (X, X), ()),
        ((A, A), (X, Y), (0, 1)),
        ((A, B), (X, X), (0, 1)),
        ((A, f"/orders/{A}"), (X, f"/orders/{X}"), ()),
        ((A, f"/orders/{A}"), (X, f"/orders/{Y}"), (1,)),
        ((A, f"/orders/{B}"), (X, f"/orders/{Y}"), ()),
        ((A, B, A), (Y, X, X), ()),  # the first two are sorted
        ((A, B, A), (Y, X, Z), (0, 2)),
        (("abc", "abc"), ("abd", "abe"), ()),  # so short ones are equal by chance
    ],
)
def test_what_varied_together_varies_together(recorded, replayed, apart):
    """A link to something else is no noise."""
    noise = [
        Noise(f"$[{n}]", then, now, factor="entropy")
        for n, (then, now) in enumerate(zip(recorded, replayed, strict=True))
    ]
    assert {(None, f"$[{n}]") for n in apart} == broken(noise)


def test_what_rules_excuse_varies_together_as_well():
    """In a generated suite an id is a UUID, and the link to it a token."""
    path, item = "$.link", Noise("$.id", A, X, rule="uuid")
    assert broken([item, Noise(path, f"/orders/{A}", f"/orders/{X}", rule="token")]) == set()
    assert broken([item, Noise(path, f"/orders/{A}", f"/orders/{Y}", rule="token")]) == {
        (None, path)
    }


def test_times_may_be_a_moment_apart():
    """Two that were equal to the second are no ids."""
    noise = [
        Noise("$.a", "2026-11-26T10:00:00", "2026-11-26T10:00:01", factor="clock"),
        Noise("$.b", "2026-11-26T10:00:00", "2026-11-26T10:00:00", factor="clock"),
    ]
    assert broken(noise) == set()
