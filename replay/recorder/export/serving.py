"""What the extension does once it has registered: it ships what invocations write.

The caller of the function waits for none of it: what an invocation wrote is shipped after
`platform.runtimeDone` has said that its answer is out. The sandbox is held for that where it is
time to ship when an invocation begins; else the extension is ready at once, since to hear of the
end alone takes the platform up to 25 ms, and those are billed. Invariant: no failure ends it, and
it holds no invocation past its deadline.
"""

import os
import sys
from collections.abc import Callable
from threading import Thread
from time import monotonic, sleep, time
from typing import Any, Protocol

from replay.errors import ReplayError, SettingsError
from replay.recorder.export.bucket import bucket_of
from replay.recorder.export.exporter import EVERY_S, Exporter
from replay.recorder.export.shipper import MAX_HELD_S, Shipper
from replay.recorder.export.telemetry import Telemetry
from replay.settings import STDOUT, recorder_settings, store_path

_RESERVE_S = 0.3


class Platform(Protocol):
    """What is asked of `extension.ExtensionsApi`, which is of a file that is run."""

    def subscribe(self, uri: str) -> None:
        """Have events of the platform sent to an address."""

    def next(self) -> dict[str, object]:
        """Wait for the next event."""

    def wait_for_the_end(self) -> dict[str, object]:
        """Wait for what is no invocation."""


def serve(api: Platform, *, follows: bool) -> None:
    """Ship until the sandbox is shut down; it `follows` where it is told of invocations."""
    shipper = _told(_shipper)
    if shipper is None:
        api.wait_for_the_end()
        return
    telemetry = _told(lambda: _heard(api, shipper))
    _told(shipper.begin)  # what an earlier process has left
    if not follows:
        Thread(target=_ship_now_and_then, args=(shipper,), daemon=True).start()
    while (event := api.next())["eventType"] == "INVOKE":
        if telemetry is not None:
            telemetry.begun(str(event["requestId"]))
        if _told(shipper.is_due):
            _ship_after(event, telemetry, shipper)
    if not _told(lambda: shipper.finish(_left_s(event))):
        _print("the sandbox ends, and not all of it was shipped")


def _shipper() -> Shipper | None:
    bucket = bucket_of(os.environ)
    if bucket is None:
        return None
    settings = recorder_settings(os.environ, store=None, sample=None, outbound=None)
    if settings.store == STDOUT:
        raise SettingsError(
            f"there is nothing to ship: with REPLAY_STORE={STDOUT} parts go to the log",
            "take it or REPLAY_EXPORT away",
        )
    store = store_path(settings.store)
    return Shipper(Exporter(store, bucket.put, max_store_bytes=settings.max_store_bytes), _say)


def _heard(api: Platform, shipper: Shipper) -> Telemetry:
    telemetry = Telemetry(lambda: _ship_if_due(shipper))
    api.subscribe(telemetry.listen())
    return telemetry


def _ship_after(event: dict[str, object], telemetry: Telemetry | None, shipper: Shipper) -> None:
    """Ship when the runtime is done with an invocation; hold the sandbox while it lasts."""
    until_s = monotonic() + _left_s(event)
    if telemetry is not None:
        telemetry.wait_for(str(event["requestId"]), _left_s(event))
    _told(shipper.begin)
    shipper.wait(min(MAX_HELD_S, until_s - monotonic()))


def _ship_if_due(shipper: Shipper) -> None:
    if _told(shipper.is_due):
        _told(shipper.begin)


def _ship_now_and_then(shipper: Shipper) -> None:
    while True:
        sleep(EVERY_S)
        _ship_if_due(shipper)


def _told(step: Callable[[], Any]) -> Any:
    """Return what a step returns; None where it failed, which is said: the sandbox goes on."""
    try:
        return step()
    except Exception as error:  # noqa: BLE001 - an extension that ends is a sandbox that fails
        _say(error)
        return None


def _say(error: Exception) -> None:
    hint = error.hint if isinstance(error, ReplayError) else ""
    _print(f"{type(error).__name__}: {error}" + (f" ({hint})" if hint else ""))


def _print(message: str) -> None:
    print(f"replay: {message}", file=sys.stderr, flush=True)


def _left_s(event: dict[str, object]) -> float:
    return max(0.0, float(str(event["deadlineMs"])) / 1000 - time() - _RESERVE_S)
