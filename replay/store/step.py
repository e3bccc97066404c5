"""What a batch of parts changes in the derived tables, worked out before it is written: a value.

Writing it is all that a transaction of the intake has to do.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update

from replay.store import interaction
from replay.store.column import Values
from replay.store.tables import recording


@dataclass(frozen=True, slots=True)
class Step:
    """What the parts after one number and up to another change: new rows and changed ones."""

    from_n: int
    taken_n: int
    new: list[Values]
    changed: list[Values]
    with_calls: list[str]
    calls: list[Values]
    longest: int
    """How many parts one of the recordings has at most."""

    def write(self, connection: Connection) -> None:
        """Write the rows."""
        _write(connection, insert(recording), self.new)
        _write(
            connection, update(recording).where(recording.c.id == bindparam("b_id")), self.changed
        )
        interaction.write(connection, self.with_calls, self.calls)


def _write(connection: Connection, statement: Any, rows: list[Values]) -> None:
    if rows:
        connection.execute(statement, rows)
