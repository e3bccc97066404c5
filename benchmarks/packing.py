"""What packing saves of stored payloads, and what it costs; and the dictionary that it packs with.

    python benchmarks/packing.py [--invocations N] [--events FOLDER]
    python benchmarks/packing.py --train

Prints, for material that the dictionary was not trained on and for that on which it was, the size
of the packed payloads to that of the plain ones, with other sizes of the dictionary and without
any. Not trained on are the sample applications of the tests, recorded anew against moto's server,
with and without the tape of their randomness, which nothing can pack, and the events of a folder,
if there is one. Then the microseconds that a payload takes to be packed and unpacked. `--train`
writes the dictionary anew: of the same material, the same bytes. One that has been released is
never changed; another one gets another number. Exits 1 where the one that ships is another one than
the material makes, or saves less than half of what it was not trained on and that is large enough.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[0] = str(ROOT)
sys.path.append(str(ROOT / "tests"))

from benchmarks.dictionary.material import material, payloads_in
from benchmarks.side_by_side import LambdaContext, machine
from replay import capture
from replay.store.packing import DICTIONARY_ID, LEAST_BYTES, LEVEL, packed, unpacked
from replay.zstd import zstd

SHIPPED = ROOT / "replay" / "store" / "packing.dict"
_SIZE_BYTES = 32 * 2**10
_OTHERS_BYTES = (16 * 2**10, 64 * 2**10, 112 * 2**10)
_BAR = 0.5


def trained(samples: list[bytes], size_bytes: int) -> bytes:
    """Return a dictionary of our number."""
    content = zstd.train_dict(samples, size_bytes).dict_content
    # Behind the magic stands the number; the trainer makes one up.
    return content[:4] + DICTIONARY_ID.to_bytes(4, "little") + content[8:]


def held_out(folder: Path, invocations: int, events: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Yield material that the dictionary has not seen, by name."""
    record = import_module("applications.record")
    for is_taped in (False, True):
        for name in record.TRAFFIC:
            store = folder / f"{name}-{is_taped}.db"
            record.record(name, store, invocations, is_taped=is_taped)
            yield f"{name}{', taped' if is_taped else ''}", list(payloads_in(store))
    if events.is_dir():
        yield "events of others", list(_captured(events, folder / "events.db"))


def _captured(events: Path, store: Path) -> Iterator[bytes]:
    @capture(store=str(store))
    def handler(_event: object, _context: object) -> dict[str, int]:
        return {"statusCode": 200}

    for path in sorted(events.rglob("*.json")):
        try:
            handler(json.loads(path.read_bytes()), LambdaContext())
        except ValueError:  # a template, no event
            continue
    return payloads_in(store)


def ratio(payloads: Sequence[bytes], pack: Callable[[bytes], bytes]) -> float:
    """Return the size of packed payloads to that of plain ones."""
    return sum(len(pack(it)) for it in payloads) / sum(map(len, payloads))


def packing_with(dictionary: bytes | None) -> Callable[[bytes], bytes]:
    """Return what packs with some dictionary, or with none."""
    known = zstd.ZstdDict(dictionary) if dictionary else None
    compressor = zstd.ZstdCompressor(level=LEVEL, zstd_dict=known)
    return lambda it: min(it, compressor.compress(it, compressor.FLUSH_FRAME), key=len)


def spent_us(step: Callable[[bytes], bytes], payloads: Sequence[bytes]) -> float:
    """Return the microseconds that a step takes for one of the payloads."""
    began = time.perf_counter()
    for payload in payloads:
        step(payload)
    return (time.perf_counter() - began) * 1e6 / len(payloads)


def report(samples: list[bytes], unseen: dict[str, list[bytes]]) -> bool:
    """Print the ratios and the costs; return whether the bar holds."""
    ways = {"as shipped": packed, "no dictionary": packing_with(None)}
    ways |= {
        f"{it // 2**10} KiB": packing_with(trained(samples, it))
        for it in sorted((_SIZE_BYTES, *_OTHERS_BYTES))
    }
    print(f"{'':24} {'parts':>6} {'bytes each':>10}  " + "  ".join(f"{it:>13}" for it in ways))
    for name, payloads in {**unseen, "trained on": samples}.items():
        each = sum(map(len, payloads)) // len(payloads)
        ratios = "  ".join(f"{ratio(payloads, way):13.3f}" for way in ways.values())
        print(f"{name:24} {len(payloads):6,} {each:10,}  {ratios}")
    everything = [it for some in unseen.values() for it in some if len(it) >= LEAST_BYTES]
    kept = [packed(it) for it in everything]
    print(f"a payload is packed in {spent_us(packed, everything):.1f} us,", end=" ")
    print(f"unpacked in {spent_us(unpacked, kept):.1f} us")
    total = ratio(everything, packed)
    print(
        f"what it was not trained on, of {LEAST_BYTES} bytes and more: {total:.3f}, bar <= {_BAR}"
    )
    return total <= _BAR


def main() -> int:
    """Measure, or train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--invocations", type=int, default=220)
    parser.add_argument("--events", type=Path, default=ROOT.parent / "shared" / "events")
    given = parser.parse_args()
    samples = material()
    made = trained(samples, _SIZE_BYTES)
    if given.train:
        SHIPPED.write_bytes(made)
        return 0
    print(f"{machine()}, zstd {zstd.zstd_version}")
    with tempfile.TemporaryDirectory() as name:
        unseen = dict(held_out(Path(name), given.invocations, given.events))
    is_same = made == SHIPPED.read_bytes()
    print(f"the material makes the dictionary that ships: {'yes' if is_same else 'NO'}")
    return 0 if report(samples, unseen) and is_same else 1


if __name__ == "__main__":
    sys.exit(main())
