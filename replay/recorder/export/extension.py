"""The external extension, beside the runtime: what the layer's `extensions/replay-export` runs.

It is run as a file, and loads nothing of this package before it has registered: the platform starts
the runtime when all extensions have. Invariant: it never ends before the sandbox does, which would
fail with it. Sources: AWS's pages on the Extensions API (2020-01-01) and on the Telemetry API
(2022-07-01, events of 2022-12-13).
"""

import http.client
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

NAME = "replay-export"
"""The file that Lambda starts has to have the name by which it registers."""
_BUFFERING = {"maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25}
"""The least that may be asked for."""


class RefusedError(Exception):
    """The platform does not do what it was asked for."""


class ExtensionsApi:
    """Lambda's API for extensions, over one connection; methods raise OSError, RefusedError."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address)
        self._id = ""

    def register(self, *wishes: Sequence[str]) -> Sequence[str]:
        """Register for the first of some lists of events that is not refused; return it."""
        *others, last = wishes
        for events in others:
            try:
                return self._register(events)
            except RefusedError:
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

    def wait_for_the_end(self) -> dict[str, Any]:
        """Wait for what is no invocation, doing nothing."""
        while (event := self.next())["eventType"] == "INVOKE":
            pass
        return event

    def _identified(self) -> dict[str, str]:
        return {"Lambda-Extension-Identifier": self._id}

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: object
    ) -> tuple[http.client.HTTPResponse, dict[str, Any]]:
        content = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", **headers}
        self._connection.request(method, path, content, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:  # emulators answer 202 to a subscription that they do not support
            said = text[:200].decode(errors="replace")
            raise RefusedError(f"{path}: {answer.status} {said}")
        try:
            return answer, json.loads(text)
        except ValueError:  # "OK"
            return answer, {}


def main() -> None:
    """Ship until the sandbox is shut down."""
    api = ExtensionsApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        if not os.environ.get("REPLAY_EXPORT"):
            api.register([])
            api.wait_for_the_end()
            return
        # Where invocations run side by side, on Managed Instances, nobody is told of each.
        events = api.register(["INVOKE", "SHUTDOWN"], ["SHUTDOWN"])
        _serve(api, follows="INVOKE" in events)
    except RefusedError as error:
        raise SystemExit(f"replay: {error}") from error


def _serve(api: ExtensionsApi, *, follows: bool) -> None:
    try:
        from replay.recorder.export.serving import serve
    except ImportError as error:  # a layer for another version or architecture
        print(f"replay: nothing is shipped: {error}", file=sys.stderr, flush=True)
        api.wait_for_the_end()
    else:
        serve(api, follows=follows)


if __name__ == "__main__":
    main()
