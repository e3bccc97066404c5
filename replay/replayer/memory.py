"""How much memory a replayed process may have, and how much it has in use with its descendants.

Lambda kills a function that takes more than it is configured with. A replay is given twice that,
for another system's libraries, and a gigabyte at least, so that nothing which has run on Lambda is
killed here, and nothing without bound takes the machine with it. No resource limit is set: that of
the address space breaks libraries that reserve it without use, that of the data counts the stacks
of sleeping threads, and a handler's own programs would inherit both.
"""

import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from replay.replayer.case import Case
from replay.replayer.descendant import Entry

MIB = 1 << 20
_LEAST_LIMIT_BYTES = 1024 * MIB
_PROPORTIONAL = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)
_PEAK = re.compile(rb"^VmHWM:\s+(\d+) kB", re.MULTILINE)


def limit_bytes(case: Case) -> int | None:
    """Return what the process of a case may have; None, no limit, under a debugger."""
    if case.breaks_at is not None:
        return None
    configured = case.recording.invocation.context.text("memory_limit_in_mb") or ""
    configured_bytes = int(configured) * MIB if configured.isdecimal() else 0
    return max(_LEAST_LIMIT_BYTES, 2 * configured_bytes)


def used_bytes(entries: Sequence[Entry], limit_bytes: int) -> int:
    """Return what processes have in use together; what they share counts once if it matters."""
    used = sum(entry.resident_bytes for entry in entries)
    if used <= limit_bytes or len(entries) == 1:
        return used
    return sum(map(_proportional_bytes, entries))  # fifty forks of one process are hardly more


def peak_bytes(pid: int) -> int | None:
    """Return the peak of a process's memory on Linux, what it has now elsewhere."""
    if Path("/proc/self").exists():
        return _kilobytes(Path(f"/proc/{pid}/status"), _PEAK)
    ps = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=False)  # noqa: S603, S607
    return int(ps.stdout) * 1024 if ps.stdout.strip().isdigit() else None


def _proportional_bytes(entry: Entry) -> int:
    found = _kilobytes(Path(f"/proc/{entry.pid}/smaps_rollup"), _PROPORTIONAL)
    return entry.resident_bytes if found is None else found


def _kilobytes(path: Path, field: re.Pattern[bytes]) -> int | None:
    with suppress(OSError):
        found = field.search(path.read_bytes())
        return int(found[1]) * 1024 if found else None
    return None
