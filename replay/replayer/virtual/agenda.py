"""What is to happen when: instants in order, and for equal ones first come, first served."""

from heapq import heapify, heappop, heappush
from itertools import count
from math import ceil
from typing import Generic, TypeVar

What = TypeVar("What")
NEVER_NS = 1 << 63


def span_ns(seconds: float) -> int:
    """Return seconds in whole nanoseconds, rounded up as the interpreter rounds time-outs."""
    return ceil(seconds * 1_000_000_000)


class Agenda(Generic[What]):
    """A heap of instants in nanoseconds; what is no longer to happen is crossed out."""

    def __init__(self) -> None:
        self._order = count()
        self._entries: list[tuple[int, int, What]] = []
        self._valid: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._valid)

    def add(self, when_ns: int, what: What) -> int:
        """Put something down; return the number to cross it out by."""
        number = next(self._order)
        self._valid.add(number)
        heappush(self._entries, (when_ns, number, what))
        return number

    def cross_out(self, number: int | None) -> None:
        """Let something not happen, if it has not yet."""
        if number is not None:
            self._valid.discard(number)

    @property
    def next_ns(self) -> int:
        """When the next thing happens."""
        self._drop_crossed_out()
        return self._entries[0][0] if self._entries else NEVER_NS

    def take(self) -> What:
        """Return the next thing, which then has happened."""
        self._drop_crossed_out()
        _, number, what = heappop(self._entries)
        self._valid.remove(number)
        return what

    def _drop_crossed_out(self) -> None:
        while self._entries and self._entries[0][1] not in self._valid:
            heappop(self._entries)

    def move(self, span_ns: int) -> None:
        """Let everything happen so much later."""
        self._entries = [(when + span_ns, *rest) for when, *rest in self._entries]  # type: ignore[misc]
        heapify(self._entries)

    def clear(self) -> None:
        """Let nothing happen."""
        self._entries.clear()
        self._valid.clear()
