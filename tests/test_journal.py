"""The journal and its spool: where a part goes when SQLite cannot take it, or the process dies."""

import dataclasses
import fcntl
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from databases import query

from replay.errors import SettingsError
from replay.recorder import connection, spool
from replay.recorder.journal import CREATE_PART, Journal, journal_of
from replay.recorder.ulid import new_ulid
from replay.recording import Part
from replay.replayer.builtin import BuiltinSandbox
from replay.replayer.case import Case
from replay.replayer.verdict import judge
from replay.settings import Settings, recorder_settings
from replay.store.selection import Selection
from replay.store.spool import claim, dispose, read, spools
from replay.store.store import Store

APP = """
import time
from replay import capture

@capture(store="replay.db")
def handler(event, context):
    print("begun", event["n"], flush=True)   # the begun part is acknowledged by now
    time.sleep(60 if event["hangs"] else 0.001)

def main(name):
    n = 0
    while True:
        n += 1
        handler({"n": f"{name}-{n}", "hangs": n % 4 == 0}, None)
        print("ended", f"{name}-{n}", flush=True)
"""


def payload(text: str = "x") -> bytes:
    return b'{"sequence":0,"text":"%s"}' % text.encode()


def rows(path: Path) -> list[tuple[str, str]]:
    return query(path, "SELECT id, kind FROM part ORDER BY n")


def spooled(path: Path) -> list[str]:
    places = [Path(place) for place in spool.spool_paths(str(path))]
    found = [part for place in places if place.exists() for part in read(place)]
    for place in places:
        place.unlink(missing_ok=True)
    return [part.id for part in found if isinstance(part, Part)]


@pytest.fixture
def journal_at():
    """Make journals; closed after the test."""
    with ExitStack() as opened:
        yield lambda path: opened.enter_context(closing(Journal(str(path))))


@pytest.fixture
def journal(tmp_path, journal_at):
    return journal_at(tmp_path / "replay.db")


def write(journal: Journal, id: str, cap: int | None = None) -> None:
    journal.write(id, "begun", payload(), cap)


def test_each_part_is_committed_when_write_returns(journal):
    """Another connection sees it at once."""
    write(journal, "a")
    assert rows(Path(journal.path)) == [("a", "begun")]


def test_the_store_is_private_to_its_owner(journal):
    """Recordings hold what a function was sent."""
    write(journal, "a")
    assert os.stat(journal.path).st_mode & 0o777 == 0o600


def test_a_locked_store_costs_25_ms_once_and_parts_go_to_the_spool(journal):
    """Then SQLite is left alone for a second."""
    write(journal, "a")
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    began = time.perf_counter()
    write(journal, "b")
    first = time.perf_counter() - began
    began = time.perf_counter()
    write(journal, "c")
    second = time.perf_counter() - began
    other.execute("COMMIT")
    other.close()
    assert 0.02 < first < 0.2
    assert second < 0.02
    assert spooled(Path(journal.path)) == ["b", "c"]
    assert rows(Path(journal.path)) == [("a", "begun")]


@pytest.mark.parametrize(
    "content", [b"no database at all" * 300, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path, journal_at, content, capfd):
    """It is never deleted, and nothing is lost."""
    path = tmp_path / "replay.db"
    path.write_bytes(content)
    write(journal_at(path), "a")
    assert rows(path) == [("a", "begun")]
    (aside,) = tmp_path.glob("replay.db.damaged-*")
    assert aside.read_bytes() == content
    assert "set aside" in capfd.readouterr().err


@pytest.mark.parametrize("harm", ["delete", "replace", "empty"])
def test_a_file_that_goes_away_while_open_is_noticed_before_the_next_write(
    journal, journal_at, harm
):
    """SQLite itself would write on without any error."""
    path = Path(journal.path)
    write(journal, "a")
    if harm == "delete":
        path.unlink()
    elif harm == "replace":
        other = path.with_name("other.db")
        write(journal_at(other), "o")
        os.replace(other, path)
    else:
        for name in (path, path.with_name("replay.db-wal")):
            os.truncate(name, 0)
    write(journal, "b")
    assert "b" in [id for id, _ in rows(path)] + spooled(path)


def test_without_the_look_at_the_inode_the_row_would_be_lost(journal):
    """Positive control: plain SQLite takes the insert and says nothing."""
    path = Path(journal.path)
    write(journal, "a")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("SELECT 1 FROM part")
    for file in path.parent.glob("replay.db*"):
        file.unlink()
    connection.execute("INSERT INTO part (id) VALUES ('lost')")
    connection.close()
    assert not path.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_sends_parts_to_the_temporary_folder(tmp_path, journal_at):
    """The spool has a second place."""
    folder = tmp_path / "sealed"
    folder.mkdir(mode=0o500)
    write(journal_at(folder / "replay.db"), "a")
    assert spooled(folder / "replay.db") == ["a"]


def test_a_path_that_cannot_be_sends_parts_to_the_temporary_folder(tmp_path, journal_at):
    """A folder that does not exist, and a directory where the file should be."""
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "missing" / "replay.db", tmp_path / "folder"):
        write(journal_at(path), "a")
        assert spooled(path) == ["a"]


def test_what_nothing_takes_is_counted_and_said_once(tmp_path, monkeypatch, capfd):
    """Never lost in silence."""
    monkeypatch.setattr(spool, "spool_paths", lambda store: ("/dev/null/x", "/dev/null/y"))
    journal = Journal(str(tmp_path / "missing" / "replay.db"))
    for id in "abc":
        write(journal, id)
    assert journal.lost == 3
    assert capfd.readouterr().err.count("is lost") == 1


def test_above_the_cap_begun_parts_stop_and_are_counted(journal, capfd):
    """The host never meets a full disk because of us."""
    write(journal, "a")
    assert not journal.write("b", "begun", payload(), 1)
    journal.write("a", "ended", payload(), 1)
    assert rows(Path(journal.path)) == [("a", "begun"), ("a", "ended")]
    assert journal.lost == 1


def test_many_threads_may_spool_at_once(tmp_path):
    """A locked store with a busy host: nothing is lost for want of the spool's lock."""
    journal = Journal(str(tmp_path / "missing" / "replay.db"))
    threads = [
        threading.Thread(target=lambda t=t: [write(journal, f"{t}-{n}") for n in range(50)])
        for t in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.lost == 0
    assert len(spooled(Path(journal.path))) == 800


def test_a_locked_store_holds_up_no_two_threads_and_leaks_no_descriptor(journal, monkeypatch):
    """25 ms once, not once a thread; and what failed is used again."""
    write(journal, "a")
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    took = []

    def timed():
        began = time.perf_counter()
        write(journal, "b")
        took.append(time.perf_counter() - began)

    threads = [threading.Thread(target=timed) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(took) < 0.35  # sixteen times 25 ms are 0.4
    monkeypatch.setattr("replay.recorder.journal._PAUSE_S", 0)
    monkeypatch.setattr("replay.recorder.connection._BUSY_S", 0.001)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        write(journal, "c")
    assert len(os.listdir("/proc/self/fd")) == before
    other.close()
    spooled(Path(journal.path))


def test_a_spool_that_is_locked_or_was_taken_is_not_written(tmp_path):
    """Nothing is added to a file that somebody is taking in."""
    store = str(tmp_path / "replay.db")
    assert spool.append(store, "a", "begun", payload())
    with open(store + ".spool", "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert spool.append(store, "b", "begun", payload())
    other = Path(spool.spool_paths(store)[1])
    assert other.exists()
    assert spooled(Path(store)) == ["a", "b"]


def test_a_spool_that_is_taken_in_while_a_writer_opens_it_gets_no_line(tmp_path, monkeypatch):
    """Between the writer's open and its lock the file may be renamed and read."""
    store = str(tmp_path / "replay.db")
    place = Path(store + ".spool")
    place.touch()
    real = fcntl.flock
    monkeypatch.setattr(
        fcntl,
        "flock",
        lambda *args: (place.exists() and place.rename(tmp_path / "taken"), real(*args)),
    )
    assert spool.append(store, "a", "begun", payload())
    assert (tmp_path / "taken").read_bytes() == b""
    assert spooled(Path(store)) == ["a"]


def test_a_torn_line_of_the_spool_spoils_only_itself(tmp_path):
    """Each line begins on a fresh line of its own."""
    store = str(tmp_path / "replay.db")
    spool.append(store, "a", "begun", payload())
    with open(store + ".spool", "ab") as torn:
        torn.write(b"\n0000 torn beg")
    spool.append(store, "b", "begun", payload())
    assert spooled(Path(store)) == ["a", "b"]


def test_ids_keep_their_order_when_the_clock_is_set_back(monkeypatch):
    """Time-ordered, and never the same twice."""
    from replay.recorder import ulid

    ids = [new_ulid() for _ in range(1000)]
    monkeypatch.setattr(ulid, "time_ns", lambda: 0)
    ids += [new_ulid() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 2000
    assert {len(id) for id in ids} == {26}


def test_processes_that_start_from_one_image_draw_different_ids():
    """A fork stands for a sandbox restored from a snapshot: same memory, same millisecond."""
    readers = []
    for _ in range(8):
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.write(writer, new_ulid().encode())
            os._exit(0)
        os.close(writer)
        readers.append(reader)
    ids = [os.read(reader, 26) for reader in readers]
    for reader in readers:
        os.close(reader)
    for _ in readers:
        os.wait()
    assert len(set(ids)) == 8


def kill_at_random(folder: Path, name: str, delay_s: float) -> dict[str, list[str]]:
    """Let a process capture for a while, kill it, return what it had acknowledged by then."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"import app; app.main({name!r})"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    first = process.stdout.readline()
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    lines = [line.split() for line in (first, *process.stdout) if line.endswith("\n")]
    process.wait()
    process.stdout.close()
    return {word: [n for said, n in lines if said == word] for word in ("begun", "ended")}


@pytest.mark.slow
def test_what_ran_when_the_process_was_killed_is_unfinished_and_replays(tmp_path):
    """Every begun part is there; a handler that hung times out again."""
    kills = 6
    (tmp_path / "app.py").write_text(APP)
    source = random.Random(kills)
    said = [kill_at_random(tmp_path, f"p{k}", source.random() * 0.02) for k in range(kills)]
    with closing(Store.open(str(tmp_path / "replay.db"))) as store:
        recordings = {r.invocation.event["n"]: r for r in store.find(Selection())}
    begun = {n for one in said for n in one["begun"]}
    ended = {n for one in said for n in one["ended"]}
    assert begun <= set(recordings)
    assert all(recordings[n].outcome is not None for n in ended)
    unfinished = [r for r in recordings.values() if r.outcome is None]
    assert len(unfinished) >= kills // 2
    for found in unfinished:
        limited = dataclasses.replace(found.invocation, remaining_ms=500)
        recording = dataclasses.replace(found, invocation=limited)
        verdict = judge(Case(recording, "app.handler", (tmp_path,)), BuiltinSandbox)
        expected = "match" if recording.invocation.event["hangs"] else "drift"
        assert verdict.kind == expected


def test_the_recorders_table_is_plain_enough_for_old_sqlite():
    """One table, one integer key, no index: nothing that 3.7.17 does not read."""
    assert CREATE_PART.split("(", 1)[1].count("PRIMARY KEY") == 1
    for word in ("STRICT", "WITHOUT", "RETURNING", "INDEX", "UNIQUE"):
        assert word not in CREATE_PART


def test_capture_works_from_a_deployment_folder_with_nothing_else(tmp_path):
    """`pip install --no-deps lambda-replay orjson -t build/`: the package and orjson alone."""
    import orjson

    import replay

    build = tmp_path / "build"
    for package in (replay, orjson):
        source = Path(package.__file__).parent
        shutil.copytree(source, build / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    program = (
        f"import sys; sys.path[:0] = [{str(build)!r}]\n"
        "from replay import capture\n"
        "capture(store='replay.db')(lambda event, context: event)({'a': 1}, None)\n"
        "import replay; print(replay.__file__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert str(build) in done.stdout
    assert [kind for _, kind in rows(tmp_path / "replay.db")] == ["begun", "ended"]


def test_settings_default_to_the_only_writable_folder_on_lambda():
    """/tmp there, the working directory elsewhere."""
    on_lambda = recorder_settings(
        {"AWS_LAMBDA_RUNTIME_API": "x"}, store=None, sample=None, outbound=None
    )
    here = recorder_settings({}, store=None, sample=None, outbound=None)
    assert (on_lambda.store, on_lambda.max_store_bytes) == ("/tmp/replay.db", 64 * 2**20)
    assert Settings(store="replay.db") == here


def test_a_fork_that_python_is_not_told_of_captures_into_the_spool(tmp_path, monkeypatch):
    """SQLite would take the parent's locks for the child's own."""
    monkeypatch.setattr(os, "register_at_fork", lambda **_: None)
    with closing(Journal(str(tmp_path / "replay.db"))) as journal:
        write(journal, "a")
        with journal._lock:  # as another thread of the parent's may hold it
            child = os.fork()
        if child == 0:
            journal._lock = threading.Lock()
            journal._lock.acquire()
            write(journal, "b")
            journal.close()
            os._exit(journal.lost)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        write(journal, "c")
    assert rows(Path(journal.path)) == [("a", "begun"), ("c", "begun")]
    assert spooled(Path(journal.path)) == ["b"]


def test_opening_a_store_a_second_time_leaves_the_locks_of_the_first(tmp_path):
    """A process that closes any descriptor of a file lets go of all its locks on it.

    Whoever reads the store then takes itself for alone, and deletes the WAL.
    """
    link = tmp_path / "link.db"
    link.symlink_to("replay.db")
    with closing(Journal(str(tmp_path / "replay.db"))) as first:
        write(first, "a")
        with closing(Journal(str(link))) as second:
            write(second, "b")
            assert seen_by_another_process(first.path) == "ab"
            write(first, "c")
            assert seen_by_another_process(first.path) == "abc"


def seen_by_another_process(path: str) -> str:
    program = "import sys, databases; print(*databases.query(sys.argv[1], 'SELECT id FROM part'))"
    command = [sys.executable, "-c", program, path]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, check=True)
    return "".join(filter(str.isalpha, done.stdout.decode()))


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_store_on_a_network_file_system_is_refused_and_the_spool_used(
    tmp_path, journal_at, monkeypatch, kind
):
    """A WAL needs memory that processes share; said before SQLite touches anything."""
    device = os.stat(tmp_path).st_dev
    mounts = tmp_path / "mountinfo"
    line = f"1 2 {os.major(device)}:{os.minor(device)} / /mnt rw shared:1 - {kind} server:/ rw\n"
    mounts.write_text("5 6 0:99 / /proc rw - proc proc rw\n" + line)
    monkeypatch.setattr(connection, "_network_of_device", {})
    monkeypatch.setattr(connection, "_MOUNTS", str(mounts))
    path = tmp_path / "replay.db"
    write(journal_at(path), "a")
    assert not path.exists()
    assert spooled(path) == ["a"]


def test_a_write_ahead_log_that_goes_away_ends_the_use_of_sqlite(journal):
    """Whoever reads and closes the store's file inside this process lets another delete the log."""
    path = Path(journal.path)
    write(journal, "a")
    with open(path, "rb"):
        pass
    assert seen_by_another_process(journal.path) == "a"
    assert not Path(journal.path + "-wal").exists()
    write(journal, "b")
    write(journal, "c")
    assert spooled(path) == ["b", "c"]


def test_a_store_that_is_cut_short_while_open_is_set_aside(journal):
    """SQLite would write on into a log that no checkpoint can fold, and sync it at each commit."""
    path = Path(journal.path)
    for n in range(400):
        journal.write(f"{n}", "begun", payload("x" * 4000), None)
    journal.close()
    write(journal, "a")
    os.truncate(path, path.stat().st_size // 4)
    write(journal, "b")
    assert rows(path) == [("b", "begun")]
    assert len(list(path.parent.glob("*.damaged-" + "?" * 26))) == 1


def test_half_a_line_on_a_full_disk_is_taken_back(tmp_path):
    """A spool file without room is left as it was, and the other place is used."""
    store = str(tmp_path / "replay.db")
    spool.append(store, "a", "begun", payload())
    before = Path(store + ".spool").read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limit[1]))
        os._exit(spool.append(store, "b", "begun", payload()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert Path(store + ".spool").read_bytes() == before
    assert spooled(Path(store)) == ["a", "b"]


def test_a_spool_that_is_too_large_or_somebody_elses_is_not_written(tmp_path, monkeypatch):
    """It would fill the host's disk, or show a stranger what was captured."""
    store = str(tmp_path / "replay.db")
    os.mkfifo(store + ".spool")
    assert spool.append(store, "a", "begun", payload())
    os.unlink(store + ".spool")
    Path(store + ".spool").touch()
    monkeypatch.setattr(spool, "MAX_BYTES", 10)
    assert not spool.append(store, "b", "begun", payload())
    monkeypatch.setattr(spool, "MAX_BYTES", 10_000)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert not spool.append(store, "c", "begun", payload())
    assert spooled(Path(store)) == ["a"]


def test_no_more_than_a_quarter_of_the_free_space_is_taken(journal, monkeypatch):
    """Where there is a cap, the host's own need of the disk outranks it."""
    cap = 2**40
    assert journal.write("a", "begun", payload(), cap)
    size = sum(file.stat().st_size for file in Path(journal.path).parent.glob("replay.db*"))
    size -= os.stat(journal.path + "-shm").st_size
    monkeypatch.setattr("replay.recorder.journal.free_bytes", lambda _: 3 * size)
    assert journal.write("b", "begun", payload(), cap)
    monkeypatch.setattr("replay.recorder.journal.free_bytes", lambda _: 3 * size - 4)
    assert not journal.write("c", "begun", payload(), cap)
    assert journal.lost == 1


def test_a_store_that_is_replaced_again_and_again_costs_few_descriptors(journal):
    """Each change leaves a connection that must not be closed; the host needs its descriptors."""
    before = len(os.listdir("/proc/self/fd"))
    for n in range(40):
        write(journal, str(n))
        Path(journal.path).unlink(missing_ok=True)
    write(journal, "last")
    assert len(os.listdir("/proc/self/fd")) < before + 40
    assert spooled(Path(journal.path))[-1] == "last"


def test_a_fork_in_a_signal_handler_amid_a_write_loses_nothing(tmp_path):
    """The thread that holds the lock is the one that forks: its connection is gone on return."""
    with closing(Journal(str(tmp_path / "replay.db"))) as journal:
        write(journal, "a")
        opened = journal._open

        def fork_then_use():
            connection = opened()
            del journal._open
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
            return connection

        journal._open = fork_then_use
        write(journal, "b")
    assert rows(Path(journal.path)) == [("a", "begun"), ("b", "begun")]


def test_each_part_is_synced_where_that_is_asked_for(tmp_path, monkeypatch):
    """NORMAL is 1 to SQLite, FULL is 2; anything else is a typing error."""
    for word, expected in (("normal", 1), ("Full", 2)):
        settings = recorder_settings(
            {"REPLAY_STORE": str(tmp_path / f"{word}.db"), "REPLAY_SYNCHRONOUS": word},
            store=None,
            sample=None,
            outbound=None,
        )
        with closing(journal_of(settings)) as journal:
            assert journal._open().execute("PRAGMA synchronous").fetchone() == (expected,)
    with pytest.raises(SettingsError):
        recorder_settings({"REPLAY_SYNCHRONOUS": "off"}, store=None, sample=None, outbound=None)


@pytest.mark.parametrize("name", ["orders[1].db", "a.taking.db", "o*.db"])
def test_a_claimed_spool_is_found_whatever_its_store_is_called(tmp_path, name):
    """Whoever claimed it has died; one that nobody has claimed is not taken for it."""
    store = tmp_path / name
    spool.append(str(store), "id", "begun", b"{}")
    (unclaimed,) = spools(store)
    claimed = claim(unclaimed)
    assert unclaimed != claimed
    assert [claimed] == spools(store)
    assert [part.payload for part in read(claimed)] == [b"{}"]
    dispose(claimed, keep=True)
    assert spools(store) == []
