"""What a column can hold of a value that was captured, which may be anything. Pure."""

from typing import Any, TypeAlias

from sqlalchemy import Table

Values: TypeAlias = dict[str, Any]
"""A row, by the names of its columns."""


def insert_into(table: Table) -> str:
    """Return the statement that inserts a row of all columns, in their order."""
    names = table.c.keys()
    into = f"INSERT INTO {table.name} ({', '.join(names)})"
    return f"{into} VALUES {marks(len(names))}"


def marks(count: int) -> str:
    """Return the places for so many values of an IN; one that nothing is equal to for none."""
    return f"({', '.join('?' * count) or 'NULL'})"


def storable(value: object) -> object:
    """Return a captured value as a column can hold it: text without NUL, an integer of 64 bits."""
    if isinstance(value, str):
        text = value if value.isascii() else value.encode(errors="backslashreplace").decode()
        return text.replace("\0", "\\x00")  # which PostgreSQL takes into no text
    return None if isinstance(value, int) and abs(value) >= 2**63 else value
