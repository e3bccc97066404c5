"""What minimising costs, against the same cases under coverage.py with a context each.

    python benchmarks/minimize.py [--cases N] [--rounds N]

Recordings of an order service of some hundred lines. Ours is `replay minimize` as a whole process:
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
from replay.outcome import Outcome, Raised, Returned
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.local import LocalFunction
from replay.testing.measure import measure

_BAR = 0.2
_HANDLER = """
PRICES = {"tea": 350, "coffee": 420, "cake": 500}
RATES = {"DE": 19, "AT": 20, "CH": 8}


class ValidationError(Exception):
    pass


def handler(event, context):
    order = event["order"]
    check(order)
    lines = [line_total(line) for line in order["lines"]]
    total = sum(lines)
    discount = discount_of(order, total)
    shipping = shipping_of(order, total - discount)
    tax = tax_of(order, total - discount + shipping)
    status = "express" if order.get("express") else "normal"
    for note in notes(order, total):
        status += f", {note}"
    return {"total": total - discount + shipping + tax, "tax": tax, "status": status}


def check(order):
    if not order["lines"]:
        raise ValidationError("an order has lines")
    for line in order["lines"]:
        if line["sku"] not in PRICES:
            raise ValidationError(f"unknown {line['sku']}")
        if line["count"] < 1:
            raise ValidationError("a line has a count")


def line_total(line):
    price = PRICES[line["sku"]]
    if line["count"] >= 10:
        price = price * 9 // 10
    elif line["count"] >= 5:
        price = price * 95 // 100
    return price * line["count"]


def discount_of(order, total):
    code = order.get("code")
    if code is None:
        return 0
    try:
        percent = int(code.removeprefix("SAVE"))
    except ValueError:
        return 0
    if percent > 30:
        percent = 30
    return total * percent // 100


def shipping_of(order, total):
    if total > 5000:
        return 0
    if order.get("express"):
        return 900
    return 490 if order["country"] == "DE" else 790


def tax_of(order, total):
    rate = RATES.get(order["country"])
    if rate is None:
        return 0
    return total * rate // 100


def notes(order, total):
    if total > 20000:
        yield "large"
    if order["country"] not in RATES:
        yield "customs"
    n = 0
    while n < len(order["lines"]):
        if order["lines"][n].get("gift"):
            yield "gift"
            break
        n += 1
"""
_YARDSTICK = """
import json, sys, time
import coverage
events = [json.loads(line) for line in open("events.jsonl")]
began = time.perf_counter()
measuring = coverage.Coverage(branch=True, source=["."], data_file=sys.argv[1])
measuring.start()
import app
for number, event in enumerate(events):
    measuring.switch_context(f"case {number}")
    try:
        json.dumps(app.handler(event, None))
    except app.ValidationError:
        pass
measuring.stop()
measuring.save()
data = measuring.get_data()
(file,) = data.measured_files()
lines = [[] for _ in events]
for line, contexts in data.contexts_by_lineno(file).items():
    for context in contexts:
        if context and line > 0:
            lines[int(context.removeprefix("case "))].append(line)
spent = time.perf_counter() - began
json.dump([spent, lines], open("lines.json", "w"))
"""


def events(count: int) -> Iterator[dict[str, Any]]:
    """Yield orders, most of them alike."""
    random = Random(7)
    for number in range(count):
        order: dict[str, Any] = {
            "id": f"o-{number:06}",
            "country": random.choices(["DE", "AT", "CH", "US"], [70, 15, 10, 5])[0],
            "lines": [_line(random) for _ in range(random.choice([1, 1, 2, 3]))],
            "address": {"street": "Hauptstrasse 1", "city": "Berlin", "zip": "10115"},
        }
        if random.random() < 0.1:
            order["express"] = True
        if random.random() < 0.1:
            order["code"] = random.choice(["SAVE10", "SAVE50", "WELCOME"])
        if random.random() < 0.01:
            order["lines"] = []
        yield {"order": order, "padding": "x" * random.choice([100, 400, 600])}


def _line(random: Random) -> dict[str, Any]:
    sku = random.choices(["tea", "coffee", "cake", "gone"], [50, 30, 19, 1])[0]
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
            outcome=_outcome(app, event),
            duration_us=10,
        )
        for event in given
    ]


def _outcome(app: Any, event: dict[str, Any]) -> Outcome:
    try:
        return Returned(json.dumps(app.handler(event, None)).encode())
    except app.ValidationError as error:
        return Raised("ValidationError", str(error))


def yardstick(folder: Path, number: int) -> float:
    """Return the seconds that coverage.py takes; leaves what it found in a file."""
    program = [sys.executable, "-c", _YARDSTICK, f"{number}.coverage"]
    subprocess.run(program, cwd=folder, check=True)
    seconds: float = _found(folder)[0]
    return seconds


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
    measured = measure(lambda: cases, isolation=None, jobs=os.cpu_count() or 1).features_by_id()
    of_yardstick = [set(lines) for lines in _found(folder)[1]]
    return [
        number
        for number, (case, theirs) in enumerate(zip(recorded, of_yardstick, strict=True))
        if {it.line for it in measured[case.id] if it.kind == "line"} != theirs
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
        (folder / "app.py").write_text(_HANDLER)
        given = list(events(asked.cases))
        (folder / "events.jsonl").write_text("".join(json.dumps(it) + "\n" for it in given))
        recorded = recordings(folder, given)
        write_store(folder / "all.db", recorded)
        pairs = [(yardstick(folder, n), ours(folder)) for n in range(asked.rounds)]
        kept = json.loads((folder / "kept.json").read_text())
        differ = differing(folder, recorded)
        every = {line for lines in _found(folder)[1] for line in lines}
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
