"""What SQLite raises, in words that say what to do; and text of a file that may be damaged."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from replay.errors import DamagedError, StoreError
from replay.store.engine.database import NAME_STORE

_CORRUPT = ("malformed", "disk I/O", "database corruption")


def decode_text(raw: bytes) -> str:
    """Return text of a database; one id that is not UTF-8 may not hide the others."""
    return raw.decode(errors="backslashreplace")


@contextmanager
def said_clearly(name: str) -> Iterator[None]:
    """Turn what SQLite raises inside the block into a StoreError."""
    try:
        yield
    except (exc.DBAPIError, sqlite3.Error) as error:
        why = _why(error)
        if "not a database" in why:
            raise StoreError(f"{name} is no database", NAME_STORE) from error
        if is_corrupt(why):
            raise StoreError(
                f"{name} is damaged: {why}", f"save what is left: sqlite3 {name} .recover"
            ) from error
        raise StoreError(f"{name} cannot be used: {why}", NAME_STORE) from error


@contextmanager
def damage_named(id: str) -> Iterator[None]:
    """Turn corruption that SQLite meets inside the block into the DamagedError of one recording."""
    try:
        yield
    except (exc.DBAPIError, sqlite3.Error) as error:
        why = _why(error)
        if not is_corrupt(why):
            raise
        raise DamagedError(
            f"recording {id}: its bytes cannot be read ({why})",
            "replay doctor says what else is damaged; restore the store from a copy",
        ) from error


def _why(error: Exception) -> str:
    return str(error.orig if isinstance(error, exc.DBAPIError) else error)


def is_corrupt(why: str) -> bool:
    """Whether SQLite's message says that the file is damaged."""
    return any(word in why for word in _CORRUPT)
