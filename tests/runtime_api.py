"""A Runtime API server on loopback, and AWS's runtime client running a handler against it."""

import http.client
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# A deep stack makes a header of 100 KB, which Lambda takes.
http.client._MAXLINE = 1 << 20

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:orders:live"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_FUNCTION_NAME": "orders",
    "AWS_LAMBDA_FUNCTION_VERSION": "7",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/orders",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/22/[7]0123456789abcdef",
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "planted-access-key",
    "AWS_SECRET_ACCESS_KEY": "planted-secret-key",
    "AWS_SESSION_TOKEN": "planted-session-token",
    "TZ": ":UTC",
}


@dataclass
class Invocation:
    """What the runtime client is given on /next."""

    event: bytes
    headers: dict[str, str] = field(default_factory=dict)
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    timeout_ms: int = 3000
    content_type: str = "application/json"

    def all_headers(self) -> dict[str, str]:
        """Return the headers of the answer; a value of "" leaves one out."""
        deadline = int(time.time() * 1000) + self.timeout_ms
        headers = {
            "Content-Type": self.content_type,
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
            **self.headers,
        }
        return {name: value for name, value in headers.items() if value}


@dataclass
class Answer:
    """What the runtime client posted: `kind` is response, error or init/error."""

    kind: str
    body: bytes
    headers: dict[str, str]

    @property
    def value(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class RuntimeApi:
    """Serves invocations one after the other and collects what is posted."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[Invocation] = queue.Queue()
        self.answers: queue.Queue[Answer] = queue.Queue()
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.api = self
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: RuntimeApi

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that was killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        invocation = self.server.api.waiting.get()
        self._answer(200, invocation.event, invocation.all_headers())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._read_chunks()
        kind = "init/error" if "init" in self.path else self.path.rsplit("/", 1)[-1]
        self.server.api.answers.put(Answer(kind, body, dict(self.headers)))
        self._answer(202, b"{}", {"Content-Type": "application/json"})

    def _read_chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class RuntimeProcess:
    """The real runtime client, in `folder`, with a Lambda-like environment."""

    def __init__(
        self, api: RuntimeApi, folder: Path, handler: str, variables: dict[str, str]
    ) -> None:
        self.api = api
        environment = {
            **ENVIRONMENT,
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "LAMBDA_TASK_ROOT": str(folder),
            "REPLAY_STORE": str(folder / "replay.db"),
            "_HANDLER": handler,
            **variables,
        }
        command = [sys.executable, "-m", "awslambdaric", handler]
        wrapper = environment.pop("AWS_LAMBDA_EXEC_WRAPPER", None)
        self.output = (folder / "output").open("w+b")
        self.process = subprocess.Popen(
            [wrapper, *command] if wrapper else command,
            cwd=folder,
            env={name: value for name, value in environment.items() if value},
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def invoke(self, event: object, wait_s: float = 10, **fields: Any) -> Answer:
        """Give an event to the handler and return what the client posts."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        self.api.waiting.put(Invocation(body, **fields))
        return self.api.answers.get(timeout=wait_s)

    def send(self, event: object, **fields: Any) -> None:
        """Give an event to the handler and do not wait."""
        self.api.waiting.put(Invocation(json.dumps(event).encode(), **fields))

    def text(self) -> str:
        """Return what the process has written."""
        self.output.seek(0)
        return self.output.read().decode()

    def kill(self) -> None:
        """Kill the process group, as Lambda does at a deadline."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def end(self) -> None:
        """Kill the process and stop the server."""
        self.kill()
        self.output.close()
        self.api.close()
