"""What shipping parts out of a sandbox costs, network apart.

    python benchmarks/shipping.py [--rounds N]

Prints, for the extension: how long its process takes to have registered and to be ready, over
`python -c pass`; its memory before boto3 is loaded and after; what it does in an invocation of
which nothing is due, and how long it takes to be ready for the next one, from its beginning on; and
what an object of 1 MiB takes to be read, packed and noted as acknowledged, beside `gzip` alone of
the same bytes. There is no bar; `--rounds` is how often each is done.
"""

import argparse
import gzip
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path[0] = str(Path(__file__).parents[1])  # else this file would be the package `replay`
sys.path.append(f"{sys.path[0]}/tests")

from extension_api import ExporterProcess, ExtensionApi  # type: ignore[import-not-found]

from benchmarks.side_by_side import event_of, machine
from replay.codec import encode
from replay.recorder.export.exporter import Exporter
from replay.recorder.journal import Journal
from replay.recorder.ulid import new_ulid

_EXTENSION = Path(__file__).parents[1] / "replay/recorder/export/extension.py"
_REGISTERED = f"exec(open({str(_EXTENSION)!r}).read(), {{'__name__': 'extension'}})"
_READY = f"{_REGISTERED}; import replay.recorder.export.serving"
_MEMORY = f"""
{_READY}, resource, sys
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
from replay.recorder.export.bucket import _client
_client()
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
_OBJECT_BYTES = 2**20


def spent_ms(step: Callable[[], object], rounds: int) -> float:
    """Return the median of what a step takes."""
    spent = []
    for _ in range(rounds):
        began = perf_counter()
        step()
        spent.append(perf_counter() - began)
    return median(spent) * 1000


def process(program: str) -> Callable[[], object]:
    """Return a step that runs a program in a fresh interpreter."""
    return lambda: subprocess.run([sys.executable, "-c", program], check=True, cwd=sys.path[0])


def held_ms(rounds: int) -> list[float]:
    """Return how long after the beginning of each invocation it is ready, if nothing is due."""
    held = []
    with tempfile.TemporaryDirectory() as folder, closing(ExtensionApi()) as api:
        names = {"REPLAY_EXPORT": "s3://bucket/prefix", "PYTHONPATH": sys.path[0]}
        extension = ExporterProcess(api, Path(folder), names)
        api.waiting.acquire()
        for n in range(rounds):
            began = perf_counter()
            api.invoke(f"request-{n}")
            api.waiting.acquire()
            held.append((perf_counter() - began) * 1000)
        extension.end()
    return held


def fill(store: Path, payload: bytes) -> None:
    """Write an object's worth of parts."""
    journal = Journal(str(store))
    for _ in range(_OBJECT_BYTES // len(payload)):
        journal.write(new_ulid(), "begun", payload, None)
    journal.close()


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    print(machine())
    programs = ("pass", _REGISTERED, _READY)
    bare, registered, ready = (spent_ms(process(it), rounds) for it in programs)
    command = [sys.executable, "-c", _MEMORY]
    done = subprocess.run(command, check=True, cwd=sys.path[0], capture_output=True, text=True)
    before_kb, after_kb = map(int, done.stdout.split())
    payload = encode({"event": event_of(2048)})
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "replay.db"
        bodies: list[bytes] = []
        exporter = Exporter(str(store), lambda _key, body: bodies.append(body))
        shipped = []
        for _ in range(rounds):
            fill(store, payload)
            shipped.append(spent_ms(exporter.ship, 1))
        due = spent_ms(exporter.is_due, rounds)
        lines = gzip.decompress(bodies[0])
        packed = spent_ms(lambda: gzip.compress(lines), rounds)
    print(f"registered       {registered - bare:7.1f} ms over `python -c pass` ({bare:.1f} ms)")
    print(f"ready            {ready - bare:7.1f} ms over it")
    print(f"memory           {before_kb / 1024:7.1f} MB, {after_kb / 1024:.1f} MB with boto3")
    print(f"nothing is due   {due:7.2f} ms to know, ready in {median(held_ms(rounds)):.1f} ms")
    print(f"an object        {median(shipped):7.1f} ms for 1 MiB, gzip alone {packed:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
