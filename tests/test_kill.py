"""SIGKILL at random moments, and forks amid writes: nothing that was acknowledged is lost."""

import json
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from conftest import also_slow
from databases import query

from replay.recorder.journal import CREATE_PART
from replay.recording import Part
from replay.store.packing import unpacked
from replay.store.selection import Selection
from replay.store.spool import read, spools
from replay.store.store import Store

PROGRAM = Path(__file__).with_name("kill_process.py")
AMOUNTS = [
    pytest.param(100, id="100 kills"),
    pytest.param(1000, id="1,000 kills", marks=pytest.mark.long),
]
FORKS = [
    pytest.param(30, id="30 rounds"),
    pytest.param(200, id="200 rounds", marks=pytest.mark.long),
]


@dataclass(frozen=True, slots=True)
class Left:
    """What is left after the kills, and what had been acknowledged before."""

    said: dict[str, list[str]]
    parts: list[Part]
    """Those in store and spool; half a line in the spool was never acknowledged."""
    torn: int
    structure: str

    def lost(self) -> set[tuple[str, str]]:
        """Each acknowledged part that is not there: what it was, and of which invocation."""
        begun = {one.id: orjson.loads(one.payload)["event"]["n"] for one in self.of("begun")}
        there = {(kind, begun.get(one.id)) for kind in self.said for one in self.of(kind)}
        return {(kind, name) for kind, names in self.said.items() for name in names} - there

    def of(self, kind: str) -> list[Part]:
        return [one for one in self.parts if one.kind == kind]

    def keys(self) -> Counter[tuple[str, str, int]]:
        return Counter((one.id, one.kind, one.crc) for one in self.parts)


def left_after(store: Path, *arguments: object) -> Left:
    command = [sys.executable, str(PROGRAM), str(store), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=True)
    spooled = [one for file in spools(store) for one in read(file)]
    rows, torn = stored(store)
    return Left(
        json.loads(done.stdout),
        [*rows, *(one for one in spooled if isinstance(one, Part))],
        torn,
        "; ".join(str(row[0]) for row in query(store, "PRAGMA integrity_check")),
    )


def stored(store: Path) -> tuple[list[Part], int]:
    """The parts in the table, and how many of them do not have their checksum."""
    query(store, CREATE_PART)  # where it never came to that
    rows = query(store, "SELECT id, kind, payload, crc FROM part")
    parts = [Part(id, kind, unpacked(payload)) for id, kind, payload, _ in rows]
    return parts, sum(crc != one.crc for one, (*_, crc) in zip(parts, rows, strict=True))


def check_intake(store: Path, left: Left) -> None:
    """Each part that was in store or spool is in the store once, and each recording is found."""
    with closing(Store.open(str(store))) as opened:
        found = opened.summaries(Selection())
    parts, torn = stored(store)
    after = Left({}, parts, torn, "")
    assert torn == 0
    assert spools(store) == []
    assert set(left.keys()) == set(after.keys())
    assert max(after.keys().values()) == 1
    assert sorted({one.id for one in left.parts}) == sorted(one.id for one in found)
    assert {None} == {one.damage for one in found}


@pytest.mark.parametrize("processes", also_slow([8], [1, 8, 16]))
@pytest.mark.parametrize("kills", AMOUNTS)
def test_no_acknowledged_part_is_lost_to_sigkill(tmp_path, processes, kills):
    """In the store or its spool, whole, and taken in exactly once."""
    store = tmp_path / "replay.db"
    left = left_after(store, processes, kills, kills + processes)
    assert (set(), 0, "ok") == (left.lost(), left.torn, left.structure)
    assert len(left.said["begun"]) > kills
    assert all(left.said.values())
    check_intake(store, left)


@pytest.mark.slow
@pytest.mark.parametrize("control", ["without-begun", "late"])
def test_an_acknowledgement_before_the_commit_would_be_reported_as_loss(tmp_path, control):
    """Positive control: with the begun commit left out, or each commit a part late."""
    left = left_after(tmp_path / "replay.db", 8, 16, 1, control)
    assert len(left.lost()) >= 8


@pytest.mark.parametrize("rounds", FORKS)
def test_a_fork_amid_a_write_loses_nothing(tmp_path, rounds):
    """Another thread writes meanwhile; parent and child capture on, the parent ends first."""
    store = tmp_path / "replay.db"
    left = left_after(store, 1, rounds, rounds, "fork")
    assert (set(), 0, "ok") == (left.lost(), left.torn, left.structure)
    assert 4 * rounds == sum("child" in name for name in left.said["ended"])
    check_intake(store, left)


@pytest.mark.slow
@pytest.mark.parametrize("control", ["fork-unhooked", "fork-unclosed"])
def test_a_fork_that_the_journal_does_not_see_coming_would_lose(tmp_path, control):
    """Positive control: no hooks at all, or only the lock held and the connection left open."""
    rounds = 24
    for trial in range(1, 9):  # in one of some ten nothing happens to be lost
        left = left_after(tmp_path / f"{trial}.db", 1, rounds, trial, control)
        hung = 4 * rounds - sum("child" in name for name in left.said["ended"])
        if left.lost() or hung:
            return
    pytest.fail("nothing was ever lost")


FORK_AMID_IMPORT = """
import contextlib, importlib.abc, importlib.machinery, os, signal, sys, threading
from replay import capture
from replay.recorder import loading

class SlowFinder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "replay.redaction.key":  # which the first capture loads
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (begun.set(), forked.wait(0.3), execute(module))
        return spec

begun, forked = threading.Event(), threading.Event()
sys.meta_path.insert(0, SlowFinder())
handler = capture(store="replay.db")(lambda event, context: event)
thread = threading.Thread(target=handler, args=({}, None))
thread.start()
begun.wait()
child = os.fork()
if child == 0:
    signal.alarm(3)
    handler({}, None)
    os._exit(0)
forked.set()
thread.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.long
@pytest.mark.parametrize("control", [False, True])
def test_a_fork_while_the_recorder_loads_a_module_leaves_the_child_able_to_capture(
    tmp_path, control
):
    """A child would wait for ever for a module that a thread of its parent's was loading."""
    program = FORK_AMID_IMPORT
    if control:  # positive control: the fork does not wait for the lock
        program = program.replace("forked.wait(0.3)", "forked.wait(10)")
        program = program.replace(
            "child = os.fork()",
            "loading.lock = contextlib.nullcontext()\n"
            "loading.lock.acquire = loading.lock.release = lambda: None\nchild = os.fork()",
        )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (f"-{int(signal.SIGALRM)}" if control else "0")
