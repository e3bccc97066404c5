"""What the recordings of a store are, in numbers: counted by SQLite, on the derived tables.

What is selected is copied once into a temporary table, the columns that count alone: one look at
the store, whatever is captured meanwhile, and memory that does not grow with it. Damage may have
left anything in a row: one with a value of another type counts as damaged.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from replay.store.engine.database import Database, Driver, driver
from replay.store.selection import Selection

_ODD = " OR ".join(
    [
        "damage IS NOT NULL",
        "typeof(captured_at_us) <> 'integer'",
        *(f"typeof({name}) NOT IN ('integer', 'null')" for name in ("duration_us", "size_bytes")),
        *(
            f"typeof({name}) NOT IN ('text', 'null')"
            for name in ("function_name", "outcome", "error_type")
        ),
    ]
)
_LAST_US = 253_402_300_799_999_999
"""The end of the year 9999, the last that a date can name."""
_SQLITE_COLUMNS = f"""
    id, damage, ({_ODD}) AS is_damaged,
    CASE typeof(function_name) WHEN 'text' THEN function_name END AS function_name,
    outcome, error_type, duration_us,
    CASE WHEN typeof(size_bytes) = 'integer' AND size_bytes BETWEEN 0 AND 1 << 40
        THEN size_bytes ELSE 0 END AS size_bytes,
    CASE WHEN typeof(captured_at_us) = 'integer' AND captured_at_us BETWEEN 0 AND {_LAST_US}
        THEN captured_at_us END AS captured_at_us,
    CASE WHEN typeof(captured_at_us) = 'integer' AND captured_at_us BETWEEN 0 AND {_LAST_US}
        THEN date(captured_at_us / 1000000, 'unixepoch') END AS day
"""
# A server keeps the types of its columns.
_POSTGRES_COLUMNS = f"""
    id, damage, CASE WHEN damage IS NULL AND captured_at_us IS NOT NULL THEN 0 ELSE 1 END
        AS is_damaged,
    function_name, outcome, error_type, duration_us, coalesce(size_bytes, 0) AS size_bytes,
    CASE WHEN captured_at_us BETWEEN 0 AND {_LAST_US} THEN captured_at_us END AS captured_at_us,
    CASE WHEN captured_at_us BETWEEN 0 AND {_LAST_US} THEN
        to_char(to_timestamp(captured_at_us / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD') END AS day
"""
_COLUMNS = {"sqlite": _SQLITE_COLUMNS, "postgresql": _POSTGRES_COLUMNS}
_NO_LIMIT = 2**62
_KEYS = {"all": "CAST(NULL AS TEXT)", "function": "function_name", "day": "day"}
_COUNTED = (
    "SELECT {}, is_damaged, outcome, error_type, count(*), CAST(sum(size_bytes) AS BIGINT),"
    " max(size_bytes), min(captured_at_us), max(captured_at_us) FROM chosen GROUP BY 1, 2, 3, 4"
    " ORDER BY 1, 2, 3, 4"
)
# Of so many durations, the one at or below which that share of them lies.
_RANKED = (
    "SELECT key, max(CASE rank WHEN (total * 50 + 99) / 100 THEN duration_us END),"
    " max(CASE rank WHEN (total * 95 + 99) / 100 THEN duration_us END),"
    " max(CASE rank WHEN (total * 99 + 99) / 100 THEN duration_us END) FROM ("
    " SELECT {0} AS key, duration_us, count(*) OVER (PARTITION BY {0}) AS total,"
    " row_number() OVER (PARTITION BY {0} ORDER BY duration_us) AS rank FROM chosen"
    " WHERE duration_us IS NOT NULL AND is_damaged = 0) AS ranked GROUP BY key"
)
_DAMAGED = "SELECT id, damage FROM chosen WHERE is_damaged = 1 ORDER BY id DESC LIMIT 20"


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Durations in microseconds, at or below which half, 95 and 99 in a hundred lie."""

    p50: int
    p95: int
    p99: int


@dataclass(slots=True)
class Group:
    """What recordings that have something in common are; times are microseconds since 1970.

    `outcomes` and `error_types` count them by their words; those that are damaged are in neither.
    """

    key: str | None
    recordings: int = 0
    damaged: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    error_types: Counter[str] = field(default_factory=Counter)
    size_bytes: int = 0
    largest_bytes: int = 0
    first_us: int | None = None
    last_us: int | None = None
    duration_us: Percentiles | None = None

    @property
    def errors(self) -> int:
        """How many did not return: raised, timed out, exited, or never finished."""
        return self.outcomes.total() - self.outcomes["returned"]

    def add(self, row: "_Row") -> None:
        """Count the recordings of a row in."""
        self.recordings += row.recordings
        self.size_bytes += row.size_bytes
        self.largest_bytes = max(self.largest_bytes, row.largest_bytes)
        times = [self.first_us, self.last_us, row.first_us, row.last_us]
        known = [it for it in times if it is not None]
        self.first_us, self.last_us = min(known, default=None), max(known, default=None)
        if row.is_damaged:
            self.damaged += row.recordings
            return
        if row.outcome is not None:
            self.outcomes[row.outcome] += row.recordings
        if row.error_type is not None:
            self.error_types[row.error_type] += row.recordings


@dataclass(frozen=True, slots=True)
class Stats:
    """All that was selected, by function, most recordings first, and by day, oldest first.

    `day` is one of UTC, as 2026-11-22; `damaged` says of the newest that are, why.
    """

    all: Group
    functions: Sequence[Group]
    days: Sequence[Group]
    damaged: Sequence[str]


class _Row(NamedTuple):
    is_damaged: int
    outcome: str | None
    error_type: str | None
    recordings: int
    size_bytes: int
    largest_bytes: int
    first_us: int | None
    last_us: int | None


def stats_of(database: Database, selection: Selection, ids: Iterable[str] | None) -> Stats:
    """Return the numbers of what is selected, or of `ids` where SQL cannot tell; StoreError."""
    with _chosen(database, selection, ids) as raw:
        (everything,) = _groups(raw, "all") or [Group(None)]
        functions = _groups(raw, "function")
        return Stats(
            everything,
            sorted(functions, key=lambda one: (-one.recordings, one.key or "")),
            sorted(_groups(raw, "day"), key=lambda one: one.key or ""),
            [_why(*row) for row in raw.execute(_DAMAGED)],
        )


@contextmanager
def _chosen(
    database: Database, selection: Selection, ids: Iterable[str] | None
) -> Iterator[Driver]:
    """Yield a connection that has the table of what was chosen, until the end of the block."""
    columns = _COLUMNS[database.dialect]
    limit = selection.limit or _NO_LIMIT
    text, values = selection.query(columns, limit=limit if ids is None else 0)
    with database.reading() as connection:
        raw = driver(connection)
        try:
            raw.execute(f"CREATE TEMP TABLE chosen AS {text}", values)
            if ids is not None:
                one, _ = Selection.of_ids(columns, [""])
                raw.executemany(f"INSERT INTO chosen {one}", ((id,) for id in ids))
            yield raw
        finally:
            raw.execute("DROP TABLE IF EXISTS chosen")


def _groups(raw: Driver, by: str) -> list[Group]:
    groups: dict[str | None, Group] = {}
    for key, *counted in raw.execute(_COUNTED.format(_KEYS[by])):
        groups.setdefault(key, Group(key)).add(_Row(*counted))
    for key, *percentiles in raw.execute(_RANKED.format(_KEYS[by])):
        groups[key].duration_us = Percentiles(*percentiles)
    return list(groups.values())


def _why(id: str, damage: str | None) -> str:
    if damage is not None:
        return str(damage)
    return f"recording {id}: its row is damaged; replay doctor --fix derives it again"
