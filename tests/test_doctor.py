"""`replay doctor`: everything that can be wrong with a store, each with its remedy; losses."""

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from calls import capture_sandbox, of_one_sandbox, write
from conftest import also_long
from databases import capture_parts, flip_payload, query
from test_store import recording, unfinished
from test_upgrade import OLDER

from replay import capture
from replay.recorder import connection, guard, spool
from replay.recorder.journal import Journal, journal_of
from replay.recording import Recording
from replay.settings import Settings


@pytest.fixture
def three(project) -> list[Recording]:
    """Three recordings in the store of `project`, taken in by nobody yet."""
    made = [recording(), unfinished(), recording()]
    capture_parts(project / "replay.db", *made)
    return made


@pytest.fixture
def checks(replay):
    """Run the command; its checks by name, and its exit code under "code"."""

    def run(*arguments: str) -> dict:
        done = replay("doctor", "--json", *arguments)
        assert "Traceback" not in done.stderr
        found = {one["name"]: one for one in json.loads(done.stdout)}
        assert all(one["hint"] for one in found.values() if one["level"] != "ok")
        return {**found, "code": done.returncode}

    return run


def test_a_sound_store_is_ok_or_warned_of_and_exit_0(three, checks, replay):
    """One line a check; warnings alone are no failure."""
    found = checks()
    assert found["code"] == 0
    levels = {name: one["level"] for name, one in found.items() if name != "code"}
    assert levels.pop("sqlite") in ("ok", "warn")
    assert set(levels.values()) == {"ok"}
    assert found["tables"]["message"] == "5 parts, 3 recordings"
    lines = replay("doctor").stdout.splitlines()
    assert len(lines) == len(levels) + 1
    assert all(line.split()[0] in ("ok", "warn", "bad") for line in lines)


@pytest.mark.parametrize("taken_in", [False, True])
def test_a_damaged_part_is_named_by_its_full_id(three, checks, replay, project, taken_in):
    """Whether the harm came before the intake or after."""
    if taken_in:
        replay("list")
    flip_payload(project / "replay.db", three[0].id, "ended")
    found = checks()
    assert found["code"] == 2
    assert [line.split(":")[0] for line in found["checksums"]["details"]] == [
        f"recording {three[0].id}"
    ]


DRIFTS = {
    "a column": "UPDATE recording SET function_name = 'x' WHERE id = ?",
    "a digest": "UPDATE recording SET digest = 'x' WHERE id = ?",
    "a type": "UPDATE recording SET captured_at_us = 'x' WHERE id = ?",
    "no ended part": "UPDATE recording SET ended_n = NULL WHERE id = ?",
    "no row": "DELETE FROM recording WHERE id = ?",
    "a short id": "UPDATE recording SET short_id = 'x' WHERE id = ?",
}


@pytest.mark.slow
@pytest.mark.parametrize("statement", DRIFTS.values(), ids=DRIFTS)
def test_what_is_not_as_derived_is_named_and_derived_again(
    three, checks, replay, project, statement
):
    """Tags stay, and so do the parts."""
    replay("tag", three[0].id, "--add", "keep")
    parts = query(project / "replay.db", "SELECT * FROM part")
    rows = query(project / "replay.db", "SELECT * FROM recording ORDER BY id")
    query(project / "replay.db", statement, three[0].id)
    found = checks()
    assert found["code"] == 2
    assert found["derived"]["details"][0].startswith(f"recording {three[0].id}: ")
    assert "--fix" in found["derived"]["hint"]
    assert checks("--fix")["code"] == 0
    assert checks()["code"] == 0
    assert rows == query(project / "replay.db", "SELECT * FROM recording ORDER BY id")
    assert parts == query(project / "replay.db", "SELECT * FROM part")
    assert f"{three[0].id}  keep" in replay("tag").stdout


CALL_DRIFTS = {
    "a column": "UPDATE interaction SET name = 'x' WHERE recording_id = ? AND sequence = 2",
    "a sandbox": "UPDATE interaction SET sandbox_id = 'x' WHERE recording_id = ? AND at_import",
    "no answered part": "UPDATE interaction SET answered_n = NULL WHERE recording_id = ?",
    "no row": "DELETE FROM interaction WHERE recording_id = ? AND sequence = 1",
    "no rows": "DELETE FROM interaction WHERE recording_id = ?",
    "a count": "UPDATE recording SET calls = 0 WHERE id = ?",
    "what was watched for": "UPDATE recording SET outbound = 'off' WHERE id = ?",
    "a row too many": "INSERT INTO interaction (recording_id, at_import, sequence)"
    " VALUES (?, 0, 9)",
    "rows of nobody": "INSERT INTO interaction (recording_id, at_import, sequence)"
    " VALUES (? || 'x', 0, 1)",
}


@pytest.mark.slow
@pytest.mark.parametrize("drift", also_long(["a column", "no row", "rows of nobody"], CALL_DRIFTS))
def test_calls_that_are_not_as_derived_are_named_and_derived_again(checks, project, replay, drift):
    """In the place of a call or in what is searched for."""
    path = project / "replay.db"
    first, *others = of_one_sandbox()
    capture_sandbox(path, first, *others)
    assert checks()["code"] == 0
    tables = ("recording", "interaction", "part")
    before = [query(path, f"SELECT * FROM {name} ORDER BY 1, 2, 3") for name in tables]
    query(path, CALL_DRIFTS[drift], first.id)
    found = checks()
    assert found["code"] == 2
    assert found["derived"]["details"][0].startswith(f"recording {first.id}")
    assert checks("--fix")["code"] == 0
    assert checks()["code"] == 0
    assert before == [query(path, f"SELECT * FROM {name} ORDER BY 1, 2, 3") for name in tables]


def test_copies_of_the_parts_of_calls_are_no_drift(checks, project):
    """Of a sandbox's and of a handler's."""
    path = project / "replay.db"
    made = of_one_sandbox()
    capture_sandbox(path, *made)
    write(path, [part for one in made for part in one.parts()])
    assert checks()["code"] == 0


@pytest.mark.parametrize("taken_in", [False, True])
def test_a_damaged_part_of_a_call_is_named_with_every_recording_that_it_costs(
    checks, project, taken_in
):
    """One of a sandbox's costs all recordings that watched for it."""
    path = project / "replay.db"
    first, second, waiting = of_one_sandbox()
    capture_sandbox(path, first, second, waiting)
    if taken_in:
        checks()
    query(path, "UPDATE part SET payload = payload || ' ' WHERE n = 2")
    found = checks()
    assert found["code"] == 2
    named = [line.split(":")[0] for line in found["checksums"]["details"]]
    assert named == [f"recording {one.id}" for one in (first, second, waiting)]


def test_a_copy_of_a_part_is_no_drift(three, checks, project):
    """A spooled part may have been committed as well; the first counts."""
    query(
        project / "replay.db",
        "INSERT INTO part (id, kind, crc, payload) SELECT id, kind, crc, payload FROM part",
    )
    assert checks()["code"] == 0


def test_a_recording_without_its_begun_part_is_named(three, checks, project):
    """There is nothing to replay."""
    query(project / "replay.db", "DELETE FROM part WHERE kind = 'begun' AND id = ?", three[2].id)
    found = checks()
    assert found["code"] == 2
    assert found["begun"]["details"] == [three[2].id]


def test_a_waiting_spool_is_said_and_a_damaged_line_named(three, checks, project):
    """Before the intake that follows takes it in."""
    late = recording()
    for part in late.parts():
        spool.append(str(project / "replay.db"), part.id, part.kind, part.payload)
    found = checks()
    assert (found["code"], found["spool"]["level"]) == (0, "warn")
    assert "2 parts wait" in found["spool"]["message"]
    assert checks()["spool"]["level"] == "ok"
    torn = recording().parts()[0]
    (project / "replay.db.spool").write_text(f"\n00000000 {torn.id} begun {{}}\n")
    found = checks()
    assert (found["code"], found["spool"]["level"]) == (2, "bad")
    assert torn.id in found["spool"]["details"][0]
    found = checks()
    assert (found["code"], found["set aside"]["level"]) == (0, "warn")


def test_files_that_others_can_read_are_wrong_and_files_set_aside_warned_of(three, checks, project):
    """A store holds what a function was sent."""
    (project / "replay.db.damaged-01m81fw1gk0008m74ctcfv7j20").touch()
    found = checks()
    assert (found["code"], found["set aside"]["level"]) == (0, "warn")
    os.chmod(project / "replay.db", 0o644)
    found = checks()
    assert (found["code"], found["mode"]["level"]) == (2, "bad")
    assert "chmod 600" in found["mode"]["hint"]


def test_a_store_that_was_cut_to_nothing_is_wrong(three, checks, project):
    """SQLite would take it for a new one."""
    for file in project.glob("replay.db-*"):
        file.unlink()
    (project / "replay.db").write_bytes(b"")
    found = checks()
    assert (found["code"], found["store"]["level"]) == (2, "bad")
    assert "cut to nothing" in found["store"]["message"]


def test_little_space_and_an_old_sqlite_are_warned_of(three, checks, monkeypatch):
    """And a new one is not."""
    monkeypatch.setattr("replay.store.doctor._MIN_FREE_BYTES", 2**60)
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 51, 2))
    found = checks()
    assert (found["code"], found["disk"]["level"], found["sqlite"]["level"]) == (0, "warn", "warn")
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 51, 3))
    assert checks()["sqlite"]["level"] == "ok"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda path: path.unlink(), "no store"),
        (lambda path: path.write_bytes(b"no database" * 1000), "no database"),
        (lambda path: (path.unlink(), path.mkdir()), "directory"),
        (lambda path: query(path, "DROP TABLE part"), "no store"),
        (lambda path: shutil.copy(OLDER[0], path), "replay upgrade"),
        (lambda path: query(path, "UPDATE alembic_version SET version_num = '99'"), "pip install"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_bad_check(three, checks, project, harm, words):
    """Never an error that hides the other checks."""
    checks()
    for suffix in ("-wal", "-shm"):
        Path(f"replay.db{suffix}").unlink(missing_ok=True)
    harm(project / "replay.db")
    found = checks()
    assert found["code"] == 2
    assert found["store"]["level"] == "bad"
    assert words in found["store"]["message"] + found["store"]["hint"]
    assert "sqlite" in found


def test_tags_of_recordings_that_are_gone_are_warned_of(three, checks, replay, project):
    """They are a person's, so they are not taken away."""
    replay("tag", three[0].id, "--add", "x")
    query(project / "replay.db", "UPDATE tag SET recording_id = 'gone'")
    found = checks()
    assert (found["code"], found["tags"]["level"]) == (0, "warn")


def handler(event, context):
    return event


def test_parts_that_were_lost_are_told_by_the_next_begun_part_and_summed(
    project, checks, monkeypatch
):
    """Counted in the process, cumulative, and summed over sandboxes by the doctor."""
    monkeypatch.setattr(guard, "_failures", {})
    captured = capture(store="replay.db")(handler)
    journal = journal_of(Settings(store="replay.db"))
    captured({}, None)
    journal.lost = 2
    captured({}, None)
    journal.lost = 5
    captured({}, None)
    other = Recording(recording().id, recording().invocation, lost_parts=4)
    capture_parts(project / "replay.db", other)
    begun = [payload for (payload,) in query(Path("replay.db"), "SELECT payload FROM part")]
    told = [b'"lost_parts":%d,"event"' % n in payload for n in (2, 5, 4) for payload in begun]
    assert sum(told) == 3
    assert b"lost_parts" not in begun[0]
    found = checks()
    assert (found["code"], found["lost"]["level"]) == (0, "warn")
    assert found["lost"]["message"] == "9 parts were lost in 2 sandboxes"
    assert other.invocation.sandbox.id in found["lost"]["details"]


def test_losses_that_no_later_part_could_tell_are_read_from_a_note(project, checks, monkeypatch):
    """Of a process that was killed; those that a part tells of too count once."""
    monkeypatch.setattr(guard, "_failures", {})
    captured = capture(store="replay.db")(handler)
    monkeypatch.setenv("REPLAY_MAX_STORE_BYTES", "1")
    for _ in range(13):
        captured({}, None)
    assert checks()["lost"]["message"] == "12 parts were lost in 1 sandboxes"
    monkeypatch.setenv("REPLAY_MAX_STORE_BYTES", "1GiB")
    captured({}, None)
    found = checks()
    assert found["lost"]["message"] == "12 parts were lost in 1 sandboxes"
    (note,) = project.glob("replay.db.lost-*")
    assert note.name in found["lost"]["hint"]
    note.unlink()
    assert checks()["lost"]["message"] == "12 parts were lost in 1 sandboxes"


def test_a_store_on_a_network_file_system_is_warned_of(three, checks, monkeypatch, tmp_path):
    """Its write-ahead log needs memory that processes share."""
    device = os.stat(".").st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"1 2 {os.major(device)}:{os.minor(device)} / /mnt rw - nfs4 server:/export rw\n"
    )
    assert "network" not in checks()
    monkeypatch.setattr(connection, "_network_of_device", {})
    monkeypatch.setattr(connection, "_MOUNTS", str(mounts))
    assert checks()["network"]["level"] == "warn"


def test_a_recording_with_lost_parts_reads_back_equal():
    """The key is absent where nothing was lost, so the bytes of format 1 are as before."""
    told = Recording(recording().id, recording().invocation, lost_parts=3)
    assert told == Recording.from_parts(told.id, told.parts())
    (begun,) = unfinished().parts()
    assert b"lost" not in begun.payload


def test_a_child_process_does_not_tell_of_its_parents_losses(tmp_path):
    """Each loss is counted once."""
    journal = Journal(str(tmp_path / "replay.db"))
    journal.lost = 3
    child = os.fork()
    if child == 0:
        os._exit(journal.lost)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert journal.lost == 3


@pytest.fixture
def with_wal(project) -> Path:
    """A store with a WAL of several commits, which nobody has open any more."""
    source = project / "source.db"
    capture_parts(source, recording())
    reader = sqlite3.connect(source)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM part").fetchone()
    capture_parts(source, *[recording() for _ in range(5)])
    for suffix in ("", "-wal"):
        shutil.copy(project / f"source.db{suffix}", project / f"replay.db{suffix}")
    reader.close()
    return project / "replay.db-wal"


@pytest.mark.parametrize("place", [5, 60, 4200, 20_000])
def test_commits_that_sqlite_leaves_out_of_a_damaged_wal_are_told(with_wal, checks, place):
    """It takes the first frame that is not sound for the end, and says nothing."""
    content = bytearray(with_wal.read_bytes())
    content[place] ^= 1
    with_wal.write_bytes(content)
    found = checks()
    assert found["wal"]["level"] == "warn"
    assert "pages of replay.db-wal" in found["wal"]["message"]
    assert found["tables"]["message"] != "12 parts, 6 recordings"


def test_a_sound_wal_is_read_whole_and_one_that_was_torn_at_its_end_too(with_wal, checks):
    """Positive control; a process that was killed in a write leaves half a frame."""
    with_wal.write_bytes(with_wal.read_bytes() + with_wal.read_bytes()[32:500])
    found = checks()
    assert found["wal"]["level"] == "ok"
    assert found["tables"]["message"] == "12 parts, 6 recordings"
