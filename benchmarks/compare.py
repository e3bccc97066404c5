"""What it takes to find three differences in a result, against DeepDiff.

    python benchmarks/compare.py [--rounds N]

Interleaved in one run, for results of 10 and 256 KB with three changed values: `compare`, from the
bytes of both outcomes to the paths that differ; DeepDiff over the parsed values, parsing not
counted. Bar for a list of orders, whose values are short: at most 1/100. A batch of messages, whose
values are texts of 2 KB, is shown beside it. Exits 1 when the bar is missed.
"""

import argparse
import copy
import gc
import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

from deepdiff import DeepDiff

sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.side_by_side import event_of, interleaved, machine
from replay.outcome import Returned
from replay.replayer.compare import compare

_BAR = 0.01
_SIZES_KB = (10, 256)
Result = dict[str, Any]


def orders(size_bytes: int) -> Result:
    """Return a list of orders of about `size_bytes` of JSON."""
    found: list[dict[str, Any]] = []
    while len(json.dumps(found)) < size_bytes:
        number = len(found)
        lines = [
            {"sku": f"tea-{number % 7}", "count": number % 5 + 1, "price": 3.5 + number % 3},
            {"sku": "cup", "count": 1, "price": 7.25},
        ]
        customer = {"name": "Ada", "vip": number % 3 == 0, "since": 2019}
        found.append({"id": f"o-{number:05}", "customer": customer, "lines": lines, "paid": True})
    return {"Records": found}


def changed(result: Result) -> Result:
    """Return a copy with a value changed at the start and in the middle, one missing at the end."""
    other = copy.deepcopy(result)
    records = other["Records"]
    for record in (records[0], records[len(records) // 2]):
        record[next(iter(record))] = "another"
    records[-1].popitem()
    return other


def measure(name: str, result: Result, rounds: int) -> float:
    """Print the figures of one result; return the ratio."""
    other = changed(result)
    sides = [Returned(json.dumps(value).encode()) for value in (result, other)]
    found = compare(*sides)
    if len(found) != 3:
        raise SystemExit(f"found {len(found)} differences")
    timings = interleaved(
        {
            "compare": lambda: compare(*sides),
            "deepdiff": lambda: DeepDiff(result, other).to_dict(),
        },
        rounds,
        warm_up=2,
    )
    ours, theirs = median(timings["compare"]), median(timings["deepdiff"])
    print(
        f"{name}   compare {ours:7.0f} us   DeepDiff {theirs:9.0f} us   ratio {ours / theirs:.4f}"
    )
    return ours / theirs


def main() -> int:
    """Run all sizes; return 1 when the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    gc.set_threshold(100_000)  # as the command has it
    print(machine())
    held = True
    for size_kb in _SIZES_KB:
        ratio = measure(f"orders  {size_kb:4} KB", orders(size_kb * 1024), rounds)
        held &= ratio <= _BAR
        print(f"   bar {_BAR}  {'ok' if ratio <= _BAR else 'MISSED'}")
        measure(f"batch   {size_kb:4} KB", event_of(size_kb * 1024), rounds)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
