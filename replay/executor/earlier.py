"""Where the earlier invocations of a recording's sandbox come from, which are to warm it.

From recordings that are given, and from a store; there each is read when it is replayed, so that a
long-lived sandbox needs no memory.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replay.errors import DamagedError
from replay.recording import Recording

if TYPE_CHECKING:
    from replay.store.store import Store

MAX_EARLIER = 1_000
"""So many invocations at most, the last ones, warm a case."""


class Earlier:
    """Finds what a sandbox has seen before an invocation."""

    def __init__(
        self, store: "Callable[[], Store] | None", given: Iterable[Recording] = ()
    ) -> None:
        self._store = store
        self._given: dict[str, list[Recording]] = defaultdict(list)
        for recording in given:
            self._given[recording.invocation.sandbox.id].append(recording)

    @property
    def has_given(self) -> bool:
        """Whether some are not the store's."""
        return bool(self._given)

    def of(self, recording: Recording) -> "EarlierOf":
        """Return the earlier invocations, to be read whenever they are needed."""
        return EarlierOf(self, recording)

    def read(self, recording: Recording) -> Iterator[Recording]:
        """Yield them in their order; those that cannot be read are left out."""
        for id, found in self._places(recording)[-MAX_EARLIER:]:
            one = found or self._stored(id)
            # Another handler of the same process is not what the case imports.
            if one is not None and one.invocation.handler == recording.invocation.handler:
                yield one

    def _places(self, recording: Recording) -> list[tuple[str, Recording | None]]:
        sandbox = recording.invocation.sandbox
        places: dict[tuple[int, str], Recording | None] = {}
        if self._store is not None:
            places.update(dict.fromkeys(self._store().earlier(recording, MAX_EARLIER)))
        for one in self._given.get(sandbox.id, ()):
            place = one.invocation.sandbox.sequence
            if place < sandbox.sequence:
                places[place, one.id] = one
        return [(id, places[place, id]) for place, id in sorted(places)]

    def _stored(self, id: str) -> Recording | None:
        try:
            return self._store().get(id) if self._store else None
        except DamagedError:
            return None


@dataclass(frozen=True, slots=True)
class EarlierOf:
    """The earlier invocations of one recording."""

    earlier: Earlier
    recording: Recording

    def __iter__(self) -> Iterator[Recording]:
        return self.earlier.read(self.recording)
