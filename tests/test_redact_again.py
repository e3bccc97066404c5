"""Stored recordings redacted again: by newer rules, to the byte where nothing is found."""

import orjson
import pytest

from replay import capture
from replay.recording import Recording
from replay.redaction.again import redacted_again
from replay.redaction.pseudonym import Pseudonyms
from replay.redaction.redactor import Rules
from replay.redaction.rule import own_rules
from replay.store.selection import Selection


def rules(*own):
    return Rules(Pseudonyms(lambda: b"k" * 32), own=own_rules(own) if own else None)


@pytest.fixture
def captured(stored, project, monkeypatch):
    """What a handler leaves when it is captured under a setting of REPLAY_REDACT."""

    def captured(event, mode):
        monkeypatch.setenv("REPLAY_REDACT", mode)
        monkeypatch.setenv("REPLAY_STORE", str(project / "replay.db"))

        @capture
        def handler(event, context):
            return {"echo": event, "text": f"for {event.get('token')}"}

        handler(event, None)
        return next(stored().find(Selection()))

    return captured


def test_what_was_stored_raw_is_redacted_in_every_part(captured):
    """The recording has a new generation, and the same pseudonyms throughout."""
    recording = captured({"token": "tok-abc-123", "id": 7}, "off")
    assert recording.redaction is None
    again = redacted_again(recording.parts(), rules())
    assert not any(b"tok-abc-123" in part.payload for part in again)
    read = Recording.from_parts(recording.id, again)
    assert (read.redaction.mode, read.redaction.generation) == ("balanced", 1)
    token = read.invocation.event["token"]
    assert orjson.loads(read.outcome.payload) == {
        "echo": {"token": token, "id": 7},
        "text": f"for {token}",
    }


def test_redacting_again_by_the_same_rules_finds_nothing(captured):
    """What stands there are pseudonyms, and they are known to be."""
    recording = captured({"token": "tok-abc-123", "pin": 4821}, "balanced")
    assert redacted_again(recording.parts(), rules()) is None


def test_newer_rules_add_to_what_is_redacted_already(captured):
    """Old pseudonyms stay as they are, parts without a find stay to the byte."""
    recording = captured({"token": "tok-abc-123", "customer": "Bob Smith"}, "balanced")
    before = recording.invocation.event["token"]
    again = redacted_again(recording.parts(), rules("customer*"))
    read = Recording.from_parts(recording.id, again)
    assert read.invocation.event["token"] == before
    assert read.invocation.event["customer"] != "Bob Smith"
    assert not any(b"Bob Smith" in part.payload for part in again)
    assert read.redaction.generation == 1
    assert redacted_again(again, rules("customer*")) is None
