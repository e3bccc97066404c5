"""Shipping in line, where no extension can run: by the function itself, after an invocation.

Its caller waits for it, once in so many seconds, for some seconds at most and never up to the
deadline of the invocation, whose answer is not out yet.
"""

from collections.abc import Callable, Mapping

from replay.errors import SettingsError
from replay.recorder.export.bucket import bucket_of
from replay.recorder.export.exporter import Exporter
from replay.recorder.export.shipper import MAX_HELD_S, Shipper
from replay.recorder.guard import say_once
from replay.settings import Settings

VARIABLE = "REPLAY_EXPORT_INLINE"
_RESERVE_S = 0.5
"""Of the time that is left, for the answer itself."""


def shipping_of(
    environment: Mapping[str, str], settings: Settings, store: str
) -> Callable[[float | None], None] | None:
    """Return what ships if it is time to, given the seconds up to the deadline, if there is one.

    None without `REPLAY_EXPORT`. Raises SettingsError.
    """
    bucket = bucket_of(environment)
    if bucket is None:
        return None
    every_s = _seconds(environment[VARIABLE])
    exporter = Exporter(store, bucket.put, max_store_bytes=settings.max_store_bytes)
    shipper = Shipper(exporter, _say)

    def ship(left_s: float | None) -> None:
        limit_s = MAX_HELD_S if left_s is None else min(MAX_HELD_S, left_s - _RESERVE_S)
        if limit_s > 0 and shipper.has_waited(every_s):
            shipper.begin()
            shipper.wait(limit_s)

    return ship


def _say(error: Exception) -> None:
    say_once(f"not shipped, and kept for the next time: {error}")


def _seconds(wish: str) -> float:
    try:
        seconds = float(wish)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise SettingsError(f"{VARIABLE} is {wish!r}, not a number of seconds", "such as 60")
    return seconds
