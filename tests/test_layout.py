"""Payloads that somebody has made up: read as data, refused by name, within bounded time."""

import copy
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from calls import with_calls, write
from databases import capture_parts, query
from test_store import recording

from replay.cli.show import _lines
from replay.codec import TAG, decode, encode
from replay.errors import DamagedError
from replay.fixture import Fixture, fixture_line
from replay.outcome import ErrorLink, Exited, Outcome, Raised, Returned, TimedOut
from replay.part import BEGUN
from replay.recorder.ulid import new_ulid
from replay.recording import Part, Recording
from replay.report.document import recording_document


def tagged(name: str, body: str) -> str:
    return f'{{"{TAG}{name}":{body}}}'


def halves(count: int) -> str:
    """Entries that each refer to the next one twice: 2 ** count values of a few bytes."""
    return ",".join(f"[{tagged('ref', str(n))},{tagged('ref', str(n))}]" for n in range(1, count))


CHAIN = ",".join(f"[{tagged('ref', str(n + 1))}]" for n in range(20_000))


def alike(count: int) -> str:
    """Pairs whose keys are different numbers, all of one hash."""
    keys = (tagged("int", f'"{hex(n * (2**61 - 1))}"') for n in range(1, count))
    return ",".join(f"[{key},1]" for key in keys)


MADE_UP = {
    "a reference to itself": tagged("deep", f"[{tagged('ref', '0')}]"),
    "a reference backwards": tagged("deep", f"[{tagged('ref', '1')},{tagged('ref', '0')}]"),
    "a reference to nothing": tagged("deep", f"[{tagged('ref', '7')}]"),
    "a reference before the first": tagged("deep", f"[{tagged('ref', '-1')}]"),
    "a reference that is a list": tagged("deep", f"[{tagged('ref', '[1]')}]"),
    "a reference outside": tagged("ref", "0"),
    "what unfolds without end": tagged("deep", f"[{halves(60)},1]"),
    "nesting without end": tagged("deep", f"[{CHAIN},1]"),
    "a subtree of nobody": tagged("deep", "[1,2]"),
    "no subtrees": tagged("deep", "[]"),
    "subtrees that are a number": tagged("deep", "3"),
    "an exponent beyond all": tagged("decimal", '"1E999999999999999999999"'),
    "a decimal that is none": tagged("decimal", '"x"'),
    "a decimal of pieces": tagged("decimal", "[0,[1],2]"),
    "an integer of 8 MB": tagged("int", f'"0x{"f" * 8_000_000}"'),
    "an integer that is none": tagged("int", '"x"'),
    "an integer that is a list": tagged("int", "[]"),
    "keys that cannot be hashed": tagged("dict", "[[[],1]]"),
    "keys of one hash": tagged("dict", f"[{alike(5_000)}]"),
    "pairs of three": tagged("dict", "[[1,2,3]]"),
    "pairs that are a number": tagged("dict", "3"),
    "base64 that is none": tagged("bytes", '"!!!"'),
    "base64 that was cut": tagged("bytes", '"abc"'),
    "bytes that are a number": tagged("bytes", "3"),
    "text that is a number": tagged("str", "3"),
    "an escape that is none": tagged("str", '"\\\\x"'),
    "a float that is none": tagged("float", '"x"'),
    "a mark without a type": tagged("opaque", "[1]"),
    "a cut without its size": tagged("truncated", '["a","b","c"]'),
    "a cut that is a number": tagged("truncated", "3"),
    "a tuple of text": tagged("tuple", '"abc"'),
    "a tag of the future": tagged("future", "1"),
    "JSON beyond the parser": "[" * 100_000 + "]" * 100_000,
    "half of it": '{"a":',
}


@pytest.mark.parametrize("what", MADE_UP)
def test_tags_that_the_codec_did_not_write_are_refused_at_once(what):
    """Always a ValueError; a small document costs little, whatever it unfolds to."""
    began = time.process_time()
    with pytest.raises(ValueError, match=r"."):
        decode(MADE_UP[what].encode())
    assert time.process_time() - began < 1


def test_the_same_tags_are_read_where_they_are_sound():
    """Positive control: what is refused above is refused for what is wrong with it."""
    seven = tagged("int", '"7"')
    sound = tagged("deep", f"[[{tagged('ref', '1')},{seven}],1]")
    assert decode(sound.encode()) == [1, 7]
    assert len(decode(tagged("dict", f"[{alike(60)}]").encode())) == 59


def with_event(id: str, event: str) -> list[Part]:
    """The parts of a recording whose event is a text of somebody's own."""
    begun, ended = recording(event="HERE").parts()
    return [
        Part(id, BEGUN, begun.payload.replace(b'"HERE"', event.encode())),
        Part(id, ended.kind, ended.payload),
    ]


UNFOLDING = MADE_UP["what unfolds without end"]


@pytest.mark.long
def test_a_store_of_made_up_payloads_names_each_and_hides_no_other(project, replay):
    """In every command that reads recordings: exit 2, never 3."""
    good = recording()
    capture_parts(project / "replay.db", good)
    ids = {what: new_ulid() for what in MADE_UP}
    write(
        project / "replay.db",
        [part for what, id in ids.items() for part in with_event(id, MADE_UP[what])],
    )
    (project / "app.py").write_text("def handler(event, context):\n    return 1\n")
    commands = (["list"], ["run", "--once"], ["export"], ["doctor"], ["generate", "--json"])
    for arguments in (*commands, ["minimize"]):
        done = replay(*arguments)
        assert done.returncode == 2, (arguments, done.stderr[-900:])
        told = done.stdout + done.stderr
        assert [what for what, id in ids.items() if id not in told] == [], arguments
    assert good.id in replay("list", "--json").stdout
    for id in ids.values():
        assert replay("show", id).returncode == 2
        assert replay("show", id, "--json").returncode == 2


@pytest.mark.slow
def test_an_export_of_made_up_payloads_is_refused_line_by_line(project, replay):
    """On import, and on a replay of the file; what is sound beside it is taken."""
    good = recording()
    lines = [fixture_line(Fixture(good.id, good.parts()))]
    ids = [new_ulid() for _ in MADE_UP]
    for id, event in zip(ids, MADE_UP.values(), strict=True):
        lines.append(fixture_line(Fixture(id, tuple(with_event(id, event)))))
    (project / "theirs.jsonl").write_bytes(b"\n".join(lines))
    (project / "app.py").write_text("def handler(event, context):\n    return 1\n")
    for arguments in (["import", "theirs.jsonl"], ["run", "theirs.jsonl", "--once"]):
        done = replay(*arguments)
        assert done.returncode == 2, done.stderr[-900:]
        assert [id for id in ids if id not in done.stderr] == []
    assert [(good.id,)] == query(project / "replay.db", "SELECT DISTINCT id FROM part")


VALUES = [None, 3, -1, 1.5, "x", [], {}, [1], {"a": 1}, True, 2**70, 10**400, "\x1b]52;c;\x07"]
OUTCOMES: list[Outcome] = [
    Returned(b'{"a":1}'),
    Raised("E", "m", ("s",), "m", ("x",), (ErrorLink("cause", "T", "m", "n", ("s",)),)),
    TimedOut(3),
    Exited(1),
]


def variants() -> Iterator[tuple[str, list[Part]]]:
    """Recordings of which one field, of whatever part, is another value; each with what it is."""
    for outcome in OUTCOMES:
        parts = with_calls(outcome=outcome).parts()
        for number, part in enumerate(parts):
            document = decode(part.payload)
            for path in _paths(document):
                for value in (
                    VALUES if path and (outcome is OUTCOMES[0] or number + 1 == len(parts)) else ()
                ):
                    changed = Part(part.id, part.kind, encode(_put(document, path, value)))
                    made = [*parts[:number], changed, *parts[number + 1 :]]
                    yield f"{part.kind} {path} {value!r}"[:200], made


def _paths(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _paths(item, (*path, key))


def _put(value, path, item):
    if not path:
        return item
    changed = copy.copy(value)
    changed[path[0]] = _put(value[path[0]], path[1:], item)
    return changed


def _is_read(what: str, parts: list[Part]) -> bool:
    """Whether the parts are a recording, which then can be shown; one that is none is named."""
    try:
        found = Recording.from_parts(parts[0].id, parts)
    except DamagedError as error:
        named = error.message
    else:
        assert recording_document(found), what
        assert list(_lines(found, ())), what
        return True
    assert parts[0].id in named, what
    return False


@pytest.mark.slow
def test_a_field_of_another_kind_costs_its_recording_alone():
    """Whatever stands in its place: the recording is named as damaged, or can be shown."""
    every = [(what, parts) for what, parts in variants()]
    chosen = random.Random(7).sample(every, 600)
    read = [_is_read(what, parts) for what, parts in chosen]
    assert {True, False} == set(read)


@pytest.mark.long
def test_every_field_of_another_kind_costs_its_recording_alone():
    """All of them."""
    assert {True, False} == {_is_read(what, parts) for what, parts in variants()}


@pytest.mark.long
def test_a_field_of_another_kind_reaches_no_command_as_a_bug(project: Path, replay):
    """Through the store: no exit 3 in a command that reads them all."""
    chosen = random.Random(11).sample(list(variants()), 60)
    parts = []
    for _, made in chosen:
        id = new_ulid()
        parts += [Part(id, part.kind, part.payload) for part in made]
    write(project / "replay.db", parts)
    (project / "app.py").write_text("def handler(event, context):\n    return {'a': 1}\n")
    for arguments in (["list"], ["list", "--json"], ["run", "--once"], ["export"], ["doctor"]):
        done = replay(*arguments)
        assert done.returncode in (1, 2), done.stderr[-900:]
