"""Calls in the store: taken in in any order, and read with the recordings that they are of."""

import dataclasses
import itertools
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from calls import (
    AT_IMPORT,
    MADE,
    WAITING,
    capture_sandbox,
    of_one_sandbox,
    own_parts,
    with_calls,
    write,
)
from databases import query
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import interactions
from test_store import recording

from replay.errors import DamagedError
from replay.fixture import Fixture
from replay.interaction import HttpCall, Interaction
from replay.outcome import Returned
from replay.part import ANSWERED, BEGUN, SENT
from replay.recorder import spool
from replay.recording import Part, Recording, digest
from replay.store.located import Located, in_order
from replay.store.packing import unpacked
from replay.store.selection import Selection
from replay.store.store import Store
from replay.store.tables import interaction as table

NAMES = table.c.keys()
COLUMNS = ", ".join(NAMES)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "replay.db"


def opened(path: Path, *, create: bool = False):
    return closing(Store.open(str(path), create=create))


def got(path: Path, *wanted: Recording) -> list[Recording]:
    """Each recording, as every way of reading it gives it."""
    with opened(path) as store:
        alone = [store.get(one.id) for one in wanted]
        listed = {one.id: one for one in store.find(Selection()) if isinstance(one, Recording)}
        taken = {
            one.id: one.recording for one in store.fixtures(Selection()) if isinstance(one, Fixture)
        }
        assert alone == [listed[one.id] for one in wanted] == [taken[one.id] for one in wanted]
    return alone


def rows(path: Path, columns: str = COLUMNS) -> list[tuple[object, ...]]:
    order = "recording_id, at_import DESC, sequence"
    return query(path, f"SELECT {columns} FROM interaction ORDER BY {order}")


def row_of(path: Path, one: Recording, columns: str) -> tuple[object, ...]:
    (row,) = query(path, f"SELECT {columns} FROM recording WHERE id = ?", one.id)
    return row


def derived(path: Path) -> tuple[list[tuple[object, ...]], ...]:
    """What is derived in a store, but the numbers of parts."""
    calls = rows(path, ", ".join(name for name in NAMES if not name.endswith("_n")))
    columns = "id, damage, digest, size_bytes, outcome, duration_us, calls, outbound, sandbox_id"
    return calls, query(path, f"SELECT {columns} FROM recording ORDER BY id")


def test_a_recording_with_calls_comes_back_equal(path):
    """Both those of its sandbox and its own, by every way of reading it."""
    one, bare = with_calls(), with_calls((), at_import=())
    write(path, [*one.parts(), *bare.parts()])
    assert [one, bare] == got(path, one, bare)
    with opened(path) as store:
        assert one.parts() == store.get(one.id).parts()
    assert row_of(path, one, "calls, outbound") == (3, "all")
    assert row_of(path, bare, "calls, outbound") == (0, "all")


def test_what_is_searched_for_stands_in_columns(path):
    """Of a call what it was to whom, of an answer what came; never asked, never answered: null."""
    one = with_calls(WAITING)
    write(path, one.parts())
    with opened(path):
        pass
    columns = "at_import, sequence, kind, name, service, operation, host, status, error_type"
    secret, put = "secretsmanager GetSecretValue", "dynamodb PutItem"
    pay = ("POST https://pay.example.com/v1", None, None, "pay.example.com", None, "ConnectTimeout")
    assert rows(path, columns) == [
        (1, 1, "aws", secret, "secretsmanager", "GetSecretValue", None, 200, None),
        (1, 2, "http", *pay),
        (0, 1, "aws", "dynamodb Query", "dynamodb", "Query", None, 200, None),
        (0, 2, "http", *pay),
        (0, 3, "aws", put, "dynamodb", "PutItem", None, None, None),
    ]
    assert rows(path, "sent_n, answered_n, at_us, duration_us")[-1] == (10, None, 3_100_000, None)
    sandbox_id = one.invocation.sandbox.id
    assert rows(path, "sandbox_id") == [(sandbox_id,)] * 2 + [(None,)] * 3


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), interactions(at_import=True), interactions(), st.booleans())
def test_parts_in_any_order_and_any_number_of_intakes_make_the_recording(
    data, at_import, made, is_finished
):
    """Committed or spooled, once or twice; what is derived is the same as in one go."""
    outcome = Returned(b"1") if is_finished else None
    one = with_calls(made, at_import=at_import, outcome=outcome)
    other = with_calls(MADE, at_import=at_import, sandbox_id=one.invocation.sandbox.id)
    parts = [*one.parts(), *own_parts(other)]
    shuffled = data.draw(st.permutations(parts))
    copies = data.draw(st.lists(st.sampled_from(parts), max_size=3))
    stream = [*shuffled, *copies]
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=3).map(sorted))
    with tempfile.TemporaryDirectory() as folder:
        path, whole = Path(folder, "replay.db"), Path(folder, "whole.db")
        for start, end in itertools.pairwise([0, *cuts, len(stream)]):
            spooled = data.draw(st.booleans())
            for part in stream[start:end] if spooled else ():
                spool.append(str(path), part.id, part.kind, part.payload)
            write(path, () if spooled else stream[start:end])
            with opened(path):
                pass
        assert [one, other] == got(path, one, other)
        write(whole, parts)
        with opened(whole):
            pass
        assert derived(whole) == derived(path)
        assert row_of(path, one, "digest") == (digest(one.parts()),)


def test_the_calls_of_a_sandbox_are_stored_once_and_read_with_each_recording_of_it(path):
    """Whether the recorder wrote them or a file embeds them, in whatever order it comes."""
    made = of_one_sandbox()
    capture_sandbox(path, *made)
    assert list(made) == got(path, *made)
    assert len(query(path, "SELECT 1 FROM part")) == sum(len(own_parts(one)) for one in made) + 4
    copied = path.with_name("copy.db")
    with opened(path) as store, opened(copied, create=True) as copy:
        for one in [*store.find(Selection()), *store.find(Selection())]:
            copy.add(one)
    assert list(made) == got(copied, *made)
    assert len(query(path, "SELECT 1 FROM part")) == len(query(copied, "SELECT 1 FROM part"))
    digests = "SELECT id, digest, size_bytes, calls FROM recording ORDER BY id"
    assert query(path, digests) == query(copied, digests)


def test_only_a_recording_that_watched_for_them_has_calls_of_its_sandbox(path):
    """Capture of calls may have been turned on in between."""
    first, second, _ = of_one_sandbox()
    off = dataclasses.replace(second, outbound="off", interactions=())
    other = first.id[:-1] + ("y" if first.id.endswith("z") else "z")
    made = dataclasses.replace(second, id=other, outbound="handler")
    handler = dataclasses.replace(made, interactions=MADE)
    capture_sandbox(path, first, off, handler)
    assert [first, off, handler] == got(path, first, off, handler)


def test_an_answer_that_a_file_adds_to_the_calls_of_a_sandbox_is_taken(path):
    """What is not there is what is missing; what is there stays."""
    whole = with_calls()
    sandbox_id = whole.invocation.sandbox.id
    begun = (dataclasses.replace(AT_IMPORT[0], answer=None, duration_us=None),)
    first = with_calls(at_import=begun, sandbox_id=sandbox_id)
    write(path, first.parts())
    with opened(path) as store:
        store.add(whole)
        assert store.get(whole.id) == whole
        assert store.get(first.id).interactions == whole.interactions


def test_an_answer_without_its_call_says_nothing_and_is_kept(path):
    """The sent part was lost, or comes later."""
    one = with_calls(at_import=())
    first_sent = next(part for part in one.parts() if part.kind == SENT)
    write(path, [part for part in one.parts() if part != first_sent])
    with opened(path) as store:
        assert store.get(one.id).interactions == MADE[1:]
        assert first_sent not in store.get(one.id).parts()
        assert len(store.get(one.id).parts()) == len(one.parts()) - 1
    assert rows(path, "sequence, sent_n, name")[0] == (1, None, None)
    write(path, [first_sent])
    assert [one] == got(path, one)


def flip_call(path: Path, id: str, kind: str, *, at_import: bool) -> None:
    """Change the first payload of a kind behind its head, and leave its checksum."""
    wanted = b'"at_import":true' if at_import else b'"at_import":false'
    rows = query(path, "SELECT n, payload FROM part WHERE id = ? AND kind = ?", id, kind)
    n, payload = next((n, unpacked(kept)) for n, kept in rows if wanted in unpacked(kept))
    query(path, "UPDATE part SET payload = ? WHERE n = ?", payload + b" ", n)


@pytest.mark.slow
@pytest.mark.parametrize("taken_in", [False, True])
@pytest.mark.parametrize("kind", [SENT, ANSWERED])
def test_a_damaged_part_of_a_call_costs_its_own_recording(path, kind, taken_in):
    """Never the others, and never a call less."""
    first, bad, last = of_one_sandbox()
    bad = dataclasses.replace(bad, interactions=(*AT_IMPORT, *MADE))
    capture_sandbox(path, first, bad, last)
    if taken_in:
        got(path)
    flip_call(path, bad.id, kind, at_import=False)
    assert [first, last] == got(path, first, last)
    with opened(path) as store:
        with pytest.raises(DamagedError, match=f"{bad.id}: its {kind} part is damaged"):
            store.get(bad.id)
        (damaged,) = (one for one in store.find(Selection()) if isinstance(one, DamagedError))
        assert bad.id in damaged.message
        summaries = store.checked(store.summaries(Selection()))
        assert [one.id for one in summaries if one.damage] == [bad.id]
    later = with_calls(WAITING, id=bad.id).parts()[-1:]
    write(path, [later[0], *recording().parts()])
    with opened(path) as store, pytest.raises(DamagedError, match=bad.id):
        store.get(bad.id)


@pytest.mark.parametrize("taken_in", [False, True])
def test_a_damaged_call_of_a_sandbox_costs_the_recordings_that_watched_for_it(path, taken_in):
    """They would be replayed with a call less; unreadable is never treated as absent."""
    first, second, _ = of_one_sandbox()
    off, other = recording(), with_calls()
    write(path, [*first.parts(), *own_parts(second), *off.parts(), *other.parts()])
    if taken_in:
        got(path)
    flip_call(path, first.id, SENT, at_import=True)
    assert [off, other] == got(path, off, other)
    with opened(path) as store:
        for id in (first.id, second.id):
            with pytest.raises(DamagedError, match=f"{id}: its sent part is damaged"):
                store.get(id)


def test_a_recording_that_is_damaged_elsewhere_still_holds_the_calls_of_its_sandbox(path):
    """Its begun part says whose they are."""
    first, second, _ = of_one_sandbox()
    capture_sandbox(path, first, second)
    flip_call(path, first.id, SENT, at_import=False)
    assert [second] == got(path, second)


@pytest.mark.slow
@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"[]",
        b"",
        b'{"format":1,"sequence":1,"at_import":false}',
        b'{"format":1,"sequence":-1,"at_import":false,"x":1}',
        b'{"format":1,"sequence":99999999999999999999,"at_import":false,"x":1}',
        b'{"format":9,"sequence":1,"at_import":true,"call":{}}',
        b'{"format":1,"sequence":[],"at_import":{},"call":1}',
    ],
)
@pytest.mark.parametrize("kind", [SENT, ANSWERED])
def test_a_call_that_is_laid_out_otherwise_costs_its_recording_at_most(path, kind, payload):
    """Whatever its checksum says; the intake goes on."""
    odd, good = with_calls((), at_import=()), with_calls()
    write(path, [*odd.parts(), Part(odd.id, kind, payload), *good.parts()])
    assert [good] == got(path, good)
    with opened(path) as store:
        assert len(store.summaries(Selection())) == 2
        assert len(list(store.find(Selection()))) == 2
        store.derive_again(lambda _done, _total: None)
    assert [good] == got(path, good)


@pytest.mark.slow
@pytest.mark.parametrize("url", ["http://[", "http://\ud800/", "", "x" * 9, "http://a:b:c"])
def test_a_hostile_value_costs_its_own_column(path, url):
    """An address that is none, a lone surrogate, a number beyond a column's."""
    one = with_calls([Interaction(1, HttpCall("GET", url), 2**70)], at_import=())
    write(path, one.parts())
    assert [one] == got(path, one)
    assert rows(path, "kind, at_us") == [("http", None)]


def test_parts_are_ordered_as_a_recording_lays_them_out():
    """Whatever the order they were committed in; the first of a place counts."""
    one = with_calls()
    again = Part(one.id, ANSWERED, one.parts()[-2].payload + b" ")
    parts = [*one.parts()[::-1], again, one.parts()[3]]
    found = [Located(n, part, is_intact=True) for n, part in enumerate(parts, 1)]
    assert list(one.parts()) == [one.part for one in in_order(found)]


def test_a_removed_recording_takes_its_calls_with_it_and_leaves_those_of_its_sandbox(path):
    """To the next recording of the sandbox; with the last they are gone."""
    made = of_one_sandbox()
    capture_sandbox(path, *made)
    other = with_calls()
    write(path, other.parts())
    left = list(made)
    while left:
        assert [*left, other] == got(path, *left, other)
        with opened(path) as store:
            store.remove(left.pop(0).id)
    assert [other] == got(path, other)
    for name in ("part WHERE id", "interaction WHERE recording_id"):
        assert query(path, f"SELECT 1 FROM {name} <> ?", other.id) == []
    later = with_calls()
    write(path, later.parts())
    assert [other, later] == got(path, other, later)


def test_calls_of_a_sandbox_that_were_not_taken_in_yet_are_left_too(path):
    """The recorder goes on writing while a command has the store open."""
    first, second, _ = of_one_sandbox()
    begun, *rest = first.parts()
    write(path, [begun, *own_parts(second)])
    with opened(path) as store:
        write(path, rest)
        store.remove(first.id)
        assert store.get(second.id) == second


def test_damage_is_handed_on_as_damage(path):
    """A call that cannot be read is not gone."""
    first, second, _ = of_one_sandbox()
    capture_sandbox(path, first, second)
    flip_call(path, first.id, ANSWERED, at_import=True)
    with opened(path) as store:
        store.remove(first.id)
        with pytest.raises(DamagedError, match=second.id):
            store.get(second.id)


def test_what_a_recording_holds_already_is_not_handed_on(path):
    """Two stores may have been put together by other means."""
    made = of_one_sandbox()
    write(path, [part for one in made for part in one.parts()])
    assert list(made) == got(path, *made)
    with opened(path) as store:
        store.remove(made[0].id)
    assert list(made[1:]) == got(path, *made[1:])
    assert len(query(path, "SELECT 1 FROM part")) == sum(len(one.parts()) for one in made[1:])


def test_deriving_again_gives_the_same_rows(path):
    """Nothing in them but what the parts say."""
    made = of_one_sandbox()
    capture_sandbox(path, *made)
    got(path)
    before = rows(path), query(path, "SELECT * FROM recording ORDER BY id")
    with opened(path) as store:
        store.derive_again(lambda _done, _total: None)
    assert before == (rows(path), query(path, "SELECT * FROM recording ORDER BY id"))


@pytest.mark.slow
def test_a_page_reads_calls_of_many_sandboxes_in_turn(path):
    """More than are kept at hand."""
    groups = [of_one_sandbox() for _ in range(40)]
    for group in groups:
        capture_sandbox(path, *group)
    made = [one for place in zip(*groups, strict=True) for one in place]
    assert made == got(path, *made)


@pytest.mark.slow
def test_a_recording_of_many_calls_is_taken_in_over_several_batches(path):
    """Each of them reads again what there is by then."""
    many = [dataclasses.replace(MADE[0], sequence=n) for n in range(1, 1201)]
    one, other = with_calls(many), with_calls()
    parts = [*one.parts(), *other.parts()]
    write(path, parts)
    seen: list[int] = []
    with closing(Store.open(str(path), progress=lambda done, _total: seen.append(done))):
        pass
    assert [one, other] == got(path, one, other)
    assert seen == [64, 128, 256, 512, 1024, 2048, len(parts)]


def test_calls_are_found_by_an_index(path):
    """No reading walks the table."""
    write(path, with_calls().parts())
    got(path)
    for condition in ("sandbox_id = 'x'", "recording_id = 'x' AND at_import = 0"):
        plan = query(path, f"EXPLAIN QUERY PLAN SELECT * FROM interaction WHERE {condition}")
        assert "USING INDEX" in " ".join(map(str, plan))


def test_the_recorders_parts_are_those_that_are_expected_here():
    """Control: a begun part, four of the sandbox's, six of the handler's, an ended one."""
    kinds = [part.kind for part in with_calls().parts()]
    assert kinds == [BEGUN, *[SENT, ANSWERED] * 5, "ended"]
    assert [part.is_of_sandbox for part in with_calls().parts()].count(True) == 4
