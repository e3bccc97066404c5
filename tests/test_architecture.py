"""The walls between the parts: who may load what."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

import replay

PACKAGE = Path(replay.__file__).parent
HEAVY = ("sqlalchemy", "alembic", "typer", "click", "rich", "pydantic")


def loaded_by(statement: str) -> set[str]:
    program = f"{statement}\nimport sys\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import replay",
        "from replay import capture",
        "import replay.recorder.handler",
        "import replay.recording, replay.settings",
        "import replay.replayer.verdict, replay.replayer.worker",
        "import replay.report.document",
        "import replay.fixture",
    ],
)
def test_neither_recorder_nor_replayer_loads_the_database_or_the_terminal(statement):
    """A function's cold start, and a suite without a database, depend on it."""
    assert loaded_by(statement) & set(HEAVY) == set()


@pytest.mark.slow
def test_the_command_does_load_them():
    """Positive control: the names above are those that would be seen."""
    assert loaded_by("import replay.cli, replay.store.store") >= {"sqlalchemy", "typer"}


def test_importing_the_decorator_opens_nothing_and_draws_nothing():
    """Neither SQLite nor randomness before the first invocation."""
    program = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda name, args: seen.append(name))\n"
        "import os; real = os.urandom\n"
        "os.urandom = lambda n: seen.append('urandom') or real(n)\n"
        "from replay import capture\n"
        "@capture\ndef handler(event, context): return 1\n"
        "print([name for name in seen if name in ('sqlite3.connect', 'urandom', 'os.mkdir')])\n"
        "handler({}, None)\n"
        "print('sqlite3.connect' in seen)\n"
    )
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=folder
        )
    assert done.stdout.split() == ["[]", "True"]


@functools.cache
def functions() -> list[tuple[str, int]]:
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node) or ""
                size = (node.end_lineno or 0) - node.lineno + 1 - len(text.splitlines())
                found.append((f"{path.name}:{node.name}", size))
    return found


@pytest.mark.slow
def test_functions_and_files_stay_small():
    """No function over 40 lines, nine in ten under 20, no file over 300."""
    sizes = functions()
    assert [name for name, size in sizes if size > 40] == []
    assert sum(size <= 20 for _, size in sizes) / len(sizes) > 0.9
    files = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name for name, lines in files.items() if lines > 300} == set()


def test_the_guard_is_short_and_the_only_broad_catch_around_our_steps():
    """One guard of at most 15 lines; every other broad catch gives its reason."""
    sizes = dict(functions())
    assert sizes["guard.py:guarded"] <= 15
    for path in (PACKAGE / "recorder").glob("*.py"):
        for line in path.read_text().splitlines():
            if line.strip().startswith("except Exception") and path.name != "guard.py":
                assert "# noqa: BLE001 - " in line, (path.name, line)
