"""The cases that a command was asked for, which it may read several times."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from replay.cli.arguments import named
from replay.cli.command import folders_of, opened_when_needed, say_error
from replay.errors import DamagedError, ReplayError
from replay.executor.plan import Plan
from replay.executor.reader import Reader
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.network import CLOSED
from replay.replayer.rule import rule_of
from replay.settings import Settings
from replay.store.selection import Selection
from replay.testing.case_file import CaseFile

Readable = Recording | CaseFile


class Unreadable:
    """Says of recordings that they cannot be read, and counts them; of each once."""

    def __init__(self) -> None:
        self.count = 0
        self.is_silent = False

    def __call__(self, error: ReplayError) -> None:
        """Say and count one."""
        if not self.is_silent:
            say_error(error)
            self.count += 1


class Cases:
    """Reads them by a plan."""

    def __init__(self, plan: Plan, ids: list[str], wanted: Selection, settings: Settings) -> None:
        self.unreadable = Unreadable()
        self._plan = plan
        self._settings = settings
        self._asked = ids, wanted

    def read(
        self, taken: Callable[[Readable], Readable | None] = lambda found: found
    ) -> Iterator[Case]:
        """Yield the cases of what `taken` makes of each recording or case, None for nothing."""
        with (
            opened_when_needed(self._settings) as store,
            closing(named(*self._asked, store)) as asked,
        ):
            reader = Reader(self._plan, store=store, tell=self.unreadable)
            for found in reader.found(asked):
                it = found if isinstance(found, DamagedError) else taken(found)
                if it is not None:
                    yield from reader.cases([it])
        self.unreadable.is_silent = True


def plain_plan(
    settings: Settings, *, handler: str | None, path: list[Path] | None, measures: bool = False
) -> Plan:
    """Return how cases are replayed that may become tests: with nothing let through."""
    return Plan(
        handler=handler or settings.handler,
        folders=folders_of(path, settings),
        clock="virtual",
        timeout_s=settings.timeout,
        looks="once",
        changes=(),
        breaks_at=None,
        network=CLOSED,
        outbound_rules=settings.outbound_rules,
        excuses=tuple(map(rule_of, settings.noise)),
        measures=measures,
    )
