"""Comparison and noise, both pure."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import events
from test_recording import OUTCOMES

from replay.outcome import Exited, Raised, Returned, TimedOut
from replay.payload import marshal
from replay.replayer.compare import ABSENT, Difference, compare
from replay.replayer.noise import SecondLook, Seen, excuse, split


def returned(value: object) -> Returned:
    outcome = marshal(value, escaped=True)
    assert isinstance(outcome, Returned)
    return outcome


def paths(recorded: object, replayed: object) -> list[str]:
    return [d.path for d in compare(returned(recorded), returned(replayed))]


@pytest.mark.parametrize("outcome", [*OUTCOMES, None], ids=lambda o: type(o).__name__)
def test_an_outcome_matches_itself_or_an_unfinished_one_what_does_not_finish(outcome):
    """compare(x, x) is a match."""
    if outcome is None:
        assert compare(None, TimedOut(1)) == compare(None, Exited(-9)) == ()
    elif outcome.__class__ is Returned and outcome.payload is None:
        whole = Returned(b"x" * 10)
        import hashlib

        digest = hashlib.blake2b(whole.payload, digest_size=16).hexdigest()
        assert compare(Returned(None, digest=digest, size_bytes=10), whole) == ()
        assert len(compare(outcome, whole)) == 1
    else:
        assert compare(outcome, outcome) == ()


@given(events)
def test_any_value_matches_itself(value):
    """The law over all values that Lambda can send."""
    assert compare(returned(value), returned(value)) == ()


@pytest.mark.slow
@given(events, events)
def test_values_that_differ_are_never_a_match(one, other):
    """And which side is which does not matter for whether they differ."""
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    differ = compare(returned(one), returned(other)) != ()
    assert differ == (compare(returned(other), returned(one)) != ())
    if same:
        assert not differ


@pytest.mark.parametrize(
    ("recorded", "replayed", "expected"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": 1}, {"a": 1.0}, ["$.a"]),
        ({"a": True}, {"a": 1}, ["$.a"]),
        ({"a": None}, {}, ["$.a"]),
        ({"a": [1, 2]}, {"a": [1, 2, 3]}, ["$.a[2]"]),
        ({"a-b": 1}, {"a-b": 2}, ["$['a-b']"]),
        ({"it's \n": 1}, {"it's \n": 2}, ["$['it\\'s \\n']"]),
        ({"é": {"x": [{"y": 1}]}}, {"é": {"x": [{"y": 2}]}}, ["$.é.x[0].y"]),
        ({"body": '{"id": 1, "b": 2}'}, {"body": '{"b":2,"id":1}'}, []),
        ({"body": '{"id": 1}'}, {"body": '{"id": 2}'}, ["$.body.id"]),
        ({"body": '[{"id": 1}]'}, {"body": '[{"id": 2}]'}, ["$.body[0].id"]),
        ({"body": "{no json"}, {"body": "{no  json"}, ["$.body"]),
        (1, 2, ["$"]),
        (10**30, 10**30 + 1, ["$"]),
        (float("nan"), float("nan"), []),
        (0.1, 0.1000000000000001, ["$"]),
        (Decimal("1.10"), Decimal("1.1"), ["$"]),
        (0.0, -0.0, ["$"]),
    ],
)
def test_differences_are_named_by_rfc_9535_paths(recorded, replayed, expected):
    """Key order and white space do not count, types do, JSON in strings is looked into."""
    assert expected == paths(recorded, replayed)


def test_paths_are_queries_that_find_their_value():
    """Each path, given to an implementation of RFC 9535, finds the recorded value."""
    from jsonpath_rfc9535 import find

    recorded = {"a b": {"é": [0, {"x'y": 1, "t\t": 2, "_z9": 3, "9": 4, "\\": 5, "": 6}]}}
    differences = compare(returned(recorded), returned({"a b": {"é": [0, {}]}}))
    assert len(differences) == 6
    for difference in differences:
        assert [difference.recorded] == find(difference.path, recorded).values()


def test_a_side_that_has_nothing_is_told_from_null():
    """null is a value."""
    (difference,) = compare(returned({"a": None}), returned({}))
    assert difference == Difference("$.a", None, ABSENT)


def test_errors_are_compared_by_type_and_message_and_not_by_their_stack():
    """Line numbers and folders change without meaning."""
    one = Raised("KeyError", "'a'", ("/var/task/app.py",))
    assert compare(one, Raised("KeyError", "'a'", ("/home/me/app.py",))) == ()
    found = compare(one, Raised("ValueError", "'b'"))
    assert [d.path for d in found] == ["$.errorType", "$.errorMessage"]


def test_outcomes_of_different_kinds_differ_at_the_root():
    """One difference, with both outcomes."""
    for recorded, replayed in [
        (Returned(b"1"), Raised("E", "")),
        (None, Returned(b"1")),
        (TimedOut(1), Exited(0)),
        (Exited(0), Exited(1)),
        (Returned(b"1"), Returned(b"1", "application/unknown")),
    ]:
        assert [d.path for d in compare(recorded, replayed)] == ["$"]


def test_nesting_as_deep_as_pythons_stack_is_compared_as_text():
    """A payload that Lambda sends is never more than the comparison can take."""
    deep = Returned(b"[" * 30_000 + b"1" + b"]" * 30_000)
    other = Returned(b"[" * 30_000 + b"2" + b"]" * 30_000)
    assert [d.path for d in compare(deep, other)] == ["$"]


# --- noise -----------------------------------------------------------------------------------

UUIDS = ["0b0f6ac2-7e4c-4c41-9d0c-3f1d8f2f6a01", "5d9a7f0e-1111-4222-8333-abcdefabcdef"]
NOW = 1_795_346_531.859893
DAY = 90_061.137


def seen(value):
    return Seen(returned(value))


def looked(recorded, first, **moved):
    """Split the differences of `recorded` and `first`; what is not given did not move."""
    again = moved.pop("again", first)
    entropy, clock = moved.pop("entropy", first), moved.pop("clock", first)
    hashes = moved.pop("hashes", (first, first))
    looks = SecondLook(
        first=seen(first),
        again=seen(again),
        moved={
            "clock": (seen(clock),),
            "entropy": (seen(entropy),),
            "hash seed": tuple(map(seen, hashes)),
        },
        instant_ms=NOW * 1000,
        tolerance_ms=2000,
    )
    noise, drift = split(compare(returned(recorded), returned(first)), looks)
    return {n.path: n.factor for n in noise}, [d.path for d in drift]


def test_a_uuid_that_moves_with_entropy_is_noise():
    """Type and shape are the same, and the path moved."""
    noise, drift = looked({"id": UUIDS[0]}, {"id": UUIDS[1]}, entropy={"id": UUIDS[0]})
    assert (noise, drift) == ({"$.id": "entropy"}, [])


def test_what_moves_with_nothing_is_drift():
    """However random it looks: somebody changed it."""
    for a, b in [(UUIDS[0], UUIDS[1]), ("a1b2", "c3d4"), (NOW, NOW + 1), (["a", "b"], ["b", "a"])]:
        noise, drift = looked({"v": a}, {"v": b})
        assert noise == {}
        assert drift


@pytest.mark.parametrize(
    ("recorded", "first", "elsewhere"),
    [
        (UUIDS[0], "constant", "constants"),
        (UUIDS[0], "5d9a7f0e11114222", "0d9a7f0e11114222"),
        ("token-aaaa", "token-bbb", "token-ccc"),
        ("open", 5, 6),
        ("a b", "c.!", "d.?"),
    ],
)
def test_another_shape_is_drift_even_where_the_path_moves(recorded, first, elsewhere):
    """A shortened token or a value of another type is a change."""
    noise, drift = looked({"v": recorded}, {"v": first}, entropy={"v": elsewhere})
    assert (noise, drift) == ({}, ["$.v"])


@pytest.mark.parametrize(
    ("recorded", "replayed"),
    [
        ("1798328507", "1795739099821"),  # a TTL in milliseconds
        ("ttl 1798328507", "ttl 1798328507000"),
        ("2026-11-26T10:00:00+00:00", "2026-11-26T11:00:00+01:00"),
    ],
)
@pytest.mark.parametrize("factor", ["clock", "entropy"])
def test_a_number_of_far_more_digits_and_a_time_of_another_zone_are_drift(
    recorded, replayed, factor
):
    """They move with the clock as well: the notation is another."""
    assert looked({"v": recorded}, {"v": replayed}, **{factor: {"v": replayed[::-1]}})[0] == {}


@pytest.mark.parametrize(
    "form", ["lock-{ms}", "out/{at:%Y%m%dT%H%M%S%fZ}.json", "out/{at:%Y/%m/%d/%H-%M-%S.%f}.csv"]
)
def test_a_time_in_the_key_of_an_object_is_noise_while_it_is_at_the_clock(form):
    """In whatever notation keys have."""

    def text(seconds):
        return form.format(ms=int(seconds * 1000), at=datetime.fromtimestamp(seconds, UTC))

    moved = {"v": text(NOW + DAY)}
    assert looked({"v": text(NOW)}, {"v": text(NOW + 0.4)}, clock=moved) == ({"$.v": "clock"}, [])
    assert looked({"v": text(NOW)}, {"v": text(NOW + 3600)}, clock=moved)[1] == ["$.v"]


def test_a_digest_of_a_time_is_noise_and_a_word_that_changes_with_it_is_not():
    """Nothing of the time shows in a digest."""
    digests = [sha256(str(n).encode()).hexdigest() for n in range(3)]
    (then, now, moved), words = digests, ("morning", "evening", "evening")
    assert looked({"v": then}, {"v": now}, clock={"v": moved}) == ({"$.v": "clock"}, [])
    assert looked({"v": words[0]}, {"v": words[1]}, clock={"v": "morning"}) == ({}, ["$.v"])


def test_what_varies_by_itself_under_a_virtual_clock_is_the_systems():
    """No factor moves it; in real time the clock does."""
    noise, _ = looked({"v": "a1b2c3d4"}, {"v": "e5f6a7b8"}, again={"v": "c9d0e1f2"})
    assert noise == {"$.v": "system"}


def test_a_number_drawn_as_nothing_is_a_number_drawn():
    """Of a die that begins with 0."""
    assert looked({"v": 7}, {"v": 0}, entropy={"v": 3}) == ({"$.v": "entropy"}, [])
    assert looked({"v": 7.5}, {"v": 0.5}, entropy={"v": 0.3})[1] == ["$.v"]


def test_a_traceback_in_a_message_counts_without_where_its_frames_lie():
    """Powertools puts one into the message of a batch that has failed."""
    text = 'failed: Traceback (most recent call last):\n  File "{}", line {}, in f\n    go()\n{}'
    then = Raised("E", text.format("/var/task/a.py", 3, "ValueError: no"))
    now = Raised("E", text.format("/home/me/a.py", 4, "    ^^^^\nValueError: no"))
    other = Raised("E", text.format("/var/task/a.py", 3, "ValueError: yes"))
    (noise,), left = excuse(compare(then, now))
    assert (noise.rule, left) == ("traceback", ())
    assert excuse(compare(then, other))[1] != ()


@pytest.mark.parametrize("unit", [1, 1e3, 1e6])
def test_a_time_as_far_from_its_clock_is_noise_and_one_that_is_not_is_drift(unit):
    """Seconds, milliseconds, microseconds; an expiry an hour further away is a change."""
    at, later = NOW * unit, (NOW + 0.4) * unit
    moved = (NOW + DAY) * unit
    assert looked({"t": at}, {"t": later}, clock={"t": moved}) == ({"$.t": "clock"}, [])
    hour = (NOW + 3600) * unit
    assert looked({"t": at}, {"t": hour}, clock={"t": hour + DAY * unit}) == ({}, ["$.t"])


def test_times_in_text_are_held_to_the_clock_as_well():
    """ISO 8601 alone or inside a sentence, with or without a zone."""
    text = "done at 2026-11-22T10:00:{}+00:00"
    moved = "done at 2026-11-23T11:01:02.000001+00:00"
    close, far = text.format("01.5"), "done at 2026-11-22T11:00:00.5+00:00"
    recorded = text.format("00.250000")
    assert looked({"t": recorded}, {"t": close}, clock={"t": moved}) == ({"$.t": "clock"}, [])
    assert looked({"t": recorded}, {"t": far}, clock={"t": moved}) == ({}, ["$.t"])


def test_a_time_an_hour_off_is_drift_though_time_moves_by_itself():
    """In real time every look shows another one; that excuses no other distance."""
    times = [f"2026-11-22T{hour}:00:0{n}.500000+00:00" for hour, n in ((10, 0), (11, 1), (11, 2))]
    moved = {"again": {"t": times[2]}, "clock": {"t": "2026-11-23T12:01:02.5+00:00"}}
    assert looked({"t": times[0]}, {"t": times[1]}, **moved) == ({}, ["$.t"])


def test_a_token_of_32_hexadecimal_digits_is_no_uuid_of_some_version():
    """As `secrets.token_hex(16)` gives it."""
    then, now, elsewhere = "7a074e2c19bfb816" * 2, "b0d7618bdd075bd9" * 2, "5c65bcd756dc6951" * 2
    assert looked({"t": then}, {"t": now}, entropy={"t": elsewhere}) == ({"$.t": "entropy"}, [])


def test_an_address_that_moves_by_itself_is_noise():
    """The text around it must be the same."""
    a, b, c = (f"<Order object at 0x7f3a5c{n}1d90>" for n in (1, 2, 3))
    assert looked({"r": a}, {"r": b}, again={"r": c}) == ({"$.r": "address"}, [])
    other = "<Basket object at 0x7f3a5c21d90>"
    assert looked({"r": a}, {"r": other}, again={"r": c})[1] == ["$.r"]


def test_a_reordering_that_moves_with_the_hash_seed_is_noise():
    """The same elements in another order, in a list or joined into text."""
    recorded, first, other = ["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]
    noise, drift = looked({"s": recorded}, {"s": first}, hashes=({"s": other}, {"s": first}))
    assert (set(noise.values()), drift) == ({"hash seed"}, [])
    joined = [",".join(order) for order in (recorded, first, other)]
    noise, drift = looked(
        {"s": joined[0]}, {"s": joined[1]}, hashes=({"s": joined[2]}, {"s": joined[1]})
    )
    assert (noise, drift) == ({"$.s": "hash seed"}, [])


def test_a_replaced_element_of_a_set_is_drift_even_where_its_order_moves():
    """Not the same elements any more."""
    recorded, first, other = ["a", "b", "c"], ["b", "x", "a"], ["x", "a", "b"]
    assert looked({"s": recorded}, {"s": first}, hashes=({"s": other}, {"s": first}))[0] == {}


def test_a_member_of_a_set_that_moves_with_the_hash_seed_is_noise():
    """The first of a set, or one drawn from a list made of it."""
    noise, drift = looked({"lot": "C3"}, {"lot": "A1"}, hashes=({"lot": "B2"}, {"lot": "A1"}))
    assert (noise, drift) == ({"$.lot": "hash seed"}, [])


def test_a_shuffled_list_moves_with_entropy():
    """The same elements, whatever their length."""
    recorded, first, other = ["a", "bb", "ccc"], ["bb", "ccc", "a"], ["ccc", "a", "bb"]
    noise, drift = looked({"s": recorded}, {"s": first}, entropy={"s": other})
    assert (set(noise.values()), drift) == ({"entropy"}, [])


@pytest.mark.parametrize(
    ("recorded", "first", "elsewhere", "factor"),
    [
        (NOW, NOW + 3600, NOW + 3601, "entropy"),
        (int(NOW), int(NOW) + 60, int(NOW) + 61, "entropy"),
        (NOW, NOW * 1000, NOW * 1001, "entropy"),
        (f"ord_{'a1' * 8}", f"inv_{'b2' * 8}", f"inv_{'c3' * 8}", "entropy"),
        (UUIDS[0], UUIDS[1].upper(), UUIDS[0].upper(), "entropy"),
        (UUIDS[0], UUIDS[1].replace("-4", "-1"), UUIDS[0].replace("-4", "-1"), "entropy"),
        ("red,green,blue", "bleu,red,green", "green,bleu,red", "hashes"),
        ("2026-11-22T10:00:00+00:00", "2026-11-22T10:00:01", "2026-11-23T11:01:02", "clock"),
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:01+00:00", "2026-11-23T11:01:02+00:00", "clock"),
        ("2026-11-22T10:00:00", "2026-11-22 10:00:01", "2026-11-23 11:01:02", "clock"),
        (0.25, 250_000.5, 710_000.25, "entropy"),
        (191, 236, 235, "clock"),
        ("v1-" + "a1" * 8, "v2-" + "b2" * 8, "v2-" + "c3" * 8, "entropy"),
        ("order-x_y" + "a" * 9, "refnd-x-y" + "b" * 9, "refnd-zzz" + "c" * 9, "entropy"),
    ],
)
def test_a_change_of_form_is_drift_though_the_value_varies_by_nature(
    recorded, first, elsewhere, factor
):
    """Another hour, unit, prefix, spelling, version, member, notation or scale."""
    looks = {"v": elsewhere}
    moved = {factor: (looks, looks) if factor == "hashes" else looks}
    assert looked({"v": recorded}, {"v": first}, **moved) == ({}, ["$.v"])


def test_a_missing_key_the_error_type_and_the_root_are_never_noise():
    """Nothing excuses more than one value of one path."""
    assert looked({"a": UUIDS[0]}, {}, entropy={"a": UUIDS[1]}) == ({}, ["$.a"])
    assert looked(UUIDS[0], UUIDS[1], entropy=UUIDS[0]) == ({}, ["$"])


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_no_text_makes_the_second_look_fail(recorded, first, elsewhere):
    """Shapes are looked for in whatever was captured."""
    looked({"t": recorded}, {"t": first}, clock={"t": elsewhere}, entropy={"t": elsewhere})
