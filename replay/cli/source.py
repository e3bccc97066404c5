"""The cases that a command was asked for, which it may read several times."""

from collections.abc import Callable, Iterator
from contextlib import closing

from replay.cli.arguments import Found, recordings
from replay.cli.plan import Plan
from replay.errors import DamagedError
from replay.recording import Recording
from replay.replayer.case import Case
from replay.settings import Settings
from replay.store.selection import Selection
from replay.testing.case_file import CaseFile

Readable = Recording | CaseFile


class Cases:
    """Reads them by a plan; what cannot be read is told and counted once."""

    def __init__(self, plan: Plan, ids: list[str], wanted: Selection, settings: Settings) -> None:
        self.plan = plan
        self._asked = ids, wanted, settings
        self._is_read = False

    def read(
        self, taken: Callable[[Readable], Readable | None] = lambda found: found
    ) -> Iterator[Case]:
        """Yield the cases of what `taken` makes of each recording or case, None for nothing."""
        with closing(recordings(*self._asked)) as found:
            yield from self.plan.cases(self._left(found, taken))
        self._is_read = True

    def _left(
        self, found: Iterator[Found], taken: Callable[[Readable], Readable | None]
    ) -> Iterator[Found]:
        for it in found:
            if isinstance(it, DamagedError):
                if not self._is_read:
                    yield it
            elif (wanted := taken(it)) is not None:
                yield wanted
