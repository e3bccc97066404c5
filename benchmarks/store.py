"""What the store's API adds to raw SQL, and what import and export add to a plain loop.

    python benchmarks/store.py [--rounds N] [--recordings N]

Interleaved in one run, on a store of `--recordings` (10,000; 1,000,000 as an explicit choice, for
which about 6 GB and some minutes are needed): a page of the newest 50, one of a function, one from
the middle, each against the same statement through `sqlite3`; looking an id up by its tail, and
reading it. Where there are more than 10,000, a store of 10,000 is measured beside it. Then 2,000
recordings are imported from JSON lines, against a loop that reads the lines with orjson and inserts
the rows with one `executemany` for each table, what is derived being at hand; and exported, against
a loop that reads the same rows and writes the same lines, digest included, with orjson. Bars: page
at most 4 times the statement, lookup at most 500 us, at most 2 times what 10,000 recordings take,
import at least 0.4 and export at least 0.5 of the plain loop's speed, the numbers of `replay stats`
at most 2.5 times the plain statements that count and rank by function and by day. Exits 1 when a
bar is missed.
"""

import argparse
import itertools
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from statistics import median
from typing import Any
from zlib import crc32

import orjson

sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.side_by_side import ENVIRONMENT, Step, event_of, interleaved, machine
from replay.fixture import fixture_line, read_fixtures
from replay.invocation import ContextSnapshot, Invocation, Sandbox
from replay.outcome import Outcome, Raised, Returned
from replay.recorder.journal import CREATE_PART
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.store.arrival.incoming import batches, prepared
from replay.store.packing import unpacked
from replay.store.selection import Selection
from replay.store.store import Store
from replay.store.summary import Summary

_PAGE = 50
_SMALL = 10_000
_MOVED = 2_000
_FUNCTIONS = 20
_COLUMNS = ", ".join(Summary._fields[:-1])
_TAGS = "(SELECT group_concat(name, ' ') FROM tag WHERE recording_id = recording.id)"
_LIST = f"SELECT {_COLUMNS}, {_TAGS} FROM recording"
_EXPORTED = (
    "SELECT recording.id, b.payload, e.payload FROM recording JOIN part b ON b.n = begun_n"
    " LEFT JOIN part e ON e.n = ended_n ORDER BY recording.id"
)
_RANKED = (
    "SELECT key, max(CASE rank WHEN total / 2 THEN duration_us END) FROM ("
    " SELECT {0} AS key, duration_us,"
    " row_number() OVER (PARTITION BY {0} ORDER BY duration_us) AS rank,"
    " count(*) OVER (PARTITION BY {0}) AS total FROM recording) GROUP BY 1"
)
_COUNTING = (
    "SELECT function_name, outcome, error_type, count(*) FROM recording GROUP BY 1, 2, 3",
    "SELECT captured_at_us / 86400000000, count(*), sum(size_bytes) FROM recording GROUP BY 1",
    *(_RANKED.format(key) for key in ("function_name", "captured_at_us / 86400000000")),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A measured value, beside what it may be."""

    name: str
    yardstick_us: float
    ours_us: float
    ratio: float
    limit: float
    is_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the bar is met."""
        return self.ratio >= self.limit if self.is_least else self.ratio <= self.limit


def templates() -> list[Recording]:
    """Return recordings of 2 KB of which those of a store are copies, under ids of their own."""
    event = event_of(1024)
    outcomes: tuple[Outcome, ...] = (Returned(b'{"statusCode": 200}'), Raised("KeyError", "'x'"))
    return [
        Recording("", _invocation(event, f"function-{n}"), outcomes[n % 7 == 0], 1234)
        for n in range(_FUNCTIONS)
    ]


def _invocation(event: object, name: str) -> Invocation:
    arn = f"arn:aws:lambda:eu-central-1:123456789012:function:{name}:live"
    attributes = {"function_name": name, "aws_request_id": "r", "invoked_function_arn": arn}
    return Invocation(
        handler="app.handler",
        event=event,
        context=ContextSnapshot(
            kind="lambda",
            type_name="awslambdaric.lambda_context.LambdaContext",
            attributes=attributes,
            extra={},
            w3c={},
            deadline_epoch_ms=1_795_346_534_859,
        ),
        environment=dict(list(ENVIRONMENT.items())[:8]),
        captured_at_us=1_795_346_531_859_893,
        remaining_ms=3000,
        trace_id=None,
        sandbox=Sandbox("01m81fw1gm00064fg33z75n6wb", 2, "3.11.7", "4.2.2"),
    )


def rows_of(count: int) -> Iterator[tuple[str, str, int, bytes]]:
    """Yield the rows of `part` for so many recordings."""
    made = itertools.cycle([one.parts() for one in templates()])
    for _ in range(count):
        id = new_ulid()
        for part in next(made):
            own = replace(part, id=id)
            yield id, own.kind, own.crc, own.payload


def build(path: Path, count: int) -> Path:
    """Return a store with so many recordings, taken in."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(CREATE_PART)
        insert = "INSERT INTO part (id, kind, crc, payload) VALUES (?, ?, ?, ?)"
        connection.executemany(insert, rows_of(count))
        connection.commit()
    with closing(Store.open(str(path))):
        return path


def reading_steps(store: Store, raw: sqlite3.Connection) -> dict[str, Step]:
    """Return pairs of steps, ours under the name of the yardstick with "ours" before it."""
    (middle,) = raw.execute(
        "SELECT id FROM recording ORDER BY id LIMIT 1 OFFSET (SELECT count(*) / 2 FROM recording)"
    ).fetchone()
    queries = {
        "newest page": ("", (), Selection(limit=_PAGE)),
        "page of a function": (
            "WHERE function_name = ?",
            ("function-3",),
            Selection(function_name="function-3", limit=_PAGE),
        ),
        "page from the middle": ("WHERE id < ?", (middle,), Selection(before=middle, limit=_PAGE)),
    }
    steps: dict[str, Step] = {}
    for name, (where, values, selection) in queries.items():
        statement = f"{_LIST} {where} ORDER BY id DESC LIMIT {_PAGE}"
        steps[name] = lambda s=statement, v=values: raw.execute(s, v).fetchall()  # type: ignore[misc]
        steps[f"ours {name}"] = lambda s=selection: store.summaries(s)  # type: ignore[misc]
    steps["ours lookup"] = lambda: store.resolve(middle[-8:])
    steps["ours read"] = lambda: store.get(middle)
    return steps


def measure_reading(path: Path, rounds: int) -> dict[str, float]:
    """Return the median microseconds of each step on one store."""
    with closing(Store.open(str(path))) as store, closing(sqlite3.connect(path)) as raw:
        timings = interleaved(reading_steps(store, raw), rounds)
    return {name: median(values) for name, values in timings.items()}


def counted(raw: sqlite3.Connection) -> None:
    """Count recordings by function, outcome and day, and rank their durations, in plain SQL."""
    for statement in _COUNTING:
        raw.execute(statement).fetchall()


def measure_counting(path: Path, rounds: int) -> Bar:
    """Return the bar of `replay stats`."""
    with closing(Store.open(str(path))) as store, closing(sqlite3.connect(path)) as raw:
        steps = {"plain": lambda: counted(raw), "ours": lambda: store.stats(Selection())}
        timings = interleaved(steps, rounds, warm_up=1)
    plain, ours = (median(values) for values in timings.values())
    return Bar("stats", plain, ours, ours / plain, 2.5)


def reading_bars(large: dict[str, float], small: dict[str, float] | None) -> list[Bar]:
    """Return the bars of reading."""
    bars = [
        Bar(name, spent, large[f"ours {name}"], large[f"ours {name}"] / spent, 4.0)
        for name, spent in large.items()
        if not name.startswith("ours")
    ]
    for name in ("lookup", "read"):
        spent = large[f"ours {name}"]
        bars += [Bar(name, 500, spent, spent / 500, 1.0)]
    for name in small or ():
        if small is not None and name.startswith("ours"):
            ratio = large[name] / small[name]
            bars.append(Bar(f"{name[5:]}, to 10,000", small[name], large[name], ratio, 2.0))
    return bars


def unpack(source: Path, plain: Path) -> Path:
    """Return a copy of a store with plain payloads: what the plain loops read."""
    with closing(sqlite3.connect(source)) as raw, closing(sqlite3.connect(plain)) as copy:
        raw.backup(copy)
        copy.create_function("unpacked", 1, unpacked)
        copy.execute("UPDATE part SET payload = unpacked(payload)")
        copy.commit()
        copy.execute("VACUUM")
    return plain


class Transfer:
    """Import and export of one set of recordings, and the plain loops that they are held to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        source = build(folder / "source.db", _MOVED)
        self._source = Store.open(str(source))
        self._raw = sqlite3.connect(unpack(source, folder / "plain.db"))
        self._lines = folder / "lines.jsonl"
        self.export()
        self._schema = [
            sql
            for (sql,) in self._raw.execute(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC"
            )
        ]
        self._derived = self._raw.execute("SELECT * FROM recording").fetchall()

    def close(self) -> None:
        """Let go of the files."""
        self._source.close()
        self._raw.close()

    def export(self) -> None:
        """Write all recordings as JSON lines, through the store."""
        with self._lines.open("wb") as file:
            for one in self._source.fixtures(Selection()):
                file.write(fixture_line(one) + b"\n")  # type: ignore[arg-type]

    def export_plainly(self) -> None:
        """Write the same lines with a loop of its own."""
        with (self._folder / "plain.jsonl").open("wb") as file:
            for id, begun, ended in self._raw.execute(_EXPORTED):
                parts = [{"kind": "begun", "payload": orjson.loads(begun)}]
                if ended is not None:
                    parts.append({"kind": "ended", "payload": orjson.loads(ended)})
                line = {"format": 1, "id": id, "tags": [], "parts": parts}
                digest = blake2b(orjson.dumps(line), digest_size=16).hexdigest()
                file.write(orjson.dumps({**line, "digest": digest}) + b"\n")

    def take(self) -> None:
        """Import the lines into a new store."""
        path = self._folder / f"{next(self._numbers)}.db"
        with closing(Store.open(str(path), create=True)) as store:
            for batch in batches(map(prepared, read_fixtures(self._lines))):  # type: ignore[arg-type]
                store.take(batch)

    def make_empty(self) -> None:
        """Make a new store and take nothing: what an import of nothing would cost."""
        with closing(Store.open(str(self._folder / f"{next(self._numbers)}.db"), create=True)):
            pass

    def _parsed(self) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        with self._lines.open("rb") as lines:
            for line in map(orjson.loads, lines):
                for part in line["parts"]:
                    kind, payload = part["kind"], orjson.dumps(part["payload"])
                    rows.append((len(rows) + 1, line["id"], kind, crc32(payload), payload))
        return rows

    def take_plainly(self) -> None:
        """Read the same lines, and insert as many rows into the same tables of a new database."""
        path = self._folder / f"{next(self._numbers)}.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            for sql in self._schema:
                connection.execute(sql)
            for name, rows in (("part", self._parsed()), ("recording", self._derived)):
                places = ", ".join("?" * len(rows[0]))
                connection.executemany(f"INSERT INTO {name} VALUES ({places})", rows)
            connection.commit()


def transfer_bars(folder: Path, rounds: int) -> list[Bar]:
    """Return the bars of import and export."""
    with closing(Transfer(folder)) as transfer:
        steps = {
            "plain import": transfer.take_plainly,
            "import": transfer.take,
            "empty": transfer.make_empty,
            "plain export": transfer.export_plainly,
            "export": transfer.export,
        }
        timings = interleaved(steps, rounds, warm_up=1)
    spent = {name: median(values) for name, values in timings.items()}
    spent["import"] -= spent["empty"]
    return [
        Bar(
            f"{name} of {_MOVED:,}",
            spent[f"plain {name}"],
            spent[name],
            spent[f"plain {name}"] / spent[name],
            limit,
            is_least=True,
        )
        for name, limit in (("import", 0.4), ("export", 0.5))
    ]


def report(bars: list[Bar]) -> bool:
    """Print each bar; return whether all hold."""
    for bar in bars:
        sign = ">=" if bar.is_least else "<="
        print(
            f"{bar.name:32} yardstick {bar.yardstick_us:10,.0f} us   ours {bar.ours_us:10,.0f} us"
            f"   ratio {bar.ratio:5.2f}   bar {sign} {bar.limit}  {'ok' if bar.holds else 'MISSED'}"
        )
    return all(bar.holds for bar in bars)


def main() -> int:
    """Measure; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--recordings", type=int, default=_SMALL)
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large = measure_reading(build(folder / "large.db", given.recordings), given.rounds)
        small = None
        if given.recordings > _SMALL:
            small = measure_reading(build(folder / "small.db", _SMALL), given.rounds)
        bars = reading_bars(large, small) + transfer_bars(folder, max(given.rounds // 50, 3))
        bars.append(measure_counting(folder / "large.db", max(given.rounds // 50, 3)))
    return 0 if report(bars) else 1


if __name__ == "__main__":
    sys.exit(main())
