"""A store of a million recordings: what it takes, and whether it is as quick as one of 10,000.

    python benchmarks/many.py [--recordings N] [--captured N] [--rounds N]

Invocations of 20 functions are captured by the real recorder (20,000 by default); what they left
is exported and multiplied, each copy under an id and at a moment of its own, into a packed file
of JSON lines, which `replay import` takes into a store. In turn at 10,000 and at `--recordings`
(1,000,000): import and export as a process of their own, with their peak memory, against a loop
that reads the same lines with orjson and inserts plain payloads and rows that are at hand into the
same tables with `executemany`, and one that reads those and writes the lines with orjson, packed
as well; the size of the files; pages, filters and ids as in store.py; and removing 1,000 of the
oldest, with the longest transaction. Bars: page at most 4 times the statement, lookup at most 500
us, nothing read in more than twice the time of 10,000, import at least 0.4 and export at least 0.5
of the loop's speed, a transaction of a removal at most 50 ms, a recording no larger than in plain
SQLite, memory at most 1.5 times that of 10,000. Exits 1 when a bar is missed.
"""

import argparse
import itertools
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

import orjson

sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.side_by_side import ENVIRONMENT, machine
from benchmarks.store import Bar, measure_reading, reading_bars, report
from replay.errors import DamagedError
from replay.fixture import Fixture, fixture_line
from replay.packed_file import packing, unpacked
from replay.recorder.ulid import new_ulid
from replay.recording import Part
from replay.store import prune
from replay.store.engine.sqlite import SqliteFile
from replay.store.selection import Selection
from replay.store.store import Store

_SMALL = 10_000
_FUNCTIONS = 20
_TEMPLATES = 2_000
_REMOVED = 1_000
_CHUNK = 5_000
_PLAIN = 200_000
"""As many recordings show what a plain loop takes for each, and what each takes in a file."""
_FIRST_US = 1_793_000_000_000_000
_STEP_US = 2_000_000
_AT = re.compile(rb'(?<="captured_at_us":)\d+')
_REQUEST = re.compile(rb'(?<="aws_request_id":")[^"]+')
_CAPTURING = """
import json, sys
from pathlib import Path
from random import Random
sys.path.insert(0, sys.argv[1])
from benchmarks.side_by_side import LambdaContext, event_of
from replay import capture

chance = Random(sys.argv[4])
events = [json.loads(path.read_bytes()) for path in sorted(Path(sys.argv[2]).glob("*.json"))]

@capture(store=sys.argv[3])
def handler(event, context):
    context.get_remaining_time_in_millis()
    if chance.random() < 0.1:
        raise KeyError(event)
    return {"statusCode": 200, "body": json.dumps({"order": chance.randrange(10**6)})}

for number in range(int(sys.argv[5])):
    event = dict(chance.choice(events)) if number % 2 else event_of(chance.randrange(700, 2500))
    event["generated"] = chance.randbytes(12).hex()
    context = LambdaContext()
    context.function_name = sys.argv[4]
    try:
        handler(event, context)
    except KeyError:
        continue
"""
_RUNNING = """
import re, resource, sys, time
from pathlib import Path
import replay.cli.import_, replay.cli.export, replay.store.store
from replay.cli import main
began = time.perf_counter()
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
spent = time.perf_counter() - began
if sys.platform == "linux":  # what the system counts otherwise was its parent's, in part
    peak = int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 2**10
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(spent, peak)
"""
_COPIED = (
    "SELECT sql FROM sqlite_master"
    " WHERE sql IS NOT NULL AND tbl_name IN ('part', 'recording') ORDER BY type DESC"
)
_EXPORTED = (
    "SELECT recording.id, b.payload, e.payload FROM recording JOIN part b ON b.n = begun_n"
    " LEFT JOIN part e ON e.n = ended_n ORDER BY recording.id"
)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one size came to: seconds, MiB, and bytes a recording."""

    count: int
    import_s: float
    plain_import_s: float
    export_s: float
    plain_export_s: float
    import_mib: float
    export_mib: float
    store_bytes: float
    plain_bytes: float
    remove_s: float
    longest_ms: float
    reading: dict[str, float]


def capture(folder: Path, count: int) -> Path:
    """Return a store into which each of the functions has captured its share of invocations."""
    store = folder / "captured.db"
    root = sys.path[0]
    for number in range(_FUNCTIONS):
        name = f"function-{number}"
        environment = {**ENVIRONMENT, "AWS_LAMBDA_FUNCTION_NAME": name, "REPLAY_CAPTURE": "on"}
        places = [root, f"{root}/fixtures/events", str(store)]
        command = [sys.executable, "-c", _CAPTURING, *places, name, str(count // _FUNCTIONS)]
        subprocess.run(command, env={**os.environ, **environment}, check=True)
    return store


def multiplied(store: Path, count: int) -> Iterator[bytes]:
    """Yield the lines of so many recordings, copies of those of a store."""
    with closing(Store.open(str(store))) as opened:
        found = opened.fixtures(Selection())
        every = max(1, sum(1 for _ in opened.ids(Selection())) // _TEMPLATES)
        templates = list(itertools.islice(found, 0, None, every))
    for number, one in zip(range(count), itertools.cycle(templates)):
        if isinstance(one, DamagedError):
            raise one
        yield fixture_line(_copy(one, number)) + b"\n"


def _copy(one: Fixture, number: int) -> Fixture:
    id = new_ulid()
    begun, *others = one.parts
    payload = _AT.sub(b"%d" % (_FIRST_US + number * _STEP_US), begun.payload, 1)
    payload = _REQUEST.sub(b"%032x" % number, payload, 1)
    moved = (Part(id, begun.kind, payload), *(Part(id, it.kind, it.payload) for it in others))
    return Fixture(id, moved)


def write_lines(store: Path, count: int, path: Path) -> Path:
    """Return a packed file of so many recordings."""
    with path.open("wb") as file, packing(file, path.name) as lines:
        for line in multiplied(store, count):
            lines.write(line)
    return path


def run(*arguments: str) -> tuple[float, float]:
    """Return the seconds that a command takes once it is loaded, and its peak memory in MiB."""
    command = [sys.executable, "-c", _RUNNING, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    spent, peak = done.stdout.split()
    return float(spent), float(peak)


def import_plainly(lines: Path, store: Path, plain: Path) -> float:
    """Insert the recordings of a file into plain tables; return the seconds of the loop alone."""
    spent = 0.0
    with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(plain)) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = NORMAL")
        for (sql,) in source.execute(_COPIED):
            raw.execute(sql)
        rows = source.execute("SELECT * FROM recording ORDER BY id LIMIT ?", (_PLAIN,))
        with lines.open("rb") as packed:
            stream = unpacked(packed, lines.name)
            while derived := rows.fetchmany(_CHUNK):
                began = time.perf_counter()
                _insert(raw, list(itertools.islice(stream, len(derived))), derived)
                spent += time.perf_counter() - began
    return spent


def _insert(raw: sqlite3.Connection, lines: list[bytes], derived: list[tuple[Any, ...]]) -> None:
    parts = []
    for line in map(orjson.loads, lines):
        for part in line["parts"]:
            payload = orjson.dumps(part["payload"])
            parts.append((None, line["id"], part["kind"], crc32(payload), payload))
    raw.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?)", parts)
    places = ", ".join("?" * len(derived[0]))
    raw.executemany(f"INSERT INTO recording VALUES ({places})", derived)
    raw.commit()


def export_plainly(plain: Path, path: Path) -> float:
    """Write the lines of plain tables; return the seconds."""
    began = time.perf_counter()
    with (
        closing(sqlite3.connect(plain)) as raw,
        path.open("wb") as file,
        packing(file, path.name) as lines,
    ):
        for id, begun, ended in raw.execute(_EXPORTED):
            parts = [{"kind": "begun", "payload": orjson.loads(begun)}]
            if ended is not None:
                parts.append({"kind": "ended", "payload": orjson.loads(ended)})
            line = {"format": 1, "id": id, "tags": [], "parts": parts}
            digest = blake2b(orjson.dumps(line), digest_size=16).hexdigest()
            lines.write(orjson.dumps({**line, "digest": digest}) + b"\n")
    return time.perf_counter() - began


class Timed(SqliteFile):
    """A store that knows how long each of its transactions took."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.spent_ms: list[float] = []

    def write(self, work: Callable[[Any], Result], *, for_good: bool = False) -> Result:
        """Do it, and note how long it took."""
        began = time.perf_counter()
        try:
            return super().write(work, for_good=for_good)
        finally:
            self.spent_ms.append((time.perf_counter() - began) * 1000)


def remove(path: Path, count: int) -> tuple[float, float]:
    """Remove the oldest recordings; return the seconds, and the longest transaction in ms."""
    with closing(sqlite3.connect(path)) as raw:
        statement = "SELECT id FROM recording ORDER BY id LIMIT ?"
        ids = [id for (id,) in raw.execute(statement, (count,))]
    with closing(Timed(path)) as database:
        # SQLite's checkpoint comes after a commit, and nobody who writes waits for it.
        database.write(lambda it: it.exec_driver_sql("PRAGMA wal_autocheckpoint = 0").close())
        database.spent_ms.clear()
        began = time.perf_counter()
        prune.remove(database, ids, lambda _done, _total: None)
        return time.perf_counter() - began, max(database.spent_ms)


def size_of(path: Path) -> int:
    """Return the bytes of a database without its log."""
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


def measure(folder: Path, source: Path, count: int, rounds: int) -> Measured:
    """Return what a store of so many recordings comes to."""
    lines = write_lines(source, count, folder / f"{count}.jsonl.zst")
    store, plain = folder / f"{count}.db", folder / f"{count}-plain.db"
    with closing(Store.open(str(store), create=True)):
        pass
    import_s, import_mib = run("import", str(lines), "--store", str(store))
    plain_import_s = import_plainly(lines, store, plain) * count / min(count, _PLAIN)
    of_plain = min(count, _PLAIN)
    sizes = size_of(store) / count, size_of(plain) / of_plain
    reading = measure_reading(store, rounds)
    written = str(folder / f"{count}-again.jsonl.zst")
    export_s, export_mib = run("export", "--store", str(store), "-o", written)
    plain_export_s = export_plainly(plain, folder / "plain.jsonl.zst") * count / of_plain
    remove_s, longest_ms = remove(store, min(_REMOVED, count // 2))
    times = (import_s, plain_import_s, export_s, plain_export_s)
    return Measured(count, *times, import_mib, export_mib, *sizes, remove_s, longest_ms, reading)


def bars(small: Measured, large: Measured) -> Iterator[Bar]:
    """Yield the bars, of both sizes."""
    for one in (small, large):
        for name, plain, ours, least in (
            ("import", one.plain_import_s, one.import_s, 0.4),
            ("export", one.plain_export_s, one.export_s, 0.5),
        ):
            yield Bar(
                f"{name} of {one.count:,}, each",
                plain * 1e6 / one.count,
                ours * 1e6 / one.count,
                plain / ours,
                least,
                is_least=True,
            )
        yield Bar(
            f"longest removal, {one.count:,}", 50e3, one.longest_ms * 1e3, one.longest_ms / 50, 1.0
        )
    yield from reading_bars(large.reading, small.reading)


def say(one: Measured) -> bool:
    """Print what is no time; return whether the bar of the size holds."""
    print(
        f"{one.count:,} recordings: {one.store_bytes:,.0f} bytes each, in plain SQLite"
        f" {one.plain_bytes:,.0f}, ratio {one.store_bytes / one.plain_bytes:.2f};"
        f" peak memory of import {one.import_mib:.0f} MiB, of export {one.export_mib:.0f} MiB;"
        f" {_REMOVED:,} removed in {one.remove_s:.1f} s"
    )
    return one.store_bytes <= one.plain_bytes


def main() -> int:
    """Measure; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=1_000_000)
    parser.add_argument("--captured", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=300)
    given = parser.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = capture(folder, given.captured)
        small = measure(folder, source, min(_SMALL, given.recordings // 2), given.rounds)
        holds = [say(small), report(list(bars(small, small))[:3])]
        large = measure(folder, source, given.recordings, given.rounds)
        holds.append(say(large))
    is_flat = max(large.import_mib / small.import_mib, large.export_mib / small.export_mib)
    print(f"memory of {large.count:,} to that of {small.count:,}: {is_flat:.2f}, bar <= 1.5")
    holds.append(report(list(bars(small, large))))
    return 0 if all(holds) and is_flat <= 1.5 else 1


if __name__ == "__main__":
    sys.exit(main())
