"""The file of a page: written in sections, each as it comes, and put in place when all is there.

Invariant: a file that is there is either the one from before or the whole new one, and one that is
no page of ours is never replaced.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from types import TracebackType
from typing import TextIO

from replay.errors import ReplayError

FIRST_LINE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="generator" content="lambda-replay">'
)
"""What every page begins with, and by which it is known as ours."""
SECTIONS = ("head", "error", "drift", "match", "tail")
"""In the order in which they stand in the file."""
_HINT = "name another file with --html"


class PageFile:
    """Sections beside `path`, in files without a name; no more than a line of them in memory."""

    def __init__(self, path: Path) -> None:
        """Raise ReplayError where the page could not be put in place."""
        if str(path) == "-":
            raise ReplayError("--html writes no page to stdout", "name a file with --html")
        self._path = path
        self._opened = ExitStack()
        with self._named():
            _refuse_others(path)
            self._place = path.resolve()
            self._file = self._opened.enter_context(_written_beside(self._place))
            self._sections = {name: self._section() for name in SECTIONS}

    def write(self, section: str, text: str) -> None:
        """Add to a section; raises ReplayError."""
        with self._named():
            self._sections[section].write(text)

    def __enter__(self) -> "PageFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._opened:  # takes the temporary file away
            if kind is None:
                with self._named():
                    self._put_in_place()

    def _section(self) -> TextIO:
        folder = self._place.parent
        file = TemporaryFile("w+", dir=folder, encoding="utf-8")  # noqa: SIM115 - on the stack
        return self._opened.enter_context(file)

    def _put_in_place(self) -> None:
        for section in self._sections.values():
            section.seek(0)
            shutil.copyfileobj(section, self._file)
        self._file.flush()
        os.fsync(self._file.fileno())
        _refuse_others(self._path)  # one may have come to be there meanwhile
        Path(self._file.name).replace(self._place)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._opened.close()
            reason = error.strerror or error
            raise ReplayError(f"{self._path} cannot be written: {reason}", _HINT) from error


@contextmanager
def _written_beside(place: Path) -> Iterator[TextIO]:
    """Yield a file beside `place`, which is taken away if it is still there at the end."""
    with NamedTemporaryFile(
        "w", dir=place.parent, prefix=f".{place.name}.", delete=False, encoding="utf-8"
    ) as file:
        try:
            yield file  # type: ignore[misc]
        finally:
            Path(file.name).unlink(missing_ok=True)


def _refuse_others(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_file():
        raise ReplayError(f"{path} is no file", _HINT)
    with path.open("rb") as file:
        if file.readline(len(FIRST_LINE) + 1).rstrip() != FIRST_LINE.encode():
            raise ReplayError(
                f"{path} is there already, and is no page of replay's", f"{_HINT}, or move it away"
            )
