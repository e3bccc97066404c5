"""What minimising costs, against the same cases under coverage.py with a context each.

    python benchmarks/minimize.py [--cases N] [--rounds N]

Recordings of an order service, `benchmarks/orders`. Ours is `replay minimize` as a whole process:
reading the store, replaying every case in its world, measuring, choosing. The yardstick is another
process: coverage.py with branches and a dynamic context a case, around a bare loop that has the
events in a list, and then the lines of each context, read back. Bar: at most a fifth of its time.
The lines of each case must be the same on both sides, and all of them must be kept. Exits 1 when
the bar is missed, 2 when lines differ.
"""

import argparse
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])  # else this file would shadow others

from benchmarks.replay import write_store
from benchmarks.side_by_side import machine
from replay.outcome import Returned
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.local import LocalFunction
from replay.testing.measure import judging_here, measure

_BAR = 0.2
_PROJECT = Path(__file__).with_name("orders")
_YARDSTICK = """
import json, sys
import coverage
events = [json.loads(line) for line in open("events.jsonl")]
measuring = coverage.Coverage(branch=True, source=["."], data_file=sys.argv[1])
measuring.start()
import app
for number, event in enumerate(events):
    measuring.switch_context(f"case {number}")
    json.dumps(app.handler(event, None))
measuring.stop()
measuring.save()
data = measuring.get_data()
lines = [{} for _ in events]
for file in data.measured_files():
    name = file.rpartition("/")[2]
    for line, contexts in data.contexts_by_lineno(file).items():
        for context in contexts:
            if context and line > 0:
                lines[int(context.removeprefix("case "))].setdefault(name, []).append(line)
json.dump(lines, open("lines.json", "w"))
"""


def events(count: int) -> Iterator[dict[str, Any]]:
    """Yield requests, most of them alike."""
    random = Random(7)
    for number in range(count):
        order = _order(random, f"o-{number:06}")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
            "X-Request-Id": f"{random.getrandbits(64):016x}",
        }
        if random.random() < 0.5:
            headers["Origin"] = "https://shop.example.com"
        yield {
            "httpMethod": "GET" if random.random() < 0.02 else "POST",
            "path": "/orders/quote" if random.random() < 0.1 else "/orders",
            "headers": headers,
            "body": json.dumps(order),
            "isBase64Encoded": False,
        }


def _order(random: Random, id: str) -> dict[str, Any]:
    country = random.choices(["DE", "AT", "CH", "US", "FR"], [70, 14, 10, 5, 1])[0]
    order: dict[str, Any] = {
        "id": id,
        "country": country,
        "address": {
            "street": random.choices(["Hauptstr. 1", "Packstation 5", "Am Markt"], [90, 8, 2])[0],
            "zip": _zip(random, country),
            "city": random.choice(["Berlin", "WIEN", "Bern"]),
        },
        "customer": _customer(random),
        "lines": [_line(random) for _ in range(random.choice([1, 1, 2, 3]))],
    }
    if random.random() < 0.1:
        order["express"] = True
    if random.random() < 0.1:
        order["code"] = random.choice(["SAVE10", "SAVE50", "SAVEME", "WELCOME"])
    return order


def _customer(random: Random) -> dict[str, Any]:
    customer = {
        "first_name": "Erika",
        "last_name": "Mustermann",
        "mail": random.choices(["e@mail.example", "e@example.com", "e"], [90, 9, 1])[0],
        "spent": random.choices([500, 30_000, 200_000], [80, 15, 5])[0],
    }
    if random.random() < 0.5:
        customer["phone"] = random.choice(["030 123-456", "+43 1 234", "0041 2345"])
    if random.random() < 0.1:
        customer["vat_id"] = "ATU12345678"
    return customer


def _zip(random: Random, country: str) -> str:
    if random.random() < 0.01:
        return random.choice(["18565", "1", "1011x", "10115-0001"])
    return "1010" if country in ("AT", "CH") else "10115"


def _line(random: Random) -> dict[str, Any]:
    articles = ["tea", "coffee", "cake", "machine", "gone"]
    sku = random.choices(articles, [50, 30, 15, 4, 1])[0]
    line: dict[str, Any] = {"sku": sku, "count": random.choices([1, 2, 5, 12], [60, 30, 7, 3])[0]}
    return {**line, "gift": True} if random.random() < 0.05 else line


def recordings(folder: Path, given: list[dict[str, Any]]) -> list[Recording]:
    """Return the recordings of a function that has had these events."""
    sys.path.insert(0, str(folder))
    app = importlib.import_module("app")
    base = LocalFunction("app.handler", (folder,), name="orders").case({}).recording
    return [
        replace(
            base,
            id=new_ulid(),
            invocation=replace(base.invocation, event=event),
            outcome=Returned(json.dumps(app.handler(event, None)).encode()),
            duration_us=10,
        )
        for event in given
    ]


def yardstick(folder: Path, number: int) -> float:
    """Return the seconds that coverage.py takes; leaves what it found in a file."""
    program = [sys.executable, "-c", _YARDSTICK, f"{number}.coverage"]
    began = time.perf_counter()
    subprocess.run(program, cwd=folder, check=True)
    return time.perf_counter() - began


def _found(folder: Path) -> Any:
    return json.loads((folder / "lines.json").read_text())


def ours(folder: Path) -> float:
    """Return the seconds of `replay minimize`, as a whole process."""
    command = [sys.executable, "-m", "replay", "minimize", "--store", "all.db", "--json"]
    began = time.perf_counter()
    with (folder / "kept.json").open("wb") as out:
        subprocess.run(command, cwd=folder, stdout=out, check=True)
    return time.perf_counter() - began


def differing(folder: Path, recorded: list[Recording]) -> list[int]:
    """Return the numbers of the cases whose lines are not those that coverage.py found."""
    cases = [Case(it, "app.handler", (folder,), looks="once", measures=True) for it in recorded]
    judge = judging_here(
        lambda ids: (it for it in cases if ids is None or it.recording.id in ids),
        jobs=os.cpu_count() or 1,
    )
    measured = measure(judge, isolation=None).features_by_id()
    of_yardstick = [
        {(name, line) for name, some in lines.items() for line in some} for lines in _found(folder)
    ]
    return [
        number
        for number, (case, theirs) in enumerate(zip(recorded, of_yardstick, strict=True))
        if {(it.name, it.line) for it in measured[case.id] if it.kind == "line"} != theirs
    ]


def main() -> int:
    """Measure both; return 1 when the bar is missed, 2 when their lines differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(_PROJECT, folder, dirs_exist_ok=True)
        given = list(events(asked.cases))
        (folder / "events.jsonl").write_text("".join(json.dumps(it) + "\n" for it in given))
        recorded = recordings(folder, given)
        write_store(folder / "all.db", recorded)
        pairs = [(yardstick(folder, n), ours(folder)) for n in range(asked.rounds)]
        kept = json.loads((folder / "kept.json").read_text())
        differ = differing(folder, recorded)
        found = _found(folder)
        every = {(name, line) for lines in found for name, some in lines.items() for line in some}
    theirs, mine = (median(seconds) for seconds in zip(*pairs, strict=True))
    held = mine / theirs <= _BAR
    print(
        f"{asked.cases:,} cases   coverage.py {theirs:6.2f} s   replay minimize {mine:6.2f} s"
        f"   ratio {mine / theirs:.3f}   bar {_BAR}  {'ok' if held else 'MISSED'}"
    )
    print(f"kept {len(kept['kept'])}, measured with --isolation {kept['isolation']}")
    are_equal = not differ and kept["covered"]["line"] == len(every)
    print(f"lines of each case: {'equal' if are_equal else f'DIFFERENT in {len(differ)} cases'}")
    if not are_equal:
        return 2
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
