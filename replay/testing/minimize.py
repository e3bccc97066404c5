"""The smallest set of cases that has every feature which all of them have. Pure.

Finding the very smallest is as hard as any problem of its kind (set cover), so that cases are taken
greedily, and then what is not needed is put back. Invariant: what is kept has all features, none of
it could be left out, and the order in which cases come makes no difference.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from itertools import chain

from replay.testing.feature import Feature


@dataclass(frozen=True, slots=True)
class Measured:
    """A case as far as it counts here: what it has, and the bytes of its event."""

    id: str
    size_bytes: int
    features: frozenset[Feature]


@dataclass(frozen=True, slots=True)
class Kept:
    """A case that is kept; `purpose` are the features that no other kept case has.

    `alike` is how many cases have exactly its features, itself included.
    """

    id: str
    size_bytes: int
    features: frozenset[Feature]
    purpose: tuple[Feature, ...]
    alike: int


@dataclass(frozen=True, slots=True)
class _Group:
    """Cases with equal features: the smallest stands for them, the oldest of those as small.

    Features are numbered; `mask` has a bit for each of the `numbers`.
    """

    rank: tuple[int, str]
    features: frozenset[Feature]
    numbers: frozenset[int]
    mask: int
    count: int


def minimal(cases: Iterable[Measured]) -> tuple[Kept, ...]:
    """Return the cases to keep, oldest first; ids are taken to be in the order of time.

    Of cases that serve equally the smallest event is preferred. A case without features is never
    kept.
    """
    groups = _groups(cases)
    kept = _smaller(_needed(_taken(groups)), groups)
    times = _times(kept)
    return tuple(
        sorted((_kept(group, _only(group, times)) for group in kept), key=lambda it: it.id)
    )


def _groups(cases: Iterable[Measured]) -> list[_Group]:
    """Return what behaves alike, smallest first."""
    counted, smallest = Counter[frozenset[Feature]](), dict[frozenset[Feature], tuple[int, str]]()
    for case in cases:
        counted[case.features] += 1
        rank = case.size_bytes, case.id
        smallest[case.features] = min(rank, smallest.get(case.features, rank))
    numbered = {it: n for n, it in enumerate(sorted(frozenset().union(*counted)))}
    groups = []
    for features, count in counted.items():
        numbers = frozenset(map(numbered.__getitem__, features))
        groups.append(_Group(smallest[features], features, numbers, _mask(numbers), count))
    return sorted((it for it in groups if it.mask), key=lambda group: group.rank)


def _mask(numbers: Iterable[int]) -> int:
    mask = 0
    for number in numbers:
        mask |= 1 << number
    return mask


def _taken(groups: list[_Group]) -> list[_Group]:
    """Return groups that have all features together, each the one that then added most."""
    missing, taken = _mask(frozenset().union(*(it.numbers for it in groups))), list[_Group]()
    heap = [(-group.mask.bit_count(), n) for n, group in enumerate(groups)]
    heapify(heap)
    while missing:
        gain, n = heap[0]
        # What a group adds only ever gets less: one that still leads when counted again is it.
        now = -(groups[n].mask & missing).bit_count()
        if now != gain:
            heapreplace(heap, (now, n))
            continue
        heappop(heap)
        taken.append(groups[n])
        missing &= ~groups[n].mask
    return taken


def _needed(taken: Iterable[_Group]) -> list[_Group]:
    """Return the groups without those that others make up for, largest events given up first."""
    by_size = sorted(taken, key=lambda group: group.rank, reverse=True)
    times, needed = _times(by_size), []
    for group in by_size:
        if all(times[number] > 1 for number in group.numbers):
            times.subtract(group.numbers)
        else:
            needed.append(group)
    return needed


def _smaller(needed: list[_Group], groups: list[_Group]) -> list[_Group]:
    """Return the groups, each replaced by the smallest that does in its place."""
    everywhere, times, kept = _times(groups), _times(needed), list[_Group]()
    for group in needed:
        only = _only(group, times)
        times.subtract(group.numbers)
        if not only:  # what came in the place of another does for this one as well
            continue
        found = group
        if all(everywhere[number] > 1 for number in only):
            mask = _mask(only)
            found = next(it for it in groups if not mask & ~it.mask)
        kept.append(found)
        times.update(found.numbers)
    return _needed(kept)


def _times(groups: Iterable[_Group]) -> Counter[int]:
    """Return how many of the groups have each feature."""
    return Counter(chain.from_iterable(group.numbers for group in groups))


def _only(group: _Group, times: Counter[int]) -> list[int]:
    """Return the features that no other group has, in their order."""
    return sorted(number for number in group.numbers if times[number] == 1)


def _kept(group: _Group, only: list[int]) -> Kept:
    size_bytes, id = group.rank
    features = dict(zip(sorted(group.numbers), sorted(group.features), strict=True))
    purpose = tuple(features[number] for number in only)
    return Kept(id, size_bytes, group.features, purpose, group.count)
