"""Many processes that capture into one store, against plain SQLite commits of as many.

    python benchmarks/processes.py [--seconds N] [--rounds N] [--processes N]

In turn: processes that insert the parts of an invocation with plain `sqlite3`, autocommit, WAL,
NORMAL and a busy timeout of 30 s; processes that call a captured handler, as fast as they can.
Bars: no part lost, no error; the worst wait at most 0.1 times the plain one; the slowest process
does at least 0.3 times as much as the fastest. Exits 1 when a bar is missed.
"""

import argparse
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.side_by_side import ENVIRONMENT, LambdaContext, Step, event_of, machine
from replay import capture
from replay.recorder.connection import CREATE_PART
from replay.store.spool import read, spools

_WAIT, _FAIRNESS = 0.1, 0.3


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Do as little as a handler can."""
    return {"statusCode": 200}


def plain(store: Path) -> Step:
    """Return a step that commits two inserts, one after the other."""
    connection = sqlite3.connect(store, timeout=30, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(CREATE_PART)
    payload = json.dumps([event_of(1024), ENVIRONMENT]).encode()

    def step() -> None:
        for kind in ("begun", "ended"):
            row = ("id", kind, 0, payload if kind == "begun" else b"{}")
            connection.execute("INSERT INTO part (id, kind, crc, payload) VALUES (?, ?, ?, ?)", row)

    return step


def captured(store: Path) -> Step:
    """Return a step that calls a captured handler."""
    wrapped, event, context = capture(store=str(store))(handler), event_of(1024), LambdaContext()
    return lambda: wrapped(event, context)


def work(make: Callable[[Path], Step], store: Path, start: float, seconds: float) -> list[float]:
    """Step until the time is up; return how often, the worst wait in seconds, and errors."""
    step = make(store)
    step()  # loads what is needed
    time.sleep(max(0.0, start - time.monotonic()))
    steps, errors = 1, 0
    worst = 0.0
    while time.monotonic() < start + seconds:
        began = time.perf_counter()
        try:
            step()
        except sqlite3.Error:
            errors += 1
        worst = max(worst, time.perf_counter() - began)
        steps += 1
    return [steps, worst, errors]


def group(
    make: Callable[[Path], Step], store: Path, count: int, seconds: float
) -> list[list[float]]:
    """Return what each of `count` processes did."""
    start = time.monotonic() + 0.5 + count / 20
    readers = []
    for _ in range(count):
        reader, writer = os.pipe()
        readers.append(reader)
        if os.fork() == 0:
            os.write(writer, json.dumps(work(make, store, start, seconds)).encode())
            os._exit(0)
        os.close(writer)
    results = [json.loads(os.read(reader, 4096)) for reader in readers]
    for reader in readers:
        os.close(reader)
        os.wait()
    return results


def parts_in(store: Path) -> tuple[int, int]:
    """Return how many parts are in a store and in its spool."""
    with closing(sqlite3.connect(store)) as connection:
        stored = connection.execute("SELECT count(*) FROM part").fetchone()[0]
    return stored, sum(len(list(read(file))) for file in spools(store))


def round_of(count: int, seconds: float) -> tuple[float, float, int]:
    """Print one round; return the ratio of waits, the fairness, and what was lost or failed."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder
        theirs = group(plain, Path(folder) / "plain.db", count, seconds)
        store = Path(folder) / "replay.db"
        ours = group(captured, store, count, seconds)
        stored, spooled = parts_in(store)
    steps = [int(one[0]) for one in ours]
    waits = [max(one[1] for one in group_) for group_ in (theirs, ours)]
    bad = 2 * sum(steps) - stored - spooled + int(sum(one[2] for one in ours))
    others = [int(one[0]) for one in theirs]
    print(
        f"plain {sum(others):7,} invocations, worst wait {waits[0] * 1000:6.0f} ms,"
        f" slowest/fastest {min(others) / max(others):.2f}\n"
        f"ours  {sum(steps):7,} invocations, worst wait {waits[1] * 1000:6.0f} ms,"
        f" slowest/fastest {min(steps) / max(steps):.2f}, {spooled:,} of {stored + spooled:,} parts"
        f" spooled, {bad} lost or failed",
        flush=True,
    )
    return waits[1] / waits[0], min(steps) / max(steps), bad


def main() -> int:
    """Run the rounds; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=16)
    options = parser.parse_args()
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    print(machine(), flush=True)
    rounds = [round_of(options.processes, options.seconds) for _ in range(options.rounds)]
    wait, fairness = (median(one[n] for one in rounds) for n in (0, 1))
    bad = sum(one[2] for one in rounds)
    print(f"worst wait / plain   {wait:5.2f}   bar {_WAIT}  {'ok' if wait <= _WAIT else 'MISSED'}")
    verdict = "ok" if fairness >= _FAIRNESS else "MISSED"
    print(f"slowest / fastest    {fairness:5.2f}   bar {_FAIRNESS}  {verdict}")
    print(f"lost or failed       {bad:5}   bar 0    {'ok' if bad == 0 else 'MISSED'}")
    return 0 if wait <= _WAIT and fairness >= _FAIRNESS and bad == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
