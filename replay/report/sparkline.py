"""Numbers over time as one line of blocks. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = ".:-=+*#@"
"""Where the output cannot encode blocks."""


def a_day(counts: Mapping[date, int], width: int) -> tuple[Sequence[int], int]:
    """Return how many there were on each day, the empty ones too, and how many days a number is of.

    There are at most `width` numbers: of longer times, each is the sum of several days.
    """
    if not counts:
        return (), 1
    first, last = min(counts).toordinal(), max(counts).toordinal()
    days = -(-(last - first + 1) // width)
    sums = [0] * ((last - first) // days + 1)
    for day, count in counts.items():
        sums[(day.toordinal() - first) // days] += count
    return sums, days


def sparkline(counts: Sequence[int], *, blocks: str = BLOCKS) -> str:
    """Return a block for each number, as high as its share of the greatest; none for nothing."""
    most = max(counts, default=0)
    return "".join([blocks[(it * len(blocks) - 1) // most] if it else " " for it in counts])
