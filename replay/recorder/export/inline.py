"""Shipping in line, where no extension can run: by the function itself, after an invocation.

Its caller waits for it, once in so many seconds.
"""

import sqlite3
from collections.abc import Callable, Mapping

from replay.errors import ReplayError, SettingsError
from replay.recorder.export.bucket import bucket_of
from replay.recorder.export.exporter import Exporter
from replay.recorder.guard import pass_on, say_once
from replay.settings import Settings

VARIABLE = "REPLAY_EXPORT_INLINE"


def shipping_of(
    environment: Mapping[str, str], settings: Settings, store: str
) -> Callable[[], None] | None:
    """Return what ships if it is time to; None without `REPLAY_EXPORT`. Raises SettingsError."""
    bucket = bucket_of(environment)
    if bucket is None:
        return None
    every_s = _seconds(environment[VARIABLE])
    exporter = Exporter(store, bucket.put, max_store_bytes=settings.max_store_bytes)

    def ship() -> None:
        if exporter.has_waited(every_s):
            _ship(exporter)

    return ship


def _ship(exporter: Exporter) -> None:
    try:
        exporter.ship()
    except (ReplayError, OSError, sqlite3.Error) as error:
        pass_on(error)
        say_once(f"not shipped, and kept for the next time: {error}")
    finally:
        exporter.rest()


def _seconds(wish: str) -> float:
    try:
        seconds = float(wish)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise SettingsError(f"{VARIABLE} is {wish!r}, not a number of seconds", "such as 60")
    return seconds
