"""The fault matrix: each fault, at each part, under a handler that returns or raises."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import orjson
import pytest
from conftest import also_slow
from faults import FAULTS, Fault
from test_injection import Host, OwnContext

from replay import capture
from replay.recorder import bootstrap, connection, guard, journal, spool
from replay.recording import Part
from replay.store.spool import read

STAGES = ("begun", "sent", "answered", "ended")
QUICK = ["nothing", "locked", "full", "no descriptors", "garbage", "deleted", "over its cap"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for stores, with a temporary folder beside it; nothing is said or counted yet."""
    (tmp_path / "temporary").mkdir()
    (tmp_path / "temporary").chmod(0o777)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(journal, "_PAUSE_S", 0.3)
    monkeypatch.setattr(journal, "_journals", {})
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setattr(guard, "_failures", {})
    monkeypatch.setattr(spool, "_held_until", {})
    yield tmp_path / "stores"
    journal._close_journals()


class Function:
    """A captured handler, each call of which is held against the bare one."""

    def __init__(self, store: Path, *, raises: bool) -> None:
        store.parent.mkdir(parents=True)
        self.store = store
        self.calls = 0
        self.host = Host(calls=True, raises=raises)
        self.bare = self.host.see(self.host.handler, OwnContext())
        self.captured = capture(self.host.handler)

    def call(self) -> None:
        self.calls += 1
        seen = self.host.see(self.captured, OwnContext(), event={"n": self.calls})
        for name in ("environment", "signals"):  # some faults strike by these amid the call
            seen.changed.pop(name, None)
        assert self.bare == seen

    def call_and_strike(self, entered, stage: str) -> None:
        if stage == "begun":
            entered.__enter__()
        self.host.reach = lambda now: entered.__enter__() if now == stage else None
        self.call()
        self.host.reach = lambda _: None

    def lost(self) -> int:
        return journal_at(self.store).lost + guard.failures()

    def recover(self) -> None:
        journal_at(self.store)._paused_until = 0
        spool._held_until.clear()

    def kept(self, after: int) -> tuple[int, int]:
        """How many later invocations have a begun part somewhere, and how many parts they have."""
        parts = parts_left(self.store)
        begun = {one.id for one in parts if one.kind == "begun" and number_of(one) > after}
        return len(begun), sum(one.id in begun for one in parts)


def journal_at(store: Path) -> journal.Journal:
    return journal._journals[str(store)]


def number_of(begun: Part) -> int:
    return orjson.loads(begun.payload)["event"]["n"]


def parts_left(store: Path) -> list[Part]:
    """Every part that there still is: in store, spools, and what was set aside or moved away."""
    places = [Path(place) for place in spool.spool_paths(str(store))]
    found = [one for place in places if place.is_file() for one in read(place)]
    assert all(isinstance(one, Part) for one in found)
    for database in (*store.parent.glob("*.db"), *store.parent.glob("*.damaged-" + "?" * 26)):
        if database.is_file():
            with closing(sqlite3.connect(database)) as opened, suppress(sqlite3.Error):
                rows = opened.execute("SELECT id, kind, payload FROM part WHERE payload NOT NULL")
                found += [Part(*row) for row in rows]
    return list({(one.id, one.kind, one.crc): one for one in found}.values())


def strike(function: Function, fault: Fault, stage: str, sustained: int) -> None:
    """Call amid a fault and after it; each part is there, or it was counted."""
    function.call()
    before, lost_before = function.calls, function.lost()
    function.host.pairs = [socket.socketpair() for _ in range(sustained + 1)]
    entered = fault.strike(function.store)
    try:
        function.call_and_strike(entered, stage)
        if fault.destroys:  # what the struck invocation had written by then is gone
            before, lost_before = function.calls, function.lost()
        for _ in range(sustained):
            function.call()
    finally:
        entered.__exit__(None, None, None)
    calls, lost = function.calls - before, function.lost() - lost_before
    begun, parts = function.kept(before)
    # One loss for each invocation without a begun part, and one for each part of the others.
    assert parts + lost == 3 * begun + calls
    assert fault.is_total or (begun, lost) == (calls, 0)
    function.recover()
    function.call()
    assert function.kept(function.calls - 1) == (1, 4)


@pytest.mark.parametrize("sustained", [2, pytest.param(50, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", also_slow(QUICK, FAULTS))
def test_the_host_sees_nothing_of_what_happens_to_the_store(folder, monkeypatch, name, sustained):
    """Every call is as without us, each part is kept or counted, and capture goes on afterwards."""
    for raises in (False, True):
        for stage in STAGES:
            store = folder / f"{stage} {raises}" / "replay.db"
            monkeypatch.setenv("REPLAY_STORE", str(store))
            strike(Function(store, raises=raises), FAULTS[name], stage, sustained)


def test_without_the_guard_the_host_would_see_it(folder, monkeypatch):
    """Positive control: what the calls are held against can tell."""
    monkeypatch.setattr(bootstrap, "guarded", lambda step, *args: step(*args))
    monkeypatch.setenv("REPLAY_STORE", str(folder / "replay.db"))
    function = Function(folder / "replay.db", raises=False)
    function.call()
    with FAULTS["misconfigured"].strike(function.store), pytest.raises(AssertionError):
        function.call()


@pytest.mark.slow
def test_a_full_file_system_is_met_by_us_alone(folder, monkeypatch):
    """A real one of 256 KiB: what does not fit any more is counted, calls are as ever."""
    folder.mkdir()
    mount: list[str] = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)]
    if (
        shutil.which("mount") is None
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("no file system can be mounted here")
    try:
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setenv("REPLAY_STORE", str(folder / "store" / "replay.db"))
        function = Function(folder / "store" / "replay.db", raises=False)
        for _ in range(300):
            function.call()
        function.recover()
        begun, parts = function.kept(0)
        assert parts + function.lost() == 3 * begun + function.calls
        assert function.lost() > 100
        journal._close_journals()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_damaged_store_is_set_aside_once_by_all_the_processes_that_meet_it(folder, monkeypatch):
    """None takes the new one that another has begun for the damaged one."""
    store = folder / "replay.db"
    folder.mkdir()
    store.write_bytes(b"no database at all" * 300)
    ready, go = os.pipe()
    children = []
    for n in range(16):
        children.append(os.fork())
        if children[-1] == 0:
            os.close(go)
            os.read(ready, 1)
            with closing(journal.Journal(str(store))) as own:
                for k in range(10):
                    own.write(f"{n}-{k}", "begun", b"{}", None)
            os._exit(own.lost)
    os.close(ready)
    os.close(go)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 16
    assert len({one.id for one in parts_left(store)}) == 160
    assert len(list(folder.glob("*.damaged-" + "?" * 26))) == 1


OTHER = """
import sys
import time
from replay.recorder.journal import Journal

open(sys.argv[1], "x").close()  # as where several make it at once: the log then begins with page 1
own = Journal(sys.argv[1])
own.write("theirs", "begun", b"{}", None)
print("written", flush=True)
sys.stdin.readline()
own.close()
"""


@pytest.fixture
def replaced(folder, monkeypatch):
    """A store in whose place, once SQLite has opened it, another process makes one and fills it."""
    folder.mkdir()
    store, others = folder / "replay.db", []

    def connect(path, **options):
        opened = sqlite3.Connection(path, **options)
        if path == str(store) and not others:
            store.rename(folder / "old.db")
            command = [sys.executable, "-c", OTHER, path]
            others.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            others[0].stdout.readline()
        return opened

    monkeypatch.setattr(connection.sqlite3, "connect", connect)
    return store, others


@pytest.mark.parametrize("is_watched", [True, False])
def test_a_store_that_is_replaced_while_it_is_opened_loses_nothing(
    replaced, monkeypatch, is_watched
):
    """Else SQLite has locks on the one and writes to the log of the other, which goes under it."""
    store, others = replaced
    store.write_bytes(b"no database at all" * 300)
    if not is_watched:
        monkeypatch.setattr(connection, "look", lambda path: ((0, 0), 0))
    own = journal.Journal(str(store))
    assert own.write("mine", "begun", b"{}", None)
    others[0].communicate(b"\n")  # who closes last takes the log away
    assert Path(f"{store}-wal").exists() == is_watched
    monkeypatch.undo()
    own.close()
    assert {one.id for one in parts_left(store)} == {"mine", "theirs"}


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_store_has_its_name_when_it_is_whole(replaced, monkeypatch, is_whole):
    """Of one that is replaced while it is empty, SQLite would delete the log of the next."""
    store, others = replaced
    if not is_whole:
        monkeypatch.setattr(connection, "_make", lambda path: Path(path).touch())
    own = journal.Journal(str(store))
    assert own.write("mine", "begun", b"{}", None)
    others[0].kill()  # who is killed leaves what it wrote in the log
    others[0].communicate()
    monkeypatch.undo()
    own.close()
    ids = {one.id for one in parts_left(store)}
    assert ids == ({"mine", "theirs"} if is_whole else {"mine"})
