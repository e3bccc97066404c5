"""Lambda's APIs for extensions on loopback, and an exporter running against them; flaky S3."""

import http.client
import json
import os
import queue
import random
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DEADLINE_S = 3


class ExtensionApi:
    """Registers one extension, gives it events, and tells it what the platform does.

    What it is to refuse is an event of `refused`; a subscription is answered with `subscribed`.
    """

    def __init__(self, *, refused: str = "", subscribed: int = 200) -> None:
        self.refused = refused
        self.subscribed = subscribed
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.registered: list[list[str]] = []
        self.waiting = threading.Semaphore(0)
        self.listener: tuple[str, int] | None = None
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.api = self
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def invoke(self, request_id: str) -> None:
        """Tell it of an invocation."""
        self._send("INVOKE", requestId=request_id)

    def done(self, request_id: str) -> None:
        """Tell it that the runtime has answered one."""
        record = {"requestId": request_id, "status": "success"}
        event = {"time": "2026-11-26T10:00:00Z", "type": "platform.runtimeDone", "record": record}
        with suppress(OSError, TypeError):  # it was killed, or is starting
            connection = http.client.HTTPConnection(*self.listener, timeout=5)
            connection.request("POST", "/", json.dumps([event]))
            assert connection.getresponse().status == 200
            connection.close()

    def shut_down(self) -> None:
        """Tell it that the sandbox ends."""
        self._send("SHUTDOWN", shutdownReason="spindown")

    def _send(self, kind: str, **fields: Any) -> None:
        deadline_ms = int((time.time() + DEADLINE_S) * 1000)
        self.events.put({"eventType": kind, "deadlineMs": deadline_ms, **fields})

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: Any

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that was killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        api, generation = self.server.api, len(self.server.api.registered)
        api.waiting.release()
        while generation == len(api.registered):  # else who waits here was killed
            with suppress(queue.Empty):
                self._answer(200, json.dumps(api.events.get(timeout=0.02)).encode())
                return

    def do_POST(self) -> None:
        assert self.headers["Lambda-Extension-Name"] == "replay-export"
        events = json.loads(self._body())["events"]
        if self.server.api.refused in events:
            self._answer(400, b'{"errorType": "Extension.InvalidEventType"}')
            return
        self.server.api.registered.append(events)
        self._answer(200, b"{}", {"Lambda-Extension-Identifier": "extension-1"})

    def do_PUT(self) -> None:
        assert self.headers["Lambda-Extension-Identifier"] == "extension-1"
        host, _, port = json.loads(self._body())["destination"]["URI"][7:].partition(":")
        self.server.api.listener = host, int(port)
        self._answer(self.server.api.subscribed, b"OK")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class ExporterProcess:
    """The extension, as Lambda starts it."""

    def __init__(
        self,
        api: ExtensionApi,
        folder: Path,
        variables: dict[str, str],
        command: list[str] | None = None,
    ) -> None:
        self.api = api
        self.output = (folder / "exporter").open("a+b")
        self.process = subprocess.Popen(
            command or [sys.executable, "-m", "replay.recorder.export.extension"],
            env={
                "PATH": os.environ["PATH"],
                "AWS_LAMBDA_RUNTIME_API": api.address,
                "REPLAY_STORE": str(folder / "replay.db"),
                **variables,
            },
            stderr=self.output,
            cwd=folder,
            start_new_session=True,
        )

    def text(self) -> str:
        """Return what it has written."""
        self.output.seek(0)
        return self.output.read().decode()

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """Kill it, and let go of its output."""
        self.kill()
        self.output.close()


class Silent:
    """A bucket that takes whatever comes and never answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Stop."""
        self._listener.close()


class Flaky(ThreadingHTTPServer):
    """Passes requests on to another server; a share of them it answers with 500, or not at all."""

    daemon_threads = True

    def __init__(self, behind: str, share: float) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.behind = behind.removeprefix("http://")
        self.share = share
        self.failed = 0
        self.random = random.Random(7)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that was killed."""


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Flaky

    def _pass(self) -> None:
        if self.headers.get("Expect", "") == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fails = self.server.random.random() < self.server.share
        self.server.failed += fails
        if fails and self.server.failed % 2:  # it may have been stored all the same
            self.close_connection = True
            self._ask(body)
            return
        status, headers, content = (500, [], b"") if fails else self._ask(body)
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # whatever the method
            return self._pass
        raise AttributeError(name)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.server.behind, timeout=20)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "expect"}
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        found = answer.status, answer.getheaders(), answer.read()
        connection.close()
        return found

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
