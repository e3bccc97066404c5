"""`replay push`: recordings of the store into another one, each once."""

from dataclasses import replace
from typing import Annotated

import typer

from replay.cli.command import StoreOption, answering, read_settings
from replay.cli.filters import AllowEmptyOption, IdsArgument, filtered
from replay.cli.transfer import Wish, copy_between
from replay.store.selection import Selection

TargetArgument = Annotated[
    str,
    typer.Argument(metavar="STORE", help="A path, or postgresql+psycopg://USER@HOST/DATABASE."),
]


@answering
@filtered
def push(
    target: TargetArgument,
    ids: IdsArgument = None,
    *,
    wanted: Selection,
    allow_empty: AllowEmptyOption = False,
    store: StoreOption = None,
) -> int:
    """Copy recordings - all, without ids and filters - into another store, each once."""
    settings = read_settings(store)
    wish = Wish(ids, wanted, allow_empty)
    return copy_between(settings, replace(settings, store=target), wish, done="pushed")
