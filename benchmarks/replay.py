"""What a replay costs a case, start-up apart, against the bare loops that it is made of.

    python benchmarks/replay.py [--small N] [--large N] [--rounds N]

For 1 KB events and a handler that does next to nothing, `replay run` is timed as a whole process
over two stores, and the slope between them is the cost of one case. Yardsticks, of the same cases:
for `--isolation worker` a loop of select, loads, call, dumps, compare; for `--isolation case` a
loop that forks for each call and waits; for `--runtime ric` AWS's runtime client, fed by the
standard library's HTTP server. Bars: at least 0.03, 0.7 and 0.7 times as many cases a second.
Prints the peak memory at both sizes as well. Exits 1 when a bar is missed.
"""

import argparse
import json
import os
import select
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

import orjson

sys.path[0] = str(Path(__file__).parents[1])  # else this file would be the package `replay`

from benchmarks.side_by_side import event_of, machine
from replay.outcome import Returned
from replay.recorder.journal import CREATE_PART
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer.local import LocalFunction
from replay.store.store import Store

_HANDLER = """
def handler(event, context):
    return {"statusCode": 200, "body": event["Records"][0]["messageId"]}
"""
_BARS = {"worker": 0.03, "case": 0.7, "ric": 0.7}
_OPTIONS = {
    "worker": ("--isolation", "worker"),
    "case": ("--isolation", "case"),
    "ric": ("--runtime", "ric"),
}
_FORKS = 300


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Do what the replayed handler does."""
    return {"statusCode": 200, "body": event["Records"][0]["messageId"]}


def fill(path: Path, count: int) -> None:
    """Make a store of `count` recordings of the handler, taken in."""
    event = event_of(1024)
    outcome = Returned(json.dumps(handler(event, None)).encode())
    base = LocalFunction("app.handler", (path.parent,), name="orders").case(event).recording
    write_store(
        path, (replace(base, id=new_ulid(), outcome=outcome, duration_us=10) for _ in range(count))
    )


def write_store(path: Path, recordings: Iterable[Recording]) -> None:
    """Make a store of recordings, taken in."""
    connection = sqlite3.connect(path)
    connection.execute(CREATE_PART)
    connection.executemany(
        "INSERT INTO part (id, kind, crc, payload) VALUES (?, ?, ?, ?)",
        ((p.id, p.kind, p.crc, p.payload) for one in recordings for p in one.parts()),
    )
    connection.commit()
    connection.close()
    Store.open(str(path)).close()


def copy_bare(path: Path, count: int) -> None:
    """Make a table of nothing but events and results beside the store."""
    event = orjson.dumps(event_of(1024))
    result = orjson.dumps(handler(orjson.loads(event), None))
    connection = sqlite3.connect(path.with_suffix(".bare"))
    connection.execute("CREATE TABLE bare (n INTEGER PRIMARY KEY, event BLOB, result BLOB)")
    rows = ((event, result) for _ in range(count))
    connection.executemany("INSERT INTO bare (event, result) VALUES (?, ?)", rows)
    connection.commit()
    connection.close()


def bare_cases(path: Path, limit: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield events and results."""
    connection = sqlite3.connect(path.with_suffix(".bare"))
    yield from connection.execute("SELECT event, result FROM bare LIMIT ?", (limit,))
    connection.close()


def bare_loop(path: Path, count: int) -> float:
    """Return seconds a case of select, loads, call, dumps, compare."""
    began = time.perf_counter()
    for event, result in bare_cases(path, count):
        if orjson.dumps(handler(orjson.loads(event), None)) != result:
            raise SystemExit("the bare loop computes something else")
    return (time.perf_counter() - began) / count


def bare_forks(path: Path, count: int) -> float:
    """Return seconds a case of a fork that calls the handler, and the wait for it."""
    count = min(count, _FORKS)
    began = time.perf_counter()
    for event, _ in bare_cases(path, count):
        pid = os.fork()
        if pid == 0:
            orjson.dumps(handler(orjson.loads(event), None))
            os._exit(0)
        os.waitpid(pid, 0)
    return (time.perf_counter() - began) / count


class RuntimeApi(BaseHTTPRequestHandler):
    """The standard library's server as a Runtime API: the next event, and thanks for its result."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    events: Iterator[tuple[bytes, bytes]]

    def do_GET(self) -> None:
        """Give the next event; ask no more of the server after the last one."""
        event, _ = next(self.events, (None, None))
        if event is None:
            self.server.is_done.set()  # type: ignore[attr-defined]
            self.server.is_done.wait()  # type: ignore[attr-defined]
            self.close_connection = True
            return
        deadline_ms = int(time.time() * 1000) + 3000
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
        }
        self._answer(200, event, headers)

    def do_POST(self) -> None:
        """Take a result."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(202, b"{}", {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in {**headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def bare_client(path: Path, count: int) -> float:
    """Return seconds a case of the runtime client, whose server answers it and nothing else."""
    RuntimeApi.events = bare_cases(path, count)
    server = HTTPServer(("127.0.0.1", 0), RuntimeApi)
    server.is_done = Event()  # type: ignore[attr-defined]
    thread = Thread(target=server.handle_request)
    process = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", "app.handler"],
        cwd=path.parent,
        env={**os.environ, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}"},
    )
    server.socket.listen()
    select.select([server], [], [], 30)  # until it asks for the first one
    began = time.perf_counter()
    thread.start()
    server.is_done.wait()  # type: ignore[attr-defined]
    spent = (time.perf_counter() - began) / count
    process.kill()
    process.wait()
    thread.join()
    server.server_close()
    return spent


def run(path: Path, options: tuple[str, ...]) -> tuple[float, int]:
    """Return the seconds of `replay run` over a store, and the kilobytes of its largest process."""
    command = [sys.executable, "-m", "replay", "run", "--store", str(path), *options]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=path.parent, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss


_YARDSTICKS: dict[str, Callable[[Path, int], float]] = {
    "worker": bare_loop,
    "case": bare_forks,
    "ric": bare_client,
}


def measure(name: str, stores: dict[int, Path], rounds: int) -> bool:
    """Print one way to replay beside its yardstick; return whether its bar holds."""
    small, large = stores
    bare, ours, memory = [], [], {}
    for _ in range(rounds):
        bare.append(_YARDSTICKS[name](stores[small], small))
        seconds = {}
        for count, path in stores.items():
            seconds[count], memory[count] = run(path, _OPTIONS[name])
        ours.append((seconds[large] - seconds[small]) / (large - small))
    ratio = median(bare) / median(ours)
    held = ratio >= _BARS[name]
    print(
        f"{name:7} bare {median(bare) * 1e6:7.1f} us a case   replay {median(ours) * 1e6:7.1f} us"
        f"   ratio {ratio:.3f}   bar {_BARS[name]}  {'ok' if held else 'MISSED'}"
    )
    grown = " -> ".join(f"{memory[count] // 1024} MB" for count in stores)
    print(f"        memory at {small:,} -> {large:,} cases: {grown}")
    return held


def main() -> int:
    """Measure all ways; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=2_000)
    parser.add_argument("--large", type=int, default=12_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=_BARS)
    asked = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_text(_HANDLER)
        stores = {count: folder / f"{count}.db" for count in (asked.small, asked.large)}
        for count, path in stores.items():
            fill(path, count)
            copy_bare(path, count)
        names = [asked.only] if asked.only else list(_BARS)
        held = [measure(name, stores, asked.rounds) for name in names]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
