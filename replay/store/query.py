"""A selection as SQL.

Values reach it as bound parameters, columns come from the table below; nothing of a filter becomes
part of a statement's text.
"""

from sqlalchemy import ColumnElement, Select, select

from replay.store.selection import Selection
from replay.store.tables import recording, tag
from replay.store.tags import TAGS

_COLUMNS = ("function_name", "alias", "outcome", "error_type", "source")


def conditions(selection: Selection) -> list[ColumnElement[bool]]:
    """Return the conditions, all of which hold for a selected row."""
    wanted: list[ColumnElement[bool]] = [
        recording.c[name] == getattr(selection, name)
        for name in _COLUMNS
        if getattr(selection, name) is not None
    ]
    if selection.since_us is not None:
        wanted.append(recording.c.captured_at_us >= selection.since_us)
    if selection.until_us is not None:
        wanted.append(recording.c.captured_at_us < selection.until_us)
    if selection.before is not None:
        wanted.append(recording.c.id < selection.before)
    for name in selection.tags:
        tagged = select(tag.c.recording_id).where(tag.c.name == name)
        wanted.append(recording.c.id.in_(tagged))
    return wanted


def statement(selection: Selection) -> Select[tuple[object, ...]]:
    """Return the query for the selected rows, newest first, without the limit."""
    return select(recording, TAGS).where(*conditions(selection)).order_by(recording.c.id.desc())
