"""What a PostgreSQL server or psycopg raises, in words that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import exc

from replay.errors import StoreError

_BUSY = "55P03"
_HINTS = {
    "22P05": "give the store a database with ENCODING 'UTF8'",
    "25006": "name the server that takes writes, and a user who may write",
    "25P": "give the user more time: ALTER ROLE ... SET the timeout that the server names",
    "3F": "make the schema first: CREATE SCHEMA NAME",
    "42501": "have the user granted the right to it",
    "53": "make room on the server; what was taken stays, and the next run goes on",
    "57014": "give the user more time: ALTER ROLE ... SET statement_timeout = 0",
    _BUSY: "wait until what holds it has ended",
}
"""By the start of the SQLSTATE, what to do."""
_REFUSED = {
    "authentication failed": "check the user and the password in REPLAY_STORE",
    "does not exist": "name another database, or make it: createdb NAME",
    "too many": "wait until others have ended, or allow more connections",
}
"""By words of the message, where no connection was made: psycopg gives no SQLSTATE then."""
_UNREACHED = (
    "check host, port and database in REPLAY_STORE, and that the server runs; what was taken"
    " stays, and the next run goes on"
)


@contextmanager
def said_clearly(name: str) -> Iterator[None]:
    """Turn what the driver raises inside the block into a StoreError of the store `name`."""
    try:
        yield
    except Exception as error:
        if _driver_error(error) is None:
            raise
        state = state_of(error) or ""
        why = _first_line(error)
        hints = [hint for start, hint in _HINTS.items() if state.startswith(start)]
        hints += [hint for words, hint in _REFUSED.items() if not state and words in why]
        raise StoreError(f"{name} cannot be used: {why}", (*hints, _UNREACHED)[0]) from error


def _driver_error(error: Exception) -> Any:
    """Return the driver's own error in what was raised, None where it is none."""
    import psycopg

    found = error.orig if isinstance(error, exc.DBAPIError) else error
    return found if isinstance(found, psycopg.Error) else None


def state_of(error: Exception) -> str | None:
    """Return the SQLSTATE of what was raised, None where it has none."""
    return getattr(_driver_error(error), "sqlstate", None)


def _first_line(error: Exception) -> str:
    return str(_driver_error(error)).strip().partition("\n")[0]
