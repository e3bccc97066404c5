"""Declared fields: what an index finds is what a look into each event finds."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from databases import capture_parts, flip_payload, query
from hypothesis import given
from hypothesis import strategies as st
from test_cli import one_line_error
from test_store import recording

from replay.cli import command
from replay.store import field
from replay.store.field import Lookup
from replay.store.selection import Selection
from replay.store.store import Store

DECLARED = '[tool.replay]\nindex = ["$.id", "$.lines[*].sku"]\n'
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([0, 1, 0.0, -0.0, 1.0, "1", "true", "x" * 200, "x" * 201, "x" * 200 + "y"])
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from([[], {}, [1], {"a": 1}])
)


def ids(store: Store, path: str, value: object) -> list[str]:
    return list(store.ids(Selection(where=((path, value),))))


@pytest.mark.long
@given(st.lists(VALUES, max_size=6), VALUES)
def test_an_index_finds_what_a_look_into_each_event_finds(tmp_path_factory, values, wanted):
    """Of every type, of any length; equal values of different types are different."""
    path = tmp_path_factory.mktemp("field") / "replay.db"
    made = [recording(event={"id": value}) for value in values]
    lookup = Lookup(("$.id", "$.*"))
    with (
        closing(Store.open(str(path), create=True)) as plain,
        closing(Store.open(str(path), create=True, lookup=lookup)) as indexed,
    ):
        for one in made:
            plain.add(one)
            assert ids(plain, "$.id", wanted) == ids(indexed, "$.id", wanted)
        assert ids(plain, "$.*", wanted) == ids(indexed, "$.*", wanted)


def listed(replay, *where: str) -> list[str]:
    options = [word for it in where for word in ("--where", it)]
    return [one["id"] for one in json.loads(replay("list", "--json", *options).stdout)]


@pytest.fixture
def orders(project) -> list[str]:
    """Ids of a hundred recordings in a project that declares what it looks for, oldest first."""
    (project / "pyproject.toml").write_text(DECLARED)
    made = [
        recording(event={"id": n % 50, "lines": [{"sku": f"s{n}"}, {"sku": f"s{n + 1}"}], "n": n})
        for n in range(100)
    ]
    capture_parts(project / "replay.db", *made)
    return [one.id for one in made]


@pytest.fixture
def looked_into(monkeypatch) -> list[str]:
    """Of how many recordings the event is read."""
    seen: list[str] = []
    get = Store.get

    def seen_get(store: Store, id: str) -> object:
        seen.append(id)
        return get(store, id)

    monkeypatch.setattr(Store, "get", seen_get)
    return seen


def test_a_declared_field_costs_no_look_into_the_others(orders, replay, looked_into):
    """Only those that have the value are read, to be sure; several fields narrow together."""
    assert listed(replay, "$.id=7") == [orders[57], orders[7]]
    assert listed(replay, "$.lines[*].sku=s8", "$.id=7") == [orders[7]]
    assert listed(replay, "$.id=7", "$.n=57") == [orders[57]]
    assert len(looked_into) == 2 + 1 + 2


def test_without_a_declaration_every_event_is_read(orders, replay, looked_into, project):
    """Positive control: the same answer."""
    (project / "pyproject.toml").unlink()
    assert listed(replay, "$.id=7") == [orders[57], orders[7]]
    assert len(looked_into) == 100


def test_what_is_captured_later_is_found_as_well(orders, project, replay):
    """Each time from where the last one ended."""
    assert len(listed(replay, "$.id=7")) == 2
    later = recording(event={"id": 7})
    capture_parts(project / "replay.db", later)
    assert listed(replay, "$.id=7") == [later.id, orders[57], orders[7]]
    assert listed(replay, "$.id=7", "$.id=8") == []


def fields(path: Path) -> int:
    return int(query(path, "SELECT count(*) FROM field")[0][0])


def test_the_fields_of_what_is_deleted_are_deleted(orders, project, replay):
    """And what takes their numbers afterwards is found."""
    path = project / "replay.db"
    listed(replay, "$.id=7")
    assert fields(path) == 100
    assert replay("prune", *orders[50:], "--yes").returncode == 0
    assert (fields(path), listed(replay, "$.id=7")) == (50, [orders[7]])
    new = recording(event={"id": 7})
    capture_parts(path, new)
    assert listed(replay, "$.id=7") == [new.id, orders[7]]
    assert replay("prune", "--all", "--purge", "--yes").returncode == 0
    assert fields(path) == 0


@pytest.mark.slow
def test_a_value_that_is_redacted_leaves_the_index(orders, project, replay):
    """No table keeps a secret; what stands in its place is found."""
    path = project / "replay.db"
    assert listed(replay, "$.lines[*].sku=s7") == [orders[7], orders[6]]
    assert replay("redact", "--rule", "sku", "--yes").returncode == 0
    assert query(path, "SELECT * FROM field WHERE value = '\"s7\"'") == []
    assert listed(replay, "$.lines[*].sku=s7") == []
    with closing(Store.open(str(path))) as store:
        (_, now) = (line["sku"] for line in store.get(orders[6]).invocation.event["lines"])
    assert orders[6] in listed(replay, f"$.lines[*].sku={json.dumps(now)}")


def test_what_is_derived_anew_is_found_anew(orders, project, replay):
    """`replay doctor --fix` drops fields with all else; tags stay."""
    path = project / "replay.db"
    listed(replay, "$.id=7")
    query(path, "UPDATE recording SET function_name = 'damaged' WHERE id = ?", orders[0])
    assert replay("doctor", "--fix").returncode == 0
    assert fields(path) == 0
    assert listed(replay, "$.id=7") == [orders[57], orders[7]]


def test_a_recording_that_cannot_be_read_has_no_fields_and_hides_none(orders, project, replay):
    """As without an index."""
    replay("list")
    flip_payload(project / "replay.db", orders[57])
    assert listed(replay, "$.id=7") == [orders[7]]


def test_a_change_between_reading_and_writing_is_read_once_more(orders, project, monkeypatch):
    """Another process redacts what was read: its old value must not come back."""
    path = project / "replay.db"
    read, changed = field.outgoing.read, []

    def read_and_overtaken(*arguments):
        found = list(read(*arguments))
        if not changed:
            changed.append(orders[7])
            with closing(Store.open(str(path))) as other:
                other.remove(orders[8])
                other.change(orders[7], lambda parts: recording(orders[7], {"id": "-"}).parts())
        return iter(found)

    with closing(Store.open(str(path), lookup=Lookup(("$.id",)))) as store:
        monkeypatch.setattr(field.outgoing, "read", read_and_overtaken)
        assert ids(store, "$.id", 7) == [orders[57]]
        assert ids(store, "$.id", "-") == [orders[7]]
        assert ids(store, "$.id", 8) == [orders[58]]
    assert query(path, "SELECT * FROM field WHERE recording_id = ?", orders[8]) == []
    assert query(path, "SELECT value FROM field WHERE recording_id = ?", orders[7]) == [('"-"',)]


def test_a_scan_that_takes_long_is_told_once_with_the_remedy(orders, project, replay, monkeypatch):
    """And one that does not, or that is no scan, is not."""
    assert replay("list", "--where", "$.n=7").stderr == ""
    monkeypatch.setattr(command, "_LONG_S", -1)
    said = replay("list", "--where", "$.n=7").stderr
    assert said.count("looking into each event for $.n") == 1
    assert 'index = ["$.n"]' in said
    assert replay("list", "--where", "$.id=7").stderr == ""


@pytest.mark.parametrize(
    ("declared", "words"),
    [("'$.id'", "a list of strings"), ("['id']", "index in [tool.replay]"), ("[1]", "a list")],
)
def test_what_is_no_path_is_refused_where_it_is_asked_for(project, replay, declared, words):
    """It would be quick for nothing."""
    (project / "pyproject.toml").write_text(f"[tool.replay]\nindex = {declared}\n")
    capture_parts(project / "replay.db", recording(event={"id": 1}))
    assert words in one_line_error(replay("list", "--where", "$.id=1"))
