"""The external extension, beside the runtime: what the layer's `extensions/replay-export` runs.

It is run as a file, and loads nothing of this package before it has registered: the platform starts
the runtime when all extensions have. Invariant: it never ends before the sandbox does, which would
fail with it. Sources: AWS's pages on the Extensions API (2020-01-01) and on the Telemetry API
(2022-07-01, events of 2022-12-13).
"""

import os
import sys
from _socket import AF_INET, SOCK_STREAM, socket  # of itself, `socket` takes 10 ms to load

NAME = "replay-export"
"""The file that Lambda starts has to have the name by which it registers."""
_SUBSCRIPTION = (
    '{"schemaVersion": "2022-12-13", "types": ["platform"],'
    ' "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},'
    ' "destination": {"protocol": "HTTP", "URI": "%s"}}'
)
"""Events come one by one, as soon as the platform sends any."""


class RefusedError(Exception):
    """The platform does not do what it was asked for."""


class ExtensionsApi:
    """Lambda's API for extensions; methods raise OSError, RefusedError.

    A connection for each request, by hand: `http.client` takes 30 ms to load.
    """

    def __init__(self, address: str) -> None:
        self._host, _, port = address.partition(":")
        self._port = int(port or 80)
        self._id = ""

    def register(self, *wishes: list[str]) -> list[str]:
        """Register for the first of some lists of events that is not refused; return it."""
        *others, last = wishes
        for events in others:
            try:
                return self._register(events)
            except RefusedError:
                continue
        return self._register(last)

    def _register(self, events: list[str]) -> list[str]:
        named = f"Lambda-Extension-Name: {NAME}"
        names = ", ".join(f'"{event}"' for event in events)
        path = "/2020-01-01/extension/register"
        head, _ = self._ask("POST", path, named, f'{{"events": [{names}]}}')
        self._id = _field(head, "lambda-extension-identifier")
        return events

    def subscribe(self, uri: str) -> None:
        """Have events of the platform sent to an address."""
        self._ask("PUT", "/2022-07-01/telemetry", self._identified(), _SUBSCRIPTION % uri)

    def next(self) -> dict[str, object]:
        """Wait for the next event; the sandbox is frozen where all wait for theirs."""
        _, body = self._ask("GET", "/2020-01-01/extension/event/next", self._identified(), "")
        import json  # there is time now

        event: dict[str, object] = json.loads(body)
        return event

    def wait_for_the_end(self) -> dict[str, object]:
        """Wait for what is no invocation, doing nothing."""
        while (event := self.next())["eventType"] == "INVOKE":
            pass
        return event

    def _identified(self) -> str:
        return f"Lambda-Extension-Identifier: {self._id}"

    def _ask(self, method: str, path: str, header: str, body: str) -> tuple[str, bytes]:
        """Return the head of an answer and its body."""
        lines = (
            f"{method} {path} HTTP/1.1",
            f"Host: {self._host}:{self._port}",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            header,
        )
        connection = socket(AF_INET, SOCK_STREAM)
        try:
            connection.connect((self._host, self._port))
            connection.sendall("\r\n".join([*lines, "", body]).encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        finally:
            connection.close()
        head, _, content = answer.partition(b"\r\n\r\n")
        # Emulators answer 202 to a subscription that they do not support.
        if head.split(b" ")[1:2] != [b"200"]:
            status = head.split(b"\r\n")[0].decode(errors="replace")
            raise RefusedError(f"{path}: {status} {content[:200].decode(errors='replace')}")
        text = head.decode(errors="replace")
        is_chunked = _field(text, "transfer-encoding").lower() == "chunked"
        return text, _joined(content) if is_chunked else content


def _joined(chunks: bytes) -> bytes:
    content = b""
    while (size := int(chunks.partition(b"\r\n")[0].partition(b";")[0] or b"0", 16)) > 0:
        chunk = chunks.partition(b"\r\n")[2]
        content, chunks = content + chunk[:size], chunk[size + 2 :]
    return content


def _field(head: str, name: str) -> str:
    """Return a field of an answer's head, empty where it has none."""
    for line in head.split("\r\n"):
        found, _, value = line.partition(":")
        if found.lower() == name:
            return value.strip()
    return ""


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
        os._exit(0)  # to take the interpreter down takes longer than may be left
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
