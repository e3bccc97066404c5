"""Rules: a value that varies must still be of its kind."""

import time

import pytest

from replay.errors import ReplayError
from replay.replayer.compare import ABSENT, Difference
from replay.replayer.query import matches
from replay.replayer.rule import Instant, Rule, excused, kind_of, rule_of

AT = Instant(1_795_346_531_859.0, 2_000)
UUID = "75897f94-b20c-4d54-90b0-55321075bb64"


def is_excused(rule: Rule, *differences: Difference) -> bool:
    return not excused(differences, (rule,), AT)[1]


@pytest.mark.parametrize(
    ("kind", "recorded", "like", "unlike"),
    [
        ("uuid", UUID, "fe44a5b8-8f5b-4be7-8247-8497aae5cebf", "fe44a5b8"),
        ("uuid", UUID, "fe44a5b8-8f5b-4be7-8247-8497aae5cebf", UUID.replace("-4d54", "-1d54")),
        ("uuid", UUID, UUID[::-1].replace("-", "")[:8] + UUID[8:], UUID.upper()),
        ("time", "2026-11-22T12:00:00Z", "2026-11-22T12:00:01Z", "2026-11-22T13:00:00Z"),
        ("time", "2026-11-22T12:00:00Z", "2026-11-22T12:00:01Z", "2026-11-22 12:00:00"),
        ("time", 1_795_346_531, 1_795_346_532, 1_795_350_000),
        ("span", 12, 14, -1),
        ("span", 12, 20, 10**9),
        ("span", 0.5, 0.9, True),
        ("token", "ord-8f3a91", "ord-77ab02", "orders"),
        ("number", 0.25, 0.75, 25),
        ("number", 17, 711, 0.5),
        ("number", 17, 711, 4_711),
        ("number", 17, 18, True),
        ("set", "a,b,c", "c,a,b", "a,b,d"),
        ("set", "lis ten", "ten lis", "silent"),
        ("address", "<A at 0x7f3bc2b993c0>", "<A at 0x7f3bc2b99000>", "<B at 0x7f3bc2b993c0>"),
        ("any", 1, 2, "1"),
    ],
)
def test_a_rule_excuses_a_value_of_its_kind_and_no_other(kind, recorded, like, unlike):
    """So that a test goes on to assert what does not vary."""
    rule = Rule("$.a", kind)
    assert is_excused(rule, Difference("$.a", recorded, like))
    assert not is_excused(rule, Difference("$.a", recorded, unlike))


@pytest.mark.parametrize(("then", "now"), [(True, False), (14, 2), (5, 1_999), (5, 5.5)])
def test_a_number_that_is_no_instant_is_no_time(then, now):
    """Days left, a counter, a flag: they depend on the clock and are asserted all the same."""
    assert not is_excused(Rule("$.a", "time"), Difference("$.a", then, now))
    assert kind_of(then, now, AT, "clock") in (None, "span")


def test_what_two_values_share_is_constant():
    """`like` is another value that has stood there."""
    bare, told = Rule("$.a", "token"), Rule("$.a", "token", like="ord-EU-77ab02")
    same = Rule("$.a", "token", like="ord-EU-8f3a91")  # as it is once that was accepted
    assert is_excused(same, Difference("$.a", "ord-EU-8f3a91", "ord-EU-1c99d0"))
    assert is_excused(bare, Difference("$.a", "ord-EU-8f3a91", "ord-US-1c99d0"))
    assert not is_excused(told, Difference("$.a", "ord-EU-8f3a91", "ord-US-1c99d0"))
    assert is_excused(told, Difference("$.a", "ord-EU-8f3a91", "ord-EU-1c99d0"))


def test_an_order_may_vary_and_its_members_may_not():
    """The rule is that of the array."""
    moved = Difference("$.a[0]", "x", "y"), Difference("$.a[1]", "y", "x")
    other = Difference("$.a[0]", "x", "y"), Difference("$.a[1]", "y", "z")
    assert is_excused(Rule("$.a", "order"), *moved)
    assert not is_excused(Rule("$.a", "order"), *other)
    assert not is_excused(Rule("$.b", "order"), *moved)


def test_an_order_of_many_members_is_told_in_no_time():
    """Once for the array: for each member it took seconds."""
    many = [Difference(f"$.a[{n}]", n, 20_000 - n) for n in range(1, 20_000)]
    began = time.process_time()
    assert is_excused(Rule("$.a", "order"), *many)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "difference",
    [
        Difference("$", {"a": 1}, {"a": 2}),
        Difference("$.a", 1, ABSENT),
        Difference("$.a", ABSENT, 1),
        Difference("$.b", 1, 2),
        Difference("$.a", 1, 2, "1 dynamodb PutItem"),
    ],
)
def test_no_rule_excuses_a_missing_key_the_whole_payload_or_another_place(difference):
    """A rule for the outcome is none for a call, either."""
    assert is_excused(Rule("$.a", "any"), Difference("$.a", 1, 2))
    assert not is_excused(Rule("$.a", "any"), difference)
    assert not is_excused(Rule("$.a", "any", call="2 x"), difference)


def test_a_rule_for_a_call_is_for_that_one_or_for_any():
    """And never for the outcome."""
    difference = Difference("$.a", 1, 2, "1 dynamodb PutItem")
    assert is_excused(Rule("$.a", "any", call="1 dynamodb PutItem"), difference)
    assert is_excused(Rule("$.a", "any", call="*"), difference)
    assert not is_excused(Rule("$.a", "any", call="*"), Difference("$.a", 1, 2))


@pytest.mark.parametrize(
    ("query", "path", "is_named"),
    [
        ("$.items[*].id", "$.items[3].id", True),
        ("$.items[*].id", "$.items[3].name", False),
        ("$..id", "$.a[0]['b c'].id", True),
        ("$.items[0:2].id", "$.items[1].id", True),
        ("$.items[0:2].id", "$.items[2].id", False),
        ("$['a b']", "$['a b']", True),
    ],
)
def test_a_query_names_the_places_that_rfc_9535_says(query, path, is_named):
    """Read by a library for it; only the place counts."""
    assert is_named == matches(query, path)


def test_a_query_excuses_several_places():
    """As it is written in pyproject.toml, for all cases."""
    rule = rule_of({"path": "$.items[*].id", "kind": "uuid"})
    other = "fe44a5b8-8f5b-4be7-8247-8497aae5cebf"
    assert is_excused(rule, *(Difference(f"$.items[{n}].id", UUID, other) for n in range(3)))
    assert not is_excused(rule, Difference("$.items[0].name", UUID, other))


@pytest.mark.parametrize(
    "document",
    [
        *(1, {}, {"path": "$.a", "kind": "x"}, {"path": "$.a", "reason": "x"}),
        *({"path": path} for path in ("$", "$.*", "$[*]", "$..*", "$..[*]", "a")),
        *({"path": path} for path in ("$.items[-1]", "$.a[-1:]", "$.a[?@.b]")),
    ],
)
def test_a_rule_that_says_nothing_is_refused(document):
    """With what to write instead."""
    with pytest.raises(ReplayError) as refused:
        rule_of(document)
    assert refused.value.hint


def test_the_members_of_one_array_do_not_stand_in_for_those_of_another():
    """Also where one rule is for several."""
    swapped = Difference("$.g[0][0]", "a", "b"), Difference("$.g[1][0]", "b", "a")
    moved = Difference("$.g[0][0]", "a", "b"), Difference("$.g[0][1]", "b", "a")
    assert is_excused(Rule("$.g[*]", "order"), *moved)
    assert not is_excused(Rule("$.g[*]", "order"), *swapped)


def test_a_query_that_is_none_is_told():
    """Not taken for one that names nothing."""
    with pytest.raises(ReplayError, match="is no JSONPath"):
        excused((Difference("$.a", 1, 2),), (Rule("$..[", "any"),), AT)
