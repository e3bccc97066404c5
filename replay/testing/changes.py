"""What `replay generate` is to write: shown first, then applied. Changes are values.

A file that is there and would become another is left as it is, unless it is to be overwritten: what
a person has edited is theirs.
"""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from replay.testing.case_file import CaseFile, files_of
from replay.testing.session import write
from replay.testing.suite_module import module_path, module_text

ChangeKind: TypeAlias = Literal["new", "more", "same", "kept", "overwritten"]
"""new: is not there; more: gets tests besides those it has; same: is what it would become; kept:
differs from that, and is left alone; overwritten: is replaced, as asked for."""
_MAX_DIFF_LINES = 40


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one file; `content` is what it is to hold."""

    path: Path
    kind: ChangeKind
    content: bytes
    before: bytes | None = None

    @property
    def writes(self) -> bool:
        """Whether anything is written."""
        return self.kind in ("new", "more", "overwritten")

    def diff(self) -> Iterator[str]:
        """Yield the lines of what changes in a file that is there."""
        then, now = (
            (content or b"").decode(errors="replace").splitlines()
            for content in (self.before, self.content)
        )
        found = difflib.unified_diff(then, now, "as it is", "as it would be", lineterm="", n=1)
        for number, line in enumerate(found):
            if number == _MAX_DIFF_LINES:
                yield "..."
                return
            yield line


def changes(files: Sequence[CaseFile], tests: Path | None, *, overwrites: bool) -> Iterator[Change]:
    """Yield what becomes of each case's files, then of each test module that is in `tests`."""
    for file in files:
        for path, content in files_of(file).items():
            yield _change(path, content, overwrites=overwrites)
    if tests is not None:
        yield from _modules(files, tests)


def apply(planned: Iterable[Change]) -> None:
    """Write what is to be written."""
    write({change.path: change.content for change in planned if change.writes})


def _change(path: Path, content: bytes, *, overwrites: bool) -> Change:
    before = _content(path)
    if before is None:
        return Change(path, "new", content)
    if before == content:
        return Change(path, "same", content, before)
    return Change(path, "overwritten" if overwrites else "kept", content, before)


def _modules(files: Iterable[CaseFile], tests: Path) -> Iterator[Change]:
    by_function: defaultdict[str, list[CaseFile]] = defaultdict(list)
    for file in files:
        by_function[file.recording.invocation.function_name].append(file)
    for function_name, cases in by_function.items():
        path = module_path(tests, function_name)
        before = _content(path)
        text = module_text(cases, path, None if before is None else before.decode())
        if before is None:
            yield Change(path, "new", text.encode())
        else:
            kind: ChangeKind = "same" if text.encode() == before else "more"
            yield Change(path, kind, text.encode(), before)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
