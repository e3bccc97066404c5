"""Which recordings a command means: the filters that all commands share, as one value.

Values reach SQL as bound parameters, columns come from the table below; nothing of a filter becomes
part of a statement's text.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, select

from replay.store.tables import recording, tag
from replay.store.tags import TAGS

_COLUMNS = ("function_name", "alias", "outcome", "error_type", "source")


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters; None means any. Times are microseconds since 1970, `before` is a recording's id.

    `tags` are those that a recording must all have; `where` pairs JSONPaths with the values that
    the event must have there.
    """

    function_name: str | None = None
    alias: str | None = None
    outcome: str | None = None
    error_type: str | None = None
    source: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    before: str | None = None
    tags: tuple[str, ...] = ()
    where: tuple[tuple[str, object], ...] = ()
    limit: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for."""
        return self == Selection(limit=self.limit)

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the SQL conditions, all of which hold for a selected row."""
        wanted: list[ColumnElement[bool]] = [
            recording.c[name] == getattr(self, name)
            for name in _COLUMNS
            if getattr(self, name) is not None
        ]
        if self.since_us is not None:
            wanted.append(recording.c.captured_at_us >= self.since_us)
        if self.until_us is not None:
            wanted.append(recording.c.captured_at_us < self.until_us)
        if self.before is not None:
            wanted.append(recording.c.id < self.before)
        for name in self.tags:
            tagged = select(tag.c.recording_id).where(tag.c.name == name)
            wanted.append(recording.c.id.in_(tagged))
        return wanted

    def statement(self) -> Select[tuple[object, ...]]:
        """Return the query for the selected rows, newest first, without the limit."""
        return select(recording, TAGS).where(*self.conditions()).order_by(recording.c.id.desc())
