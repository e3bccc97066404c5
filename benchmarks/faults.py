"""What `@capture` adds to an invocation while its store is in trouble, against the bare handler.

    python benchmarks/faults.py [--seconds N]

For each fault, the bare handler and the captured one are called in turn for some seconds, as fast
as they can be. SQLite is tried once a second, so a second is a window. Bars: what is added by the
worst call is at most 50 ms, and in each window one call at most takes longer than 10 ms; what is
added on average is at most 0.1 ms. What the machine itself holds up is measured by the bare calls
of the same run. Exits 1 when a bar is missed.
"""

import argparse
import fcntl
import os
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from statistics import mean
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.side_by_side import ENVIRONMENT, LambdaContext, event_of, machine
from replay import capture
from replay.recorder import connection
from replay.recorder.place import spool_paths

_WORST_MS = 50.0
_LONG_MS = 10.0
_MEAN_MS = 0.1

Fault = Callable[[Path], AbstractContextManager[None]]


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Do as little as a handler can."""
    return {"statusCode": 200}


@contextmanager
def nothing(store: Path) -> Iterator[None]:
    """Leave the store alone."""
    yield


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold the write lock."""
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def locked_with_spools(store: Path) -> Iterator[None]:
    """Hold the write lock and the locks of both spools."""
    with ExitStack() as stack:
        stack.enter_context(locked(store))
        for place in spool_paths(str(store)):
            held = stack.enter_context(Path(place).open("ab"))
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def full(store: Path) -> Iterator[None]:
    """Let no file grow, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def missing(store: Path) -> Iterator[None]:
    """Take the folder away; the temporary folder is there."""
    store.parent.rename(store.parent.with_name("away"))
    yield


@contextmanager
def nowhere(store: Path) -> Iterator[None]:
    """Take away the temporary folder as well."""
    os.environ["TMPDIR"] = "/nowhere"
    with missing(store):
        yield


@contextmanager
def damaged(store: Path) -> Iterator[None]:
    """Cut the store's file in the middle."""
    os.truncate(store, store.stat().st_size // 2 + 7)
    yield


@contextmanager
def over_cap(store: Path) -> Iterator[None]:
    """Allow the store less than it has."""
    os.environ["REPLAY_MAX_STORE_BYTES"] = "1"
    yield


@contextmanager
def on_a_network(store: Path) -> Iterator[None]:
    """Have the store's folder pass for a network's."""
    connection._network_of_device[store.parent.stat().st_dev] = "nfs4"  # noqa: SLF001
    store.unlink()
    yield


_FAULTS: dict[str, Fault] = {
    "nothing": nothing,
    "locked": locked,
    "locked, and the spool": locked_with_spools,
    "disk full": full,
    "folder missing": missing,
    "nowhere to write": nowhere,
    "damaged": damaged,
    "over its cap": over_cap,
    "network file system": on_a_network,
}


def calls(store: Path, fault: Fault, seconds: float) -> tuple[list[float], list[float]]:
    """Return the milliseconds of bare calls and of captured ones, in turn, under a fault."""
    event, context = event_of(1024), LambdaContext()
    captured = capture(store=str(store))(handler)
    for _ in range(20):
        captured(event, context)
    bare_ms: list[float] = []
    captured_ms: list[float] = []
    with fault(store):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for step, timings in ((handler, bare_ms), (captured, captured_ms)):
                began = time.perf_counter_ns()
                step(event, context)
                timings.append((time.perf_counter_ns() - began) / 1e6)
    return bare_ms, captured_ms


def measure(name: str, seconds: float) -> bool:
    """Print the figures of one fault; return whether its bars hold."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "store").mkdir()
        (Path(folder) / "temporary").mkdir()
        os.environ.clear()
        os.environ.update(ENVIRONMENT, TMPDIR=f"{folder}/temporary")
        bare, captured = calls(Path(folder) / "store" / "replay.db", _FAULTS[name], seconds)
    worst = max(captured) - max(bare)
    long = sum(one - max(bare) > _LONG_MS for one in captured)
    added = mean(captured) - mean(bare)
    held = worst <= _WORST_MS and long <= seconds + 1 and added <= _MEAN_MS
    print(
        f"{name:22} {len(captured):7,} calls   mean +{added:6.3f} ms   worst +{worst:5.1f} ms"
        f"   over {_LONG_MS:.0f} ms {long:2}   {'ok' if held else 'MISSED'}"
    )
    return held


def main() -> int:
    """Try each fault in a process of its own; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    seconds = parser.parse_args().seconds
    print(machine(), flush=True)
    statuses = []
    for name in _FAULTS:
        child = os.fork()
        if child == 0:
            held = measure(name, seconds)
            sys.stdout.flush()
            os._exit(not held)
        statuses.append(os.waitpid(child, 0)[1])
    return 1 if any(statuses) else 0


if __name__ == "__main__":
    sys.exit(main())
