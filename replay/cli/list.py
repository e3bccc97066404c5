"""`replay list`: find recordings."""

import time
from dataclasses import replace
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from replay.cli.command import (
    JsonOption,
    StoreOption,
    answering,
    opened,
    out,
    print_json,
    read_settings,
    say,
    say_unreadable,
)
from replay.cli.completion import complete_id
from replay.cli.filters import filtered
from replay.report.pieces import STYLES, escaped, milliseconds
from replay.store.selection import Selection
from replay.store.summary import Summary

_PAGE = 50
BeforeOption = Annotated[
    str | None,
    typer.Option(
        "--before",
        help="Older than this recording: the next page.",
        autocompletion=complete_id,
    ),
]
_AGES = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@answering
@filtered
def list_recordings(
    *,
    wanted: Selection,
    before: BeforeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """List recordings, newest first."""
    with opened(read_settings(store)) as found_store:
        last = found_store.resolve(before)[0] if before else None
        limit = wanted.limit or (None if as_json else _PAGE)
        page = replace(wanted, limit=limit, before=last)
        found = found_store.checked(found_store.summaries(page))
    if as_json:
        print_json([_document(summary) for summary in found])
    else:
        _print_table(found)
    if not as_json and len(found) == limit:
        say(f"older ones: replay list --before {found[-1].id[-8:]}")
    return _say_damaged(found)


def _document(summary: Summary) -> dict[str, object]:
    document = summary._asdict()
    document["captured_at"] = document.pop("captured_at_us")
    return document


def _print_table(found: list[Summary]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("id", "function", "source", "outcome"):
        table.add_column(name, overflow="fold")
    for name in ("duration", "remaining", "age"):
        table.add_column(name, justify="right", no_wrap=True)
    has_tags = any(summary.tags for summary in found)
    if has_tags:
        table.add_column("tags", overflow="fold")
    for summary in found:
        tags = [Text(escaped(" ".join(summary.tags)), "cyan")] if has_tags else []
        table.add_row(*_cells(summary), *tags)
    out().print(table)


def _cells(summary: Summary) -> tuple[Text, ...]:
    kind = "damaged" if summary.damage else summary.outcome or "-"
    words = kind.replace("_", " ") + (f" {summary.error_type}" if summary.error_type else "")
    function = (summary.function_name or "-") + (f":{summary.alias}" if summary.alias else "")
    remaining = "-" if summary.remaining_ms is None else f"{summary.remaining_ms:,} ms"
    return (
        Text(escaped(summary.id[-8:]), "bold"),
        Text(escaped(function)),
        Text(escaped(summary.source or "-")),
        Text(escaped(words), STYLES.get(kind, "")),
        Text(milliseconds(summary.duration_us)),
        Text(remaining),
        Text(_age(summary.captured_at_us)),
    )


def _age(captured_at_us: int) -> str:
    seconds = int(time.time() - captured_at_us / 1_000_000)
    for size, unit in _AGES:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now"


def _say_damaged(found: list[Summary]) -> int:
    damaged = [summary.damage for summary in found if summary.damage]
    return say_unreadable(damaged, len(damaged), of=len(found))
