"""The store: intake, finding, ids, damage, revisions."""

import dataclasses
from contextlib import closing
from pathlib import Path

import pytest
from calls import with_calls, write
from databases import capture_parts, flip_payload, query
from sqlalchemy import create_engine
from test_recording import invocation

from replay.errors import DamagedError, ReplayError, StoreError
from replay.outcome import Raised, Returned
from replay.recorder import spool
from replay.recorder.journal import Journal
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.store import revision
from replay.store import spool as spool_file
from replay.store.selection import Selection
from replay.store.store import Store
from replay.store.tables import metadata


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "replay.db"


@pytest.fixture
def open_store(path):
    opened = []

    def open_(**options) -> Store:
        opened.append(Store.open(str(path), create=True, **options))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


def recording(id: str | None = None, event: object = None, outcome=Returned(b"1")) -> Recording:
    return Recording(id or new_ulid(), invocation(event), outcome, 10)


def unfinished(id: str | None = None) -> Recording:
    return Recording(id or new_ulid(), invocation())


def test_what_is_added_comes_back_equal(open_store):
    """By its full id, as a value."""
    store = open_store()
    added = recording(event={"a": [1, b"x"]})
    store.add(added)
    assert added == store.get(added.id)


def test_parts_of_the_recorder_are_taken_in_on_opening_each_once(path, open_store):
    """A file that so far holds only `part` is a valid store."""
    first, second = recording(), unfinished()
    capture_parts(path, first)
    assert [first.id] == [s.id for s in open_store().summaries(Selection())]
    capture_parts(path, second)
    assert [second.id, first.id] == [s.id for s in open_store().summaries(Selection())]
    assert second == open_store().get(second.id)


def test_an_ended_part_that_arrives_later_finishes_its_recording(path, open_store):
    """Begun and ended may be taken in at different times."""
    finished = recording()
    begun, ended = finished.parts()
    with closing(Journal(str(path))) as journal:
        journal.write(begun.id, begun.kind, begun.payload, None)
        assert [s.outcome for s in open_store().summaries(Selection())] == ["unfinished"]
        journal.write(ended.id, ended.kind, ended.payload, None)
    assert [s.outcome for s in open_store().summaries(Selection())] == ["returned"]
    assert finished == open_store().get(finished.id)


def test_the_spool_is_taken_in_exactly_once(path, open_store):
    """A part that is in both places counts once; the spool is gone afterwards."""
    both, only = recording(), recording()
    capture_parts(path, both)
    for part in (*both.parts(), *only.parts()):
        spool.append(str(path), part.id, part.kind, part.payload)
    store = open_store()
    assert store.spool.taken == 2
    assert sorted([both.id, only.id]) == sorted(s.id for s in store.summaries(Selection()))
    assert list(path.parent.glob("*.spool*")) == []


def test_every_call_of_a_recording_is_taken_from_the_spool_exactly_once(path, open_store):
    """They are many parts of one kind; some of them are in the store as well."""
    one = with_calls()
    for n, part in enumerate([*one.parts(), *one.parts()]):
        if n % 3 == 0:
            write(path, [part])
        spool.append(str(path), part.id, part.kind, part.payload)
    there = len(query(path, "SELECT DISTINCT kind, crc FROM part"))
    store = open_store()
    assert store.spool.taken == len(one.parts()) - there
    assert one == store.get(one.id)
    assert one.parts() == store.get(one.id).parts()


@pytest.mark.parametrize("claim", ["taking-1-abcd", "shipping-1-abcd"])
def test_a_spool_claimed_by_a_process_that_died_is_taken_in(path, open_store, claim):
    """Between the claim and the commit nothing is lost, nor before an exporter's upload."""
    only = recording()
    for part in only.parts():
        spool.append(str(path), part.id, part.kind, part.payload)
    spooled = path.with_name("replay.db.spool")
    spooled.rename(path.with_name(f"replay.db.spool.{claim}"))
    assert spool_file.spools(path)
    assert only == open_store().get(only.id)
    assert not spool_file.spools(path)


def test_a_spool_without_a_store_makes_one(path):
    """SQLite could not take anything at all."""
    only = recording()
    for part in only.parts():
        spool.append(str(path), part.id, part.kind, part.payload)
    store = Store.open(str(path))
    assert only == store.get(only.id)
    store.close()


@pytest.mark.parametrize("kind", ["begun", "ended"])
def test_one_damaged_recording_never_hides_the_others(path, open_store, kind):
    """It is named, in its place among them, whether the harm came before intake or after."""
    before, good, after = recording(), recording(), recording()
    capture_parts(path, before, good, after)
    flip_payload(path, before.id, kind)
    store = open_store()
    flip_payload(path, after.id, kind)
    found = list(store.find(Selection()))
    assert good in found
    damaged = [one for one in found if isinstance(one, DamagedError)]
    assert len(damaged) == 2
    for id in (before.id, after.id):
        with pytest.raises(DamagedError, match=id):
            store.get(id)
    assert before.id in {s.id for s in store.summaries(Selection()) if s.damage}


def test_without_the_checksum_the_flipped_byte_would_pass(path):
    """Positive control: SQLite's own integrity check does not see it."""
    one = recording()
    capture_parts(path, one)
    flip_payload(path, one.id)
    assert query(path, "PRAGMA integrity_check") == [("ok",)]


def test_hostile_values_cost_their_own_column_or_recording(path, open_store):
    """A lone surrogate, a huge number, a payload of another type, an id that is no UTF-8."""
    good = recording()
    odd = recording(event={"Records": [{"eventSource": "\ud800"}]})
    huge = Recording(new_ulid(), dataclasses.replace(invocation(), remaining_ms=10**30))
    capture_parts(path, good, odd, huge)
    query(path, "INSERT INTO part (id, kind, crc, payload) VALUES ('text', 'begun', 1, 'text')")
    query(path, "INSERT INTO part (id, kind, crc, payload) VALUES (CAST(x'ff' AS TEXT), 'x', 1, 1)")
    summaries = {s.id: s for s in open_store().summaries(Selection())}
    assert {good.id, odd.id, huge.id} <= set(summaries)
    assert len(summaries) == 5
    assert sum(s.damage is not None for s in summaries.values()) == 2


def test_a_store_cut_to_nothing_beside_its_wal_is_refused_and_kept(path):
    """SQLite would delete what the WAL still holds."""
    wal = path.with_name("replay.db-wal")
    path.touch()
    wal.write_bytes(b"x" * 4096)
    with pytest.raises(StoreError, match="cut to nothing"):
        Store.open(str(path))
    assert wal.stat().st_size == 4096


def test_damaged_lines_of_a_spool_are_set_aside_and_said(path, open_store):
    """Never thrown away in silence."""
    capture_parts(path, recording())
    path.with_name("replay.db.spool").write_bytes(b"\n00000000 x begun {}\n")
    assert open_store().spool.damaged == 1
    (aside,) = path.parent.glob("*.damaged-*")
    assert b"x begun" in aside.read_bytes()


def test_a_name_with_special_characters_is_a_name(tmp_path):
    """A question mark begins no query."""
    path = tmp_path / "we?ird#%20.db"
    capture_parts(path, recording())
    with closing(Store.open(str(path))) as store:
        assert len(store.summaries(Selection())) == 1
    assert {p.name for p in tmp_path.iterdir()} <= {
        path.name,
        f"{path.name}-wal",
        f"{path.name}-shm",
    }


def test_an_ended_part_without_its_begun_part_is_named(path, open_store):
    """The begun part was lost; what is left says so."""
    one = recording()
    ended = one.parts()[1]
    with closing(Journal(str(path))) as journal:
        journal.write(ended.id, ended.kind, ended.payload, None)
    (summary,) = open_store().summaries(Selection())
    assert "begun part is missing" in summary.damage


def test_filters_select_by_what_was_asked_for(open_store):
    """Each filter alone, and all together."""
    store = open_store()
    wanted = recording(event={"detail": {"orderId": 42}}, outcome=Raised("KeyError", "'x'"))
    store.add(wanted)
    store.add(recording(event={"detail": {"orderId": 43}}))
    for selection in (
        Selection(outcome="raised"),
        Selection(error_type="KeyError"),
        Selection(where=(("$.detail.orderId", 42),)),
        Selection(outcome="raised", error_type="KeyError", where=(("$..orderId", 42),)),
    ):
        assert [wanted.id] == [s.id for s in store.summaries(selection)]
    assert store.summaries(Selection(function_name="' OR 1=1 --")) == []


def test_pages_follow_one_another_without_a_gap(open_store):
    """Newest first, by key."""
    store = open_store()
    ids = [new_ulid() for _ in range(7)]
    for id in ids:
        store.add(recording(id))
    seen, before = [], None
    while page := store.summaries(Selection(limit=3, before=before)):
        seen += [s.id for s in page]
        before = seen[-1]
    assert ids[::-1] == seen


def test_filters_and_lookups_use_an_index(path, open_store):
    """No lookup walks the table."""
    open_store().add(recording())
    for condition in (
        "function_name = 'x' ORDER BY id DESC",
        "outcome = 'x' ORDER BY id DESC",
        "source = 'x' ORDER BY id DESC",
        "reversed_id >= 'x' AND reversed_id < 'y'",
        "request_id = 'x'",
        "captured_at_us >= 5",
    ):
        plan = query(path, f"EXPLAIN QUERY PLAN SELECT * FROM recording WHERE {condition}")
        text = " ".join(str(row) for row in plan)
        assert "USING INDEX" in text, (condition, text)
        assert "TEMP B-TREE" not in text


def test_ids_are_resolved_by_every_way_of_writing_them(open_store):
    """Full id, short id, tail, request id, place in the list."""
    store = open_store()
    old, new = recording(), recording()
    store.add(old)
    store.add(new)
    assert (new.id,) == store.resolve("@latest") == store.resolve("@1")
    assert (old.id,) == store.resolve("@2") == store.resolve(old.id)
    assert (old.id,) == store.resolve(old.id[-8:]) == store.resolve(old.id[-5:].upper())
    assert (old.id, new.id) == store.resolve("r-1")


@pytest.mark.parametrize("text", ["zzzzzz", "abc", "", "@3", "@0", "@x", "a'b\"c%", "\ud800" * 4])
def test_an_unknown_id_is_an_error_with_a_remedy(open_store, text):
    """One line, and where to look."""
    store = open_store()
    store.add(recording())
    with pytest.raises(ReplayError) as caught:
        store.resolve(text)
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_an_ambiguous_tail_lists_its_candidates(open_store):
    """So that the next attempt is right."""
    store = open_store()
    ids = ["01m81fw1gk0008m74ctcfv7j20", "01m81fw1gk0008m74ctcaa7j20"]
    for id in ids:
        store.add(recording(id))
    with pytest.raises(ReplayError, match="2 recordings") as caught:
        store.resolve("7j20")
    assert all(id in caught.value.hint for id in ids)
    assert (ids[0],) == store.resolve("fv7j20")


def test_removed_recordings_are_gone_and_later_ones_are_still_taken_in(path, open_store):
    """SQLite gives the numbers of deleted rows out again."""
    store = open_store()
    old = recording()
    store.add(old)
    store.remove(old.id)
    assert store.summaries(Selection()) == []
    new = recording()
    capture_parts(path, new)
    assert new == open_store().get(new.id)


def test_a_missing_store_and_a_directory_are_refused(tmp_path):
    """Nothing is created by looking."""
    for path in (tmp_path / "absent.db", tmp_path):
        with pytest.raises(StoreError) as caught:
            Store.open(str(path))
        assert "--store" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused_and_kept(path):
    """Said in one line; the file stays as it is."""
    path.write_text("not a database, but long enough to be looked at\n" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="no database"):
        Store.open(str(path))
    assert before == path.read_bytes()


def test_a_database_of_somebody_else_is_refused_and_kept(path):
    """A store has a table `part`."""
    query(path, "CREATE TABLE customers (n)")
    with pytest.raises(StoreError, match="no store"):
        Store.open(str(path))
    assert query(path, "SELECT name FROM sqlite_master") == [("customers",)]


def test_a_truncated_store_is_said_to_be_damaged(path, open_store):
    """Half a file is not an empty store."""
    store = open_store()
    for _ in range(200):
        store.add(recording(event={"blob": "x" * 500}))
    store.close()
    content = path.read_bytes()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ReplayError, match="damaged"), closing(Store.open(str(path))) as opened:
        list(opened.find(Selection()))


def test_a_store_of_another_revision_is_refused_and_kept(path, open_store):
    """It was written by a newer version, which the remedy names."""
    open_store().close()
    query(path, "UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(StoreError, match="0999") as caught:
        Store.open(str(path))
    assert "pip install -U lambda-replay" in caught.value.hint


def test_migrations_make_the_tables_that_are_declared(open_store, path):
    """Alembic and the declarations agree, and HEAD is the newest script."""
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    open_store()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    config = Config()
    config.set_main_option("script_location", str(revision.migrations_folder()))
    assert ScriptDirectory.from_config(config).get_current_head() == revision.HEAD


def test_the_recorders_table_and_the_stores_are_the_same(tmp_path, path, open_store):
    """Made by either, read by both."""
    captured = tmp_path / "captured.db"
    capture_parts(captured, recording())
    open_store()
    layouts = []
    for file in (captured, path):
        columns = query(file, "PRAGMA table_info(part)")
        indexes = query(file, "PRAGMA index_list(part)")
        layouts.append(([(c[1], c[2], c[5]) for c in columns], indexes))
    assert layouts[0] == layouts[1]


def test_every_column_says_what_it_means():
    """The schema is documentation."""
    undocumented = [str(c) for table in metadata.tables.values() for c in table.c if not c.doc]
    assert undocumented == []
