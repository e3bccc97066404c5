"""Parts of a stored recording are written anew, as redacting it again does, and nothing else.

What is derived follows in the same transaction. A part that another process has changed meanwhile
is left: the recording is then as it was, and told.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from sqlalchemy import Connection, bindparam, update

from replay.errors import StoreError
from replay.part import part_crc
from replay.recording import Part
from replay.store import field, intake, interaction, outgoing, reference
from replay.store.engine.database import Database
from replay.store.engine.sqlite_error import damage_named
from replay.store.located import Located, check, in_order
from replay.store.packing import packed
from replay.store.tables import part, recording

Change: TypeAlias = Callable[[Sequence[Part]], Sequence[Part] | None]
"""Returns the parts of a recording as they are to be, in their order; None: as they are."""
_PART = update(part).where(part.c.n == bindparam("b_n"), part.c.crc == bindparam("b_crc"))


def changed_of(database: Database, id: str, change: Change) -> list[tuple[Located, Part]] | None:
    """Return the parts of a recording, each with what it is to be; None where nothing changes.

    Raises DamagedError, and ReplayError where it is unknown.
    """
    with database.snapshot() as connection, damage_named(id):
        row = reference.row_of(connection, id)
        found = in_order(outgoing.locate(connection, row))
        check(id, found)
    changed = change([one.part for one in found])
    return None if changed is None else list(zip(found, changed, strict=True))


def rewrite(database: Database, parts: Sequence[tuple[Located, Part]]) -> None:
    """Write parts as they are to be; raises StoreError where one has changed since."""
    database.write(partial(put, parts=parts), for_good=True)


def put(connection: Connection, parts: Sequence[tuple[Located, Part]]) -> None:
    """Write parts as they are to be, and derive what follows; see `rewrite`."""
    changed = [(before, after) for before, after in parts if after.payload != before.part.payload]
    for before, after in changed:
        _write(connection, before, after.payload)
    for id in sorted({before.holder for before, _ in changed}):
        _derive(connection, id)


def _write(connection: Connection, before: Located, payload: bytes) -> None:
    id, kind = before.holder, before.part.kind
    crcs = {"b_crc": part_crc(id, kind, before.part.payload), "crc": part_crc(id, kind, payload)}
    values = {"b_n": before.n, "payload": packed(payload), **crcs}
    if connection.execute(_PART, values).rowcount != 1:
        raise StoreError(
            f"recording {id} has been changed by another process meanwhile",
            "once more: replay redact",
        )


def _derive(connection: Connection, id: str) -> None:
    """Derive a recording's row anew, its calls', and its fields."""
    row = reference.row_of(connection, id)
    found = in_order(intake.locate(connection, row))
    derived = intake.derived(id, found)
    field.derive(connection, id, intake.read(id, found))
    connection.execute(update(recording).where(recording.c.id == id).values(**derived.values))
    if derived.calls:
        interaction.write(connection, [id], list(derived.calls.values()))
