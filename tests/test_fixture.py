"""The portable document: round trips, its schema, and everything that may be wrong with one."""

import copy
import io
import json
import time
from pathlib import Path

import jsonschema
import orjson
import pytest
from calls import with_calls
from hypothesis import given
from hypothesis import strategies as st
from strategies import events, interactions, results
from test_recording import ID, OUTCOMES, invocation

from replay import codec, fixture
from replay.document import LayoutError, load_strictly
from replay.errors import DamagedError, ReplayError
from replay.fixture import Fixture, fixture_line, read_fixture, read_fixtures, read_stream
from replay.outcome import Returned
from replay.part import BEGUN, ENDED
from replay.recording import Part, Recording
from replay.tag import checked_tag

SCHEMA = json.loads(fixture.SCHEMA.read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def fixture_of(event: object = None, outcome=Returned(b"1"), tags=()) -> Fixture:
    return Fixture(ID, Recording(ID, invocation(event), outcome, 7).parts(), tags)


def document_of(**changed: object) -> dict:
    return {**orjson.loads(fixture_line(fixture_of({"a": 1}, tags=("x",)))), **changed}


def without_digest(document: dict) -> dict:
    return {key: value for key, value in document.items() if key != "digest"}


@pytest.mark.parametrize("outcome", [None, *OUTCOMES], ids=lambda o: type(o).__name__)
def test_a_line_reads_back_as_the_fixture_that_it_was_written_from(outcome):
    """For every kind of outcome, byte for byte."""
    one = fixture_of({"n": 10**30}, outcome, ("slow", "v/1.2"))
    line = fixture_line(one)
    assert one == read_fixture(line, "x")
    assert line == fixture_line(read_fixture(line, "x"))
    assert one.recording == Recording.from_parts(ID, one.parts)
    assert list(orjson.loads(line)) == ["format", "id", "tags", "parts", "digest"]


@pytest.mark.slow
@given(events)
def test_any_event_travels_and_fits_the_schema(event):
    """What Lambda can pass in."""
    one = fixture_of(event)
    line = fixture_line(one)
    assert one == read_fixture(line, "x")
    VALIDATOR.validate(json.loads(line))


@pytest.mark.slow
@given(events | results)
def test_what_the_codec_writes_comes_out_of_json_as_it_goes_in(value):
    """The law that lets a payload be embedded as it is."""
    encoded = codec.encode({"value": value})
    assert encoded == orjson.dumps(orjson.loads(encoded))


@pytest.mark.parametrize(
    "payload", [b'{"format": 1}', b'{"a":1e400}', b"\xff\x00", b"", b"[]", b'{"a":1,"a":2}']
)
def test_a_payload_that_json_would_change_is_kept_byte_for_byte(payload):
    """Damaged, or written by somebody else: base64."""
    one = Fixture(ID, (Part(ID, BEGUN, payload),))
    line = fixture_line(one)
    assert b"payload_base64" in line
    assert one == read_fixture(line, "x")
    VALIDATOR.validate(json.loads(line))


@pytest.mark.parametrize("depth", [10, 100, 240])
def test_a_deeply_nested_event_travels(depth):
    """Deeper than orjson would write the whole document in one go."""
    event = []
    for _ in range(depth):
        event = [event]
    one = fixture_of(event)
    assert one == read_fixture(fixture_line(one), "x")


def test_a_pretty_printed_document_reads_the_same(tmp_path):
    """With the digest, which is over the content and not over the layout."""
    one = fixture_of({"name": "Zoë", "lone": "\ud800", "n": 0.1}, tags=("x",))
    file = tmp_path / "case.json"
    file.write_text(json.dumps(orjson.loads(fixture_line(one)), indent=2))
    assert [one] == list(read_fixtures(file))
    file.write_bytes(b"\xef\xbb\xbf" + fixture_line(one) + b"\r\n")
    assert [one] == list(read_fixtures(file))


def test_a_document_that_was_edited_is_refused_until_its_digest_is_taken_out():
    """Chance and intent look the same otherwise."""
    edited = document_of(tags=["other"])
    with pytest.raises(DamagedError, match=f"case.json: recording {ID}: its digest does not hold"):
        read_fixture(json.dumps(edited).encode(), "case.json")
    found = read_fixture(json.dumps(without_digest(edited)).encode(), "case.json")
    assert found.tags == ("other",)


@pytest.mark.slow
@given(interactions(at_import=True), interactions(), st.booleans())
def test_calls_travel_and_fit_the_schema(at_import, made, is_finished):
    """Those of the sandbox with each of its recordings."""
    outcome = Returned(b"1") if is_finished else None
    recorded = with_calls(made, at_import=at_import, outcome=outcome)
    one = Fixture(recorded.id, recorded.parts())
    line = fixture_line(one)
    assert one == read_fixture(line, "x")
    assert recorded == read_fixture(line, "x").recording
    VALIDATOR.validate(json.loads(line))


@pytest.mark.parametrize(
    "kinds",
    [
        ("begun", "ended", "sent"),
        ("begun", "ended", "ended"),
        ("sent", "begun", "ended"),
        ("begun", "sent", "begun"),
        ("begun", "sent", "ended", "answered", "ended"),
        ("begun", "sent", "other"),
        ("sent",),
        ("begun", "begun"),
    ],
)
def test_parts_that_are_no_recordings_are_refused(kinds):
    """Calls stand between begun and ended, each of which is there once at most."""
    document = document_of(parts=[{"kind": kind, "payload": {}} for kind in kinds])
    with pytest.raises(DamagedError, match="its parts are not begun"):
        read_fixture(json.dumps(document).encode(), "x")
    with pytest.raises(DamagedError, match="its parts are not begun"):
        fixture_line(Fixture(ID, tuple(Part(ID, kind, b"{}") for kind in kinds)))


def edit_event(text: str) -> bytes:
    """A document, its digest taken out, with other text where the event says 1."""
    return json.dumps(without_digest(document_of())).replace('{"a": 1}', text).encode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 123456789012345678901234567890}', "over 64 bits"),
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ('{"a": NaN}', "not JSON"),
        ('{"a": "\\ud800"}', "not JSON"),
        ('{"a": ' + "[" * 300 + "]" * 300 + "}", "cannot be kept"),
        ('{"a": ' + "[" * 9000 + "]" * 9000 + "}", "not JSON"),
    ],
)
def test_what_reading_would_change_in_silence_is_refused(text, words):
    """A rounded integer would be another event."""
    with pytest.raises(DamagedError, match=words):
        read_fixture(edit_event(text), "x")


def test_an_edited_event_is_read_as_edited():
    """Positive control: the edit above is one that works."""
    found = read_fixture(edit_event('{"a": 2}'), "x")
    assert found.recording.invocation.event == {"a": 2}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"format": 2}, "format 2; this version reads formats up to 1"),
        ({"format": "1"}, "not a recording"),
        ({"format": True}, "not a recording"),
        ({"more": 1}, "unknown key 'more'"),
        ({"id": 5}, "no text"),
        ({"id": "../../etc"}, "no ULID"),
        ({"id": ID.upper()}, "no ULID"),
        ({"tags": "x"}, "no list of tags"),
        ({"tags": ["a b"]}, "no list of tags"),
        ({"tags": ["a", "a"]}, "stands twice"),
        ({"parts": []}, "not begun"),
        ({"parts": {}}, "no list"),
        ({"parts": [1]}, "no object with a kind"),
        ({"parts": [{"kind": "begun"}]}, "not kind and payload"),
        ({"parts": [{"kind": "begun", "payload": 1}]}, "not kind and payload"),
        ({"parts": [{"kind": "begun", "payload": {}, "crc": 1}]}, "not kind and payload"),
        ({"parts": [{"kind": "ended", "payload": {}}]}, "not begun"),
        ({"parts": [{"kind": "begun", "payload_base64": "!"}]}, "not base64"),
        ({"parts": [{"kind": "other", "payload": {}}]}, "not begun"),
        ({"digest": "00"}, "32 hexadecimal digits"),
        ({"digest": None}, "32 hexadecimal digits"),
    ],
)
def test_what_is_wrong_with_a_document_is_said_with_its_place(changed, words):
    """File, line, and the id where it can be made out."""
    with pytest.raises(DamagedError, match=words) as caught:
        read_fixture(json.dumps(document_of(**changed)).encode(), "orders.jsonl line 3")
    assert "orders.jsonl line 3" in caught.value.message
    assert ("id" in changed) or ID in caught.value.message
    assert caught.value.hint
    if words.startswith("format 2"):
        assert "pip install -U lambda-replay" in caught.value.hint


junk = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3) | st.floats()
odd = junk | st.lists(junk, max_size=2) | st.dictionaries(st.text(max_size=5), junk, max_size=2)
places = st.sampled_from(
    [
        *[(key,) for key in ("format", "id", "tags", "parts", "digest", "more")],
        *[("parts", n, key) for n in (0, 1) for key in ("kind", "payload", "payload_base64")],
        *[("tags", 0), ("parts", 0), ("parts", 1), ("parts", 0, "more")],
    ]
)


@given(places, odd | st.just("delete") | st.just("ended"))
def test_what_the_schema_refuses_the_code_refuses(place, value):
    """One key changed, added or taken away; the schema is the documentation of the code."""
    document = copy.deepcopy(without_digest(document_of()))
    holder = document
    for key in place[:-1]:
        holder = holder[key]
    if value == "delete" and isinstance(holder, list):
        del holder[place[-1]]
    elif value == "delete":
        holder.pop(place[-1], None)
    else:
        holder[place[-1]] = value
    if VALIDATOR.is_valid(document):
        return
    with pytest.raises(DamagedError):
        read_fixture(json.dumps(document).encode(), "x")


def test_the_schema_is_one_and_accepts_what_the_code_accepts():
    """Positive control: an unchanged document passes both."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for document in (document_of(), without_digest(document_of())):
        VALIDATOR.validate(document)
        read_fixture(json.dumps(document).encode(), "x")
    assert not VALIDATOR.is_valid(document_of(more=1))


def test_one_bad_line_never_hides_the_others(tmp_path):
    """Cut, garbage, binary: each is named by its line, the others are read."""
    line = fixture_line(fixture_of())
    file = tmp_path / "orders.jsonl"
    file.write_bytes(b"\n".join([line, line[:500], b"\x00\xff", b"", b"[1]", line]))
    found = list(read_fixtures(file))
    assert [one for one in found if isinstance(one, Fixture)] == [fixture_of()] * 2
    said = [str(one) for one in found if isinstance(one, DamagedError)]
    assert [text.split("orders.jsonl ")[1].split(":")[0] for text in said] == [
        *("line 2", "line 3", "line 5")
    ]
    assert ID in said[0]


def test_a_line_that_is_too_long_is_refused_and_those_after_it_are_read(monkeypatch):
    """Memory stays bounded whatever a file holds."""
    line = fixture_line(fixture_of())
    monkeypatch.setattr(fixture, "MAX_LINE_BYTES", len(line) + 1)
    stream = io.BytesIO(b"\n".join([line, b"x" * 5 * len(line), line]))
    first, long, last = read_stream(stream, "x")
    assert first == last == fixture_of()
    assert "x line 2: over" in str(long)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"\x1f\x8b\x08", "gzip data"),
        (b"SQLite format 3\0", "an SQLite database"),
    ],
)
def test_a_file_that_is_no_export_is_refused_as_a_whole(tmp_path, content, words):
    """With the remedy."""
    file = tmp_path / "x.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ReplayError, match=words) as caught:
        list(read_fixtures(file))
    assert str(file) in caught.value.message
    assert caught.value.hint


def test_a_directory_is_refused(tmp_path):
    """It is no file."""
    with pytest.raises(ReplayError, match="directory"):
        list(read_fixtures(tmp_path))


def test_another_programs_json_is_said_to_be_no_recording(tmp_path):
    """Whichever way it is laid out."""
    for text in ('{"version": 1, "interactions": []}', '{\n "a": 1\n}', '{"a":\n 1}', '[{"a": 1}]'):
        file = tmp_path / "other.json"
        file.write_text(text)
        (found,) = read_fixtures(file)
        assert isinstance(found, DamagedError)


@pytest.mark.parametrize(
    "one",
    [
        Fixture("x", (Part("x", BEGUN, b"{}"),)),
        Fixture(ID, ()),
        Fixture(ID, (Part(ID, ENDED, b"{}"),)),
    ],
)
def test_what_is_no_recording_is_not_written(one):
    """Nobody could read it."""
    with pytest.raises(DamagedError):
        fixture_line(one)


@pytest.mark.parametrize("name", ["", "a b", "-x", "é", "a\n", "a'b", "x" * 65, "\x1b[0m", "a,b"])
def test_a_hostile_tag_is_refused(name):
    """A tag needs no escaping anywhere."""
    with pytest.raises(ReplayError) as caught:
        checked_tag(name)
    assert caught.value.hint


def test_the_committed_fixtures_of_format_1_are_read_and_written_the_same():
    """They were exported from the committed store of revision 0001."""
    files = sorted((Path(__file__).parents[1] / "fixtures/recordings/v1").glob("*.json"))
    assert len(files) >= 9
    for file in files:
        (one,) = read_fixtures(file)
        assert isinstance(one, Fixture)
        assert one.recording.id == one.id
        assert fixture_line(one) == orjson.dumps(orjson.loads(file.read_bytes()))


def test_many_keys_of_which_one_stands_twice_are_refused_in_no_time():
    """Counting each of them took minutes."""
    keys = ", ".join(f'"k{n}": 1' for n in [*range(100_000), 99_999])
    began = time.process_time()
    with pytest.raises(LayoutError, match="'k99999' stands twice"):
        load_strictly(f"{{{keys}}}".encode())
    assert time.process_time() - began < 2
