"""Where what belongs to a store lies besides it: the spool, and notes of what was lost. Pure."""

import os

SPOOL = ".spool"
SHIPPING = ".shipping-"
"""What follows the name of a spool that an exporter has claimed."""
LOST = ".lost-"


def spool_paths(store: str) -> tuple[str, str]:
    """Return the two places for a store's spool: beside it, and in the temporary folder."""
    folder = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - tempfile takes 3 ms to import
    elsewhere = os.path.abspath(store).replace(os.sep, "%")
    return store + SPOOL, os.path.join(folder, f"replay-{elsewhere}{SPOOL}")


def lost_paths(store: str) -> tuple[str, str]:
    """Return what the names of notes begin with, in the same two places; an id follows."""
    beside, elsewhere = spool_paths(store)
    return beside.removesuffix(SPOOL) + LOST, elsewhere.removesuffix(SPOOL) + LOST
