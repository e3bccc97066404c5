"""Pruning: what is deleted is gone with all that belongs to it, and on demand its bytes as well."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from calls import capture_sandbox, of_one_sandbox, own_parts, write
from databases import capture_parts, content_of, flip_payload, query
from test_cli import one_line_error
from test_store import recording, unfinished
from test_upgrade import CAPTURING, STORES

from replay.outcome import Raised
from replay.recorder.spool import spool_paths
from replay.recording import Part, Recording
from replay.store import prune
from replay.store.selection import Selection
from replay.store.store import Store

SECRET = "sk_live_51HxPlantedSecret"


@pytest.fixture
def four(project) -> list[Recording]:
    """Four recordings in the store of `project`, oldest first; the second holds a secret."""
    made = [
        recording(event={"n": 1}),
        recording(event={"card": SECRET, "long": "x" * 20_000 + SECRET}),
        unfinished(),
        recording(outcome=Raised("KeyError", "'n'")),
    ]
    capture_parts(project / "replay.db", *made)
    return made


def listed(replay) -> set[str]:
    return {one["id"] for one in json.loads(replay("list", "--json").stdout)}


def rows_of(path: Path, id: str) -> int:
    """How many rows of whatever table are of a recording."""
    columns = {
        "part": "id",
        "recording": "id",
        "interaction": "recording_id",
        "tag": "recording_id",
    }
    statements = [f"SELECT count(*) FROM {table} WHERE {it} = ?" for table, it in columns.items()]
    return sum(int(query(path, statement, id)[0][0]) for statement in statements)


def test_what_is_deleted_is_not_written_once_more(project):
    """Some builds of SQLite overwrite it by default: a capturing process would wait for megabytes.

    The control is a deletion for good, which does overwrite.
    """
    path = project / "replay.db"
    noise = Random(1).randbytes(2_000_000).hex()  # which packing makes half as long
    made = [recording(event={"long": noise}) for _ in range(2)]
    capture_parts(path, *made)
    with closing(Store.open(str(path))) as store:
        sizes = []
        for one, for_good in zip(made, (False, True), strict=True):
            query(path, "PRAGMA wal_checkpoint(TRUNCATE)")
            store.remove(one.id, progress=lambda *_: None, for_good=for_good)
            sizes.append(path.with_name("replay.db-wal").stat().st_size)
    assert sizes[0] < 400_000
    assert sizes[1] > 1_900_000


def test_what_is_deleted_is_shown_first_and_deleted_when_it_is_wanted(four, project, replay):
    """By id and by filter; without --yes and a terminal nothing is changed."""
    replay("tag", four[1].id, "--add", "old")
    done = replay("prune", "--tag", "old")
    assert (done.returncode, len(listed(replay))) == (0, 4)
    assert f"delete  {four[1].id[-8:]}  app.handler  returned  old" in done.stdout
    assert "1 recordings" in done.stdout
    assert "--yes deletes it" in done.stderr
    assert replay("prune", four[1].id[-8:], "--yes").returncode == 0
    assert listed(replay) == {four[0].id, four[2].id, four[3].id}
    assert rows_of(project / "replay.db", four[1].id) == 0
    assert replay("prune", "--outcome", "raised", "-y").returncode == 0
    assert listed(replay) == {four[0].id, four[2].id}
    assert replay("doctor").returncode == 0
    assert replay("prune", "--all", "-y").returncode == 0
    assert listed(replay) == set()


def test_a_program_is_told_what_would_be_and_what_was_done(four, replay):
    """The same document, before and after."""
    planned = json.loads(replay("prune", four[0].id, "--json").stdout)
    size_bytes = sum(len(part.payload) for part in four[0].parts())
    assert planned == {
        "recordings": [{"id": four[0].id, "size_bytes": size_bytes}],
        "copies": [],
        "purges": False,
        "is_done": False,
        "left": [],
    }
    done = json.loads(replay("prune", four[0].id, "--json", "--yes").stdout)
    assert done == {**planned, "is_done": True}
    assert len(listed(replay)) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "replay prune --all"),
        (["--yes"], "replay prune --all"),
        (["x", "--tag", "a"], "ids and filters"),
        (["--all", "--limit", "1"], "--all and a selection"),
        (["--all", "@1"], "--all and a selection"),
        (["--function", "other", "--yes"], "no recording matches"),
        (["nosuchid", "--yes"], "no recording 'nosuchid'"),
    ],
)
def test_misuse_is_one_clear_line_and_deletes_nothing(four, replay, arguments, words):
    """Everything is never meant by saying nothing."""
    assert words in one_line_error(replay("prune", *arguments))
    assert len(listed(replay)) == 4


def test_a_damaged_recording_and_copies_of_parts_can_be_deleted(four, project, replay):
    """No index tells of a copy that the spool has left."""
    path = project / "replay.db"
    replay("list")
    flip_payload(path, four[1].id)
    query(path, "INSERT INTO part (id, kind, crc, payload) SELECT id, kind, 1, payload FROM part")
    assert replay("prune", four[1].id, "-y").returncode == 0
    assert rows_of(path, four[1].id) == 0
    assert listed(replay) == {four[0].id, four[2].id, four[3].id}


def test_calls_of_a_sandbox_go_to_a_recording_that_stays(project, replay):
    """Of one that leaves as well nothing is kept; of the last the calls go with it."""
    first, second, third = of_one_sandbox()
    path = project / "replay.db"
    capture_sandbox(path, first, second, third)
    assert replay("prune", first.id, second.id, "-y").returncode == 0
    with closing(Store.open(str(path))) as store:
        assert third == store.get(third.id)
    holders = {id for (id,) in query(path, "SELECT DISTINCT id FROM part")}
    assert holders == {third.id}
    assert replay("prune", third.id, "-y").returncode == 0
    assert query(path, "SELECT count(*) FROM part") == [(0,)]


def test_a_part_that_has_taken_the_number_of_a_deleted_one_stays(four, project, monkeypatch):
    """Another process has deleted the last rows, and a third has captured since."""
    path, new = project / "replay.db", recording()
    numbers_of = prune._numbers_of

    def found_and_overtaken(*arguments):
        found = numbers_of(*arguments)
        query(path, "DELETE FROM part WHERE id = ?", four[3].id)
        query(path, "DELETE FROM recording WHERE id = ?", four[3].id)
        query(path, "UPDATE intake SET taken_n = (SELECT max(n) FROM part)")
        capture_parts(path, new)
        return found

    monkeypatch.setattr(prune, "_numbers_of", found_and_overtaken)
    with closing(Store.open(str(path))) as store:
        store.remove(four[3].id)
        assert new == store.get(new.id)


def test_a_prune_that_is_cut_off_leaves_each_recording_whole_or_none(project, replay, monkeypatch):
    """Some at a time, each time in one transaction."""
    monkeypatch.setattr(prune, "_AT_ONCE", 2)
    made = [recording() for _ in range(7)]
    capture_parts(project / "replay.db", *made)

    def stop(done: int, _total: object) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with closing(Store.open(str(project / "replay.db"))) as store, pytest.raises(KeyboardInterrupt):
        store.remove(*(one.id for one in made), progress=stop)
    assert listed(replay) == {one.id for one in made[4:]}
    assert replay("doctor").returncode == 0


@pytest.mark.long
def test_what_is_captured_meanwhile_is_kept(project, replay):
    """Another process captures while what there was is deleted, and the file is rewritten."""
    old = [recording() for _ in range(200)]
    path = project / "replay.db"
    capture_parts(path, *old)
    replay("tag", "--since", "2020-01-01", "--add", "old")
    command = [sys.executable, "-c", CAPTURING, str(path)]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **quiet) as process:
        process.stdout.readline()
        done = replay("prune", "--tag", "old", "--purge", "-y")
        time.sleep(0.1)
        process.kill()
        said = [int(line) for line in process.stdout if line.endswith("\n")]
    assert done.returncode == 0, done.stderr
    with closing(Store.open(str(path))) as store:
        found = [one.invocation.event.get("n") for one in store.find(Selection())]
    assert len(said) > 10
    assert {1, *said} <= set(found)
    assert rows_of(path, old[0].id) == 0


def hits(*folders: Path) -> list[str]:
    """The files that hold the planted secret."""
    files = sorted(file for folder in folders for file in folder.rglob("*") if file.is_file())
    return [file.name for file in files if SECRET.encode() in content_of(file)]


def with_leftovers(path: Path, made: Recording) -> None:
    """A store whose secret lies in pages, in the log, in the spool, and in copies of all kinds."""
    with closing(Store.open(str(path))):
        pass
    shutil.copy(path, path.with_name("replay.db.backup-0002-20261122T100000.000000Z"))
    path.with_name("replay.db.damaged-01m81fw1gk0008m74ctcfv7j20").write_text(f"torn {SECRET}")
    begun = made.parts()[0]
    line = b"%08x %s begun %s\n" % (begun.crc, made.id.encode(), begun.payload)
    path.with_name("replay.db.spool").write_bytes(line + b"00000000 torn" + line[20:])


def test_after_a_purge_no_file_holds_a_byte_of_what_was_deleted(four, project, replay):
    """Database, write-ahead log, spool, lines set aside, backups; the others are as they were."""
    path = project / "replay.db"
    capture_parts(path, four[1])
    with_leftovers(path, four[1])
    assert len(hits(project)) >= 4
    planned = replay("prune", four[1].id, "--purge")
    assert "backup-0002" in planned.stdout
    assert "damaged-01m81fw1gk0008m74ctcfv7j20" in planned.stdout
    assert "spool.damaged" in planned.stdout
    assert len(hits(project)) >= 4
    done = replay("prune", four[1].id, "--purge", "--yes")
    assert done.returncode == 0, done.stderr
    assert hits(project) == []
    assert not [place for place in spool_paths(str(path)) if Path(place).exists()]
    with closing(Store.open(str(path))) as store:
        assert [store.get(one.id) for one in (four[0], *four[2:])] == [four[0], *four[2:]]
    assert replay("doctor").returncode == 0


def test_without_a_purge_the_bytes_would_stay(four, project, replay):
    """Positive control, and the way out of it: a purge without a selection."""
    with_leftovers(project / "replay.db", four[1])
    assert replay("prune", four[1].id, "--yes").returncode == 0
    assert four[1].id not in listed(replay)
    left = {name.split("-")[0] for name in hits(project)}
    assert left >= {"replay.db.backup", "replay.db.damaged", "replay.db.spool.damaged"}
    assert replay("prune", "--purge", "--yes").returncode == 0
    assert hits(project) == []
    assert len(listed(replay)) == 3


def test_pages_that_are_free_are_rewritten(four, project, replay):
    """Positive control: what SQLite leaves of a deleted row, unless it was built to overwrite."""
    path = project / "replay.db"
    replay("list")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA secure_delete = OFF")
        for table in ("part", "recording"):
            connection.execute(f"DELETE FROM {table} WHERE id = ?", (four[1].id,))
    query(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert hits(project) == ["replay.db"]
    assert replay("prune", "--purge", "--yes").returncode == 0
    assert hits(project) == []
    assert len(listed(replay)) == 3


def test_a_backup_that_holds_nothing_of_it_is_kept(four, project, replay):
    """A copy of an upgrade is somebody's way back."""
    path = project / "replay.db"
    with closing(Store.open(str(path))), closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")  # of the pages that packing left, nobody could say whose
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = path.with_name("replay.db.backup-0002-x")
    shutil.copy(path, backup)
    new = recording(event="a later secret")
    capture_parts(path, new)
    done = replay("prune", new.id, "--purge", "--yes")
    assert done.returncode == 0, done.stderr
    assert "backup" not in done.stdout
    assert backup.exists()
    assert [it.name for it in project.iterdir() if b"a later secret" in content_of(it)] == []


def test_a_store_that_is_being_read_keeps_its_log_and_that_is_told(
    four, project, replay, monkeypatch
):
    """What cannot be done is never said to be."""
    monkeypatch.setattr("replay.store.engine.sqlite.BUSY_S", 0.1)
    with closing(sqlite3.connect(project / "replay.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM part").fetchone()
        done = replay("prune", four[1].id, "--purge", "--yes")
        assert done.returncode == 2
        assert "read by another process" in done.stderr
    assert replay("prune", "--purge", "--yes").returncode == 0
    assert hits(project) == []


def test_the_bytes_of_a_call_at_import_stay_as_long_as_its_sandbox_has_a_recording(project, replay):
    """They belong to all of them."""
    first, second, _ = of_one_sandbox()
    path = project / "replay.db"
    write(path, [*first.parts(), *own_parts(second)])
    replay("prune", first.id, "--purge", "-y")
    assert b"secretsmanager" in content_of(path)
    replay("prune", second.id, "--purge", "-y")
    assert b"secretsmanager" not in content_of(path)


def test_an_older_store_is_upgraded_before_it_is_pruned(project, replay):
    """As with every command that writes."""
    shutil.copy(STORES / "0001.sqlite", project / "replay.db")
    assert "replay upgrade" in one_line_error(replay("prune", "--all", "--yes"))


def test_what_was_removed_can_be_selected_no_more(four, project):
    """The count of the intake follows, so that later parts are taken in."""
    with closing(Store.open(str(project / "replay.db"))) as store:
        store.remove(*(one.id for one in four))
        assert store.summaries(Selection()) == []
        new = recording()
        store.add(new)
        assert [one.id for one in store.summaries(Selection())] == [new.id]


def test_parts_of_other_recordings_are_never_deleted(project):
    """Whatever an id is made of: it is a value."""
    odd = Part("' OR 1=1 --", "begun", recording().parts()[0].payload)
    good = recording()
    write(project / "replay.db", [*good.parts(), odd])
    with closing(Store.open(str(project / "replay.db"))) as store:
        store.remove(odd.id)
        assert good == store.get(good.id)
    assert [(good.id,)] == query(project / "replay.db", "SELECT DISTINCT id FROM part")
