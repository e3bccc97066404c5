"""Cases as files: what is written is read back, and what was edited by hand counts."""

import dataclasses
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from strategies import events
from test_recording import ID, OUTCOMES, invocation

from replay.errors import DamagedError
from replay.outcome import Returned
from replay.recording import Recording
from replay.replayer.rule import Rule
from replay.testing.case_file import CaseFile, files_of, folder_of, load_case, read_case

PATH = Path("/project/fixtures/orders/case.json")


def file_of(event: object = None, outcome: object = Returned(b'{"a": 1}'), **fields: object):
    duration_us = None if outcome is None else 12
    recording = Recording(ID, invocation(event), outcome, duration_us)
    return CaseFile(PATH, "case", "app.handler", recording, outcome, **fields)


def written(file: CaseFile, folder: Path) -> Path:
    """The case's file, in a folder that is there."""
    for path, content in files_of(dataclasses.replace(file, path=folder / "case.json")).items():
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content)
    return folder / "case.json"


@pytest.mark.parametrize("outcome", [None, *OUTCOMES], ids=lambda it: type(it).__name__)
def test_a_case_is_read_back_as_it_was_written(outcome):
    """For every kind of outcome; the recorded one comes back as the same bytes."""
    rules = (Rule("$.id", "uuid", "entropy"), Rule("$.t", "token", like="a-1"))
    file = file_of({"a": 1}, outcome, rules=rules, runs="isolated", why="ends", folders=("src",))
    content = files_of(file)
    again = read_case(content[PATH], PATH)
    assert file == again
    assert content == files_of(again)


@pytest.mark.slow
@given(events)
def test_any_event_can_be_in_a_case(event):
    """Also what JSON has no word for: it stands beside the file."""
    contents = files_of(file_of(event))
    if len(contents) == 1:
        assert file_of(event) == read_case(contents[PATH], PATH)
    else:
        assert {folder_of(PATH)} == {path.parent for path in contents if path != PATH}


def test_a_large_event_stands_beside_the_case(tmp_path):
    """A reader of a change sees what differs, and not a megabyte."""
    file = file_of({"text": "x" * 100_000})
    path = written(file, tmp_path)
    assert path.stat().st_size < 4_000
    assert [it.name for it in sorted(tmp_path.rglob("*.parts/*"))] == ["0-begun.json"]
    assert file.recording == load_case(path).recording


@pytest.mark.parametrize(
    ("edited", "expected"), [({"a": 2}, b'{"a":2}'), ({"a": 1.0}, b'{"a":1.0}')]
)
def test_what_a_person_writes_is_expected(tmp_path, edited, expected):
    """The recording keeps what was recorded, under its digest; 1 and 1.0 are not the same."""
    path = written(file_of(), tmp_path)
    document = orjson.loads(path.read_bytes())
    document["expected"]["value"] = edited
    path.write_bytes(orjson.dumps(document))
    file = load_case(path)
    assert Returned(expected) == file.expected
    assert file.recording.outcome == Returned(b'{"a": 1}')
    assert file.case(tmp_path).recording.outcome == file.expected


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"case": 2}, "case format 2"),
        ({"rulez": []}, "unknown key 'rulez'"),
        ({"rules": [{"path": "$", "kind": "any"}]}, "the whole payload"),
        ({"rules": [{"path": "$.a", "kind": "uid"}]}, "unknown kind 'uid'"),
        ({"expected": {"kind": "gone"}}, "unknown kind 'gone'"),
        ({"expected": 1}, "not laid out as a case"),
        ({"handler": None, "recording": {"parts": 3}}, "not laid out as a case"),
    ],
)
def test_what_is_no_case_is_told_by_its_file_and_why(tmp_path, change, told):
    """And never taken for one that is not there."""
    path = written(file_of(), tmp_path)
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), **change}))
    with pytest.raises(Exception, match=told):
        load_case(path)


def test_a_recording_that_was_changed_is_damaged(tmp_path):
    """Its digest does not hold any more."""
    path = written(file_of({"a": 1}), tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"remaining_ms": 3000', b'"remaining_ms": 2000'))
    with pytest.raises(DamagedError, match="digest does not hold"):
        load_case(path)


@pytest.mark.parametrize("folder", ["..", "../other", "/etc"])
def test_a_handler_is_looked_for_inside_of_the_project_alone(tmp_path, folder):
    """A case that somebody sends runs nobody else's code."""
    with pytest.raises(DamagedError, match="is not in"):
        file_of(folders=(folder,)).case(tmp_path)


def test_a_part_is_read_from_the_folder_of_its_case_alone(tmp_path):
    """A name with a folder in it leads elsewhere."""
    path = written(file_of({"text": "x" * 100_000}), tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"0-begun.json"', b'"../../etc/passwd"'))
    with pytest.raises(DamagedError, match="is not in its folder"):
        load_case(path)
