"""What is in the spool goes out as well: no sandbox outlives its own temporary folder.

A spool is renamed before it is read, so that nobody adds to it, and deleted once its object is
acknowledged; one that a process has left behind is shipped by the next, or taken in by a command.
"""

import os
from collections.abc import Iterator
from glob import escape, glob

from replay.recorder.export.shipment import Row
from replay.recorder.place import SHIPPING, spool_paths
from replay.recorder.spool import claim_as, fields_of


def claim(store: str) -> list[str]:
    """Return the spool files of a store, claimed, those of earlier processes as well; OSError."""
    for path in spool_paths(store):
        if os.path.isfile(path) and not os.path.islink(path):
            claim_as(path, f"{path}{SHIPPING}{os.getpid()}-{os.urandom(4).hex()}")
    return [it for path in spool_paths(store) for it in sorted(glob(escape(path) + f"{SHIPPING}*"))]


def rows(claimed: str) -> Iterator[Row]:
    """Yield the parts of a claimed spool; a torn line, which is none, is left out."""
    with open(claimed, "rb") as lines:
        for line in lines:
            fields = fields_of(line)
            if fields is not None:
                yield Row(0, *fields)
