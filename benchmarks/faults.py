"""What trouble with its store adds to a captured invocation, against a store that is sound.

    python benchmarks/faults.py [--seconds N]

For each fault, a captured handler that does nothing is called as fast as it can be, for some
seconds with a sound store and for as many under the fault. SQLite is tried once a second, so a
second is a window. Bars, each against the sound store of the same process, which says what the
machine itself holds up: the worst call takes at most 50 ms longer; in each window one call at most
takes 10 ms longer than the worst; the mean is at most 0.1 ms higher. Exits 1 when a bar is missed.
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

from benchmarks.side_by_side import ENVIRONMENT, LambdaContext, Step, event_of, machine
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


def calls(captured: Step, seconds: float) -> list[float]:
    """Return the milliseconds of each call, one after the other."""
    timings: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter_ns()
        captured()
        timings.append((time.perf_counter_ns() - began) / 1e6)
    return timings


def measure(name: str, seconds: float) -> bool:
    """Print the figures of one fault; return whether its bars hold."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "store").mkdir()
        (Path(folder) / "temporary").mkdir()
        os.environ.clear()
        os.environ.update(ENVIRONMENT, TMPDIR=f"{folder}/temporary")
        store = Path(folder) / "store" / "replay.db"
        wrapped, event, context = (
            capture(store=str(store))(handler),
            event_of(1024),
            LambdaContext(),
        )
        sound = calls(lambda: wrapped(event, context), seconds)
        with _FAULTS[name](store):
            faulty = calls(lambda: wrapped(event, context), seconds)
    return report(name, sound, faulty, seconds)


def report(name: str, sound: list[float], faulty: list[float], seconds: float) -> bool:
    """Print what a fault adds beside the bars; return whether they hold."""
    first = max(sound[1:])  # the first call loads what is needed
    worst = max(faulty) - first
    long = sum(one - first > _LONG_MS for one in faulty)
    added = mean(faulty) - mean(sound[1:])
    held = worst <= _WORST_MS and long <= seconds + 1 and added <= _MEAN_MS
    print(
        f"{name:22} {len(faulty):7,} calls of {mean(faulty):5.3f} ms, sound {mean(sound[1:]):5.3f}"
        f"   mean {added:+6.3f} ms   worst {worst:+6.1f} ms   long {long:2}"
        f"   {'ok' if held else 'MISSED'}"
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
