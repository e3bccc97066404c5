"""What recording and answering cost an outbound call: GetItem by boto3, of moto on loopback.

    python benchmarks/outbound.py [--rounds N] [--calls N]

Three processes call a server of a fourth, in turn: one without capture, one under `@capture`, which
writes both parts of each call, and one that redacts them as well. A replay answers the calls from
the recording, with nobody listening; what it costs a call is the slope between recordings of few
calls and of many, each replayed in a fresh process as `replay run` does. Bars: recorded at most
1.10 times the plain call, replayed at most 0.25 times. Exits 1 when a bar is missed.
"""

import argparse
import logging
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from threading import Event
from typing import IO, Any

import boto3

sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.side_by_side import machine
from replay.errors import DamagedError
from replay.replayer.builtin import BuiltinSandbox
from replay.replayer.case import Case
from replay.replayer.verdict import judge
from replay.store.selection import Selection
from replay.store.store import Store

_BARS = {"recorded": 1.10, "replayed": 0.25}
_MODES = {"plain": "off", "recorded": "off", "redacted": "balanced"}
"""Of redaction, by what a process does."""
_FEW = 10
_APP = """
import os, time
import boto3
keys = dict(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-central-1")
table = boto3.client("dynamodb", endpoint_url=os.environ["ENDPOINT"], **keys)

def handler(event, context):
    began = time.perf_counter()
    for n in range(event["calls"]):
        table.get_item(TableName="orders", Key={"id": {"S": "1"}})
    return {"seconds": (time.perf_counter() - began) / event["calls"]} if event["timed"] else {}
"""
_CALLER = """
import sys
sys.path[:0] = sys.argv[2:]
import app
handler = app.handler
if sys.argv[1] != "plain":
    from replay import capture
    handler = capture(store=sys.argv[1] + ".db")(handler)
for line in sys.stdin:
    print(handler({"calls": int(line), "timed": True}, None)["seconds"], flush=True)
handler({"calls": %d, "timed": False}, None)
handler({"calls": %d, "timed": False}, None)
"""


def serve() -> None:
    """Serve moto's DynamoDB until the process is killed; print the address once it is filled."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-central-1"}
    table = boto3.client("dynamodb", endpoint_url=endpoint, **keys)
    table.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table.put_item(TableName="orders", Item={"id": {"S": "1"}, "text": {"S": "x" * 1000}})
    print(endpoint, flush=True)
    Event().wait()


class Caller:
    """A process that makes calls when it is told to."""

    def __init__(self, kind: str, folder: Path, endpoint: str, calls: int) -> None:
        folders = [str(folder), str(Path(__file__).parents[1])]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CALLER % (_FEW, calls), kind, *folders],
            cwd=folder,
            env={**os.environ, "ENDPOINT": endpoint, "REPLAY_REDACT": _MODES[kind]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, calls: int) -> float:
        """Return the seconds of one of so many calls."""
        print(calls, file=_open(self._process.stdin), flush=True)
        return float(_open(self._process.stdout).readline())

    def end(self) -> None:
        """Have it make its last calls, and end."""
        _open(self._process.stdin).close()
        self._process.wait()


def _open(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def replayed_s(store: Path, rounds: int, calls: int) -> float:
    """Return the seconds that a call more costs a replay."""
    opened = Store.open(str(store))
    found = [one for one in opened.find(Selection(limit=2)) if not isinstance(one, DamagedError)]
    opened.close()
    many, few = (Case(recording, "app.handler", (store.parent,)) for recording in found)
    slopes = []
    for _ in range(rounds):
        seconds = [_replay_s(case) for case in (few, many)]
        slopes.append((seconds[1] - seconds[0]) / (calls - _FEW))
    return median(slopes)


def _replay_s(case: Case) -> float:
    began = time.perf_counter()
    verdict = judge(replace(case, looks="once"), BuiltinSandbox)
    if verdict.kind != "match":
        raise SystemExit(f"the replay is no match: {verdict}")
    return time.perf_counter() - began


def measure(folder: Path, endpoint: str, asked: Any) -> dict[str, float]:
    """Return the seconds a call, plain, recorded and replayed."""
    callers = {kind: Caller(kind, folder, endpoint, asked.calls) for kind in _MODES}
    spent: dict[str, list[float]] = {kind: [] for kind in callers}
    for number in range(asked.rounds + 2):
        for kind, caller in callers.items():
            seconds = caller.call(50)
            if number > 1:
                spent[kind].append(seconds)
    for caller in callers.values():
        caller.end()
    replayed = replayed_s(folder / "recorded.db", max(1, asked.rounds // 4), asked.calls)
    return {kind: median(seconds) for kind, seconds in spent.items()} | {"replayed": replayed}


def main() -> int:
    """Measure; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve()
    print(machine())
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        (Path(name) / "app.py").write_text(_APP)
        command = [sys.executable, __file__, "--serve"]
        server = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(server.kill)
        endpoint = _open(server.stdout).readline().strip()
        found = measure(Path(name), endpoint, asked)
    plain = found["plain"]
    held = True
    for kind in ("recorded", "redacted", "replayed"):
        ratio, bar = found[kind] / plain, _BARS.get(kind)
        told = ""
        if bar is not None:
            held &= ratio <= bar
            told = f"   bar {bar}  {'ok' if ratio <= bar else 'MISSED'}"
        print(
            f"{kind:9} {found[kind] * 1e3:6.3f} ms a call   plain {plain * 1e3:6.3f} ms"
            f"   ratio {ratio:.3f}{told}"
        )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
