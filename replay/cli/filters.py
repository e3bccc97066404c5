"""The filters that all commands share, as options and as a `Selection`."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from replay.cli.completion import complete_function, complete_id
from replay.cli.options import with_options
from replay.errors import ReplayError
from replay.jsonpath import check_path, path_hint, shorten
from replay.store.selection import Selection
from replay.tag import checked_tag

if TYPE_CHECKING:
    from replay.store.store import Store

IdsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="Ids, their tails, request ids, @latest, @2; or use the filters.",
        autocompletion=complete_id,
    ),
]
AllowEmptyOption = Annotated[
    bool, typer.Option("--allow-empty", help="A selection that matches nothing is no error.")
]
_Text: TypeAlias = str | None
_OPTIONS: dict[str, object] = {
    "function": Annotated[
        _Text, typer.Option(help="Of this function.", autocompletion=complete_function)
    ],
    "alias": Annotated[_Text, typer.Option(help="Invoked by this alias.")],
    "outcome": Annotated[
        _Text, typer.Option(help="returned, raised, timed_out, exited or unfinished.")
    ],
    "error_type": Annotated[_Text, typer.Option(help="That raised this, by class name.")],
    "source": Annotated[_Text, typer.Option(help="Whose event is from this, such as aws:sqs.")],
    "since": Annotated[
        _Text, typer.Option(help="Captured at or after: 2026-11-22T10:00Z, or 2h, 3d.")
    ],
    "until": Annotated[_Text, typer.Option(help="Captured before.")],
    "tag": Annotated[list[str] | None, typer.Option(help="With this tag; may be repeated.")],
    "where": Annotated[
        list[str] | None, typer.Option(help="JSONPATH=VALUE of the event; may be repeated.")
    ],
    "limit": Annotated[int | None, typer.Option(min=1, max=10**9, help="At most so many.")],
}
_OUTCOMES = ("returned", "raised", "timed_out", "exited", "unfinished")
_AGO = re.compile(r"(\d+)([smhdw])\Z")
_MAX_EQUALS = 50
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def filtered(command: Callable[..., int]) -> Callable[..., int]:
    """Return `command` with the filters as options, which reach it as `wanted`, a `Selection`."""
    return with_options(command, "wanted", _OPTIONS, _selection)


def check_ids_or_filters(ids: Sequence[str] | None, wanted: Selection) -> None:
    """Raise ReplayError where both ids and filters are given."""
    if ids and not wanted.is_empty:
        raise ReplayError("ids and filters were both given", "name recordings by one or the other")


def resolved(store: "Store", ids: Sequence[str]) -> list[str]:
    """Return the full ids that the arguments mean, each once; raises ReplayError."""
    return list(dict.fromkeys(id for text in ids for id in store.resolve(text)))


def selected_ids(
    store: "Store", ids: Sequence[str] | None, wanted: Selection, *, allow_empty: bool
) -> list[str]:
    """Return the full ids of what arguments or filters select; raises ReplayError."""
    found = resolved(store, ids) if ids else list(store.ids(wanted))
    if not found and not allow_empty:
        raise nothing_matches()
    return found


def nothing_matches() -> ReplayError:
    """Return the error for a selection that matches nothing."""
    return ReplayError("no recording matches", "replay list shows what there is; or --allow-empty")


def _selection(
    *,
    function: str | None,
    outcome: str | None,
    since: str | None,
    until: str | None,
    tag: list[str] | None,
    where: list[str] | None,
    **exact: Any,
) -> Selection:
    if outcome is not None and outcome not in _OUTCOMES:
        raise ReplayError(f"--outcome {outcome!r} is none", f"one of: {', '.join(_OUTCOMES)}")
    return Selection(
        function_name=function,
        outcome=outcome,
        since_us=epoch_us(since, "--since"),
        until_us=epoch_us(until, "--until"),
        tags=tuple(checked_tag(name) for name in tag or ()),
        where=tuple(path_and_value(text, "--where") for text in where or ()),
        **exact,
    )


def epoch_us(text: str | None, option: str) -> int | None:
    """Return the moment that a time or an age means, None for None; raises ReplayError."""
    if text is None:
        return None
    ago = _AGO.match(text)
    try:
        if ago:
            moment = datetime.now().astimezone() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            moment = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        hint = "write 2026-11-22, 2026-11-22T10:00Z, or an age such as 90m, 2h, 3d"
        raise ReplayError(f"{option} {text!r} is no time", hint) from error
    return int(moment.timestamp() * 1_000_000)


def path_and_value(text: str, option: str) -> tuple[str, object]:
    """Return the JSONPath and the value of `PATH=VALUE`: JSON, else text. Raises ReplayError.

    Split at the first `=` that leaves a JSONPath: a query may hold some itself.
    """
    refused = ReplayError(f"{option} {shorten(text)!r}: it has no value", path_hint(option))
    for equals in islice(re.finditer("=", text), _MAX_EQUALS):
        path, value = text[: equals.start()], text[equals.end() :]
        try:
            check_path(path, option)
        except ReplayError as error:
            refused = error
            continue
        return path, _json_or_text(value)
    raise refused


def _json_or_text(value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
