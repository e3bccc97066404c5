"""What the shell offers on a tab: the newest recordings' ids, and the functions there are.

Silent where there is no store: a completion has nobody to tell.
"""

from typing import TYPE_CHECKING

from replay.errors import ReplayError
from replay.store.selection import Selection

if TYPE_CHECKING:
    from replay.store.summary import Summary

_OFFERED = 50


def complete_id(incomplete: str) -> list[tuple[str, str]]:
    """Return short ids that begin as typed, newest first, each with what it was."""
    return [
        (found.id[-8:], f"{found.function_name or '-'} {found.outcome or 'damaged'}")
        for found in _newest()
        if found.id[-8:].startswith(incomplete)
    ]


def complete_function(incomplete: str) -> list[str]:
    """Return the names of functions that begin as typed."""
    names = {found.function_name for found in _newest() if found.function_name}
    return sorted(name for name in names if name.startswith(incomplete))


def _newest() -> "list[Summary]":
    from replay.cli.command import read_settings  # which imports what is completed
    from replay.store.store import Store

    try:
        store = Store.open(read_settings(None).store)
    except ReplayError:
        return []
    try:
        return store.summaries(Selection(limit=_OFFERED))
    finally:
        store.close()
