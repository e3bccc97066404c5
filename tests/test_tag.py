"""Tags as a user gives them: one command, one filter, and where they are shown."""

import json

import pytest
from databases import capture_parts, flip_payload
from test_store import recording


@pytest.fixture
def three(project) -> list[str]:
    """Ids of three recordings in the store of `project`, oldest first."""
    made = [recording(event={"n": n}) for n in range(3)]
    capture_parts(project / "replay.db", *made)
    return [one.id for one in made]


def listed(replay, *arguments: str) -> list[str]:
    return [one["id"] for one in json.loads(replay("list", "--json", *arguments).stdout)]


def test_a_tag_is_given_shown_used_as_a_filter_and_taken_away(three, replay):
    """By id, all in one command; what was done is said, what is so is printed."""
    done = replay("tag", three[0], three[2][-8:], "--add", "slow", "--add", "bug/17")
    assert done.returncode == 0
    assert f"{three[0]}  bug/17 slow" in done.stdout
    assert "2 recordings" in done.stderr
    assert listed(replay, "--tag", "slow") == [three[2], three[0]]
    assert "bug/17 slow" in replay("list").stdout
    assert "bug/17 slow" in replay("show", three[0]).stdout
    assert json.loads(replay("show", three[0], "--json").stdout)["tags"] == ["bug/17", "slow"]
    replay("tag", three[0], "--remove", "slow", "--add", "done")
    assert listed(replay, "--tag", "slow") == [three[2]]
    assert listed(replay, "--tag", "bug/17", "--tag", "done") == [three[0]]


def test_tags_are_listed_without_a_change(three, replay):
    """For the recordings that are named, and for all."""
    replay("tag", three[1], "--add", "slow")
    assert replay("tag").stdout == f"{three[1]}  slow\n"
    assert json.loads(replay("tag", three[1], three[0], "--json").stdout) == [
        {"id": three[1], "tags": ["slow"]},
        {"id": three[0], "tags": []},
    ]


def test_recordings_are_tagged_by_filter_and_again_without_harm(three, replay):
    """Giving a tag twice is giving it once; a damaged recording can be tagged as well."""
    flip = three[1]
    replay("list")
    for _ in range(2):
        assert replay("tag", "--since", "2020-01-01", "--add", "slow").returncode == 0
    assert sorted(listed(replay, "--tag", "slow")) == sorted(three)
    assert replay("tag", "--tag", "slow", "--remove", "slow").returncode == 0
    assert listed(replay, "--tag", "slow") == []
    assert replay("tag", flip, "--add", "slow").returncode == 0


def test_the_damage_of_a_recording_does_not_keep_it_from_being_tagged(three, project, replay):
    """A person may want to say that it is damaged."""
    flip_payload(project / "replay.db", three[0])
    assert replay("tag", three[0], "--add", "damaged").returncode == 0
    assert replay("list", "--tag", "damaged").returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["@1", "--add", "a b"], "cannot be a tag"),
        (["@1", "--add", ""], "cannot be a tag"),
        (["@1", "--remove", "\x1b[31m"], "cannot be a tag"),
        (["--tag", "'; DROP TABLE tag", "--add", "x"], "cannot be a tag"),
        (["--add", "x"], "neither ids nor filters"),
        (["@1", "--function", "f", "--add", "x"], "ids and filters"),
        (["--function", "nobody", "--add", "x"], "--allow-empty"),
        (["zzzzzz", "--add", "x"], "zzzzzz"),
    ],
)
def test_misuse_is_one_clear_line_and_changes_nothing(three, replay, arguments, words):
    """Exit 2, with the remedy."""
    done = replay("tag", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""
    assert "\x1b" not in done.stderr
    assert replay("tag").stdout == ""


def test_tags_go_with_their_recording(three, stored):
    """An id that is removed leaves nothing behind."""
    store = stored()
    store.tag(three, add=["x"], remove=[])
    store.remove(three[0])
    assert store.tags(three) == {three[1]: ("x",), three[2]: ("x",)}
