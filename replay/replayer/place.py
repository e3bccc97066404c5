"""Where replays differ: at a path of the outcome or of a call, maybe in an array. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol, TypeAlias

from replay.replayer.compare import Difference

Place: TypeAlias = tuple[str | None, str]
"""The call that a path leads into, None for the outcome, and the path."""


class Placed(Protocol):
    """What is told of one place."""

    @property
    def call(self) -> str | None:
        """The call that the path leads into."""

    @property
    def path(self) -> str:
        """The path."""


def place_of(it: Placed) -> Place:
    """Return the place that something is told of."""
    return it.call, it.path


def array_of(path: str) -> str | None:
    """Return the path of the array that a path leads into, None where it ends elsewhere."""
    array, bracket, index = path.rpartition("[")
    return array if bracket and index[:-1].isdigit() else None


def array_place(place: Place) -> Place | None:
    """Return the same of a place."""
    call, path = place
    array = array_of(path)
    return None if array is None else (call, array)


def reordered_arrays(differences: Iterable[Difference]) -> set[Place]:
    """Return the arrays whose differing elements are the same ones at other places of it."""
    by_array: defaultdict[Place | None, list[Difference]] = defaultdict(list)
    for difference in differences:
        by_array[array_place(place_of(difference))].append(difference)
    return {
        array
        for array, some in by_array.items()
        if array is not None
        and sorted(repr(it.recorded) for it in some) == sorted(repr(it.replayed) for it in some)
    }
