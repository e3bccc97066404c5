"""The store in numbers: what is counted, and what damage and odd values leave of it."""

import dataclasses
import json
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from databases import capture_parts, query
from hypothesis import given
from hypothesis import strategies as st
from test_recording import invocation
from test_terminal import ATTACK

from replay.outcome import Exited, Raised, Returned, TimedOut
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.report.pieces import bytes_text
from replay.report.sparkline import PLAIN, a_day, sparkline
from replay.store.selection import Selection
from replay.store.store import Store

DAY_US = 86_400_000_000
NOON_US = 20_000 * DAY_US + DAY_US // 2  # 2024-10-04


def made(
    name: str = "orders", days: int = 0, outcome=Returned(b"1"), duration_us: int | None = 10
) -> Recording:
    """A recording of a function, captured some days after a certain noon."""
    base = invocation({"name": name})
    context = dataclasses.replace(base.context, attributes={"function_name": name})
    moved = dataclasses.replace(base, context=context, captured_at_us=NOON_US + days * DAY_US)
    return Recording(new_ulid(), moved, outcome, None if outcome is None else duration_us)


@pytest.fixture
def many(project) -> list[Recording]:
    """Two functions, three days, every outcome."""
    recordings = [
        *(made(duration_us=n) for n in range(1, 101)),
        made(days=2, outcome=Raised("KeyError", "'n'")),
        made(days=2, outcome=Raised("KeyError", "'m'")),
        made("shop", days=2, outcome=Raised("ValueError", "")),
        made("shop", days=1, outcome=TimedOut(3000)),
        made("shop", days=1, outcome=Exited(1)),
        made("shop", days=1, outcome=None),
    ]
    capture_parts(project / "replay.db", *recordings)
    return recordings


def counted(replay, *arguments: str) -> dict:
    return json.loads(replay("stats", "--json", *arguments).stdout)


def test_everything_is_counted_by_function_and_by_day(many, replay):
    """Functions by their number of recordings, days in their order, in UTC."""
    found = counted(replay)
    assert (found["recordings"], found["damaged"]) == (106, 0)
    outcomes = {"returned": 100, "raised": 3, "timed_out": 1, "exited": 1, "unfinished": 1}
    assert outcomes == found["outcomes"]
    assert found["error_types"] == {"KeyError": 2, "ValueError": 1}
    sizes = [sum(len(part.payload) for part in one.parts()) for one in many]
    assert (sum(sizes), max(sizes)) == (found["size_bytes"], found["largest_bytes"])
    times = found["first_captured_at"], found["last_captured_at"]
    assert times == (NOON_US, NOON_US + 2 * DAY_US)
    functions = [(one["function_name"], one["recordings"]) for one in found["functions"]]
    assert functions == [("orders", 102), ("shop", 4)]
    days = [(one["day"], one["recordings"]) for one in found["days"]]
    assert days == [("2024-10-04", 100), ("2024-10-05", 3), ("2024-10-06", 3)]
    assert found["days"][2]["error_types"] == {"KeyError": 2, "ValueError": 1}


def test_a_percentile_is_a_duration_that_was_recorded(many, replay):
    """The smallest at or below which so many lie; of none there is none."""
    found = counted(replay, "--outcome", "returned")
    assert found["duration_us"] == {"p50": 50, "p95": 95, "p99": 99}
    assert counted(replay, "--outcome", "unfinished")["duration_us"] is None


@pytest.mark.long
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=300))
def test_percentiles_are_those_of_the_ordered_durations(tmp_path_factory, durations):
    """Nearest rank, however many there are and however often one occurs."""
    path = tmp_path_factory.mktemp("stats") / "replay.db"
    with closing(Store.open(str(path), create=True)) as store:
        insert = "INSERT INTO recording (id, short_id, reversed_id, duration_us, captured_at_us)"
        query(
            path,
            f"{insert} SELECT key, key, key, value, 0 FROM json_each(?)",
            json.dumps({str(n): it for n, it in enumerate(durations)}),
        )
        found = store.stats(Selection()).all.duration_us
    ordered = sorted(durations)
    wanted = [ordered[-(-len(ordered) * share // 100) - 1] for share in (50, 95, 99)]
    assert wanted == [found.p50, found.p95, found.p99]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--function", "shop"], 4),
        (["--since", "2024-10-05"], 6),
        (["--error-type", "KeyError"], 2),
        (["--where", "$.name=shop"], 4),
        (["--where", "$.name=shop", "--limit", "3"], 3),
        (["--limit", "5"], 5),
        (["--limit", "5", "--function", "orders"], 5),
    ],
)
def test_the_filters_of_all_commands_choose_what_is_counted(many, replay, arguments, count):
    """Those that SQL knows, those that look into events, and the newest so many."""
    assert counted(replay, *arguments)["recordings"] == count


def test_of_nothing_there_are_no_numbers(many, replay):
    """A selection that matches nothing is misuse, unless that is said."""
    done = replay("stats", "--function", "nosuch")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no recording matches" in done.stderr
    assert counted(replay, "--function", "nosuch", "--allow-empty")["recordings"] == 0
    done = replay("stats", "--function", "nosuch", "--allow-empty")
    assert (done.returncode, done.stdout.splitlines()[0].split(" of ")[0]) == (0, "0 recordings")


def test_what_is_printed_names_functions_days_and_outcomes_without_colour(many, replay):
    """To a pipe."""
    done = replay("stats")
    assert (done.returncode, done.stderr) == (0, "")
    assert "106 recordings of 2 functions" in done.stdout
    assert "2024-10-04 12:00 to 2024-10-06 12:00 UTC" in done.stdout
    assert "█▁▁\n2024-10-04 to 2024-10-06: invocations a day, 100 at most" in done.stdout
    assert "timed out" in done.stdout
    assert "\x1b" not in done.stdout


def test_many_functions_are_counted_beyond_the_twenty_with_most_recordings(project, replay):
    """A screen is short."""
    capture_parts(project / "replay.db", *(made(f"fn-{n:02}") for n in range(23)))
    done = replay("stats")
    assert "fn-19" in done.stdout
    assert "fn-20" not in done.stdout
    assert "and 3 more functions" in done.stdout
    assert len(counted(replay)["functions"]) == 23


def test_captured_names_are_shown_escaped(project, replay):
    """Function and error type are whatever they are."""
    capture_parts(project / "replay.db", made(ATTACK, outcome=Raised(ATTACK, "x")))
    done = replay("stats")
    assert "\x1b" not in done.stdout
    assert "\\x1b]52" in done.stdout
    assert counted(replay)["functions"][0]["function_name"] == ATTACK.replace("\0", "\\x00")


def test_damaged_recordings_are_counted_and_named(many, project, replay):
    """Apart from the outcomes; they still have a size and a day, and the exit code tells."""
    path: Path = project / "replay.db"
    replay("list")
    query(
        path,
        "UPDATE recording SET damage = 'torn \x1b[2J', outcome = NULL WHERE id = ?",
        many[0].id,
    )
    query(path, "UPDATE recording SET duration_us = x'00ff' WHERE id = ?", many[1].id)
    done = replay("stats", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["recordings"], found["damaged"]) == (2, 106, 2)
    assert found["outcomes"]["returned"] == 98
    assert "2 of 106 recordings cannot be read" in done.stderr
    assert "torn \\x1b[2J" in done.stderr
    assert f"recording {many[1].id}: its row is damaged" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("column", ["captured_at_us", "size_bytes", "function_name", "outcome"])
@pytest.mark.parametrize("value", ["9223372036854775807", "-9223372036854775808", "x'ff'", "1e300"])
def test_whatever_a_row_holds_the_others_are_counted(many, project, replay, column, value):
    """Times that no calendar has, sums that no integer holds, bytes that are no text."""
    replay("list")
    query(project / "replay.db", f"UPDATE recording SET {column} = {value} WHERE rowid % 2")
    for arguments in ([], ["--json"]):
        done = replay("stats", *arguments)
        assert done.returncode in (0, 2), done.stderr
        assert "106" in done.stdout


def test_text_that_is_no_utf_8_is_shown_as_its_bytes(many, project, replay):
    """A function whose name a damaged page holds."""
    replay("list")
    query(project / "replay.db", "UPDATE recording SET function_name = CAST(x'61ff' AS TEXT)")
    assert counted(replay)["functions"][0]["function_name"] == "a\\xff"


@given(
    st.dictionaries(st.dates(date(1970, 1, 1), date(9999, 12, 31)), st.integers(1, 9), max_size=9),
    st.integers(1, 80),
)
def test_days_fit_into_the_width_and_none_is_lost(counts, width):
    """However far apart they are; empty days count."""
    numbers, each = a_day(counts, width)
    assert sum(numbers) == sum(counts.values())
    assert len(numbers) <= width
    assert len(sparkline(numbers)) == len(numbers)
    assert each == 1 or (max(counts) - min(counts)).days >= width


def test_a_day_without_any_is_blank_and_the_greatest_is_a_whole_block():
    """Something is never shown as nothing."""
    today = datetime(2026, 11, 22, tzinfo=UTC).date()
    numbers, _ = a_day({today: 1000, today + timedelta(2): 1, today + timedelta(3): 500}, 60)
    assert numbers == [1000, 0, 1, 500]
    assert (sparkline(numbers), sparkline(numbers, blocks=PLAIN)) == ("█ ▁▄", "@ .=")


def test_where_blocks_cannot_be_written_signs_stand_for_them(many, replay, monkeypatch):
    """A terminal of ISO 8859."""
    monkeypatch.setattr("replay.cli.stats._blocks", lambda: PLAIN)
    assert "@..\n" in replay("stats").stdout


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024 * 999, "999.0 KiB"),
        (1024 * 1000, "1.0 MiB"),
        (5 * 2**30, "5.0 GiB"),
        (2**60, "1,048,576.0 TiB"),
    ],
)
def test_sizes_are_short(size_bytes, text):
    """The unit follows the size."""
    assert text == bytes_text(size_bytes)
