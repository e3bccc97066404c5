"""What one replay takes as a whole process, from the shell and back.

    python benchmarks/cli.py [--rounds N]

Whole processes, interleaved, with a handler that does nothing: `replay run ID`; a local runner's
single invocation of the same handler (`lambdarunner` on Python 3.12 and later, below it
`python-lambda-local`, each where it is installed); a Typer program that imports SQLAlchemy and
prints a word. Bars: at most 2.5 times the runner, at most 1.3 times the program. Exits 1 when a bar
is missed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.side_by_side import interleaved, machine
from replay.outcome import Returned
from replay.replayer.local import LocalFunction
from replay.store.store import Store

_BARS = {"runner": 2.5, "program": 1.3}
_PROGRAM = """
import sqlalchemy, typer
app = typer.Typer()
@app.command()
def main() -> None:
    print("match")
app()
"""


def commands(folder: Path) -> dict[str, list[str]]:
    """Return what is timed; without the runner where it is not installed."""
    scripts = Path(sys.executable).parent
    found = {
        "replay": [str(scripts / "replay"), "run", "@latest"],
        "program": [sys.executable, "program.py"],
    }
    if (scripts / "lambdarunner").exists():
        found["runner"] = [str(scripts / "lambdarunner"), "invoke", "app.handler", "event.json"]
    elif (scripts / "python-lambda-local").exists():
        script = str(scripts / "python-lambda-local")
        found["runner"] = [script, "-f", "handler", "-t", "3", "app.py", "event.json"]
    return found


def lay_out(folder: Path) -> None:
    """Make the handler, its event, a store with one recording, and the program."""
    (folder / "app.py").write_text("def handler(event, context):\n    return None\n")
    (folder / "event.json").write_text(json.dumps({}))
    (folder / "program.py").write_text(_PROGRAM)
    recording = LocalFunction("app.handler", (folder,), name="app").case({}).recording
    store = Store.open(str(folder / "replay.db"), create=True)
    store.add(replace(recording, outcome=Returned(b"null"), duration_us=10))
    store.close()


def runs(command: list[str], folder: Path) -> Callable[[], object]:
    """Return a step that runs `command` in `folder`."""
    environment = {name: v for name, v in os.environ.items() if not name.startswith("REPLAY_")}

    def step() -> None:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stderr.decode()}")

    return step


def main() -> int:
    """Print the ratios; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder)
        steps = {which: runs(command, folder) for which, command in commands(folder).items()}
        timings = interleaved(steps, rounds, warm_up=2)
    medians = {which: median(values) / 1000 for which, values in timings.items()}
    held = True
    for which, bar in _BARS.items():
        if which not in medians:
            print(f"{which}: not installed here")
            continue
        ratio = medians["replay"] / medians[which]
        held &= ratio <= bar
        print(
            f"replay run ID {medians['replay']:4.0f} ms / {which} {medians[which]:4.0f} ms"
            f" = {ratio:.2f}   bar {bar}  {'ok' if ratio <= bar else 'MISSED'}"
        )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
