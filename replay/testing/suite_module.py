"""The test module of a function: a short function for each of its cases. Pure.

Captured text reaches the module as identifiers and as literals in ASCII alone.
"""

import ast
import os
from collections.abc import Iterable
from pathlib import Path

from replay.errors import ReplayError
from replay.testing.case_file import CaseFile

_HEAD = '''"""Replays of captured invocations of a function, written by `replay generate`."""

from pathlib import Path

from replay.testing import replay_case

CASES = Path(__file__).parent{way}
'''
_TEST = """

def test_{name}() -> None:
    replay_case(CASES / {file})
"""
_NEEDED = ("CASES", "replay_case")


def module_path(folder: Path, stem: str) -> Path:
    """Return where the tests of a function stand, whose cases are in a folder of this name."""
    return folder / f"test_replay_{stem}.py"


def module_text(files: Iterable[CaseFile], path: Path, existing: str | None) -> str:
    """Return a module with a test for each case: the existing one, with those added that it lacks.

    The cases are of one function and stand in one folder. Raises ReplayError for an existing module
    that no test can be added to.
    """
    files = tuple(files)
    text = _head(files[0].path.parent, path) if existing is None else existing
    names = _names(text, path)
    # A test that was renamed still names its case.
    new = [it for it in files if f"test_{it.name}" not in names and it.path.name not in text]
    new.sort(key=lambda file: file.name)
    missing = [name for name in _NEEDED if name not in names]
    if new and missing:
        raise ReplayError(
            f"{path} was edited: it has no {missing[0]}, which its tests need",
            "take the file away, or put the name back, and generate again",
        )
    return text + "".join(
        _TEST.format(name=file.name, file=_literal(file.path.name)) for file in new
    )


def _head(cases: Path, path: Path) -> str:
    steps = Path(os.path.relpath(cases, path.parent)).parts
    up = ".parent" * sum(step == ".." for step in steps)
    down = "".join(f" / {_literal(step)}" for step in steps if step not in ("..", "."))
    return _HEAD.format(way=up + down)


def _literal(text: str) -> str:
    quoted = ascii(text)
    return quoted if '"' in text else f'"{quoted[1:-1]}"'


def _names(text: str, path: Path) -> set[str]:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ReplayError(
            f"{path} is no Python ({error.msg}, line {error.lineno})", "mend it, or take it away"
        ) from error
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {it.id for it in node.targets if isinstance(it, ast.Name)}
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names |= {it.asname or it.name for it in node.names}
    return names
