"""The file of a report: written in sections, each as it comes, and put in place when all is there.

Invariant: a file that is there is either the one from before or the whole new one, and one that is
no such report of ours is never replaced.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from types import TracebackType
from typing import TextIO

from replay.errors import ReplayError


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of report: what it is called, and the option that names its file.

    `first_line` is what every one begins with, and by which it is known as ours; `sections` are in
    the order in which they stand in the file.
    """

    name: str
    option: str
    first_line: str
    sections: tuple[str, ...]


class ReportFile:
    """Sections beside `path`, in files without a name; no more than a line of them in memory."""

    def __init__(self, path: Path, form: Form) -> None:
        """Raise ReplayError where the report could not be put in place."""
        self._path = path
        self._form = form
        self._hint = f"name another file with {form.option}"
        if str(path) == "-":
            raise ReplayError(f"{form.option} writes no {form.name} to stdout", self._hint)
        self._opened = ExitStack()
        with self._named():
            self._refuse_others()
            self._place = path.resolve()
            self._file = self._opened.enter_context(_written_beside(self._place))
            self._sections = {name: self._section() for name in form.sections}

    def write(self, section: str, text: str) -> None:
        """Add to a section; raises ReplayError."""
        with self._named():
            self._sections[section].write(text)

    def __enter__(self) -> "ReportFile":
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
        self._refuse_others()  # one may have come to be there meanwhile
        Path(self._file.name).replace(self._place)

    def _refuse_others(self) -> None:
        if not self._path.exists():
            return
        if not self._path.is_file():
            raise ReplayError(f"{self._path} is no file", self._hint)
        first_line = self._form.first_line.encode()
        with self._path.open("rb") as file:
            if file.readline(len(first_line) + 1).rstrip() != first_line:
                raise ReplayError(
                    f"{self._path} is there already, and is no {self._form.name} of replay's",
                    f"{self._hint}, or move it away",
                )

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._opened.close()
            reason = error.strerror or error
            raise ReplayError(f"{self._path} cannot be written: {reason}", self._hint) from error


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
