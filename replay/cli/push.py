"""`replay push`: recordings of the store into another one, each once."""

from dataclasses import replace
from typing import Annotated

import typer

from replay.cli.command import StoreOption, answering, opened, read_settings, say
from replay.cli.filters import AllowEmptyOption, IdsArgument, filtered
from replay.cli.transfer import Transfer
from replay.errors import MISUSE
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
    transfer = Transfer()
    with (
        opened(settings) as source,
        opened(replace(settings, store=target), create=True) as found_target,
    ):
        transfer.copy(source, found_target, ids, wanted, allow_empty=allow_empty)
        say(f"pushed {transfer.told}")
    return MISUSE if transfer.refused else 0
