"""`replay stats`: what the recordings of a store are, in numbers. Times are UTC."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from replay.cli.command import (
    JsonOption,
    StoreOption,
    answering,
    opened,
    out,
    print_json,
    print_pieces,
    read_settings,
    say_unreadable,
)
from replay.cli.filters import AllowEmptyOption, filtered, nothing_matches
from replay.report.pieces import STYLES, Piece, bytes_text, escaped, milliseconds
from replay.report.sparkline import BLOCKS, PLAIN, a_day, sparkline
from replay.store.selection import Selection

if TYPE_CHECKING:
    from replay.store.stats import Group, Stats

_MAX_FUNCTIONS = 20
_MAX_ERROR_TYPES = 10
_MAX_DAYS = 14
_WIDTH = 72


@answering
@filtered
def stats(
    *,
    wanted: Selection,
    allow_empty: AllowEmptyOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Count recordings: outcomes, error types, durations, sizes, by function and by day."""
    with opened(read_settings(store)) as found_store:
        found = found_store.stats(wanted)
    if not (found.all.recordings or allow_empty):
        raise nothing_matches()
    if as_json:
        print_json(_document(found))
    else:
        _print(found)
    return _say_damaged(found)


def _document(found: "Stats") -> dict[str, object]:
    return {
        **_group_document(found.all),
        "functions": [{"function_name": it.key, **_group_document(it)} for it in found.functions],
        "days": [{"day": it.key, **_group_document(it)} for it in found.days],
    }


def _group_document(group: "Group") -> dict[str, object]:
    return {
        "recordings": group.recordings,
        "damaged": group.damaged,
        "outcomes": dict(group.outcomes.most_common()),
        "error_types": dict(group.error_types.most_common()),
        "duration_us": asdict(group.duration_us) if group.duration_us else None,
        "size_bytes": group.size_bytes,
        "largest_bytes": group.largest_bytes,
        "first_captured_at": group.first_us,
        "last_captured_at": group.last_us,
    }


def _print(found: "Stats") -> None:
    for line in (*_head(found), *_outcomes(found.all), *_days_line(found.days)):
        print_pieces(line)
    if found.functions:
        print_pieces([("", "")])
        out().print(_table("function", found.functions[:_MAX_FUNCTIONS]))
    if len(found.functions) > _MAX_FUNCTIONS:
        more = len(found.functions) - _MAX_FUNCTIONS
        print_pieces([(f"and {more:,} more functions, which --json names", "dim")])
    if len(found.days) > 1:
        print_pieces([("", "")])
        out().print(_table("day", found.days[-_MAX_DAYS:]))


def _head(found: "Stats") -> Iterator[list[Piece]]:
    group = found.all
    yield [
        (f"{group.recordings:,} recordings", "bold"),
        (f" of {len(found.functions):,} functions, {bytes_text(group.size_bytes)}", ""),
        (f", the largest {bytes_text(group.largest_bytes)}", ""),
    ]
    if group.first_us is not None and group.last_us is not None:
        yield [(f"{_moment(group.first_us)} to {_moment(group.last_us)} UTC", "dim")]
    if group.duration_us:
        low, high, highest = map(milliseconds, asdict(group.duration_us).values())
        yield [(f"p50 {low}  p95 {high}  p99 {highest}", "")]
    yield [("", "")]


def _moment(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us // 1_000_000, UTC):%Y-%m-%d %H:%M}"


def _outcomes(group: "Group") -> Iterator[list[Piece]]:
    for outcome, count in group.outcomes.most_common():
        yield _share(outcome.replace("_", " "), count, group, style=STYLES.get(outcome, ""))
        if outcome == "raised":
            for error_type, of_type in group.error_types.most_common(_MAX_ERROR_TYPES):
                yield _share(f"  {error_type}", of_type, group)
            more = len(group.error_types) - _MAX_ERROR_TYPES
            if more > 0:
                yield [(f"  and {more:,} more types, which --json names", "dim")]
    if group.damaged:
        yield _share("damaged", group.damaged, group, style=STYLES["damaged"])


def _share(words: str, count: int, group: "Group", *, style: str = "") -> list[Piece]:
    name = escaped(words)
    if len(name) > _WIDTH // 2:
        name = f"{name[: _WIDTH // 2 - 3]}..."
    share = 100 * count / group.recordings
    return [(f"{name:{_WIDTH // 2}}", style), (f"{count:>12,}  {share:5.1f} %", "")]


def _days_line(days: "Sequence[Group]") -> Iterator[list[Piece]]:
    counts = {date.fromisoformat(it.key): it.recordings for it in days if it.key}
    numbers, each = a_day(counts, _WIDTH)
    if len(numbers) < 2:
        return
    yield [("", "")]
    yield [(sparkline(numbers, blocks=_blocks()), "cyan")]
    times = "a day" if each == 1 else f"in {each:,} days"
    span = f"{min(counts)} to {max(counts)}"
    yield [(f"{span}: invocations {times}, {max(numbers):,} at most", "dim")]


def _blocks() -> str:
    try:
        BLOCKS.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return PLAIN
    return BLOCKS


def _table(name: str, groups: "Sequence[Group]") -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(name, overflow="fold")
    for heading in ("recordings", "errors", "p50", "p95", "p99", "size"):
        table.add_column(heading, justify="right", no_wrap=True)
    for group in groups:
        at = group.duration_us
        durations = (at.p50, at.p95, at.p99) if at else (None, None, None)
        table.add_row(
            Text(escaped(group.key or "-"), "bold"),
            Text(f"{group.recordings:,}"),
            Text(f"{group.errors:,}", STYLES["raised"] if group.errors else ""),
            *(Text(milliseconds(it)) for it in durations),
            Text(bytes_text(group.size_bytes)),
        )
    return table


def _say_damaged(found: "Stats") -> int:
    return say_unreadable(found.damaged, found.all.damaged, of=found.all.recordings)
