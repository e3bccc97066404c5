"""What a batch of parts changes in the derived tables, worked out before it is written: a value.

Writing it is all that a transaction of the intake has to do, by the driver's own statements: to
make them out of SQLAlchemy's takes longer than a capturing process waits.
"""

from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import Connection

from replay.store import interaction
from replay.store.column import Values
from replay.store.engine.database import driver
from replay.store.shrink import Smaller
from replay.store.tables import recording

COLUMNS = recording.c.keys()
_UPDATE_RECORDINGS = " ".join(
    ("UPDATE recording SET", ", ".join(f"{name} = ?" for name in COLUMNS), "WHERE id = ?")
)
recording_values = itemgetter(*COLUMNS)


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
    smaller: list[Smaller]
    """Payloads of the parts, as they are to be kept; written apart."""

    def write(self, connection: Connection) -> None:
        """Write the rows."""
        raw = driver(connection)
        raw.insert(recording, map(recording_values, self.new))
        changed = [(*recording_values(one), one["id"]) for one in self.changed]
        raw.executemany(_UPDATE_RECORDINGS, changed)
        interaction.write(connection, self.with_calls, self.calls)
