"""What a guarded process has run, added to the coverage that is measured of the tests.

`coverage` sees its own process alone. Where it is at work, lines and branches of a replay that ran
elsewhere are handed to it; what it is not to measure is left out.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from replay.replayer.coverage import EXIT, Coverage, FileCoverage


def is_measuring() -> bool:
    """Whether coverage is being measured in this process."""
    return _running() is not None


def add(measured: Coverage | None, folders: Iterable[Path]) -> None:
    """Hand over what a replay ran, whose project's files are in these folders."""
    running, folders = _running(), tuple(folders)
    if running is None or measured is None:
        return
    data, has_branches = running.get_data(), running.get_option("run:branch")
    for file in (*measured.files, *measured.at_import):
        path = _found(file.path, folders)
        if path is None or not _is_wanted(path, running):
            continue
        if has_branches:
            data.add_arcs({str(path): list(_arcs(file))})
        else:
            data.add_lines({str(path): file.lines})


def _running() -> Any:
    module = sys.modules.get("coverage")
    return module.Coverage.current() if module is not None else None


def _found(path: str, folders: Iterable[Path]) -> Path | None:
    return next((folder / path for folder in folders if (folder / path).is_file()), None)


def _is_wanted(path: Path, running: Any) -> bool:
    """Whether a file lies in what is to be measured, where folders or packages were named."""
    sources = running.get_option("run:source") or ()
    return not sources or any(
        path.is_relative_to(Path(source).absolute()) or source.split(".")[0] in path.parts
        for source in sources
    )


def _arcs(file: FileCoverage) -> Iterable[tuple[int, int]]:
    """Yield the branches; a line that was run is one to itself, which no report counts."""
    yield from ((line, line) for line in file.lines)
    yield from ((line, to) for line, to in file.branches if to != EXIT)
