"""Retention: what goes by age, by size and by number, and what is kept whatever the reason."""

import dataclasses
import json
import secrets
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from databases import capture_parts, flip_payload, query
from hypothesis import given
from hypothesis import strategies as st
from test_cli import one_line_error
from test_recording import invocation
from test_upgrade import CAPTURING

from replay.cli.retention import bytes_of
from replay.errors import ReplayError
from replay.outcome import Exited, Raised, Returned, TimedOut
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.store import prune
from replay.store.retention import Candidate, Retention
from replay.store.store import Store

DAY_US = 86_400_000_000
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        id=st.just(""),
        size_bytes=st.integers(0, 300) | st.none(),
        kept_bytes=st.integers(0, 100) | st.none(),
        captured_at_us=st.integers(0, 1000) | st.just("damaged"),
        function_name=st.sampled_from(["a", "b", None]),
        outcome=st.sampled_from(["returned", "raised", "timed_out", "unfinished", None]),
        remaining_ms=st.sampled_from([0, 1, None]),
        is_tagged=st.booleans(),
    ),
    max_size=30,
)
RULES = st.builds(
    Retention,
    older_than_us=st.none() | st.integers(0, 1000),
    max_bytes=st.none() | st.integers(0, 1500),
    keep_last=st.none() | st.integers(1, 5),
    keep_errors=st.booleans(),
    keep_tagged=st.booleans(),
)


def numbered(found: list[Candidate]) -> list[Candidate]:
    """The same, newest first, each with an id of its own."""
    return [one._replace(id=f"{len(found) - n:04}") for n, one in enumerate(found)]


@given(CANDIDATES, RULES)
def test_nothing_that_a_rule_keeps_goes_and_what_goes_has_a_reason(found, rules):
    """Whatever the rules, in whatever combination."""
    found = numbered(found)
    stored_bytes = sum(one.kept for one in found) + 7
    left = rules.leaving(found, stored_bytes, now_us=500)
    gone = [one for one in found if one.id in left.sizes_bytes]
    assert [one.id for one in gone] == list(left.sizes_bytes)
    assert left.left_bytes == stored_bytes - sum(one.kept for one in gone)
    assert not (rules.keep_tagged and any(one.is_tagged for one in gone))
    assert not (rules.keep_errors and {one.outcome for one in gone} - {"returned"})
    assert rules.is_empty or not any(one.may_run(500) for one in gone)
    for name in {one.function_name for one in gone} if rules.keep_last else ():
        newest = [one for one in found if one.function_name == name][: rules.keep_last]
        assert not set(newest) & set(gone)
    if rules.older_than_us is not None and rules.max_bytes is None:
        assert all(one.captured_at_us < rules.older_than_us for one in gone)


@pytest.mark.slow
@given(CANDIDATES, st.integers(0, 1500))
def test_the_oldest_go_and_no_more_than_has_to(found, max_bytes):
    """Until the payloads fit: the newest of those that went would not have fitted."""
    found = [one._replace(outcome="returned") for one in numbered(found)]
    left = Retention(max_bytes=max_bytes).leaving(found, sum(it.kept for it in found), now_us=0)
    gone = list(left.sizes_bytes)
    assert gone == [one.id for one in found][len(found) - len(gone) :]
    assert left.left_bytes <= max_bytes
    newest = next((it.kept for it in found if it.id in gone), 0)
    assert not gone or left.left_bytes + newest > max_bytes


def aged(days: float, name: str = "orders", outcome=Returned(b"1"), pad: int = 0) -> Recording:
    """A recording of a function, captured so many days ago."""
    base = invocation({"days": days, "pad": secrets.token_hex(pad // 2)})
    context = dataclasses.replace(base.context, attributes={"function_name": name})
    at_us = time.time_ns() // 1000 - int(days * DAY_US)
    moved = dataclasses.replace(base, context=context, captured_at_us=at_us)
    return Recording(new_ulid(), moved, outcome, None if outcome is None else 10)


@pytest.fixture
def aging(project, replay) -> dict[str, str]:
    """Ids of recordings by what they are, oldest first."""
    made = {
        "raised": aged(60, outcome=Raised("KeyError", "'n'")),
        "exited": aged(59, outcome=Exited(1)),
        "timed out": aged(58, outcome=TimedOut(3000)),
        "unfinished": aged(57, outcome=None),
        "tagged": aged(50),
        "old": aged(40),
        "old shop": aged(35, "shop"),
        "newer": aged(20),
        "newest shop": aged(2, "shop"),
        "newest": aged(1),
    }
    capture_parts(project / "replay.db", *made.values())
    replay("tag", made["tagged"].id, "--add", "bug")
    return {name: one.id for name, one in made.items()}


def left(replay) -> set[str]:
    return {one["id"] for one in json.loads(replay("list", "--json").stdout)}


ERRORS = "raised, exited, timed out, unfinished"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "gone"),
    [
        ("--older-than 30d", f"{ERRORS}, tagged, old, old shop"),
        ("--older-than 30d --keep-errors", "tagged, old, old shop"),
        ("--older-than 30d --keep-tagged", f"{ERRORS}, old, old shop"),
        ("--older-than 30d --keep-errors --keep-tagged", "old, old shop"),
        ("--older-than 30d --keep-errors --keep-last 2", "tagged, old"),
        ("--keep-last 1", f"{ERRORS}, tagged, old, old shop, newer"),
        ("--keep-last 1 --function shop", "old shop"),
        ("--keep-last 2 --keep-errors --keep-tagged", "old"),
        ("--max-bytes 0", f"{ERRORS}, tagged, old, old shop, newer, newest shop, newest"),
        ("--max-bytes 0 --keep-last 1 --outcome returned", "tagged, old, old shop, newer"),
        ("--all --keep-errors", "tagged, old, old shop, newer, newest shop, newest"),
        ("--function orders --keep-errors --until 3d", "tagged, old, newer"),
        ("--older-than 30d --where $.days=35", "old shop"),
        ("--older-than 90d", ""),
    ],
)
def test_each_rule_lets_go_alone_and_with_others(aging, project, replay, arguments, gone):
    """Shown first, deleted with --yes, and nothing else; what one rule keeps none lets go."""
    names = [name for name in gone.split(", ") if name]
    wanted = {aging[name] for name in names}
    planned = replay("prune", *arguments.split(), "--json")
    assert wanted == {one["id"] for one in json.loads(planned.stdout)["recordings"]}
    assert left(replay) == set(aging.values())
    done = replay("prune", *arguments.split(), "--yes")
    assert (done.returncode, f"{len(names)} recordings" in done.stdout) == (0, True), done.stderr
    assert left(replay) == set(aging.values()) - wanted
    assert replay("doctor").returncode == 0


def test_the_oldest_go_until_the_payloads_fit(project, replay):
    """Those of the whole store count, and what cannot be reached is said."""
    made = [aged(9 - n, pad=10_000) for n in range(8)]
    capture_parts(project / "replay.db", *made)
    assert replay("prune", "--max-bytes", "40KB", "--yes").returncode == 0
    ((size_bytes,),) = query(project / "replay.db", "SELECT sum(length(payload)) FROM part")
    assert 30_000 < size_bytes <= 40_000
    assert left(replay) == {one.id for one in made[-7:]}  # of 10 KB, packed to half
    done = replay("prune", "--max-bytes", "1KB", "--keep-last", "2", "--yes")
    assert done.returncode == 0
    assert "stay, more than --max-bytes" in done.stderr
    assert left(replay) == {one.id for one in made[-2:]}


def test_what_cannot_be_read_counts_as_an_error(aging, project, replay):
    """Nobody knows that it returned."""
    query(project / "replay.db", "DELETE FROM recording WHERE id = ?", aging["old"])
    flip_payload(project / "replay.db", aging["old"])
    query(project / "replay.db", "DELETE FROM recording")
    query(project / "replay.db", "UPDATE intake SET taken_n = 0")
    replay("list")
    replay("prune", "--older-than", "30d", "--keep-errors", "--yes")
    assert aging["old"] in left(replay)
    replay("prune", "--all", "--yes")
    assert left(replay) == set()


def test_an_invocation_that_may_still_run_is_kept(project, replay):
    """Its end would come without its beginning; once its deadline has passed it may go."""
    running = dataclasses.replace(invocation(), captured_at_us=time.time_ns() // 1000)
    running = dataclasses.replace(running, remaining_ms=900_000)
    one = Recording(new_ulid(), running)
    begun = one.parts()[0]
    capture_parts(project / "replay.db", one, aged(1, outcome=None))
    assert replay("prune", "--max-bytes", "0", "--yes").returncode == 0
    assert left(replay) == {begun.id}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--older-than", "soon"], "--older-than 'soon' is no time"),
        (["--older-than", "-3d"], "is no time"),
        (["--max-bytes", "big"], "--max-bytes 'big' is no size"),
        (["--max-bytes", "-1"], "is no size"),
        (["--max-bytes", "5XB"], "is no size"),
        (["--max-bytes", ""], "is no size"),
        (["--keep-errors"], "replay prune --all"),
        (["--keep-tagged", "--yes"], "replay prune --all"),
        (["--purge", "--keep-errors"], "replay prune --all"),
        (["@1", "--keep-tagged"], "ids and rules"),
        (["@1", "--older-than", "3d"], "ids and rules"),
        (["--all", "--older-than", "3d"], "--all and a selection"),
        (["--older-than", "3d", "--function", "nosuch"], "no recording matches"),
    ],
)
def test_what_is_no_rule_is_refused_and_deletes_nothing(aging, replay, arguments, words):
    """Everything is never meant by a slip."""
    assert words in one_line_error(replay("prune", *arguments))
    assert left(replay) == set(aging.values())


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_number_to_keep_is_at_least_one(aging, replay, number):
    """Keeping none is not keeping."""
    done = replay("prune", "--keep-last", number, "--yes")
    assert done.returncode == 2
    assert "--keep-last" in done.stderr
    assert left(replay) == set(aging.values())


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        ("123", 123),
        ("10B", 10),
        ("500MB", 500_000_000),
        ("1.5 gb", 1_500_000_000),
        ("64MiB", 64 * 2**20),
        ("2K", 2000),
        ("2Ki", 2048),
    ],
)
def test_sizes_are_read_by_thousands_or_by_1024(text, size_bytes):
    """As the unit says, in whatever case."""
    assert bytes_of(text) == size_bytes
    with pytest.raises(ReplayError):
        bytes_of(f"{text}!")


KILLED = """
import os, signal, sys
from contextlib import closing
from replay.store.retention import Retention
from replay.store.selection import Selection
from replay.store.store import Store

def kill(done, total):
    if done >= int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

with closing(Store.open(sys.argv[1])) as store:
    going = store.leaving(Selection(), Retention(keep_last=40)).sizes_bytes
    store.remove(*going, progress=kill)
"""


@pytest.mark.parametrize("after", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (30, 59))])
def test_a_kill_in_the_middle_leaves_a_sound_store(project, replay, after):
    """What was to stay is there, each recording is whole, and the rest goes the next time."""
    made = [aged(200 - n) for n in range(100)]
    path = project / "replay.db"
    capture_parts(path, *made)
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(after)], check=False)
    assert done.returncode == -signal.SIGKILL
    there = left(replay)
    assert {one.id for one in made[-40:]} <= there
    assert 40 <= len(there) <= 100 - after
    assert replay("doctor").returncode == 0
    with closing(Store.open(str(path))) as store:
        assert all(store.get(one.id) == one for one in made if one.id in there)
    assert replay("prune", "--keep-last", "40", "--yes").returncode == 0
    assert left(replay) == {one.id for one in made[-40:]}


def spooled_while_pruning(path: Path, count: int) -> tuple[int, list[int]]:
    """How many parts another process spools while recordings go, and the numbers it captured."""
    capture_parts(path, *(aged(9) for _ in range(count)))
    command = [sys.executable, "-c", CAPTURING, str(path)]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with closing(Store.open(str(path))) as store:
        ids = [one for (one,) in query(path, "SELECT id FROM recording")]
        with subprocess.Popen(command, text=True, **quiet) as process:
            process.stdout.readline()
            store.remove(*ids)
            process.kill()
            said = [int(line) for line in process.stdout if line.endswith("\n")]
    spools = path.parent.glob("replay.db.spool*")
    return sum(one.read_bytes().count(b"\n") for one in spools), said


@pytest.mark.slow
def test_a_function_that_captures_meanwhile_does_not_spool(project):
    """Transactions are short, and between two of them there is time for its own."""
    shares = []
    for attempt in range(3):  # a disk that is busy holds a commit up as well, for a second
        path = project / str(attempt) / "replay.db"
        path.parent.mkdir()
        spooled, said = spooled_while_pruning(path, 1000)
        captured = query(path, "SELECT count(DISTINCT id) FROM part")[0][0]
        assert len(said) > 10
        shares.append(spooled / len(said))
        if captured > 100 and shares[-1] <= 0.05:  # how many, the machine decides
            return
    pytest.fail(f"of what was captured, {shares} went to the spool")


@pytest.mark.long
def test_one_long_transaction_would_have_it_spool(project, monkeypatch):
    """Positive control: all at once."""
    monkeypatch.setattr(prune, "_AT_ONCE", 10**6)
    monkeypatch.setattr(prune, "_AT_ONCE_BYTES", 10**9)
    monkeypatch.setattr(prune, "_REST", 0)
    spooled, _ = spooled_while_pruning(project / "replay.db", 10_000)
    assert spooled > 0
