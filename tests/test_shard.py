"""Shards: each recording is in exactly one, always the same, and they are of like size."""

import json
from pathlib import Path

import pytest
from conftest import also_long
from databases import flip_payload
from hypothesis import given
from hypothesis import strategies as st
from test_cli import one_line_error
from test_run import returned, store, verdicts

from replay.cli.shard import Shard, shard_of
from replay.recorder.ulid import new_ulid

ECHO = "def handler(event, context):\n    return event\n"


def shares(ids: list[str], count: int) -> list[list[str]]:
    """The ids of each shard."""
    return [list(filter(Shard(n, count).has, ids)) for n in range(1, count + 1)]


@pytest.mark.parametrize("count", [1, 2, 3, 16, 100])
def test_shards_are_disjoint_and_together_the_whole_and_of_like_size(count):
    """Of 1,000 ids made one after the other; no shard is more than six deviations off."""
    ids = [new_ulid() for _ in range(1000)]
    found = shares(ids, count)
    assert sorted(ids) == sorted(id for share in found for id in share)
    even = 1000 / count
    assert all(abs(len(share) - even) <= 6 * even**0.5 for share in found)


@given(st.sets(st.text(max_size=30), max_size=40), st.text(max_size=30), st.integers(1, 9))
def test_a_recording_that_is_added_moves_none_of_the_others(ids, added, count):
    """Whatever an id is made of; and the one is in exactly one shard."""
    before = shares(sorted(ids), count)
    after = shares(sorted({*ids, added}), count)
    assert before == [[id for id in share if id in ids] for share in after]
    assert sum(added in share for share in after) == 1


def test_a_shard_is_the_same_everywhere():
    """On another machine and in a later version: no job may run what another one ran."""
    ids = [f"01m81fw1gk0008m74ctcfv7j2{n}" for n in range(3)]
    assert shares(ids, 3) == [[ids[1]], [ids[0], ids[2]], []]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0/4", "from 1 to 4"),
        ("5/4", "from 1 to 4"),
        ("1/0", "there are none"),
        ("a/b", "not NUMBER/COUNT"),
        ("3", "not NUMBER/COUNT"),
        ("-1/4", "not NUMBER/COUNT"),
        ("1/4/2", "not NUMBER/COUNT"),
        ("²/4", "not NUMBER/COUNT"),
        ("", "not NUMBER/COUNT"),
    ],
)
def test_what_is_no_shard_is_refused_before_anything_is_read(project, replay, text, words):
    """There is no store here, and none is asked for."""
    line = one_line_error(replay("run", "--shard", text))
    assert words in line
    assert shard_of("4/4").count == 4


def judged(replay, *arguments: str) -> list[str]:
    return [verdict["id"] for verdict in verdicts(replay("run", "--json", *arguments))]


@pytest.mark.slow
def test_a_job_replays_its_part_of_what_is_selected(project, replay):
    """By filters; the jobs together have replayed everything once."""
    ids = store(project, ECHO, [returned(n=n) for n in range(6)])
    parts = [judged(replay, "--shard", f"{n}/2", "--isolation", "worker") for n in (1, 2)]
    assert [[id for id in ids[::-1] if id in share] for share in shares(ids, 2)] == parts
    assert sorted(ids) == sorted(parts[0] + parts[1])


@pytest.mark.long
@pytest.mark.parametrize("how", also_long(["file and ids"], ["ids", "file", "limit"]))
def test_whatever_selects_is_split(project, replay, how):
    """Ids, fixture files, both; a limit counts before the selection is split."""
    ids = store(project, ECHO, [returned(n=n) for n in range(8)])
    assert replay("export", "-o", "all.jsonl").returncode == 0
    selection = {
        "ids": ids,
        "file": ["./all.jsonl"],
        "file and ids": ["./all.jsonl", ids[0]],
        "limit": ["--limit", "5"],
    }[how]
    whole = judged(replay, *selection)
    parts = [judged(replay, *selection, "--shard", f"{n}/3", "--allow-empty") for n in (1, 2, 3)]
    assert sorted(whole) == sorted(id for share in parts for id in share)


def lonely(project: Path) -> tuple[str, str]:
    """A store of one recording; the shard of two that has it, and the one that has nothing."""
    (id,) = store(project, ECHO, [returned(n=0)])
    return ("1/2", "2/2") if Shard(1, 2).has(id) else ("2/2", "1/2")


@pytest.mark.slow
def test_an_empty_shard_of_something_is_no_error_and_is_told(project, replay):
    """A job that has nothing to do has not failed."""
    full, empty = lonely(project)
    done = replay("run", "--shard", empty, "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert f"shard {empty} has none of the 1 selected" in done.stderr
    done = replay("run", "--shard", full, "--json")
    assert (done.returncode, len(verdicts(done)), done.stderr) == (0, 1, "")


@pytest.mark.slow
def test_an_empty_selection_stays_an_error_in_every_shard(project, replay):
    """Positive control: a filter that matches nothing is misuse, whoever asks."""
    full, empty = lonely(project)
    for shard in (full, empty):
        done = replay("run", "--shard", shard, "--function", "nosuch")
        assert done.returncode == 2
        assert "no recording matches" in done.stderr


def test_what_cannot_be_read_fails_one_job_only(project, replay):
    """By its id in a store, by its place in a file."""
    full, empty = lonely(project)
    (listed,) = json.loads(replay("list", "--json").stdout)
    flip_payload(project / "replay.db", listed["id"])
    assert [replay("run", "--shard", it).returncode for it in (full, empty)] == [2, 0]
    (project / "all.jsonl").write_text("{torn\n")
    codes = [replay("run", "all.jsonl", "--shard", it).returncode for it in ("1/2", "2/2")]
    assert sorted(codes) == [0, 2]
