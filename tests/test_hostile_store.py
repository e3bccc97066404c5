"""Store files that somebody else has made: imported as data, or refused; never obeyed.

An import reads them immutably (test_transfer.py looks at triggers, views and columns there); a
command that is pointed at one with --store would write to it.
"""

import gzip
import json
import os
import sqlite3
import struct
import tempfile
import time
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest
from calls import with_calls, write
from databases import capture_parts, query
from test_store import recording, unfinished
from test_transfer import ids_in

from replay.interaction import HttpCall, Interaction, Response
from replay.recorder.journal import CREATE_PART
from replay.recorder.place import spool_paths
from replay.recording import Recording

ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t"


@pytest.fixture
def theirs(project) -> list[Recording]:
    """Two recordings in a store of somebody else's, taken in."""
    made = [recording(), unfinished()]
    capture_parts(project / "theirs.db", *made)
    with closing(sqlite3.connect(project / "theirs.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return made


COMMANDS = [
    *(["list"], ["show", "@1"], ["run"], ["export"], ["tag"], ["doctor"], ["generate"]),
    *(["minimize"], ["prune", "--all", "--yes"], ["upgrade"], ["doctor", "--fix"]),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER evil AFTER INSERT ON part BEGIN DELETE FROM part; END",
        f"CREATE TRIGGER evil AFTER INSERT ON recording BEGIN INSERT INTO x {ENDLESS}; END",
        f"CREATE VIEW recording AS {ENDLESS}",
        f"CREATE VIEW tag AS {ENDLESS}",
        f"CREATE VIEW alembic_version AS {ENDLESS}",
        "CREATE VIRTUAL TABLE recording USING fts5(id)",
    ],
)
def test_a_store_that_would_do_something_is_refused_and_left_as_it_is(
    theirs, project, replay, statement
):
    """By option and by variable, before anything of it is run; its recordings can be imported."""
    query(project / "theirs.db", "CREATE TABLE x (n)")
    if "ON recording" in statement:
        query(project / "theirs.db", "CREATE TABLE recording (id TEXT PRIMARY KEY)")
    query(project / "theirs.db", statement)
    query(project / "theirs.db", "PRAGMA wal_checkpoint(TRUNCATE)")
    before = (project / "theirs.db").read_bytes()
    began = time.process_time()
    for arguments in COMMANDS:
        done = replay(*arguments, "--store", "theirs.db")
        assert done.returncode == 2, (arguments, done.stdout, done.stderr[-500:])
        assert "replay import" in done.stdout + done.stderr
    assert replay("list", REPLAY_STORE="theirs.db").returncode == 2
    assert time.process_time() - began < 20
    assert before == (project / "theirs.db").read_bytes()
    assert replay("import", "theirs.db").returncode == 0
    assert ids_in(project / "replay.db") == [one.id for one in theirs]


def test_what_is_refused_would_have_been_obeyed(theirs, project):
    """Positive control: whoever writes to such a store does what it says."""
    path = project / "theirs.db"
    query(path, "CREATE TRIGGER evil AFTER INSERT ON part BEGIN DELETE FROM part; END")
    query(path, "INSERT INTO part (id) VALUES ('x')")
    assert query(path, "SELECT count(*) FROM part") == [(0,)]


def test_a_view_of_ones_own_beside_the_tables_is_nobodys_business(theirs, project, replay):
    """Positive control: what no command looks at is let be."""
    query(project / "theirs.db", "CREATE VIEW mine AS SELECT id FROM part")
    assert len(json.loads(replay("list", "--json", "--store", "theirs.db").stdout)) == 2


@pytest.mark.parametrize("page_bytes", [512, 1024, 65536])
def test_a_store_of_another_page_size_is_read(project, replay, page_bytes):
    """Imported, and used where it is."""
    one = recording(event={"text": "x" * 5000})
    query(project / "theirs.db", f"PRAGMA page_size = {page_bytes}")
    with closing(sqlite3.connect(project / "theirs.db")) as connection:
        connection.execute(f"PRAGMA page_size = {page_bytes}")
        connection.execute(CREATE_PART)
        for part in one.parts():
            row = (part.id, part.kind, part.crc, part.payload)
            connection.execute("INSERT INTO part (id, kind, crc, payload) VALUES (?, ?, ?, ?)", row)
        connection.commit()
    assert replay("import", "theirs.db").returncode == 0
    assert ids_in(project / "replay.db") == [one.id]
    assert ids_in(project / "theirs.db") == [one.id]


ODD_ROWS = {
    "the largest number": "INSERT INTO part SELECT 9223372036854775807, id, kind, crc, payload"
    " FROM part LIMIT 1",
    "numbers below zero": "INSERT INTO part SELECT -n, id || 'x', kind, crc, payload FROM part",
    "no values": "INSERT INTO part (n) VALUES (NULL)",
    "values of other types": "INSERT INTO part VALUES (NULL, 1.5, x'00', 'text', 7)",
    "ids of bytes": "INSERT INTO part SELECT NULL, CAST(id AS BLOB), kind, crc, payload FROM part",
    "a checksum of text": "INSERT INTO part SELECT NULL, 'a' || id, kind, 'x', payload FROM part",
    "a long id": "INSERT INTO part VALUES (NULL, hex(zeroblob(1000000)), 'begun', 1, x'00')",
    "a payload over the cap": "INSERT INTO part VALUES (NULL, 'l', 'begun', 1, zeroblob(70000000))",
    "a NUL in an id": "INSERT INTO part VALUES (NULL, 'a' || char(0) || 'b', 'begun', 1, x'00')",
    "many parts of one recording": "INSERT INTO part WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL"
    " SELECT n + 1 FROM t LIMIT 10000) SELECT NULL, 'many', 'sent', 1, x'00' FROM t",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", ODD_ROWS)
def test_odd_rows_cost_nobody_else_anything(theirs, project, replay, what):
    """Imported or used where they are: the sound recordings are there, the others are named."""
    query(project / "theirs.db", ODD_ROWS[what])
    query(project / "theirs.db", "PRAGMA wal_checkpoint(TRUNCATE)")
    began = time.process_time()
    done = replay("import", "theirs.db")
    assert done.returncode in (0, 2), done.stderr[-900:]
    assert {one.id for one in theirs} <= set(ids_in(project / "replay.db")), done.stderr[-500:]
    listed = replay("list", "--json", "--store", "theirs.db")
    assert listed.returncode in (0, 2), listed.stderr[-900:]
    assert {one.id for one in theirs} <= {it["id"] for it in json.loads(listed.stdout)}
    assert time.process_time() - began < 15


def test_a_store_is_made_where_it_is_named_and_nowhere_else(project, replay):
    """A link that leads to nothing would have it made at its end."""
    (project / "replay.db").symlink_to(project.parent / "elsewhere.db")
    (project / "one.jsonl").write_bytes(b"{}")
    done = replay("import", "one.jsonl")
    assert done.returncode == 2
    assert not Path(project.parent / "elsewhere.db").exists()


@pytest.mark.slow
def test_a_zipped_answer_is_shown_as_it_came(project, replay):
    """50 MB of one letter in 50 KB: nothing that reads recordings unpacks it."""
    bomb = gzip.compress(b"x" * 50_000_000)
    headers = (("Content-Encoding", "gzip"), ("Content-Type", "application/json"))
    calls = [
        Interaction(1, HttpCall("GET", "https://h/p"), 9, Response(200, "OK", headers, bomb), 9),
        Interaction(2, HttpCall("POST", "https://h/p", headers, bomb), 30),
    ]
    write(project / "replay.db", with_calls(calls, at_import=()).parts())
    (project / "app.py").write_text("def handler(event, context):\n    return 1\n")
    tracemalloc.start()
    commands = (["show", "@1"], ["show", "@1", "--json"], ["export", "-o", "x.jsonl"], ["doctor"])
    for arguments in (*commands, ["run", "@1", "--html", "x.html", "--junit", "x.xml", "--json"]):
        assert replay(*arguments).returncode in (0, 1)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 25_000_000
    assert sum(path.stat().st_size for path in project.glob("x.*")) < 2_000_000


def test_what_holds_captured_data_is_its_owners_alone(project, replay):
    """Store, log, exports, reports: whatever the umask says."""
    capture_parts(project / "replay.db", recording())
    (project / "app.py").write_text("def handler(event, context):\n    return {'a': 1}\n")
    umask = os.umask(0)
    try:
        replay("run", "@1", "--html", "x.html", "--junit", "x.xml")
        replay("export", "-o", "x.jsonl")
        replay("import", "x.jsonl", "--store", "other.db")
        replay("prune", "--all", "--purge", "-y", "--store", "other.db")
    finally:
        os.umask(umask)
    files = [path for path in project.iterdir() if path.name not in ("app.py", "__pycache__")]
    open_ = [path.name for path in files if path.is_file() and path.stat().st_mode & 0o077]
    assert len(files) >= 5
    assert open_ == []


@pytest.mark.parametrize("kind", ["a link", "another user's", "ours"])
def test_a_spool_that_somebody_else_has_put_there_is_not_taken_in(
    project, replay, monkeypatch, kind
):
    """In the folder that all share: no link is followed, and no other user's file read."""
    monkeypatch.setattr(tempfile, "tempdir", str(project.parent))
    path, planted = project / "replay.db", recording()
    capture_parts(path, recording())
    place = Path(spool_paths(str(path))[1])
    rows = [(it.crc, it.id.encode(), it.kind.encode(), it.payload) for it in planted.parts()]
    lines = [b"%08x %s %s %s\n" % row for row in rows]
    target = project / "planted" if kind == "a link" else place
    target.write_bytes(b"".join(lines))
    if kind == "a link":
        place.symlink_to(target)
    if kind == "another user's":
        monkeypatch.setattr(os, "geteuid", lambda: target.stat().st_uid + 1)
    listed = json.loads(replay("list", "--json").stdout)
    assert (planted.id in {one["id"] for one in listed}) is (kind == "ours")
    assert target.exists() is (kind != "ours")


def hot_journal(store: Path, other: Path) -> bytes:
    """A rollback journal that changes nothing and names another file, as SQLite lays one out."""
    magic, name = bytes.fromhex("d9d505f920a163d7"), str(other).encode()
    page_bytes, pages = query(store, "PRAGMA page_size")[0][0], query(store, "PRAGMA page_count")
    head = magic + struct.pack(">5I", 0, 1, pages[0][0], 512, page_bytes)
    lock_page = struct.pack(">I", 0x4000_0000 // page_bytes + 1)
    return (
        head.ljust(512, b"\0") + lock_page + name + struct.pack(">2I", len(name), sum(name)) + magic
    )


def test_a_journal_that_names_another_file_has_nothing_deleted(project, replay):
    """SQLite deletes what a journal names once it has used that: the positive control."""
    given, other = project / "given.db", project / "other.txt"
    with closing(sqlite3.connect(given)) as connection:
        connection.execute(CREATE_PART)
    journal = given.with_name("given.db-journal")
    journal.write_bytes(hot_journal(given, other))
    other.write_text("precious")
    done = replay("import", str(given))
    assert (done.returncode, other.read_text()) == (2, "precious")
    assert "names another file" in done.stderr
    query(given, "SELECT * FROM part")
    assert not other.exists()
