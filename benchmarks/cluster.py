"""How much faster two workers of a cluster replay than one, and what a cluster costs.

    python benchmarks/cluster.py [--cases N] [--rounds N] [--turns N]

A scheduler and workers of one thread, as processes of this machine, and `replay run --scheduler` as
a whole process; a function that computes for a while, each case in a fork of its own. In each round
`--jobs 1` and 2, which say what a second processor brings on this machine by itself, then one
worker and two; scheduler and command share the processors with them. Bar: two workers at least 1.7
times as fast as one, each in its best round. All verdicts must be the same bytes. Exits 1 when the
bar is missed, 2 when verdicts differ.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # else this file would shadow others

from benchmarks.replay import write_store
from benchmarks.side_by_side import machine
from replay.outcome import Returned
from replay.recorder.ulid import new_ulid
from replay.replayer.local import LocalFunction

_BAR = 1.7
_HANDLER = """
def handler(event, context):
    total = 0
    for n in range({turns}):
        total += n
    return {{"n": event["n"], "total": total}}
"""
_LIMIT_S = 60


def make(folder: Path, cases: int, turns: int) -> None:
    """Write a project and its store."""
    (folder / "app.py").write_text(_HANDLER.format(turns=turns))
    base = LocalFunction("app.handler", (folder,), name="orders").case({}).recording
    total = sum(range(turns))
    write_store(
        folder / "replay.db",
        (
            replace(
                base,
                id=new_ulid(),
                invocation=replace(base.invocation, event={"n": n}),
                outcome=Returned(json.dumps({"n": n, "total": total}).encode()),
                duration_us=10,
            )
            for n in range(cases)
        ),
    )


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[str]:
    """Yield the address of a scheduler with so many workers; ends them."""
    place = folder / "scheduler.json"
    place.unlink(missing_ok=True)
    started = [_dask(folder, "scheduler", "--port", "0", "--scheduler-file", str(place))]
    try:
        _wait_for(place)
        address = str(json.loads(place.read_text())["address"])
        how = ("--nthreads", "1", "--no-nanny", "--local-directory", str(folder / "scratch"))
        started += [_dask(folder, "worker", address, *how) for _ in range(workers)]
        _wait_for_workers(address, workers)
        yield address
    finally:
        # A worker that is asked to end while it says goodbye to its scheduler may never do so.
        for process in started:
            process.kill()
        for process in started:
            process.wait()


def _dask(folder: Path, *command: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *command, "--host", "127.0.0.1", "--no-dashboard"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not (file.exists() and file.read_text().endswith("}")):
        if time.monotonic() > deadline:
            raise TimeoutError(file)
        time.sleep(0.05)


def _wait_for_workers(address: str, count: int) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=_LIMIT_S)


def seconds_of(folder: Path, *options: str) -> tuple[float, bytes]:
    """Return how long `replay run` takes as a whole process, and what it prints."""
    command = [sys.executable, "-m", "replay", "run", "--isolation", "case", *options]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - began, done.stdout


def one_round(folder: Path) -> tuple[list[float], int]:
    """Return the seconds of 1 and 2 jobs, of 1 and 2 workers, and how many answers there were."""
    found = [seconds_of(folder, "--jobs", jobs) for jobs in ("1", "2")]
    for workers in (1, 2):
        with cluster(folder, workers) as address:
            found.append(seconds_of(folder, "--scheduler", address))
    return [seconds for seconds, _ in found], len({answer for _, answer in found})


def main() -> int:
    """Measure; return 1 when the bar is missed, 2 when verdicts differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turns", type=int, default=200_000)
    asked = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, asked.cases, asked.turns)
        rounds = [one_round(folder) for _ in range(asked.rounds)]
    # The best of each: what else the machine does only adds, and to two workers more than to one.
    best = [min(it) for it in zip(*(seconds for seconds, _ in rounds), strict=True)]
    ratio = best[2] / best[3]
    print(
        f"{asked.cases:,} cases   --jobs 1 {best[0]:6.2f} s   --jobs 2 {best[1]:6.2f} s"
        f"   1 worker {best[2]:6.2f} s   2 workers {best[3]:6.2f} s"
    )
    print(f"2 jobs to 1: {best[0] / best[1]:.2f}")
    print(f"2 workers to 1: {ratio:.2f}   bar {_BAR}  {'ok' if ratio >= _BAR else 'MISSED'}")
    if any(answers != 1 for _, answers in rounds):
        print("the verdicts DIFFER")
        return 2
    return 0 if ratio >= _BAR else 1


if __name__ == "__main__":
    sys.exit(main())
