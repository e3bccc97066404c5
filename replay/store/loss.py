"""What processes have noted of the parts that they lost; the writing end is recorder/loss.py.

The next begun part of a process tells of its losses too. Here is what nobody came to tell.
"""

from collections.abc import Mapping
from pathlib import Path

from replay.recorder.place import lost_paths
from replay.store.check import Check

_HINT = "the function's log says why; a larger REPLAY_MAX_STORE_BYTES may help"


def notes(store: Path) -> dict[Path, int]:
    """Return each note and its count; one that a full disk has left empty counts 1."""
    found = {}
    for place in map(Path, lost_paths(str(store))):
        if place.parent.is_dir():
            files = (file for file in place.parent.iterdir() if file.name.startswith(place.name))
            found.update({file: _count(file) for file in sorted(files) if file.is_file()})
    return found


def check(store: Path | None, told: Mapping[str, int]) -> Check:
    """Return what is to say of lost parts: `told` by begun parts of each sandbox, or noted."""
    noted = notes(store) if store else {}
    lost = dict(told)
    for file, count in noted.items():
        sandbox = file.name.rpartition("-")[2]
        lost[sandbox] = max(count, lost.get(sandbox, 0))
    if not lost:
        return Check("lost", "ok", "no part was counted as lost")
    message = f"{sum(lost.values()):,} parts were lost in {len(lost):,} sandboxes"
    hint = f"{_HINT}; then rm {' '.join(map(str, noted))}" if noted else _HINT
    return Check("lost", "warn", message, hint, tuple(sorted(lost)))


def _count(file: Path) -> int:
    try:
        return int(file.read_bytes()[:20])
    except (OSError, ValueError):
        return 1
