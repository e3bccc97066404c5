"""The parts of a spool go into the store, each exactly once, and its files are gone after that.

A part that the store has already is left out. The transactions are so short that a process which
captures meanwhile need not spool.
"""

from dataclasses import dataclass
from pathlib import Path

from replay.recording import Part
from replay.store import spool
from replay.store.arrival.inbox import Inbox


@dataclass(frozen=True, slots=True)
class SpoolReport:
    """What the spool held: parts new to the store, and lines that could not be read.

    `named` says of which recordings those lines are, as far as that can be made out.
    """

    taken: int = 0
    damaged: int = 0
    named: tuple[str, ...] = ()


def take_in(inbox: Inbox, store: Path) -> SpoolReport:
    """Copy the spool's parts into `part`, some at a time, and delete its files after that."""
    files = [spool.claim(file) for file in spool.spools(store)]
    found = [one for file in files for one in spool.read(file)]
    parts = [one for one in found if isinstance(one, Part)]
    taken = inbox.take(parts) if parts else 0
    named = tuple(spool.line_name(one) for one in found if isinstance(one, bytes))
    for file in files:
        spool.dispose(file, keep=bool(named))
    return SpoolReport(taken, len(named), named)
