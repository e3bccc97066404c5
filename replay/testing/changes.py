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

from replay.errors import ReplayError
from replay.testing.case_file import CaseFile, files_of
from replay.testing.session import write
from replay.testing.suite_module import module_path, module_text

ChangeKind: TypeAlias = Literal["new", "more", "same", "kept", "overwritten"]
"""new: is not there; more: gets tests besides those it has; same: is what it would become; kept:
differs from that, and is left alone; overwritten: is replaced, as asked for."""
_MAX_DIFF_LINES = 40
_MAX_CHARACTERS = 160


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
            yield line if len(line) <= _MAX_CHARACTERS else f"{line[:_MAX_CHARACTERS]} ..."


def changes(
    files: Sequence[CaseFile],
    tests: Path | None,
    *,
    there: Sequence[CaseFile] = (),
    overwrites: bool,
) -> Iterator[Change]:
    """Yield what becomes of each case's files, then of each test module that is in `tests`.

    Modules have tests of the cases as well that are `there` already.
    """
    for file in files:
        yield from _case(file, overwrites=overwrites)
    if tests is not None:
        yield from _modules((*files, *there), tests)


def apply(planned: Iterable[Change]) -> None:
    """Write what is to be written; raises ReplayError for what cannot be."""
    write({change.path: change.content for change in planned if change.writes})


def _case(file: CaseFile, *, overwrites: bool) -> Iterator[Change]:
    """Yield what becomes of a case's files: of all of them the same, for they belong together."""
    contents = files_of(file)
    before = {path: _content(path) for path in contents}
    is_theirs = before[file.path] not in (None, contents[file.path])
    for path, content in contents.items():
        if before[path] is None:
            kind: ChangeKind = "kept" if is_theirs and not overwrites else "new"
        elif before[path] == content:
            kind = "same"
        else:
            kind = "kept" if is_theirs and not overwrites else "overwritten"
        yield Change(path, kind, content, before[path])


def _modules(files: Iterable[CaseFile], tests: Path) -> Iterator[Change]:
    by_folder: defaultdict[Path, list[CaseFile]] = defaultdict(list)
    for file in files:
        by_folder[file.path.parent].append(file)
    for folder, cases in by_folder.items():
        path = module_path(tests, folder.name)
        before = _content(path)
        text = module_text(cases, path, None if before is None else before.decode()).encode()
        kind: ChangeKind = "new" if before is None else "same" if text == before else "more"
        yield Change(path, kind, text, before)


def _content(path: Path) -> bytes | None:
    """Return what is in a file, None where there is none; raises ReplayError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ReplayError(
            f"{path} cannot be read: {error.strerror or error}",
            "name other folders: --to, --fixtures",
        ) from error
