"""Lambda's API for extensions, as one of them sees it.

Sources: AWS's pages on the Extensions API (2020-01-01) and on the Telemetry API (2022-07-01, events
of 2022-12-13).
"""

import http.client
from collections.abc import Sequence
from typing import Any

import orjson

from replay.errors import ReplayError
from replay.recorder.export.bucket import NAME

_BUFFERING = {"maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25}
"""The least that may be asked for."""


class ExtensionsApi:
    """One connection; every method raises OSError, or ReplayError where it is refused."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address)
        self._id = ""

    def register(self, *wishes: Sequence[str]) -> Sequence[str]:
        """Register for the first of some lists of events that is not refused; return it."""
        *others, last = wishes
        for events in others:
            try:
                return self._register(events)
            except ReplayError:
                continue
        return self._register(last)

    def _register(self, events: Sequence[str]) -> Sequence[str]:
        headers = {"Lambda-Extension-Name": NAME}
        answer, _ = self._ask("POST", "/2020-01-01/extension/register", headers, {"events": events})
        self._id = answer.headers["Lambda-Extension-Identifier"]
        return events

    def subscribe(self, uri: str) -> None:
        """Have events of the platform sent to an address."""
        wish = {
            "schemaVersion": "2022-12-13",
            "types": ["platform"],
            "buffering": _BUFFERING,
            "destination": {"protocol": "HTTP", "URI": uri},
        }
        self._ask("PUT", "/2022-07-01/telemetry", self._identified(), wish)

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
        if (
            answer.status != 200
        ):  # an emulator accepts (202) a subscription that it does not support
            raise ReplayError(f"{path}: {answer.status} {text[:200].decode(errors='replace')}")
        try:
            return answer, orjson.loads(text)
        except ValueError:  # "OK"
            return answer, {}
