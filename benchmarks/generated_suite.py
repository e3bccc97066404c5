"""What a generated suite costs: cases that pytest collects, each its own item.

    python benchmarks/generated_suite.py [--rounds N] [--cases N]

Yardsticks in the same run: a parametrised test that loads the same JSON files, calls the handler
and compares; and syrupy over the same events, where it is installed (`pip install syrupy`). Whole
pytest processes, in turn. Bars: at most 0.9 of the first, 0.5 of the second. Exits 1 when a bar is
missed.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median

sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.side_by_side import machine
from replay.outcome import Returned
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer.local import LocalFunction
from replay.testing.case_file import CaseFile, files_of

_BARS = {"parametrised": 0.9, "syrupy": 0.5}
_APP = """
import json

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event["detail"])}
"""
_HEAD = """
import json
from pathlib import Path
import pytest
from app import handler
FILES = sorted(Path("cases").glob("*.replay.json"))
def load(path):
    document = json.loads(path.read_bytes())
    return document["recording"]["parts"][0]["payload"]["event"], document["expected"]["value"]
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
"""
_PARAMETRISED = f"""{_HEAD}
def test_case(path):
    event, expected = load(path)
    assert handler(event, None) == expected
"""
_SYRUPY = f"""{_HEAD}
def test_case(path, snapshot):
    assert handler(load(path)[0], None) == snapshot
"""


def make(folder: Path, count: int) -> None:
    """Write a project with so many cases of 1 KB events, and the tests beside them."""
    import json

    (folder / "cases").mkdir()
    (folder / "app.py").write_text(_APP)
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (folder / "test_parametrised.py").write_text(_PARAMETRISED)
    (folder / "test_syrupy.py").write_text(_SYRUPY)
    function = LocalFunction("app.handler", (folder,), "app")
    for number in range(count):
        detail = {"number": number, "text": f"{number:08}" * 100}
        event = {"id": str(number), "detail": detail}
        result = {"statusCode": 200, "body": json.dumps(detail)}
        outcome = Returned(json.dumps(result).encode())
        invocation = function.case(event).recording.invocation
        kept = replace(invocation, environment={"AWS_REGION": "eu-west-1"})
        recording = Recording(new_ulid(), kept, outcome, 10)
        path = folder / "cases" / f"case_{number:05}.replay.json"
        file = CaseFile(path, f"case_{number:05}", "app.handler", recording, outcome)
        for place, content in files_of(file).items():
            place.write_bytes(content)


def run(folder: Path, *arguments: str) -> float:
    """Return the seconds that pytest takes over some tests, all of which pass."""
    quiet = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist")
    command = [sys.executable, "-m", "pytest", *quiet, *arguments]
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stdout[-3000:]}")
    return time.perf_counter() - began


def measure(folder: Path, rounds: int) -> Mapping[str, list[float]]:
    """Return what each way takes, round by round."""
    ways = {"ours": ("cases",), "parametrised": ("test_parametrised.py",)}
    if importlib.util.find_spec("syrupy"):
        run(folder, "test_syrupy.py", "--snapshot-update")
        ways["syrupy"] = ("test_syrupy.py",)
    for arguments in ways.values():
        run(folder, *arguments)  # what is compiled once is compiled now
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, arguments in ways.items():
            seconds[name].append(run(folder, *arguments))
    return seconds


def main() -> int:
    """Measure, print, and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=int, default=10_000)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), options.cases)
        seconds = measure(Path(folder), options.rounds)
    ours, is_missed = median(seconds["ours"]), False
    print(f"{options.cases:,} cases of 1 KB, each an item of its own: {ours:.2f} s")
    for name, bar in _BARS.items():
        if name not in seconds:
            print(f"{name}: not installed")
            continue
        other = median(seconds[name])
        is_missed |= ours / other > bar
        print(f"{name:14}{other:8.2f} s   ratio {ours / other:.2f} (bar {bar})")
    return int(is_missed)


if __name__ == "__main__":
    raise SystemExit(main())
