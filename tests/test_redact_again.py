"""Stored recordings redacted again: by newer rules, to the byte where nothing is found."""

import json

import orjson
import pytest
from databases import content_of

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


def test_the_command_shows_first_and_redacts_with_yes(captured, project, replay):
    """Nothing is changed by looking; afterwards no file of the store holds the old bytes."""
    captured({"token": "tok-abc-123", "id": 7}, "off")
    captured({"id": 8}, "balanced")
    shown = replay("redact")
    assert "1 recordings hold what the rules find" in shown.stdout
    assert "nothing is changed yet" in shown.stderr
    assert holding(project, b"tok-abc-123")
    done = replay("redact", "--yes", "--json")
    assert len(json.loads(done.stdout)["recordings"]) == 1
    assert holding(project, b"tok-abc-123") == []
    assert json.loads(replay("redact", "--yes", "--json").stdout)["recordings"] == []
    assert replay("doctor").returncode == 0, replay("doctor").stdout


def test_rules_of_the_project_and_of_the_command_add_up(captured, project, replay):
    """`[tool.replay] redact` and `--rule`."""
    captured({"customer": "Bob Smith", "serial": "x-99-y", "id": 7}, "balanced")
    (project / "pyproject.toml").write_text('[tool.replay]\nredact = ["customer*"]\n')
    replay("redact", "--yes", "--rule", "$.serial")
    event = json.loads(replay("show", "@latest", "--json").stdout)["event"]
    assert event["id"] == 7
    assert event["customer"] != "Bob Smith"
    assert event["serial"] != "x-99-y"
    assert holding(project, b"Bob Smith") == holding(project, b"x-99-y") == []


def test_a_rule_of_the_command_that_cannot_be_understood_is_misuse(captured, replay):
    """It is named."""
    captured({"id": 7}, "balanced")
    result = replay("redact", "--rule", "$.a[")
    assert result.returncode == 2
    assert "'$.a['" in result.stderr


def holding(folder, secret):
    return [it.name for it in folder.iterdir() if it.is_file() and secret in content_of(it)]


def test_showing_a_recording_tells_how_it_was_redacted(captured, replay):
    """The mode, and of what there are pseudonyms."""
    captured({"token": "tok-abc-123"}, "balanced")
    told = json.loads(replay("show", "@latest", "--json").stdout)["redaction"]
    assert (told["mode"], told["generation"]) == ("balanced", 0)
    assert "token" in told["pseudonyms"].values()
    assert "balanced: token" in " ".join(replay("show", "@latest").stdout.split())
