"""The external extension: `python -m replay.recorder.export.extension`, beside the runtime.

The caller of the function waits for none of it: what an invocation wrote is shipped after
`platform.runtimeDone` has said that its answer is out. The sandbox is held for that where it is
time to ship when an invocation begins; else the extension is ready at once, since to hear of the
end alone takes the platform up to 25 ms, and those are billed. Invariant: it never ends before the
sandbox does, which would fail with it, and holds no invocation past its deadline.
"""

import os
import sys
from collections.abc import Callable
from threading import Thread
from time import monotonic, sleep, time
from typing import Any

from replay.errors import ReplayError
from replay.recorder.export.bucket import bucket_of
from replay.recorder.export.exporter import EVERY_S, Exporter
from replay.recorder.export.extensions_api import ExtensionsApi
from replay.recorder.export.shipper import Shipper
from replay.recorder.export.telemetry import Telemetry
from replay.settings import recorder_settings, store_path

_MAX_HELD_S = 5.0
"""How long a sandbox is held to ship; what takes longer goes on beside the next invocation."""
_RESERVE_S = 0.3


def main() -> None:
    """Ship until the sandbox is shut down."""
    api = ExtensionsApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    exporter = _told(_exporter)
    try:
        if exporter is None:
            api.register([])
            api.next()
        else:
            # Where invocations run side by side, on Managed Instances, nobody is told of each.
            events = api.register(["INVOKE", "SHUTDOWN"], ["SHUTDOWN"])
            _serve(api, Shipper(exporter, _say), follows="INVOKE" in events)
    except ReplayError as error:
        raise SystemExit(f"replay: {error}") from error


def _exporter() -> Exporter | None:
    bucket = bucket_of(os.environ)
    if bucket is None:
        return None
    settings = recorder_settings(os.environ, store=None, sample=None, outbound=None)
    return Exporter(
        store_path(settings.store), bucket.put, max_store_bytes=settings.max_store_bytes
    )


def _serve(api: ExtensionsApi, shipper: Shipper, *, follows: bool) -> None:
    telemetry = _told(lambda: _heard(api, shipper))
    _told(shipper.begin)  # what an earlier process has left
    if not follows:
        Thread(target=_ship_now_and_then, args=(shipper,), daemon=True).start()
    while (event := api.next())["eventType"] == "INVOKE":
        if telemetry is not None:
            telemetry.begun(event["requestId"])
        if _told(shipper.is_due):
            _ship_after(event, telemetry, shipper)
    if not _told(lambda: shipper.finish(_left_s(event))):
        _print("the sandbox ends, and not all of it was shipped")


def _heard(api: ExtensionsApi, shipper: Shipper) -> Telemetry:
    telemetry = Telemetry(lambda: _ship_if_due(shipper))
    api.subscribe(telemetry.listen())
    return telemetry


def _ship_after(event: dict[str, Any], telemetry: Telemetry | None, shipper: Shipper) -> None:
    """Ship when the runtime is done with an invocation; hold the sandbox while it lasts."""
    until_s = monotonic() + _left_s(event)
    if telemetry is not None:
        telemetry.wait_for(event["requestId"], _left_s(event))
    _told(shipper.begin)
    shipper.wait(min(_MAX_HELD_S, until_s - monotonic()))


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
    _print(f"{type(error).__name__}: {error}")


def _print(message: str) -> None:
    print(f"replay: {message}", file=sys.stderr, flush=True)


def _left_s(event: dict[str, Any]) -> float:
    return max(0.0, float(event["deadlineMs"]) / 1000 - time() - _RESERVE_S)


if __name__ == "__main__":
    main()
