"""The filters that all commands share, as options and as a `Selection`."""

import json
import re
from datetime import datetime, timedelta
from typing import Annotated

import typer

from replay.errors import ReplayError
from replay.store.selection import Selection

FunctionOption = Annotated[str | None, typer.Option("--function", help="Of this function.")]
AliasOption = Annotated[str | None, typer.Option("--alias", help="Invoked by this alias.")]
OutcomeOption = Annotated[
    str | None,
    typer.Option("--outcome", help="returned, raised, timed_out, exited or unfinished."),
]
ErrorTypeOption = Annotated[
    str | None, typer.Option("--error-type", help="That raised this, by class name.")
]
SourceOption = Annotated[
    str | None, typer.Option("--source", help="Whose event comes from this, such as aws:sqs.")
]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Captured at or after: 2026-11-22T10:00Z, or 2h, 3d.")
]
UntilOption = Annotated[str | None, typer.Option("--until", help="Captured before.")]
WhereOption = Annotated[
    list[str] | None,
    typer.Option("--where", help="JSONPATH=VALUE that holds for the event; may be repeated."),
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")]

_OUTCOMES = ("returned", "raised", "timed_out", "exited", "unfinished")
_AGO = re.compile(r"(\d+)([smhdw])\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def selection(
    *,
    function: str | None,
    alias: str | None,
    outcome: str | None,
    error_type: str | None,
    source: str | None,
    since: str | None,
    until: str | None,
    where: list[str] | None,
    limit: int | None,
    before: str | None = None,
) -> Selection:
    """Return the selection that the options mean; raises ReplayError for what cannot be read."""
    if outcome is not None and outcome not in _OUTCOMES:
        raise ReplayError(f"--outcome {outcome!r} is none", f"one of: {', '.join(_OUTCOMES)}")
    return Selection(
        function_name=function,
        alias=alias,
        outcome=outcome,
        error_type=error_type,
        source=source,
        since_us=_epoch_us(since, "--since"),
        until_us=_epoch_us(until, "--until"),
        before=before,
        where=dict(_condition(text) for text in where or ()),
        limit=limit,
    )


def _epoch_us(text: str | None, option: str) -> int | None:
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


def _condition(text: str) -> tuple[str, object]:
    import jsonpath_rfc9535 as jsonpath  # 30 ms, for this one filter

    path, equals, value = text.partition("=")
    try:
        jsonpath.compile(path)
    except jsonpath.JSONPathError as error:
        raise ReplayError(f"--where {text!r}: {error}", "write --where '$.detail.id=42'") from error
    if not equals:
        raise ReplayError(f"--where {text!r} has no value", "write --where '$.detail.id=42'")
    try:
        return path, json.loads(value)
    except ValueError:
        return path, value
