"""Export and import: what leaves a store comes into another one byte for byte, and nothing else."""

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from unittest import mock

import jsonschema
import orjson
import pytest
from calls import capture_sandbox, of_one_sandbox, with_calls
from conftest import also_slow
from databases import capture_parts, flip_payload, query
from test_cli import one_line_error
from test_fixture import SCHEMA
from test_store import recording, unfinished
from test_upgrade import CAPTURING, EVERY, STORES

from replay.fixture import Fixture, fixture_line
from replay.outcome import Raised
from replay.recorder.journal import CREATE_PART
from replay.recording import Recording
from replay.store.arrival import foreign
from replay.store.selection import Selection
from replay.store.store import Store

EVENTS = Path(__file__).parents[1] / "fixtures" / "events"
FIXTURES = sorted((Path(__file__).parents[1] / "fixtures/recordings/v1").glob("*.json"))


@pytest.fixture
def three(project) -> list[Recording]:
    """Three recordings in the store of `project`, oldest first."""
    made = [recording(event={"n": 1}), unfinished(), recording(outcome=Raised("E", "m"))]
    capture_parts(project / "replay.db", *made)
    return made


def ids_in(store: Path) -> list[str]:
    with closing(Store.open(str(store))) as opened:
        return [one.id for one in opened.summaries(Selection())][::-1]


def line_of(one: Recording) -> bytes:
    return fixture_line(Fixture(one.id, one.parts()))


def there_and_back(replay, folder: Path) -> tuple[bytes, bytes]:
    """An export, and the export of an empty store that has imported it."""
    assert replay("export", "-o", "first.jsonl").returncode == 0
    done = replay("import", "first.jsonl", "--store", "other.db")
    assert done.returncode == 0, done.stderr
    assert replay("export", "-o", "second.jsonl", "--store", "other.db").returncode == 0
    return (folder / "first.jsonl").read_bytes(), (folder / "second.jsonl").read_bytes()


@pytest.mark.slow
def test_export_and_import_give_byte_identical_exports_of_captured_events(runtime, project, replay):
    """Every sample event, through AWS's runtime client and the real recorder; tags included."""
    (project / "app.py").write_text(
        "from replay import capture\n"
        "@capture\n"
        "def handler(event, context):\n"
        "    if 'detail' in event: raise KeyError(event['detail'])\n"
        "    return event\n"
    )
    process = runtime()
    files = sorted(EVENTS.glob("*.json"))
    for file in files:
        process.invoke(file.read_bytes())
    process.kill()
    replay("tag", "@1", "@3", "--add", "b", "--add", "a")
    first, second = there_and_back(replay, project)
    assert first == second
    assert len(first.splitlines()) == len(files)
    assert first.count(b'"tags":["a","b"]') == 2


@pytest.mark.slow
@pytest.mark.parametrize("store", EVERY, ids=lambda path: path.stem)
def test_export_and_import_give_byte_identical_exports_of_committed_stores(store, project, replay):
    """Of every revision; also when the store file itself is imported."""
    shutil.copy(store, project / "replay.db")
    replay("upgrade")
    first, second = there_and_back(replay, project)
    assert first == second
    assert replay("import", str(store), "--store", "third.db").returncode == 0
    assert replay("export", "--store", "third.db").stdout.encode() == first


@pytest.mark.parametrize("is_reversed", also_slow([True], [False, True]))
def test_recordings_with_calls_travel_with_those_of_their_sandbox(project, replay, is_reversed):
    """Each alone, all together, back into the same store and out of a store file."""
    path = project / "replay.db"
    made = [*of_one_sandbox(), with_calls(), *of_one_sandbox()]
    capture_sandbox(path, *made[:3])
    capture_sandbox(path, *made[4:])
    capture_parts(path, made[3])
    first, second = there_and_back(replay, project)
    assert first == second
    parts = query(path, "SELECT count(*) FROM part")
    assert query(project / "other.db", "SELECT count(*) FROM part") == parts
    assert "the store had 7" in replay("import", "first.jsonl").stderr
    assert query(path, "SELECT count(*) FROM part") == parts
    lines = first.splitlines()
    for n, line in enumerate(lines[::-1] if is_reversed else lines):
        (project / f"{n}.json").write_bytes(line)
        assert replay("import", f"{n}.json", "--store", "single.db").returncode == 0
        assert replay("import", f"{n}.json", "--store", f"{n}.db").returncode == 0
        alone = replay("export", "--store", f"{n}.db").stdout
        assert alone.encode() == line + b"\n"
    assert query(project / "single.db", "SELECT count(*) FROM part") == parts
    assert replay("export", "--store", "single.db").stdout.encode() == first
    for store in ("replay.db", "single.db"):
        assert replay("import", store, "--store", f"of-{store}").returncode == 0
        assert replay("export", "--store", f"of-{store}").stdout.encode() == first
    with closing(Store.open("of-single.db")) as opened:
        assert [opened.get(one.id) for one in made] == made


def test_a_file_whose_parts_were_put_in_another_order_gives_the_same_recording(project, replay):
    """And the same digest, twice over: what is there once more is left out."""
    one = with_calls()
    begun, *calls, ended = one.parts()
    document = orjson.loads(fixture_line(Fixture(one.id, (begun, *calls[::-1], *calls, ended))))
    (project / "x.json").write_bytes(orjson.dumps(document))
    (project / "y.json").write_bytes(line_of(one))
    assert replay("import", "x.json").returncode == 0
    assert "the store had 1" in replay("import", "y.json").stderr
    assert replay("export").stdout.encode() == line_of(one) + b"\n"
    assert replay("doctor").returncode == 0


def test_a_call_that_another_store_has_lost_is_told(project, replay):
    """Its part does not say whose it is, but the table of calls does."""
    path = project / "theirs.db"
    first, second, _ = of_one_sandbox()
    capture_sandbox(path, first, second)
    with closing(Store.open(str(path))):
        pass
    query(path, "UPDATE part SET id = 'x' WHERE kind = 'answered' AND n = 9")
    done = replay("import", "theirs.db")
    assert done.returncode == 2
    assert f"recording {first.id}: a part of it cannot be found" in done.stderr
    assert ids_in(project / "replay.db") == [second.id]


def test_committed_fixtures_are_imported_and_exported_the_same(project, replay):
    """Pretty-printed files in, the same content out."""
    done = replay("import", *map(str, FIXTURES))
    assert f"imported {len(FIXTURES)} recordings" in done.stderr
    lines = replay("export").stdout.splitlines()
    wanted = [orjson.dumps(orjson.loads(file.read_bytes())).decode() for file in FIXTURES]
    assert sorted(lines) == sorted(wanted)


def test_every_exported_line_is_valid_by_the_printed_schema(three, replay):
    """Oldest first, one line each, talk on stderr."""
    done = replay("export")
    schema = json.loads(replay("export", "--schema").stdout)
    assert schema == SCHEMA
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    for document in documents:
        jsonschema.Draft202012Validator(schema).validate(document)
    assert [document["id"] for document in documents] == [one.id for one in three]
    assert "exported 3 recordings" in done.stderr


def test_what_is_exported_is_selected_by_ids_or_filters(three, replay):
    """In the order of the ids, however they are given; a limit counts from the newest."""

    def exported(*arguments: str) -> list[str]:
        return [json.loads(line)["id"] for line in replay("export", *arguments).stdout.splitlines()]

    old, middle, new = [one.id for one in three]
    assert exported(new, old) == [old, new]
    assert exported("--limit", "2") == [middle, new]
    assert exported("--outcome", "unfinished") == [middle]
    assert exported("--where", "$.n=1") == [old]
    assert replay("export", "--outcome", "exited").returncode == 2
    assert replay("export", "--outcome", "exited", "--allow-empty").returncode == 0


def test_a_file_is_written_whole_private_and_never_over_another(three, project, replay):
    """Unless that is said."""
    file = project / "out.jsonl"
    file.write_text("mine")
    assert "--force" in one_line_error(replay("export", "-o", "out.jsonl"))
    assert file.read_text() == "mine"
    assert replay("export", "-o", "out.jsonl", "--force").returncode == 0
    assert len(file.read_text().splitlines()) == 3
    assert file.stat().st_mode & 0o777 == 0o600
    assert "directory" in one_line_error(replay("export", "-o", str(project)))
    assert "cannot be written" in one_line_error(replay("export", "-o", "no/such/folder.jsonl"))
    assert replay("export", "--outcome", "exited", "-o", "none.jsonl").returncode == 2
    assert {path.name for path in project.iterdir()} <= {
        *("out.jsonl", "replay.db", "replay.db-wal", "replay.db-shm"),
    }


def test_a_damaged_recording_is_named_and_the_others_are_exported(three, project, replay):
    """Exit 2, and the file holds what could be read."""
    flip_payload(project / "replay.db", three[0].id)
    done = replay("export")
    assert done.returncode == 2
    assert three[0].id in done.stderr
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [
        *(one.id for one in three[1:]),
    ]


def test_import_makes_a_private_store_and_is_idempotent(project, replay):
    """What the store has with equal content is counted and left."""
    one, two = recording(), recording()
    (project / "x.jsonl").write_bytes(line_of(one) + b"\n" + line_of(two) + b"\n")
    assert "imported 2 recordings; the store had 0" in replay("import", "x.jsonl").stderr
    assert (project / "replay.db").stat().st_mode & 0o777 == 0o600
    again = replay("import", "x.jsonl", "x.jsonl")
    assert again.returncode == 0
    assert "imported 0 recordings; the store had 4" in again.stderr
    assert len(query(project / "replay.db", "SELECT 1 FROM part")) == 4


def test_another_recording_of_the_same_id_is_a_conflict(project, replay):
    """Named and not taken, whether the other is in the store or in the same file."""
    one = recording(event={"a": 1})
    other = recording(one.id, event={"a": 2})
    third = recording()
    lines = b"\n".join(map(line_of, (one, other, third)))
    (project / "x.jsonl").write_bytes(lines)
    for _ in range(2):
        done = replay("import", "x.jsonl")
        assert done.returncode == 2
        assert done.stderr.count(one.id) >= 1
        assert "with other content" in done.stderr
        assert ids_in(project / "replay.db") == [one.id, third.id]
    assert replay("show", one.id, "--json").stdout.count('"a": 1') == 1


def test_what_the_recorder_has_written_since_is_taken_in_before(project, replay):
    """Numbers of parts are given in one transaction, after those that are there."""
    one, two, three = recording(), recording(), recording()
    capture_parts(project / "replay.db", one)
    (project / "x.jsonl").write_bytes(line_of(two))
    assert replay("import", "x.jsonl").returncode == 0
    capture_parts(project / "replay.db", three)
    assert ids_in(project / "replay.db") == [one.id, two.id, three.id]


@pytest.mark.long
def test_an_import_while_another_process_captures_loses_nothing_of_either(project, replay):
    """Its transactions are short."""
    made = [recording(event={"n": -n}) for n in range(1000)]
    (project / "x.jsonl").write_bytes(b"\n".join(map(line_of, made)))
    process = subprocess.Popen(
        [sys.executable, "-c", CAPTURING, "replay.db"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    process.stdout.readline()
    done = replay("import", "x.jsonl")
    process.kill()
    said = [int(line) for line in process.stdout if line.endswith("\n")]
    process.wait()
    process.stdout.close()
    assert "imported 1,000 recordings" in done.stderr
    with closing(Store.open("replay.db")) as store:
        found = [one.invocation.event["n"] for one in store.find(Selection())]
    assert {-n for n in range(1000)} | set(said) <= set(found)
    assert len(found) == len(set(found))


def test_standard_input_is_read_where_the_file_is_a_dash(project, replay):
    """For pipes; likewise `-o -` is stdout."""
    one = recording()
    stdin = io.TextIOWrapper(io.BytesIO(line_of(one)))
    with mock.patch.object(sys, "stdin", stdin):
        assert replay("import", "-").returncode == 0
    assert replay("export", "-o", "-").stdout.encode() == line_of(one) + b"\n"


@pytest.mark.long
def test_a_pipe_between_two_commands(three, project):
    """The commands themselves, with bytes between them."""
    program = [sys.executable, "-m", "replay"]
    exported = subprocess.run([*program, "export"], capture_output=True, check=True)
    done = subprocess.run(
        [*program, "import", "-", "--store", "other.db"],
        input=exported.stdout,
        capture_output=True,
        check=True,
    )
    assert b"imported 3 recordings" in done.stderr
    assert ids_in(project / "other.db") == [one.id for one in three]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a PNG image"),
        ("x.gz", b"\x1f\x8b\x08\x00", "gzip data"),
        ("x.json", b'{"version": 1}', "not a recording that replay has exported"),
        ("x.jsonl", b'{"format":9,"id":"x","parts":[]}', "pip install -U lambda-replay"),
        ("x.jsonl", b"", "is empty"),
        ("x.jsonl", None, "No such file"),
        ("x.db", b"SQLite format 3\0" + b"\xff" * 5000, "x.db"),
    ],
)
def test_a_foreign_damaged_or_newer_file_is_a_clear_error(project, replay, name, content, words):
    """Exit 2, and what can be imported beside it is."""
    one = recording()
    (project / "good.jsonl").write_bytes(line_of(one))
    if content is not None:
        (project / name).write_bytes(content)
    done = replay("import", name, "good.jsonl")
    assert done.returncode == 2
    assert words in done.stderr
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert ids_in(project / "replay.db") == [one.id]


def test_a_recording_of_a_newer_format_is_named_with_the_remedy(project, replay):
    """Its document is of our format, its parts are not."""
    document = orjson.loads(line_of(recording()))
    del document["digest"]
    document["parts"][0]["payload"] |= {"format": 2, "replay_version": "0.9.0"}
    (project / "x.jsonl").write_bytes(orjson.dumps(document))
    done = replay("import", "x.jsonl")
    assert done.returncode == 2
    assert document["id"] in done.stderr
    assert "lambda-replay>=0.9.0" in done.stderr


def hostile_store(path: Path, *recordings: Recording) -> None:
    """A store with triggers, views and tables that have no place in one."""
    capture_parts(path, *recordings)
    for statement in (
        "CREATE TABLE secret (x)",
        "CREATE TRIGGER evil AFTER INSERT ON part BEGIN DELETE FROM part; END",
        "CREATE VIEW recording AS SELECT load_extension('x')",
        "CREATE VIEW other AS SELECT * FROM part",
        "CREATE INDEX odd ON part (id, kind)",
        "CREATE TABLE tag (recording_id TEXT, name TEXT)",
    ):
        query(path, statement)
    query(path, "INSERT INTO tag VALUES (?, 'fine'), (?, 'not fine')", *[recordings[0].id] * 2)


def test_a_hostile_store_gives_its_recordings_and_nothing_else(project, replay):
    """Triggers and views are not looked at; the file is as it was, to the byte."""
    one, two = recording(), unfinished()
    hostile_store(project / "theirs.db", one, two)
    before = {path.name: path.read_bytes() for path in project.glob("theirs.db*")}
    done = replay("import", "theirs.db")
    assert done.returncode == 0, done.stderr
    assert ids_in(project / "replay.db") == [one.id, two.id]
    names = {name for (name,) in query(project / "replay.db", "SELECT name FROM sqlite_master")}
    assert not {"secret", "evil", "other", "odd"} & names
    assert json.loads(replay("tag", one.id, "--json").stdout)[0]["tags"] == ["fine"]
    assert before == {path.name: path.read_bytes() for path in project.glob("theirs.db*")}


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW part AS SELECT 1 AS n, 'x' AS id, 'begun' AS kind, 0 AS crc, x'00' AS payload",
        "CREATE TABLE part (n INTEGER PRIMARY KEY, id TEXT, kind TEXT, crc INTEGER)",
        CREATE_PART.replace("payload BLOB", "payload BLOB, more TEXT"),
        CREATE_PART.replace("payload BLOB", "payload BLOB AS (zeroblob(9)) VIRTUAL"),
        "CREATE VIRTUAL TABLE part USING fts5(n, id, kind, crc, payload)",
        "CREATE TABLE customers (n)",
    ],
)
def test_a_database_without_our_table_of_parts_is_refused(project, replay, statement):
    """A view is no table, and a computed column no payload."""
    query(project / "theirs.db", statement)
    done = replay("import", "theirs.db")
    assert done.returncode == 2
    assert "no table 'part' with the columns of a store" in done.stderr


def test_a_statement_on_anything_else_is_refused_by_the_authorizer(project):
    """Positive control: the view that is never read could be read without it."""
    hostile_store(project / "theirs.db", recording())
    assert query(project / "theirs.db", "SELECT * FROM other") != []
    with ExitStack() as stack, closing(foreign._connect(project / "theirs.db", stack)) as opened:
        for statement in ("SELECT * FROM other", "SELECT * FROM secret", "SELECT * FROM recording"):
            with pytest.raises(
                sqlite3.DatabaseError, match=r"prohibited|not authorized|unsafe use"
            ):
                opened.execute(statement).fetchall()
        with pytest.raises(sqlite3.DatabaseError):
            opened.execute("DELETE FROM part")


def test_a_store_with_a_wal_beside_it_is_read_with_its_wal(project, replay):
    """From a copy: nothing is written beside the original."""
    one, two = recording(), recording()
    capture_parts(project / "theirs.db", one)
    reader = sqlite3.connect(project / "theirs.db")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM part").fetchone()
    capture_parts(project / "theirs.db", two)
    os.mkdir(project / "sent")
    for suffix in ("", "-wal"):
        shutil.copy(project / f"theirs.db{suffix}", project / "sent" / f"theirs.db{suffix}")
    reader.close()
    before = {path.name: path.read_bytes() for path in (project / "sent").iterdir()}
    assert set(before) == {"theirs.db", "theirs.db-wal"}
    assert replay("import", "sent/theirs.db").returncode == 0
    assert ids_in(project / "replay.db") == [one.id, two.id]
    assert before == {path.name: path.read_bytes() for path in (project / "sent").iterdir()}


def test_damage_in_another_store_is_named_and_the_rest_imported(project, replay):
    """By checksum; an ended part without its begun part, a kind that nobody knows."""
    good, bad, half, odd = recording(), recording(), recording(), recording()
    path = project / "theirs.db"
    capture_parts(path, good, bad, half, odd)
    flip_payload(path, bad.id)
    query(path, "DELETE FROM part WHERE id = ? AND kind = 'begun'", half.id)
    query(path, "UPDATE part SET kind = 'middle' WHERE id = ? AND kind = 'ended'", odd.id)
    query(path, "INSERT INTO part (id) VALUES (NULL)")
    done = replay("import", "theirs.db")
    assert done.returncode == 2
    for one in (bad, half, odd):
        assert f"theirs.db: recording {one.id}" in done.stderr or one.id in done.stderr
    assert ids_in(project / "replay.db") == [good.id]


def test_a_committed_store_is_never_written_by_an_import(project, replay):
    """Positive control for the copies above: the committed file itself."""
    before = (STORES / "0001.sqlite").read_bytes()
    replay("import", str(STORES / "0001.sqlite"))
    assert before == (STORES / "0001.sqlite").read_bytes()
