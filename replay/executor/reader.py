"""From what a command names to the cases of it: ids are read from the store, some at a time."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, cast

from replay.errors import DamagedError, ReplayError
from replay.executor.earlier import Earlier
from replay.executor.plan import Plan
from replay.executor.work import Found, Named
from replay.recording import Recording
from replay.replayer.case import Case
from replay.testing.case_file import CaseFile

if TYPE_CHECKING:
    from replay.store.store import Store


class Reader:
    """Makes cases; tells of what cannot be read, and goes on."""

    def __init__(
        self,
        plan: Plan,
        *,
        store: "Callable[[], Store]",
        tell: Callable[[ReplayError], None],
        earlier: Earlier | None = None,
    ) -> None:
        self._plan = plan
        self._store = store
        self._tell = tell
        self._earlier = earlier

    def found(self, named: Iterable[Named]) -> Iterator[Found]:
        """Yield what is named, read; what cannot be comes as the error that says why."""
        for are_ids, alike in groupby(named, lambda it: isinstance(it, str)):
            if are_ids:
                yield from self._store().read(cast("Iterator[str]", alike))
            else:
                yield from cast("Iterator[Found]", alike)

    def cases(self, named: Iterable[Named]) -> Iterator[Case]:
        """Yield the cases of what can be read, and tell of the others."""
        for found in self.found(named):
            try:
                yield self.case(found)
            except ReplayError as error:
                self._tell(error)

    def case(self, found: Found) -> Case:
        """Return the case of what was found; raises ReplayError."""
        if isinstance(found, DamagedError):
            raise found
        return self._plan.case(found, earlier=self._before(found))

    def _before(self, found: Recording | CaseFile) -> Iterable[Recording] | None:
        if self._earlier is None:
            return None
        return self._earlier.of(found.recording if isinstance(found, CaseFile) else found)
