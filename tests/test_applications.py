"""The sample applications: recorded for real, replayed to match, and open to many faults."""

import json
import shutil
from collections import Counter

import pytest

pytest.importorskip("boto3")
pytest.importorskip("moto.server")

from applications.faults import apply, faults
from applications.record import TRAFFIC, folder, record
from conftest import also_long, also_slow

from replay.outcome import Exited, Raised, Returned, TimedOut

NAMES = tuple(TRAFFIC)
LEAST = {
    "orders": {Returned: 210, Raised: 1},
    "intake": {Returned: 200, Raised: 4},
    "poller": {Returned: 190, Raised: 9, TimedOut: 3, Exited: 2},
}
"""How many invocations of 220 end how, at least."""


@pytest.mark.slow
@pytest.mark.parametrize("name", also_long(["orders"], NAMES))
def test_what_is_recorded_of_an_application_replays_to_match(project, replay, name):
    """A dozen of the usual invocations; each is a recording of its own."""
    made = record(name, project / "replay.db", count=12)
    assert len({it.request_id for it in made}) == len({it.kind for it in made}) == 12
    assert {type(it.outcome) for it in made} <= {Returned, Raised}
    verdicts = judged(replay, name, "--jobs", "1")
    assert [it["verdict"] for it in verdicts] == ["match"] * 12, verdicts


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_hundreds_of_invocations_of_an_application_match_twice(project, replay, name):
    """Rare kinds and killed ones among them, and each kind as often as it is said to come."""
    made = record(name, project / "replay.db")
    kinds = Counter(it.kind for it in made)
    marked = {kind: getattr(TRAFFIC[name], kind) for kind in kinds}
    assert len(made) == kinds.total() == 220
    assert [it for it, method in marked.items() if kinds[it] != method.times > 0] == []
    assert sum(n <= 3 for n in kinds.values()) >= 12
    assert max(kinds.values()) >= 30
    outcomes = Counter(type(it.outcome) for it in made)
    assert outcomes >= Counter(LEAST[name])
    for _ in range(2):
        verdicts = judged(replay, name)
        wrong = [it for it in verdicts if it["verdict"] != "match"]
        assert (wrong, len(verdicts)) == ([], 220)


@pytest.mark.parametrize("name", NAMES)
def test_the_kinds_of_events_are_those_of_the_seed(name):
    """The same seed gives the same order, another seed another; every kind is in 220."""
    from random import Random

    def kinds(seed):
        return TRAFFIC[name](Random(seed), "http://127.0.0.1:1").kinds(220)

    assert kinds("1") == kinds("1") != kinds("2")
    marked = {kind for kind, it in vars(TRAFFIC[name]).items() if hasattr(it, "times")}
    assert marked == set(kinds("1"))


@pytest.mark.parametrize("name", also_slow(["poller"], NAMES))
def test_an_application_has_forty_faults_that_compile(tmp_path, name):
    """Each changes one line of the code, and nothing that only talks."""
    found = faults(folder(name))
    assert len(found) >= 40
    assert len(set(found)) == len(found)
    assert found == faults(folder(name))
    copy = shutil.copytree(folder(name), tmp_path / name)
    for fault in found:
        original = (copy / fault.path).read_text()
        apply(fault, copy)
        text = (copy / fault.path).read_text()
        (copy / fault.path).write_text(original)
        changed = zip(original.splitlines(), text.splitlines(), strict=True)
        assert [(fault.before, fault.after)] == [pair for pair in changed if pair[0] != pair[1]]
        assert "logger" not in fault.before
    for fault in found[:: len(found) // 40]:
        apply(fault, copy)
        text = (copy / fault.path).read_text()
        compile(text, fault.path, "exec")
        shutil.copy(folder(name) / fault.path, copy)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("orders", "if quantity >= 1", None),
        ("orders", "    if pieces >= 20 and coupon", "    if pieces > 20 and coupon"),
        ("intake", "if receives(record) < MAX_RECEIVES:", "if receives(record) <= MAX_RECEIVES:"),
        ("poller", "    if not jobs.mark_collected(", "    if jobs.mark_collected("),
    ],
)
def test_faults_are_those_that_people_make(name, before, after):
    """A wrong bound, a lost `not`; and none where the code has no such line."""
    found = [fault.after for fault in faults(folder(name)) if before in fault.before]
    assert any(after in line for line in found) if after else found == []


def test_a_fault_is_applied_only_to_the_line_that_it_was_made_for(tmp_path):
    """Another version of the code is left as it is."""
    fault = faults(folder("orders"))[0]
    (tmp_path / fault.path).write_text("something = 'else'\n" * 300)
    with pytest.raises(ValueError, match="is not"):
        apply(fault, tmp_path)


def judged(replay, name, *options):
    """Replay all and return the documents of their verdicts, newest first."""
    done = replay("run", "--json", "--path", str(folder(name)), *options)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)
