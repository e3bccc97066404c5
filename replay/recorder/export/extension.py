"""The external extension: `python -m replay.recorder.export.extension`, beside the runtime.

The caller of the function waits for none of it: what an invocation wrote is shipped after
`platform.runtimeDone` has said that its answer is out. Sources: AWS's pages on the Extensions API
(2020-01-01) and on the Telemetry API (2022-07-01, events of 2022-12-13).
"""

import http.client
import os
import sys
from collections.abc import Callable
from time import monotonic, time
from typing import Any

import orjson

from replay.errors import ReplayError
from replay.recorder.export.bucket import NAME, bucket_of
from replay.recorder.export.exporter import Exporter
from replay.recorder.export.telemetry import Telemetry
from replay.settings import recorder_settings, store_path

_AT_START_S = 3.0
"""Of the 10 s that the initialization of a sandbox may take in all."""
_RESERVE_S = 0.3


class ExtensionsApi:
    """Lambda's API for extensions, over one connection."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address)
        self._id = ""

    def register(self, events: list[str]) -> None:
        """Say which events are wanted; raises OSError, or ReplayError where it is refused."""
        headers = {"Lambda-Extension-Name": NAME}
        answer, _ = self._ask("POST", "/2020-01-01/extension/register", headers, {"events": events})
        self._id = answer.headers["Lambda-Extension-Identifier"]

    def subscribe(self, uri: str) -> bool:
        """Have events of the platform sent to an address; True."""
        wish = {
            "schemaVersion": "2022-12-13",
            "types": ["platform"],
            "buffering": {"maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25},
            "destination": {"protocol": "HTTP", "URI": uri},
        }
        self._ask("PUT", "/2022-07-01/telemetry", self._identified(), wish)
        return True

    def next(self) -> dict[str, Any]:
        """Wait for the next event; the sandbox is frozen where all wait for theirs."""
        _, event = self._ask("GET", "/2020-01-01/extension/event/next", self._identified(), None)
        return event

    def _identified(self) -> dict[str, str]:
        return {"Lambda-Extension-Identifier": self._id}

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: object
    ) -> tuple[http.client.HTTPResponse, dict[str, Any]]:
        content = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json", **headers}
        self._connection.request(method, path, content, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise ReplayError(f"{path}: {answer.status} {text[:200].decode(errors='replace')}")
        try:
            return answer, orjson.loads(text)
        except ValueError:  # "OK"
            return answer, {}


def main() -> None:
    """Ship until the sandbox is shut down."""
    api = ExtensionsApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    exporter = _told(_exporter)
    if exporter is None:
        api.register([])
        api.next()  # an extension that has ended is a sandbox that has failed
        return
    api.register(["INVOKE", "SHUTDOWN"])
    with Telemetry() as telemetry:
        is_told = _told(lambda: api.subscribe(telemetry.uri))
        _ship(exporter, monotonic() + _AT_START_S)  # what an earlier process has left
        while (event := api.next())["eventType"] == "INVOKE":
            if is_told:
                telemetry.wait_for(event["requestId"], _left_s(event))
            if exporter.is_due():
                _ship(exporter, monotonic() + _left_s(event))
        _ship(exporter, monotonic() + _left_s(event))


def _exporter() -> Exporter | None:
    bucket = bucket_of(os.environ)
    if bucket is None:
        return None
    settings = recorder_settings(os.environ, store=None, sample=None, outbound=None)
    return Exporter(
        store_path(settings.store), bucket.put, max_store_bytes=settings.max_store_bytes
    )


def _ship(exporter: Exporter, until_s: float) -> None:
    _told(lambda: exporter.ship(until_s=until_s))


def _told(step: Callable[[], Any]) -> Any:
    """Return what a step returns; None where it failed, which is said: the sandbox goes on."""
    try:
        return step()
    except Exception as error:  # noqa: BLE001 - what is not shipped now is shipped later
        print(f"replay: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return None


def _left_s(event: dict[str, Any]) -> float:
    return max(0.0, float(event["deadlineMs"]) / 1000 - time() - _RESERVE_S)


if __name__ == "__main__":
    main()
