"""`replay tag`: give names to recordings, take them away, and see them."""

from typing import Annotated

import typer

from replay.cli.command import (
    JsonOption,
    StoreOption,
    answering,
    opened,
    out,
    print_json,
    read_settings,
    say,
)
from replay.cli.filters import (
    AllowEmptyOption,
    IdsArgument,
    check_ids_or_filters,
    filtered,
    selected_ids,
)
from replay.errors import ReplayError
from replay.report.pieces import escaped
from replay.store.selection import Selection
from replay.tag import checked_tag

AddOption = Annotated[
    list[str] | None, typer.Option("--add", help="Give this tag; may be repeated.")
]
RemoveOption = Annotated[
    list[str] | None, typer.Option("--remove", help="Take this tag away; may be repeated.")
]


@answering
@filtered
def tag(
    ids: IdsArgument = None,
    *,
    wanted: Selection,
    add: AddOption = None,
    remove: RemoveOption = None,
    allow_empty: AllowEmptyOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Give and take tags of recordings; then, or without --add and --remove, list them."""
    given, taken = [[checked_tag(name) for name in names or []] for names in (add, remove)]
    if (given or taken) and not ids and wanted.is_empty and wanted.limit is None:
        raise ReplayError(
            "neither ids nor filters say what to tag", "all: replay tag --since 1970-01-01 --add X"
        )
    check_ids_or_filters(ids, wanted)
    with opened(read_settings(store)) as found_store:
        found = selected_ids(found_store, ids, wanted, allow_empty=allow_empty)
        if given or taken:
            found_store.tag(found, add=given, remove=taken)
        tags = found_store.tags(found)
    if given or taken:
        say(f"{len(found):,} recordings: {', '.join([*given, *(f'no {name}' for name in taken)])}")
    _print({id: tags.get(id, ()) for id in found}, as_json)
    return 0


def _print(tags: dict[str, tuple[str, ...]], as_json: bool) -> None:
    if as_json:
        print_json([{"id": id, "tags": list(names)} for id, names in tags.items()])
        return
    console = out()
    for id, names in tags.items():
        if names:
            console.print(f"{escaped(id)}  {escaped(' '.join(names))}")
