"""What a process pays to capture once, net of `python -c pass`.

    python benchmarks/cold_start.py [--rounds N]

Whole processes, interleaved: one that imports `capture` and captures one invocation; one that
imports Powertools' Logger and logs one event; one that imports `sqlite3` and `orjson` and writes
one row. Bars: at most 0.85 times the Logger, at most 1.5 times `sqlite3` and `orjson`; none of
SQLAlchemy, Alembic, Typer, rich and pydantic loaded. Exits 1 when a bar is missed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.side_by_side import ENVIRONMENT, interleaved, machine

_EVENT = "{'version': '2.0', 'rawPath': '/orders', 'body': 'x' * 700}"
_PROGRAMS = {
    "pass": "pass",
    "capture": f"""
from replay import capture
@capture
def handler(event, context):
    return {{"statusCode": 200}}
handler({_EVENT}, None)
""",
    "logger": f"""
from aws_lambda_powertools import Logger
Logger(service="orders").info({_EVENT})
""",
    "sqlite3 + orjson": f"""
import sqlite3, orjson
connection = sqlite3.connect("raw.db", isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA synchronous = NORMAL")
connection.execute("CREATE TABLE IF NOT EXISTS raw (n INTEGER PRIMARY KEY, payload BLOB)")
connection.execute("INSERT INTO raw (payload) VALUES (?)", (orjson.dumps({_EVENT}),))
""",
}
_BARS = {"logger": 0.85, "sqlite3 + orjson": 1.5}
_UNWANTED = ("sqlalchemy", "alembic", "typer", "rich", "pydantic")


def runs(program: str, environment: dict[str, str]) -> Callable[[], object]:
    """Return a step that runs `program` in a fresh interpreter and a fresh folder."""

    def step() -> None:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [sys.executable, "-c", program],
                env=environment,
                cwd=folder,
                check=True,
                stdout=subprocess.DEVNULL,
            )

    return step


def unwanted_modules(environment: dict[str, str]) -> list[str]:
    """Return what a capturing process has loaded that it must not."""
    program = f"{_PROGRAMS['capture']}\nimport sys\nprint(*sys.modules)"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
    return [name for name in _UNWANTED if name in done.stdout.split()]


def main() -> int:
    """Print the ratios; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    search = os.pathsep.join(entry for entry in sys.path[1:] if entry)
    environment = {**ENVIRONMENT, "PATH": os.environ["PATH"], "PYTHONPATH": search}
    print(machine())
    steps = {name: runs(program, environment) for name, program in _PROGRAMS.items()}
    timings = {
        name: median(values) / 1000 for name, values in interleaved(steps, rounds, 2).items()
    }
    net = {name: value - timings["pass"] for name, value in timings.items()}
    held = True
    for name, bar in _BARS.items():
        ratio = net["capture"] / net[name]
        held &= ratio <= bar
        word = "ok" if ratio <= bar else "MISSED"
        pair = f"capture {net['capture']:5.1f} ms / {name} {net[name]:5.1f} ms"
        print(f"{pair} = {ratio:.2f}   bar {bar}  {word}")
    loaded = unwanted_modules(environment)
    print(f"loaded of {', '.join(_UNWANTED)}: {', '.join(loaded) or 'none'}")
    return 0 if held and not loaded else 1


if __name__ == "__main__":
    sys.exit(main())
