"""What `@capture` adds to an invocation, against one raw SQLite commit of the same bytes.

    python benchmarks/capture.py [--rounds N]

Interleaved in one run, for events of 1, 10 and 256 KB: a raw `sqlite3` commit of what the capture
stored (event, context and environment included) into a table with only an integer key (WAL, NORMAL,
autocheckpoint 1000, 4 KiB pages); the captured handler, both parts durable against SIGKILL and
checkpoints counted, less the bare handler, with redaction off and with `balanced`; Powertools'
`log_event=True`, less the bare handler. Bars with redaction off: p50 at most 3.0, 2.8 and 2.8 times
the commit, p99 at most 2, 1 and 1 times its p99, p50 at most 2 times Powertools at 1 and 10 KB;
`balanced`: p50 at most 5, 5 and 12 times the commit. Exits 1 when a bar is missed.
"""

import argparse
import io
import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.side_by_side import (
    ENVIRONMENT,
    LambdaContext,
    Step,
    event_of,
    interleaved,
    machine,
    percentile,
)
from replay import capture

_BARS = {1: (3.0, 2.0, 2.0, 5.0), 10: (2.8, 1.0, 2.0, 5.0), 256: (2.8, 1.0, None, 12.0)}
"""For each size in KB: p50 and p99 against the commit, p50 against Powertools; redacted p50."""


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Do as little as a handler can."""
    return {"statusCode": 200}


def commits(folder: Path, payload: bytes) -> Step:
    """Return a step that commits `payload` once, with nothing around it."""
    connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
    connection.execute("PRAGMA page_size = 4096")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 1000")
    connection.execute("CREATE TABLE raw (n INTEGER PRIMARY KEY, payload BLOB)")
    return lambda: connection.execute("INSERT INTO raw (payload) VALUES (?)", (payload,))


def powertools() -> Callable[..., Any]:
    """Return the bare handler under Powertools' logger, which logs each event into memory."""
    from aws_lambda_powertools import Logger

    logger = Logger(service="orders", stream=io.StringIO())
    return logger.inject_lambda_context(handler, log_event=True)


def stored_bytes(store: Path) -> bytes:
    """Return all payload bytes of the last recording in a store."""
    rows = sqlite3.connect(store).execute("SELECT payload FROM part ORDER BY n DESC LIMIT 2")
    return b"".join(row[0] for row in rows)


def measure(size_kb: int, rounds: int) -> bool:
    """Print the figures of one size; return whether its bars hold."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        event, context = event_of(size_kb * 1024), LambdaContext()
        captured = capture(store=str(folder / "replay.db"), redact="off")(handler)
        redacted = capture(store=str(folder / "redacted.db"))(handler)
        captured(event, context)
        logged = powertools()
        timings = interleaved(
            {
                "commit": commits(folder, stored_bytes(folder / "replay.db")),
                "bare": lambda: handler(event, context),
                "captured": lambda: captured(event, context),
                "redacted": lambda: redacted(event, context),
                "powertools": lambda: logged(event, context),
            },
            rounds,
        )
    return report(size_kb, timings)


def report(size_kb: int, timings: dict[str, list[float]]) -> bool:
    """Print ratios beside their bars; return whether all hold."""
    bare = median(timings["bare"])
    p50 = {name: median(values) - bare for name, values in timings.items()}
    p99 = {name: percentile(values, 0.99) - bare for name, values in timings.items()}
    against_p50, against_p99, against_powertools, against_redacted = _BARS[size_kb]
    rows = [
        ("p50 / commit", p50["captured"] / median(timings["commit"]), against_p50),
        ("p99 / commit", p99["captured"] / percentile(timings["commit"], 0.99), against_p99),
        ("p50 / powertools", p50["captured"] / p50["powertools"], against_powertools),
        ("balanced / commit", p50["redacted"] / median(timings["commit"]), against_redacted),
    ]
    print(
        f"{size_kb:4} KB   commit {median(timings['commit']):7.0f} us   capture"
        f" {p50['captured']:7.0f} us   powertools {p50['powertools']:7.0f} us"
    )
    for name, ratio, bar in rows:
        verdict = "" if bar is None else f"bar {bar:.1f}  {'ok' if ratio <= bar else 'MISSED'}"
        print(f"          {name:18} {ratio:6.2f}   {verdict}")
    return all(bar is None or ratio <= bar for _, ratio, bar in rows)


def main() -> int:
    """Run all sizes; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000)
    rounds = parser.parse_args().rounds
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    print(machine())
    held = [measure(size_kb, max(rounds // (10 if size_kb > 100 else 1), 50)) for size_kb in _BARS]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
