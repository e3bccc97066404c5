"""Things in batches that are small in number and in bytes. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def filled(
    found: Iterable[Item], size_of: Callable[[Item], int], *, most: int, most_bytes: int
) -> Iterator[list[Item]]:
    """Yield batches, each ended by the item with which it has `most`, or over `most_bytes`."""
    batch: list[Item] = []
    size_bytes = 0
    for one in found:
        batch.append(one)
        size_bytes += size_of(one)
        if len(batch) == most or size_bytes > most_bytes:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def fitting(
    found: Iterable[Item], size_of: Callable[[Item], int], *, most: int, most_bytes: int
) -> Iterator[list[Item]]:
    """Yield batches of at most `most` and `most_bytes`; what is larger has one of its own."""
    batch: list[Item] = []
    size_bytes = 0
    for one in found:
        one_bytes = size_of(one)
        if batch and (len(batch) == most or size_bytes + one_bytes > most_bytes):
            yield batch
            batch, size_bytes = [], 0
        batch.append(one)
        size_bytes += one_bytes
    if batch:
        yield batch
