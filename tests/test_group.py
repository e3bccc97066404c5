"""What drifts alike is told together; what does not is not; and the summary of a run."""

import dataclasses
import io
import tracemalloc
from collections import Counter
from contextlib import redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_html import (
    answered,
    drift,
    drift_with_calls,
    error,
    hostile,
    match_with_calls,
    named,
    put,
    recording,
    sent,
    verdict_of,
)
from test_recording import ID

from replay.cli.output import Output
from replay.errors import ReplayError
from replay.outcome import Outcome, Raised, Returned, TimedOut
from replay.replayer.compare import ABSENT, Difference
from replay.replayer.verdict import Verdict
from replay.report.group import MAX_GROUPS, Group, Groups
from replay.report.pieces import plain_text
from replay.report.stream import TextStream
from replay.report.totals import Totals, summary_pieces


def payload(text: str) -> Returned:
    return Returned(text.encode())


def changed(then: str | Outcome, now: str | Outcome) -> Verdict:
    """A drift from one payload, or outcome, to another."""
    then, now = (payload(it) if isinstance(it, str) else it for it in (then, now))
    verdict = verdict_of(recording(outcome=then), now)
    assert verdict.kind == "drift"
    return verdict


def at(path: str, call: str | None = None) -> Verdict:
    """A drift at any place."""
    return dataclasses.replace(drift(), differences=(Difference(path, 1, 2, call),))


def with_put(number: int, then: int, now: int) -> Verdict:
    """A drift in what a call sends."""
    recorded = recording(answered(number, put(then), 1, 1), outcome=payload("1"))
    return verdict_of(recorded, payload("1"), (sent(put(now), number),))


def failed(message: str) -> Verdict:
    return dataclasses.replace(error(), error=ReplayError(message))


def groups_of(*verdicts: Verdict) -> list[Group]:
    groups = Groups()
    for number, verdict in enumerate(verdicts, start=1):
        groups.add(verdict, number)
    return groups.largest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (drift(700, 600), drift(700, 600)),
        (drift(700, 600), drift(350, 300)),
        (changed("[[1,2],3]", "[[1,4],3]"), changed("[[1,2],3]", "[[0,2],3]")),
        (changed('{"a":"x"}', '{"a":"y"}'), changed('{"a":"v"}', '{"a":"w"}')),
        (changed('"x"', Raised("KeyError", "'a'")), changed('"y"', Raised("KeyError", "'b'"))),
        (changed('"x"', TimedOut(3000)), changed("7", TimedOut(1000))),
        (with_put(1, 7, 6), with_put(3, 70, 60)),
        (failed(f"recording {ID}: no"), failed("no")),
        (failed(f"no /tmp/replay-0/{ID}/task"), failed("no /tmp/replay-0/ID/task")),
    ],
)
def test_drifts_of_one_kind_at_one_place_are_alike(one, other):
    """By function, call without its number, path without indices, and kinds of values."""
    (group,) = groups_of(one, other)
    assert group.count == 2
    assert [case.number for case in group.cases] == [1, 2]


@pytest.mark.parametrize(
    "other",
    [
        named(drift(), "billing"),
        changed('{"total": 700}', '{"total": null}'),
        changed('{"total": 700}', '{"total": "600"}'),
        changed('{"total": 700}', "{}"),
        changed('{"sum": 700}', '{"sum": 600}'),
        changed('{"total": 700, "a": 1}', '{"total": 600, "a": 2}'),
        changed('{"total": 700}', Raised("KeyError", "'a'")),
        at("$.total", "1 dynamodb PutItem"),
        failed("no"),
    ],
)
def test_drifts_of_other_kinds_are_not_alike(other):
    """Positive control: the rule above can tell them apart."""
    assert [group.count for group in groups_of(drift(), other)] == [1, 1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (changed("1", Raised("KeyError", "a")), changed("1", Raised("TypeError", "a"))),
        (
            changed(Raised("A", "a"), Raised("B", "a")),
            changed(Raised("A", "a"), Raised("C", "a")),
        ),
        (
            changed('{"statusCode": 200}', '{"statusCode": 404}'),
            changed('{"statusCode": 200}', '{"statusCode": 500}'),
        ),
        (at("$['a[1]']"), at("$['a[2]']")),
        (at("$.a", "1 dynamodb PutItem"), at("$.a", "1 dynamodb DeleteItem")),
        (at("$.a", "extra dynamodb PutItem"), at("$.a", "1 dynamodb PutItem")),
        (at("$." + "a" * 300), at("$." + "a" * 299 + "b")),
        (failed("no"), failed("nor")),
    ],
)
def test_what_only_looks_alike_is_told_apart(one, other):
    """Error types and status codes are kinds; a name that holds brackets is no index."""
    assert [group.count for group in groups_of(one, other)] == [1, 1]


def test_a_group_shows_the_values_of_the_first_and_says_where_there_are_others():
    """Outcomes of different kinds by what they are."""
    same = groups_of(drift(), drift())[0].places[0]
    other = groups_of(drift(), drift(700, 1))[0].places[0]
    assert (same.recorded, same.replayed, same.varies) == ("700", "600", False)
    assert (other.recorded, other.replayed, other.varies) == ("700", "600", True)
    (within,) = groups_of(changed("[1,1]", "[2,3]"))[0].places
    assert (within.path, within.varies) == ("$[*]", True)
    raised = groups_of(changed('{"a": 1}', Raised("KeyError", "'a'")))[0].places[0]
    assert (raised.path, raised.recorded, raised.replayed) == ("$", "returned", "raised KeyError")
    (gone,) = groups_of(changed('{"a": 1}', "{}"))[0].places
    assert gone.replayed == "(nothing there)"
    assert Difference("$.a", 1, ABSENT).replayed is ABSENT


POOL = [
    *(match_with_calls(), drift(), drift(1, 2), drift_with_calls(), error(), hostile()),
    *(named(drift(), "billing"), failed("no"), with_put(1, 7, 6), changed("1", TimedOut(3))),
]


@given(st.lists(st.sampled_from(POOL), max_size=40))
def test_the_groups_add_up_to_what_does_not_match(verdicts):
    """Each case is in one group, whatever the order; kinds are never mixed."""
    counts: Counter[str] = Counter()
    for group in groups_of(*verdicts):
        counts[group.kind] += group.count
        assert len(group.cases) == min(3, group.count)
    assert counts == Counter(it.kind for it in verdicts if it.kind != "match")
    backwards = groups_of(*reversed(verdicts))
    assert sorted(it.count for it in backwards) == sorted(it.count for it in groups_of(*verdicts))


def test_what_is_kept_is_bounded():
    """So many groups, then a count; and long paths, values and names are cut."""
    groups = Groups()
    for number in range(MAX_GROUPS + 30):
        groups.add(at(f"$.a{number}"), number + 1)
    assert len(groups.largest()) == MAX_GROUPS
    assert groups.left_over == {"drift": 30}
    groups.add(at("$.a0"), 999)
    assert groups.largest()[0].count == 2
    large = named(changed('{"%s": 1}' % ("k" * 10**5), "{}"), "f" * 10**5)
    large = dataclasses.replace(large, differences=large.differences * 20)
    tracemalloc.start()
    kept = groups_of(large)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept[0].count == 1
    assert size < 50_000


def printed(*verdicts: Verdict, **options: bool) -> list[str]:
    lines: list[str] = []
    stream = TextStream(lambda pieces: lines.append(plain_text(pieces)), **options)
    for verdict in verdicts:
        stream.add(verdict)
    stream.close()
    return "\n".join(lines).split("\n")


def test_a_run_ends_with_what_drifts_alike_and_then_the_counts():
    """The last line is the counts, as ever."""
    lines = printed(*[drift()] * 5, error(), match_with_calls())
    assert lines[-7:] == [
        "",
        f"5 cases drift alike  app.handler  {', '.join([ID[-8:]] * 3)}, ...",
        "       $.total  700 -> 600",
        f"1 case could not be replayed  app.handler  {ID[-8:]}",
        "       the handler tried to reach db.example.com:5432",
        "",
        "1 match  5 drift  1 error  0 noise",
    ]


def test_what_is_on_the_screen_already_is_not_told_again():
    """A few cases of which no two are alike; of many, each drift is told again."""
    few = printed(drift(), error(), match_with_calls())
    assert [line for line in few if "drifts" in line or line == ""] == []
    many = printed(drift(), *[match_with_calls()] * 20)
    assert f"1 case drifts  app.handler  {ID[-8:]}" in many
    assert printed(drift())[-1].strip() == "took the order"
    matches = printed(*[match_with_calls()] * 30)
    assert (len(matches), "" in matches) == (31, False)


def test_many_matches_are_counted_for_a_person_at_a_terminal():
    """Beyond the first 20; not in a pipe, where scripts count lines; nor what says more."""
    verdicts = [match_with_calls()] * 50
    assert sum(line.startswith("match  ") for line in printed(*verdicts)) == 50
    folded = printed(*verdicts, drift(), folds=True)
    assert sum(line.startswith(f"match  {ID[-8:]}") for line in folded) == 20
    assert "match  30 more" in folded
    assert folded[-1] == "50 match  1 drift  0 error  0 noise"
    shown = printed(*verdicts, folds=True, show_output=True)
    assert sum(line.startswith(f"match  {ID[-8:]}") for line in shown) == 50


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("where", "verbose", "lines"),
    [(Terminal, False, 20), (Terminal, True, 25), (io.StringIO, False, 25)],
)
def test_the_command_counts_matches_on_a_terminal_alone_and_not_with_verbose(where, verbose, lines):
    """A pipe gets a line for every case."""
    output = Output(as_json=False, show_output=False, verbose=verbose, html=None, junit=None)
    with redirect_stdout(where()) as out, output.stream() as stream:
        for _ in range(25):
            stream.add(match_with_calls())
        stream.close()
    assert out.getvalue().count(ID[-8:]) == lines
    assert ("5 more" in out.getvalue()) == (lines == 20)


def test_many_groups_are_counted_after_the_largest():
    """Ten of them fit a screen."""
    totals = Totals()
    for number in range(15):
        for _ in range(2 if number == 14 else 1):
            totals.add(at(f"$.a{number}"))
    text = plain_text(summary_pieces(totals))
    assert text.index("$.a14") < text.index("$.a0")
    assert "and 5 in smaller groups" in text
    assert text.endswith("\n\n0 match  16 drift  0 error  0 noise")


def test_nothing_captured_reaches_the_terminal_as_it_is():
    """Names, paths, values and messages are escaped in the summary too."""
    wrong = dataclasses.replace(hostile(), kind="error")
    text = "\n".join(printed(hostile(), hostile(), wrong, wrong))
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "\u202e" not in text
