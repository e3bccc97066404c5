"""The cases of a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import orjson

from replay.errors import ReplayError
from replay.testing.case_file import CaseFile, is_case, read_case


def cases(folder: str | os.PathLike[str]) -> Iterator[CaseFile]:
    """Yield the cases in a folder and below it, in the order of their paths.

    Other JSON files are passed over. Raises ReplayError for a folder that is not there,
    DamagedError for a case that cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ReplayError(f"{folder} is no folder", "replay generate writes cases to fixtures/")
    for path in sorted(folder.rglob("*.json")):
        content = path.read_bytes()
        if _may_be_case(content):
            yield read_case(content, path)


def _may_be_case(content: bytes) -> bool:
    try:
        return is_case(orjson.loads(content))
    except ValueError:
        return False
