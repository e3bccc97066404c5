"""Parts of a stored recording are written anew, as redacting it again does, and nothing else.

What is derived follows in the same transaction. A part that another process has changed meanwhile
is left: the recording is then as it was, and told.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from sqlalchemy import Connection, bindparam, select, update

from replay.errors import StoreError
from replay.recording import Part, Recording
from replay.store import field, intake, interaction, outgoing, reference
from replay.store.database import Database
from replay.store.located import Located, check, in_order
from replay.store.sqlite import damage_named
from replay.store.tables import part, recording

Change: TypeAlias = Callable[[Sequence[Part]], Sequence[Part] | None]
"""Returns the parts of a recording as they are to be, in their order; None: as they are."""
_ROW = select(recording).where(recording.c.id == bindparam("id"))
_PART = update(part).where(part.c.n == bindparam("b_n"), part.c.crc == bindparam("b_crc"))


def changed_of(database: Database, id: str, change: Change) -> list[tuple[Located, Part]] | None:
    """Return the parts of a recording, each with what it is to be; None where nothing changes.

    Raises DamagedError, and ReplayError where it is unknown.
    """
    with database.reading() as connection, damage_named(id):
        row = connection.execute(_ROW, {"id": id}).one_or_none()
        if row is None:
            raise reference.unknown(id)
        found = in_order(outgoing.locate(connection, row))
        check(id, found)
    changed = change([one.part for one in found])
    return None if changed is None else list(zip(found, changed, strict=True))


def rewrite(database: Database, id: str, parts: Sequence[tuple[Located, Part]]) -> None:
    """Write a recording's parts as they are to be; raises StoreError where it has changed since."""

    def write(connection: Connection) -> None:
        for before, after in parts:
            if after is not before.part:
                _write(connection, before, after)
        now = [Located(before.n, after, is_intact=True) for before, after in parts]
        derived = intake.derived(id, now)
        field.derive(connection, id, Recording.from_parts(id, [after for _, after in parts]))
        connection.execute(update(recording).where(recording.c.id == id).values(**derived.values))
        if derived.calls:
            interaction.write(connection, [id], list(derived.calls.values()))

    database.write(write, for_good=True)


def _write(connection: Connection, before: Located, after: Part) -> None:
    values = {"b_n": before.n, "b_crc": before.part.crc, "crc": after.crc, "payload": after.payload}
    if connection.execute(_PART, values).rowcount != 1:
        raise StoreError(
            f"recording {after.id} has been changed by another process meanwhile",
            "once more: replay redact",
        )
