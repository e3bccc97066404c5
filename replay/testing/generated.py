"""What `replay generate` is about to write, as lines of text. Pure."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from replay.report.jsonable import jsonable
from replay.report.pieces import escaped
from replay.testing.case_file import CaseFile
from replay.testing.changes import Change
from replay.testing.suite import Suite


def plan_lines(
    suite: Suite, planned: Sequence[Change], *, there: int, folder: Path
) -> Iterator[str]:
    """Yield what there is to be, and what becomes of each file; paths are told from `folder`.

    `there` is how many recordings are cases already.
    """
    if there:
        yield f"{there} recordings are cases already: they are left as they are"
    functions = {file.recording.invocation.function_name for file in suite.files}
    yield (
        f"{_count(len(suite.files), 'case')} of {_count(len(functions), 'function')}:"
        f" {suite.here} run in the test's process,"
        f" {len(suite.files) - suite.here} in one of their own"
    )
    for it in suite.aside:
        name = f"{it.recording.id[-8:]}  {it.recording.invocation.function_name}"
        yield f"set aside  {escaped(name)}  {escaped(it.why)}"
    if any(it.is_drift for it in suite.aside):
        yield "  --expect recorded or --expect replayed says which is right"
    for change in planned:
        yield from _change_lines(change, folder)
    if not any(change.writes for change in planned):
        yield "nothing to write"


def plan_document(
    suite: Suite, planned: Sequence[Change], *, there: int, folder: Path
) -> dict[str, object]:
    """Return what `replay generate --json` prints."""
    return {
        "cases": [_case_document(file, folder) for file in suite.files],
        "set_aside": [
            {
                "id": it.recording.id,
                "function_name": it.recording.invocation.function_name,
                "why": it.why,
            }
            for it in suite.aside
        ],
        "already_cases": there,
        "files": [
            {"path": path_text(change.path, folder), "change": change.kind} for change in planned
        ],
    }


def _case_document(file: CaseFile, folder: Path) -> dict[str, object]:
    return {
        "id": file.recording.id,
        "function_name": file.recording.invocation.function_name,
        "name": file.name,
        "path": path_text(file.path, folder),
        "runs": file.runs,
        "why": file.why,
        "for": file.purpose,
        "rules": [jsonable(rule.document()) for rule in file.rules],
    }


def path_text(path: Path, folder: Path) -> str:
    """Return a path as it is reached from a folder."""
    return escaped(str(path.relative_to(folder) if path.is_relative_to(folder) else path))


def _change_lines(change: Change, folder: Path) -> Iterator[str]:
    if change.kind != "same":
        yield f"{change.kind:13}{path_text(change.path, folder)}"
    if change.kind in ("kept", "overwritten"):
        yield from (f"    {escaped(line)}" for line in change.diff())


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
