"""A case as a file that a team commits: a recording, what is expected of a replay, what may vary.

One JSON document, indented, its keys in a fixed order, event and outcome readable. Parts that are
large or no JSON stand in a folder of the file's own name. Imports no database and no terminal.
Invariant: reading what `files_of` laid out gives the same case, and laying that out the same bytes.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import orjson

from replay.document import read_given
from replay.errors import DamagedError
from replay.fixture import Fixture, embedded_fixture, fixture_line
from replay.outcome import Outcome
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.outbound.rules import STANDARD, Rules
from replay.replayer.rule import Rule, rule_of
from replay.testing.expected import expected_document, expected_of, outcome_of

CASE_FORMAT = 1
SUFFIX, COLLECTED_SUFFIX = ".json", ".replay.json"
"""How a case's file ends: one that a test names, and one that pytest collects by itself."""
_KEYS = (
    *("case", "name", "for", "handler", "path", "runs", "why", "expected", "replayed", "rules"),
    "recording",
)
_LARGE_BYTES = 32 * 2**10
_INDENTED = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE

Runs: TypeAlias = Literal["here", "isolated"]
"""Where a case can be replayed: in the process of the test, or in a guarded one only."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case and its file.

    `folders` are where the handler's module is looked for, relative to the project; `expected` is
    the outcome that a replay is held to, None one that does not finish; `replayed` is what a replay
    came to when the case was written, where that was something else; `why` says what keeps it from
    running in the test's own process, `purpose` what it is kept for among others.
    """

    path: Path
    name: str
    handler: str
    recording: Recording
    expected: Outcome | None
    folders: tuple[str, ...] = ()
    runs: Runs = "here"
    why: str | None = None
    replayed: Outcome | None = None
    rules: tuple[Rule, ...] = ()
    tags: tuple[str, ...] = ()
    purpose: str | None = None

    def case(self, project: Path, *, calls: Rules = STANDARD) -> Case:
        """Return the case to replay, of a project that lies in that folder.

        Raises DamagedError for a handler's folder outside of it.
        """
        return Case(
            self._expected_recording(),
            self.handler,
            _folders(project, self.folders),
            looks="once",
            rules=calls,
            excuses=self.rules,
        )

    def _expected_recording(self) -> Recording:
        if self.expected == self.recording.outcome:
            return self.recording
        return replace(self.recording, outcome=self.expected)


@cache
def _folders(project: Path, folders: tuple[str, ...]) -> tuple[Path, ...]:
    """Return where a handler is looked for; raises DamagedError for what is not in the project."""
    found = [Path(os.path.normpath(project / folder)) for folder in (*folders, ".")]
    root = os.path.realpath(project)
    for folder in found:
        is_inside = folder.is_relative_to(project)
        if not (is_inside and Path(os.path.realpath(folder)).is_relative_to(root)):
            raise DamagedError(f"the handler's folder {folder} is not in the project {project}")
    return tuple(found)


def files_of(file: CaseFile) -> dict[Path, bytes]:
    """Return the bytes of the case's file, and of each that stands beside it."""
    fixture = Fixture(file.recording.id, file.recording.parts(), file.tags)
    recording = orjson.loads(fixture_line(fixture))
    beside = _moved_beside(file, recording)
    fields = {
        "case": CASE_FORMAT,
        "name": file.name,
        "for": file.purpose,
        "handler": file.handler,
        "path": list(file.folders),
        "runs": file.runs,
        "why": file.why,
        "expected": expected_document(file.expected),
        "replayed": expected_document(file.replayed) if file.replayed else None,
        "rules": [rule.document() for rule in file.rules],
        "recording": recording,
    }
    kept = {key: value for key, value in fields.items() if value not in (None, [])}
    return {**beside, file.path: _dumped(kept)}  # a case is there once all of it is


def load_case(path: str | os.PathLike[str]) -> CaseFile:
    """Return the case that a file holds; raises DamagedError, naming it, where it holds none."""
    path = Path(path)
    try:
        content = read_given(path)
    except OSError as error:
        raise DamagedError(
            f"{path} cannot be read: {error.strerror or error}", "replay generate writes such files"
        ) from error
    return read_case(content, path)


def read_case(content: bytes, path: Path) -> CaseFile:
    """Return the case that these bytes of a file are; raises DamagedError."""
    try:
        document = _loaded(content)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path}: not JSON ({error})") from error
    if not is_case(document):
        raise DamagedError(f"{path} is no case", "replay generate writes such files")
    try:
        return _file_of(document, path)
    except (KeyError, TypeError, AttributeError, ValueError, OSError) as error:
        raise DamagedError(f"{path}: not laid out as a case ({error!r})") from error


def _dumped(document: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(document, option=_INDENTED)
    except TypeError:  # lone surrogates in what an error says
        return f"{json.dumps(document, indent=2)}\n".encode()


def _loaded(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except ValueError:
        return json.loads(content)


def is_case(document: object) -> bool:
    """Whether a parsed document is a case, of whatever format."""
    return isinstance(document, dict) and "case" in document and "recording" in document


def _file_of(document: dict[str, Any], path: Path) -> CaseFile:
    if document["case"] != CASE_FORMAT:
        raise DamagedError(
            f"{path} has case format {document['case']}; this version reads {CASE_FORMAT}",
            "pip install -U lambda-replay",
        )
    unknown = sorted(document.keys() - set(_KEYS))
    if unknown:
        raise DamagedError(f"{path}: unknown key {unknown[0]!r}; keys: {', '.join(_KEYS)}")
    _check(document)
    _bring_back(document["recording"], path)
    fixture = embedded_fixture(document["recording"], str(path))
    recording = fixture.recording
    return CaseFile(
        path=path,
        name=document["name"],
        handler=document["handler"],
        recording=recording,
        expected=expected_of(document["expected"], recording.outcome),
        folders=tuple(document.get("path", ())),
        runs=document["runs"],
        why=document.get("why"),
        replayed=outcome_of(document["replayed"]) if "replayed" in document else None,
        rules=tuple(map(rule_of, document.get("rules", ()))),
        tags=fixture.tags,
        purpose=document.get("for"),
    )


def _check(document: Mapping[str, Any]) -> None:
    """Raise ValueError for a field of another kind than its own; a name becomes code."""
    name, runs = document["name"], document["runs"]
    if not (isinstance(name, str) and name.isascii() and name.isidentifier()):
        raise ValueError(f"its name {name!r} is no identifier")
    if runs not in get_args(Runs):
        raise ValueError(f"it runs {runs!r}, not {' or '.join(get_args(Runs))}")
    texts = [document["handler"], *document.get("path", ())]
    texts += [document[key] for key in ("why", "for") if key in document]
    if not all(isinstance(it, str) for it in texts):
        raise ValueError("its handler, path, why or for is no text")


def _moved_beside(file: CaseFile, recording: dict[str, Any]) -> dict[Path, bytes]:
    """Take large parts out of a document; return them by their paths."""
    beside = {}
    for number, part in enumerate(recording["parts"]):
        key = "payload" if "payload" in part else "payload_base64"
        is_text = key == "payload"
        payload = orjson.dumps(part[key]) if is_text else b64decode(part[key])
        if is_text and len(payload) <= _LARGE_BYTES:
            continue
        name = f"{number}-{part['kind']}{'.json' if is_text else '.bin'}"
        del part[key]
        part["file"] = name
        beside[folder_of(file.path) / name] = payload
    return beside


def _bring_back(recording: dict[str, Any], path: Path) -> None:
    for part in recording["parts"]:
        name = part.pop("file", None)
        if name is None:
            continue
        if Path(name).name != name:
            raise ValueError(f"the part's file {name!r} is not in its folder")
        payload = read_given(folder_of(path) / name)
        if name.endswith(".json"):
            part["payload"] = orjson.loads(payload)
        else:
            part["payload_base64"] = b64encode(payload).decode()


def folder_of(path: Path) -> Path:
    """Return the folder of what stands beside a case's file."""
    suffix = COLLECTED_SUFFIX if path.name.endswith(COLLECTED_SUFFIX) else SUFFIX
    return path.with_name(path.name.removesuffix(suffix) + ".parts")
