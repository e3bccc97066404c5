"""Which recordings a command means: the filters that all commands share, as one value.

Values reach SQL as bound parameters, clauses come from the table below; nothing of a filter becomes
part of a statement's text. The text goes to the driver as it is: building it with SQLAlchemy takes
longer than the query.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from replay.store.column import marks, storable

_CLAUSES = {
    **{
        name: f"{name} = ?"
        for name in ("function_name", "alias", "outcome", "error_type", "source")
    },
    "since_us": "captured_at_us >= ?",
    "until_us": "captured_at_us < ?",
    "before": "id < ?",
}
_AFTER = "id > ?"
_FIELD = "id IN (SELECT recording_id FROM field WHERE path = ? AND value = ?)"
_TAGGED = "id IN (SELECT recording_id FROM tag WHERE name = ?)"


class Query(NamedTuple):
    """A statement and the values of its places."""

    text: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters; None means any. Times are microseconds since 1970, `before` is a recording's id.

    `tags` are those that a recording must all have; `where` pairs JSONPaths with the values that
    the event must have there, `fields` those of them that a table knows.
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
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for."""
        return self == Selection(limit=self.limit)

    def query(
        self, columns: str, *, limit: int, beyond: str | None = None, oldest_first: bool = False
    ) -> Query:
        """Return the query for the selected rows, newest first; `beyond` is the last id seen."""
        clauses = [(clause, getattr(self, name)) for name, clause in _CLAUSES.items()]
        clauses += [(_TAGGED, name) for name in self.tags]
        clauses.append((_AFTER if oldest_first else _CLAUSES["before"], beyond))
        wanted = [(clause, value) for clause, value in clauses if value is not None]
        narrow = [it for field in self.fields for it in field]
        clauses_text = [*(clause for clause, _ in wanted), *[_FIELD] * len(self.fields)]
        where = " AND ".join(clauses_text) or "1 = 1"
        order = "ASC" if oldest_first else "DESC"
        text = " ".join(
            ("SELECT", columns, "FROM recording WHERE", where, "ORDER BY id", order, "LIMIT ?")
        )
        return Query(text, (*(storable(value) for _, value in wanted), *narrow, limit))

    @staticmethod
    def of_ids(columns: str, ids: Sequence[str]) -> Query:
        """Return the query for the rows of some recordings, newest first."""
        text = " ".join(("SELECT", columns, "FROM recording WHERE id IN", marks(len(ids))))
        return Query(f"{text} ORDER BY id DESC", tuple(ids))
