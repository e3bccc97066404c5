"""The cases of a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import orjson

from replay.document import read_given
from replay.errors import DamagedError, ReplayError
from replay.testing.case_file import CaseFile, is_case, read_case


def cases(folder: str | os.PathLike[str]) -> Iterator[CaseFile]:
    """Yield the cases in a folder and below it, in the order of their paths.

    Other JSON files are passed over. Raises ReplayError for a folder that is not there,
    DamagedError for a case that cannot be read.
    """
    for found in found_in(Path(folder)):
        if isinstance(found, DamagedError):
            raise found
        yield found


def found_in(folder: Path) -> Iterator[CaseFile | DamagedError]:
    """Yield what `cases` yields, each case that cannot be read as its error."""
    if not folder.is_dir():
        raise ReplayError(f"{folder} is no folder", "replay generate writes cases to fixtures/")
    for path in sorted(it for it in folder.rglob("*.json") if it.is_file()):
        try:
            content = read_given(path)
            if _may_be_case(content):
                yield read_case(content, path)
        except DamagedError as error:
            yield error
        except OSError as error:
            yield DamagedError(f"{path} cannot be read: {error.strerror or error}")


def _may_be_case(content: bytes) -> bool:
    try:
        return is_case(orjson.loads(content))
    except ValueError:
        return False
