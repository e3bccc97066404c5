"""Recordings and their parts."""

import dataclasses

import orjson
import pytest
from hypothesis import given
from strategies import events

from replay import recording as module
from replay.errors import DamagedError
from replay.invocation import ContextSnapshot, Invocation, Sandbox
from replay.outcome import ErrorLink, Exited, Raised, Returned, TimedOut
from replay.part import BEGUN, ENDED
from replay.recording import Part, Recording, digest

ID = "01m81fw1gk0008m74ctcfv7j20"
OUTCOMES = [
    Returned(b'{"a": 1.10, "b": NaN}'),
    Returned(b"\xff\x00", "application/unknown"),
    Returned(None, digest="00ff", size_bytes=7_000_000),
    Raised("KeyError", "'\ud800'", ("  File ...",), "builtins", ("x", 1, b"y")),
    Raised("E", "m", chain=(ErrorLink("cause", "T", "m", "n", ("s",)),)),
    TimedOut(3000),
    Exited(-9),
]


def invocation(event: object = None) -> Invocation:
    context = ContextSnapshot(
        kind="lambda",
        type_name="awslambdaric.lambda_context.LambdaContext",
        attributes={"aws_request_id": "r-1", "log_stream_name": None, "client_context": None},
        extra={"own": [1]},
        w3c={"traceparent": "00"},
        deadline_epoch_ms=1_795_346_534_859,
    )
    sandbox = Sandbox("01m81fw1gm00064fg33z75n6wb", 2, "3.11.7", "4.2.2")
    return Invocation(
        "app.handler", event, context, {"A": "b"}, 1_795_346_531_859_893, 3000, "Root=1", sandbox
    )


@pytest.mark.parametrize("outcome", [None, *OUTCOMES], ids=lambda o: type(o).__name__)
def test_a_recording_equals_what_its_parts_read_back(outcome):
    """For every kind of outcome, and for none."""
    recording = Recording(ID, invocation({"a": 1}), outcome, 12, (3000, 2990), False)
    if outcome is None:
        recording = Recording(ID, invocation({"a": 1}))
    assert recording == Recording.from_parts(ID, recording.parts())


@given(events)
def test_parts_are_the_same_bytes_after_a_round(event):
    """Writing what was read gives the same bytes, so that copies keep their digest."""
    parts = Recording(ID, invocation(event), Returned(b"1"), 1).parts()
    again = Recording.from_parts(ID, parts).parts()
    assert parts == again
    assert digest(parts) == digest(again)


def test_a_checksum_covers_id_kind_and_payload():
    """A change in any of the three shows."""
    part = Part(ID, BEGUN, b"{}")
    changed = [
        dataclasses.replace(part, id=ID[:-1] + "1"),
        dataclasses.replace(part, kind=ENDED),
        dataclasses.replace(part, payload=b"{ }"),
    ]
    assert part.crc not in {other.crc for other in changed}


def test_a_newer_format_says_which_version_to_install():
    """The remedy names the version that wrote the recording."""
    begun = orjson.loads(Recording(ID, invocation()).parts()[0].payload)
    payload = orjson.dumps({**begun, "format": 2, "replay_version": "0.9.0"})
    with pytest.raises(DamagedError) as caught:
        Recording.from_parts(ID, [Part(ID, BEGUN, payload)])
    assert "format 2" in caught.value.message
    assert "'lambda-replay>=0.9.0'" in caught.value.hint


def test_an_older_format_goes_through_its_converters_in_turn(monkeypatch):
    """Each converter takes a payload one format up."""
    begun = orjson.loads(Recording(ID, invocation()).parts()[0].payload)
    old = {name: value for name, value in begun.items() if name not in ("handler", "awaited")}
    payload = orjson.dumps({**old, "format": -1, "name": "app.handler"})
    steps = {
        -1: lambda d: {**d, "format": 0, "handler": d.pop("name")},
        0: lambda d: {**d, "format": 1, "awaited": False},
    }
    monkeypatch.setattr(module, "CONVERTERS", steps)
    assert invocation() == Recording.from_parts(ID, [Part(ID, BEGUN, payload)]).invocation


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [Part(ID, ENDED, b"{}")],
        [Part(ID, BEGUN, b"{")],
        [Part(ID, BEGUN, b"[]")],
        [Part(ID, BEGUN, b'{"format":1}')],
        [Part(ID, BEGUN, b'{"format":1,"a":{"$replay:future":1}}')],
    ],
)
def test_what_cannot_be_read_is_damage_that_names_the_recording(parts):
    """Never a KeyError, never another recording's trouble."""
    with pytest.raises(DamagedError, match=ID):
        Recording.from_parts(ID, parts)
