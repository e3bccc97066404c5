"""The other forms in which `replay export` writes a recording: its event alone, or a case."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from replay.cli.command import say
from replay.cli.file import new_file, refuse_existing
from replay.cli.filters import nothing_matches
from replay.errors import DamagedError, ReplayError
from replay.fixture import Fixture
from replay.recording import Recording
from replay.report.jsonable import indent_of
from replay.report.pieces import escaped_json
from replay.testing.case_file import CaseFile, files_of
from replay.testing.name import case_name
from replay.testing.session import write

SamEventOption = Annotated[
    bool,
    typer.Option("--sam-event", help="Write the event alone, as `sam local invoke -e` takes it."),
]
FixtureOption = Annotated[
    bool, typer.Option("--fixture", help="Write a case, as replay generate does, without replay.")
]
Form: TypeAlias = Literal["--sam-event", "--fixture"]
_UNTRIED = "it was exported without a replay; replay generate finds out"


@dataclass(frozen=True, slots=True)
class Target:
    """Where it is written to: a file, or stdout; `force` replaces what is there."""

    path: Path | None
    force: bool


def form_of(*, sam_event: bool, fixture: bool) -> Form | None:
    """Return the form that was asked for; None: lines. Raises ReplayError where both were."""
    if sam_event and fixture:
        raise ReplayError("--sam-event and --fixture are two forms", "ask for one of them")
    return "--sam-event" if sam_event else "--fixture" if fixture else None


def write_form(found: Iterable[Fixture | DamagedError], form: Form, target: Target) -> None:
    """Write the one recording that was found; raises ReplayError for none, and for several."""
    fixture = _only(found, form)
    if form == "--sam-event":
        recording = fixture.recording
        _write_text(event_text(recording), target)
        secrets = recording.redaction.pseudonyms if recording.redaction else ()
        if secrets:
            say(f"{len(secrets)} secrets in the recording are pseudonyms, as it was redacted")
    else:
        _write_case(fixture, target)


def event_text(recording: Recording) -> str:
    """Return the event as JSON, indented; raises ReplayError where no JSON says what it was."""
    event = recording.invocation.event
    if not is_json(event):
        raise ReplayError(
            f"recording {recording.id}: its event was cut, or is not what JSON can say",
            f"replay show {recording.id} --json says what there is of it",
        )
    text = json.dumps(event, indent=indent_of(event), ensure_ascii=False)
    # A lone surrogate has no UTF-8; escaped it can be written.
    return text if is_encodable(text) else json.dumps(event, indent=indent_of(event))


def is_json(value: object) -> bool:
    """Whether a value is made of what JSON has, through and through."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += [*one, *one.values()] if all(type(key) is str for key in one) else [object()]
        elif isinstance(one, list):
            left += one
        elif not (one is None or type(one) in (bool, int, str) or is_number(one)):
            return False
    return True


def is_number(value: object) -> bool:
    """Whether it is a fraction that JSON can write."""
    return type(value) is float and isfinite(value)


def is_encodable(text: str) -> bool:
    """Whether a text has UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _only(found: Iterable[Fixture | DamagedError], form: Form) -> Fixture:
    several = iter(found)
    one, other = next(several, None), next(several, None)
    if one is None:
        raise nothing_matches()
    if other is not None:
        raise ReplayError(
            f"{form} writes one recording, and more than one is selected",
            f"name it: replay export @latest {form}",
        )
    if isinstance(one, DamagedError):
        raise one
    return one


def _write_text(text: str, target: Target) -> None:
    if target.path is None:
        sys.stdout.write(f"{escaped_json(text) if sys.stdout.isatty() else text}\n")
        return
    with new_file(target.path, force=target.force) as file:
        file.write(f"{text}\n".encode())


def _write_case(fixture: Fixture, target: Target) -> None:
    recording = fixture.recording
    case = CaseFile(
        path=target.path or Path("case.json"),
        name=case_name(recording, recording.outcome),
        handler=recording.invocation.handler,
        recording=recording,
        expected=recording.outcome,
        runs="isolated",
        why=_UNTRIED,
        tags=fixture.tags,
    )
    contents = files_of(case)
    if target.path is None:
        if len(contents) > 1:
            raise ReplayError("the case has large parts, in files of their own", "name it with -o")
        _write_text(contents[case.path].decode().rstrip("\n"), target)
        return
    for path in contents:
        refuse_existing(path, force=target.force)
    write(contents)
