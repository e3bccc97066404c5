"""What a command's argument refers to: the ids of recordings.

A full id, a tail of 4 or more characters, a request id, `@latest`, or `@N` for the Nth newest.
"""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from replay.errors import ReplayError, UnknownError
from replay.store.tables import recording

_MIN_TAIL = 4
_ROW = select(recording).where(recording.c.id == bindparam("id"))


def resolve(connection: Connection, text: str) -> tuple[str, ...]:
    """Return the ids; several for a request id with several attempts. Raises ReplayError."""
    if not text.isascii():
        raise unknown(text)
    if text.startswith("@"):
        return (_newest(connection, text),)
    by_request = select(recording.c.id).where(recording.c.request_id == text)
    attempts = tuple(connection.scalars(by_request.order_by(recording.c.id)))
    return attempts or (_by_tail(connection, text.lower()),)


def _newest(connection: Connection, text: str) -> str:
    place = "1" if text == "@latest" else text[1:]
    if not place.isdecimal() or len(place) > 9 or int(place) < 1:
        raise ReplayError(
            f"{text!r} is no place in the list", "write @latest, or @2 for the second"
        )
    statement = select(recording.c.id).order_by(recording.c.id.desc()).offset(int(place) - 1)
    id = connection.scalar(statement.limit(1))
    if id is None:
        raise unknown(text)
    return str(id)


def _by_tail(connection: Connection, tail: str) -> str:
    if len(tail) < _MIN_TAIL or not tail.isalnum():
        raise unknown(tail)
    start = tail[::-1]
    column = recording.c.reversed_id
    within = (column >= start) & (column < start + "~")
    rows = connection.execute(
        select(recording).where(within).order_by(recording.c.id).limit(20)
    ).all()
    if not rows:
        raise unknown(tail)
    if len(rows) > 1:
        candidates = ", ".join(f"{row.id} ({row.function_name})" for row in rows)
        raise ReplayError(
            f"{tail!r} could be any of {len(rows)} recordings", f"one of: {candidates}"
        )
    return str(rows[0].id)


def row_of(connection: Connection, id: str) -> Row[Any]:
    """Return the row of a recording by its full id; raises ReplayError where it is unknown."""
    row = connection.execute(_ROW, {"id": id}).one_or_none()
    if row is None:
        raise unknown(id)
    return row


def unknown(text: str) -> UnknownError:
    """Return the error for an argument that names no recording."""
    return UnknownError(f"no recording {text!r} in the store", "replay list shows what there is")
