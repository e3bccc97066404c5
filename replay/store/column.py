"""What a column can hold of a value that was captured, which may be anything. Pure."""

from typing import Any, TypeAlias

from sqlalchemy import Table

Values: TypeAlias = dict[str, Any]
"""A row, by the names of its columns."""


def insert_into(table: Table) -> str:
    """Return the statement that inserts a row of all columns, in their order."""
    names = table.c.keys()
    marks = ", ".join("?" * len(names))
    return " ".join(("INSERT INTO", table.name, "(", ", ".join(names), ") VALUES (", marks, ")"))


def storable(value: object) -> object:
    """Return a captured value as a column can hold it: encodable text, an integer of 64 bits."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="backslashreplace").decode()
    return None if isinstance(value, int) and abs(value) >= 2**63 else value
