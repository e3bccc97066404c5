"""Upgrading: every committed store, kills at each statement, capturing meanwhile."""

import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from calls import AT_IMPORT, MADE, WAITING, with_calls
from conftest import also_long
from databases import capture_parts, query
from test_store import recording

from replay.errors import DamagedError, StoreError
from replay.recording import Part
from replay.store import revision
from replay.store.packing import unpacked
from replay.store.selection import Selection
from replay.store.store import Store
from replay.store.upgrade import upgrade

STORES = Path(__file__).parents[1] / "fixtures" / "stores"
OLDER = [STORES / f"{name}.sqlite" for name in revision.OLDER]
EVERY = [*OLDER, STORES / f"{revision.HEAD}.sqlite", STORES / "part-only.sqlite"]

KILLING = """
import os, pathlib, shutil, signal, sys
from contextlib import closing
from sqlalchemy import event
from sqlalchemy.engine import Engine
from replay.store import revision
from replay.store.engine.sqlite import SqliteFile

source, folder, transactional = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
seen = []
limit = 0

@event.listens_for(Engine, "connect")
def trace(connection, record):
    connection.set_trace_callback(count)

def count(statement):
    seen.append(statement)
    if len(seen) == limit:
        os.kill(os.getpid(), signal.SIGKILL)

def migrate(path):
    with closing(SqliteFile(path)) as database:
        if transactional == "yes":
            database.make(revision.migrate)
        else:
            with database.reading() as connection:
                revision.migrate(connection)

shutil.copy(source, folder / "whole.db")
migrate(folder / "whole.db")
print(len(seen), flush=True)
for number in range(1, len(seen) + 1):
    path = folder / f"{number}.db"
    shutil.copy(source, path)
    if (child := os.fork()) == 0:
        seen.clear()
        limit = number
        migrate(path)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
"""

CAPTURING = """
import sys
from replay import capture

@capture(store=sys.argv[1])
def handler(event, context):
    return event

n = 0
while True:
    n += 1
    handler({"n": n}, None)
    print(n, flush=True)
"""


@pytest.fixture
def copied(tmp_path):
    """Copy a committed store to where it may be changed."""

    def copy(store: Path) -> Path:
        return Path(shutil.copy(store, tmp_path / "replay.db"))

    return copy


def schema(path: Path) -> list[tuple[object, ...]]:
    return query(path, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2")


def content(path: Path) -> list[tuple[object, ...]]:
    """What the tables hold that are derived, and the parts that they are derived from."""
    rows = query(path, "SELECT * FROM recording ORDER BY id")
    if query(path, "SELECT 1 FROM sqlite_master WHERE name = 'interaction'"):
        rows += query(path, "SELECT * FROM interaction ORDER BY recording_id, at_import, sequence")
    parts = query(path, "SELECT n, id, kind, crc, payload FROM part ORDER BY n")
    rows += [(*row, unpacked(kept)) for *row, kept in parts]
    return rows + query(path, "SELECT * FROM intake")


def recordings_in(path: Path) -> int:
    return len(query(path, "SELECT DISTINCT id FROM part"))


def say_nothing(_backup: Path) -> None:
    pass


def fresh(path: Path, source: Path) -> Path:
    """A store of HEAD that has taken in the parts of another."""
    shutil.copy(STORES / "part-only.sqlite", path)
    query(path, "DELETE FROM part")
    query(path, f"ATTACH '{source}' AS source")
    for row in query(source, "SELECT n, id, kind, crc, payload FROM part ORDER BY n"):
        query(path, "INSERT INTO part VALUES (?, ?, ?, ?, ?)", *row)
    with closing(Store.open(str(path))):
        return path


def test_there_is_a_committed_store_of_every_revision():
    """The folder, the constants and the migrations agree."""
    names = sorted(path.name[:4] for path in (revision.migrations_folder() / "versions").glob("0*"))
    assert names == [*revision.OLDER, revision.HEAD]
    assert all(path.exists() for path in EVERY)


@pytest.mark.slow
@pytest.mark.parametrize("store", EVERY, ids=lambda path: path.stem)
def test_the_store_of_every_revision_becomes_what_a_fresh_one_is(store, copied, tmp_path):
    """In its schema, and in everything that is derived from the parts."""
    path = copied(store)
    upgrade(str(path), before_change=say_nothing)
    with closing(Store.open(str(path))) as opened:
        found = list(opened.find(Selection()))
    assert len(found) == recordings_in(store)
    assert not any(isinstance(one, DamagedError) for one in found)
    other = fresh(tmp_path / "fresh.db", store)
    assert schema(other) == schema(path)
    assert content(other) == content(path)


@pytest.mark.parametrize("store", OLDER, ids=lambda path: path.stem)
def test_a_backup_is_made_first_and_kept(store, copied, tmp_path):
    """Private, whole, named by revision and time; told of before anything is changed."""
    path = copied(store)
    seen = []
    done = upgrade(str(path), before_change=lambda backup: seen.append((backup, schema(path))))
    ((told, before),) = seen
    assert done.backup == told
    backup = Path(told)
    assert backup.name.startswith(f"replay.db.backup-{store.stem}-")
    assert backup.stat().st_mode & 0o777 == 0o600
    assert before == schema(backup) == schema(store)
    assert content(backup) == content(store)
    assert list(tmp_path.glob("*.unfinished")) == []


@pytest.mark.slow
@pytest.mark.parametrize("store", OLDER, ids=lambda path: path.stem)
def test_an_older_store_is_refused_by_the_other_commands_until_it_is_upgraded(
    store, project, replay
):
    """Changed by one command only, which the error names; captured into meanwhile."""
    path = Path(shutil.copy(store, project / "replay.db"))
    late = recording()
    capture_parts(path, late)
    before = content(path)
    for command in (["list"], ["show", "@latest"], ["tag"], ["run"]):
        done = replay(*command)
        assert done.returncode == 2
        assert "replay upgrade" in done.stderr
    assert before == content(path)
    done = replay("upgrade")
    assert done.returncode == 0
    assert "backup: " in done.stderr
    assert late.id in replay("list", "--json").stdout


def test_there_is_nothing_to_do_for_a_current_store(project, replay):
    """No backup, no change, exit 0; likewise where there is only `part`."""
    for store in EVERY[-2:]:
        shutil.copy(store, project / "replay.db")
        done = replay("upgrade")
        assert done.returncode == 0
        assert "nothing to do" in done.stderr
    assert list(project.glob("*.backup-*")) == []


def test_a_newer_store_and_a_foreign_one_are_refused_and_kept(project, replay):
    """Never written."""
    path = Path(shutil.copy(EVERY[-2], project / "replay.db"))
    query(path, "UPDATE alembic_version SET version_num = '0999'")
    done = replay("upgrade")
    assert done.returncode == 2
    assert "pip install -U lambda-replay" in done.stderr
    for table in ("part", "recording", "interaction", "tag", "intake"):
        query(path, f"DROP TABLE {table}")
    assert "no store" in replay("upgrade").stderr
    path.unlink()
    assert "there is no store" in replay("upgrade").stderr
    assert list(project.glob("*.backup-*")) == []


def test_a_backup_that_cannot_be_written_stops_the_upgrade(copied, monkeypatch):
    """Nothing is changed without one."""
    path = copied(OLDER[0])
    before = schema(path)
    monkeypatch.setattr(
        "replay.store.engine.backup.os.open", lambda *_: (_ for _ in ()).throw(OSError())
    )
    with pytest.raises(StoreError, match="backup"):
        upgrade(str(path), before_change=say_nothing)
    assert before == schema(path)


def killed_at_each_statement(source: Path, folder: Path, *, transactional: str) -> list[Path]:
    done = subprocess.run(
        [sys.executable, "-c", KILLING, str(source), str(folder), transactional],
        capture_output=True,
        text=True,
        check=True,
    )
    return [folder / f"{number}.db" for number in range(1, int(done.stdout) + 1)]


def state(path: Path, old: Path, new: Path) -> str:
    found = (schema(path), query(path, "SELECT * FROM alembic_version"))
    for name, other in (("old", old), ("new", new)):
        if found == (schema(other), query(other, "SELECT * FROM alembic_version")):
            return name
    return "torn"


@pytest.mark.slow
@pytest.mark.parametrize("store", also_long(OLDER[-1:], OLDER), ids=lambda path: path.stem)
def test_a_migration_killed_at_any_statement_leaves_the_old_or_the_new_store(store, tmp_path):
    """SIGKILL before each statement in turn, the commit included; nothing is lost."""
    killed = killed_at_each_statement(store, tmp_path, transactional="yes")
    assert len(killed) > 4
    for path in killed:
        assert state(path, store, tmp_path / "whole.db") in ("old", "new")
        upgrade(str(path), before_change=say_nothing)
        assert state(path, store, tmp_path / "whole.db") == "new"
        assert content(path) == content(tmp_path / "whole.db")
        with closing(Store.open(str(path))) as opened:
            assert len(list(opened.find(Selection()))) == recordings_in(store)


@pytest.mark.slow
def test_without_the_transaction_a_kill_would_leave_a_torn_store(tmp_path):
    """Positive control: the test above can see it."""
    killed = killed_at_each_statement(OLDER[0], tmp_path, transactional="no")
    states = [state(path, OLDER[0], tmp_path / "whole.db") for path in killed]
    assert "torn" in states


@pytest.mark.slow
def test_an_upgrade_while_another_process_captures_loses_no_part(copied):
    """What is acknowledged is there afterwards, from the store or from its spool."""
    path = copied(OLDER[0])
    process = subprocess.Popen(
        [sys.executable, "-c", CAPTURING, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    process.stdout.readline()
    upgrade(str(path), before_change=say_nothing)
    time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    said = [int(line) for line in process.stdout if line.endswith("\n")]
    process.wait()
    process.stdout.close()
    with closing(Store.open(str(path))) as opened:
        found = [one.invocation.event.get("n") for one in opened.find(Selection())]
    assert len(said) > 10
    assert {1, *said} <= set(found)


def test_the_copy_of_a_store_holds_what_its_wal_holds(copied):
    """The backup is made through SQLite, not by copying a file."""
    path = copied(OLDER[0])
    late = recording()
    begun = late.parts()[0]
    assert isinstance(begun, Part)
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM part").fetchone()
    capture_parts(path, late)
    assert path.with_name("replay.db-wal").stat().st_size > 0
    done = upgrade(str(path), before_change=say_nothing)
    reader.close()
    rows = query(done.backup, "SELECT id FROM part WHERE id = ?", late.id)
    assert len(rows) == 2


def test_tags_are_kept_when_the_rest_is_derived_again(copied):
    """They are a person's, and stand in no part."""
    path = copied(OLDER[0])
    upgrade(str(path), before_change=say_nothing)
    with closing(Store.open(str(path))) as opened:
        (newest, *_) = opened.summaries(Selection())
        opened.tag([newest.id], add=["keep"], remove=[])
    query(path, "DELETE FROM recording")
    query(path, "UPDATE intake SET taken_n = 0")
    with closing(Store.open(str(path))) as opened:
        assert [s.id for s in opened.summaries(Selection(tags=("keep",)))] == [newest.id]


def test_calls_that_an_older_version_took_for_parts_of_unknown_kind_are_derived_again(copied):
    """A newer recorder may have written into the store of an older command."""
    path = copied(STORES / "0002.sqlite")
    one = with_calls()
    capture_parts(path, one)
    ((taken_n,),) = query(path, "SELECT max(n) FROM part")
    begun_n = taken_n - len(one.parts()) + 1
    query(path, "UPDATE intake SET taken_n = ?", taken_n)
    query(
        path,
        "INSERT INTO recording (id, short_id, reversed_id, begun_n) VALUES (?, '', '', ?)",
        *(one.id, begun_n),
    )
    upgrade(str(path), before_change=say_nothing)
    with closing(Store.open(str(path))) as opened:
        assert opened.get(one.id) == one
        assert len(list(opened.find(Selection()))) == 10


def test_a_committed_store_has_recordings_with_calls(copied):
    """As its revision is the first that derives anything of them."""
    path = copied(STORES / "0003.sqlite")
    upgrade(str(path), before_change=say_nothing)
    with closing(Store.open(str(path))) as opened:
        waiting, second, first = itertools.islice(opened.find(Selection()), 3)
    imported = [call for call in first.interactions if call.at_import]
    assert [*imported, *MADE] == list(first.interactions)
    assert tuple(imported) == second.interactions == AT_IMPORT
    assert waiting.interactions == (*AT_IMPORT, *WAITING)
    assert waiting.outcome is None
