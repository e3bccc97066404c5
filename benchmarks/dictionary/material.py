"""The recordings that the dictionary of packed payloads is trained on: made by the real recorder.

The project's own sample events, captured in several manners: functions, environments, contexts,
outcomes, outbound calls. What differs from run to run - ids, times, durations - is then drawn from
a seed, and what is of this machine put as it is on Lambda, so that the same material comes out of
every run.
"""

import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[0] = str(ROOT)
EVENTS = ROOT / "fixtures" / "events"
_APP = Path(__file__).with_name("app.py")
_LAMBDA_APP = "/var/task/app.py"
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a process captures: which function it is, where, and what it does."""

    function: str
    runtime: str = "AWS_Lambda_python3.13"
    region: str = "eu-west-1"
    alias: str = ""
    version: str = "$LATEST"
    memory_mb: int = 128
    variables: tuple[tuple[str, str], ...] = ()
    does: tuple[str, ...] = ()
    client: bool = False

    def environment(self, store: Path) -> dict[str, str]:
        """Return the variables that Lambda would set, and the function's own."""
        return {
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EXECUTION_ENV": self.runtime,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_mb),
            "AWS_LAMBDA_FUNCTION_NAME": self.function,
            "AWS_LAMBDA_FUNCTION_VERSION": self.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": "Text",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.function}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"2026/11/22/[{self.version}]" + "0" * 32,
            "AWS_LAMBDA_RUNTIME_API": "169.254.100.1:9001",
            "AWS_REGION": self.region,
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LAMBDA_TASK_ROOT": "/var/task",
            "LANG": "en_US.UTF-8",
            "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib"
            ":/var/task:/var/task/lib:/opt/lib",
            "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "PYTHONPATH": "/var/runtime",
            "SHLVL": "0",
            "TZ": ":UTC",
            "_AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129",
            "_AWS_XRAY_DAEMON_PORT": "2000",
            "_HANDLER": "app.handler",
            "_X_AMZN_TRACE_ID": "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;"
            "Sampled=1",
            **dict(self.variables),
            "REPLAY_STORE": str(store),
            "REPLAY_REDACT_KEY": "material",
        }


_SETTINGS = (
    *(("TABLE_NAME", "orders"), ("LOG_LEVEL", "INFO"), ("STAGE", "staging")),
    *(("QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"),),
    *(("POWERTOOLS_SERVICE_NAME", "orders"), ("POWERTOOLS_METRICS_NAMESPACE", "shop")),
)
MANNERS = (
    Manner("orders", does=("calls",), variables=_SETTINGS, alias="live", version="7"),
    Manner("payments", "AWS_Lambda_python3.12", "us-east-1", memory_mb=512, does=("fails",)),
    Manner("hello-world", "AWS_Lambda_python3.11", "us-west-2", client=True),
    Manner("shop-staging-Customer-1A2B3C4D5E6F", "AWS_Lambda_python3.14", does=("calls", "fails")),
    Manner("notify", region="eu-central-1", memory_mb=1024, alias="prod", variables=_SETTINGS[:3]),
    Manner("import-job", does=("calls",), memory_mb=256, region="ap-southeast-2", client=True),
)


def material() -> list[bytes]:
    """Return the payloads of all parts, the same ones in every run."""
    random = Random("material")
    found: list[bytes] = []
    with tempfile.TemporaryDirectory() as folder, serving() as (url, aws):
        places = _places(url, aws, folder)
        for number, manner in enumerate(MANNERS):
            store = Path(folder) / f"{number}.db"
            arguments = [sys.executable, "-I", __file__, str(number), url, aws]
            subprocess.run(arguments, env=manner.environment(store), check=True)
            found += [_steadied(payload, random, places) for payload in payloads_in(store)]
    return found


def payloads_in(store: Path) -> Iterator[bytes]:
    """Yield the payloads of a store that nothing has been taken in from."""
    with closing(sqlite3.connect(store)) as connection:
        for (payload,) in connection.execute("SELECT payload FROM part ORDER BY n"):
            yield payload


class _Service(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_missing = "missing" in self.path
        body = {"message": "Not Found"} if is_missing else {"id": self.path, "state": "paid"}
        content = json.dumps(body).encode()
        self.send_response(404 if is_missing else 200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Request-Id", "8f14e45f-ceea-467f-a0e6-2dfe598c3fcd")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815 - as http.server calls them

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[tuple[str, str]]:
    """Yield the addresses of a web service and of moto's server, on loopback until the end."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        yield f"http://127.0.0.1:{server.server_port}", f"http://{host}:{port}"
    finally:
        moto.stop()
        server.shutdown()
        server.server_close()


def _ulid(random: Random, _old: bytes) -> bytes:
    return ("01m8" + "".join(random.choices(_CROCKFORD, k=22))).encode()


def _hexadecimal(random: Random, old: bytes) -> bytes:
    return re.sub(rb"[0-9a-f]", lambda _: random.choice("0123456789abcdef").encode(), old)


def _digits(random: Random, old: bytes) -> bytes:
    first, rest = old[:1], old[1:]
    return first + re.sub(rb"\d", lambda _: random.choice("0123456789").encode(), rest)


def _two(random: Random) -> tuple[int, int]:
    return random.randrange(10**7), random.randrange(1000)


def _version(random: Random) -> tuple[int, int]:
    return random.randrange(11, 15), random.randrange(10)


_Draw = Callable[[Random, bytes], bytes]
_TIMES = rb'(?<="%s":)\d+'
_VARIABLE: tuple[tuple[bytes, _Draw], ...] = (
    (rb"\b[0-7][0-9a-hjkmnp-tv-z]{25}\b", _ulid),
    (rb"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", _hexadecimal),
    (rb"\b[0-9A-Za-z]{52}\b", lambda random, _: _ulid(random, b"").upper() * 2),
    (rb"(?<=app/key-)[A-Za-z]{6}", lambda _random, _: b"AbCdEf"),
    (rb"\b1[78]\d{8}(\.\d+)?\b", lambda random, _: b"179%07d.%03d" % _two(random)),
    (rb'(?<="Content-Length",")\d+', lambda random, _: b"%d" % random.randrange(30, 900)),
    (rb'(?<="x-amz-crc32",")\d+', lambda random, _: b"%010d" % random.randrange(2**32)),
    (rb'(?<="python_version":")3[.\d]+', lambda random, _: b"3.%d.%d" % _version(random)),
    (_TIMES % b"captured_at_us", lambda random, _: b"179%013d" % random.randrange(10**13)),
    (_TIMES % b"duration_us", lambda random, _: b"%d" % random.randrange(20, 90_000)),
    (_TIMES % b"at_us", lambda random, _: b"%d" % random.randrange(100, 900_000)),
    (_TIMES % b"remaining_ms", lambda random, _: b"%d" % random.randrange(1000, 15_000)),
    (_TIMES % b"deadline_epoch_ms", lambda random, _: b"179%010d" % random.randrange(10**10)),
    (rb'(?<="remaining_reads_ms":\[)\d+', lambda random, _: b"%d" % random.randrange(1000, 15_000)),
    (rb'(?<=_fields":\{"deadline":)\d+', _digits),
)
_DATES = re.compile(
    rb"\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT|20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.\d]*"
)


def _steadied(payload: bytes, random: Random, places: list[tuple[str, str]]) -> bytes:
    """Return a payload with nothing of this run and this machine in it."""
    for old, new in places:
        payload = payload.replace(old.encode(), new.encode())
    for pattern, draw in _VARIABLE:
        payload = re.sub(pattern, lambda found, draw=draw: draw(random, found[0]), payload)  # type: ignore[misc]
    return _DATES.sub(lambda found: _steady_date(found[0]), payload)


def _steady_date(old: bytes) -> bytes:
    return b"Sun, 22 Nov 2026 10:11:12 GMT" if b"," in old else b"2026-11-22T10:11:12"


def _places(url: str, aws: str, folder: str) -> list[tuple[str, str]]:
    """Return what is replaced by what: a longer place before one that it begins with."""
    library = str(Path(json.__file__).parents[1])
    packages = [it for it in sys.path if it.endswith("site-packages")]
    named = [
        (url, "https://api.example.com"),
        (aws, "https://sqs.eu-west-1.amazonaws.com"),
        *((it, "/var/task") for it in (*packages, f"{library}/site-packages")),
        (library, "/var/lang/lib/python3.13"),
        (str(ROOT), "/opt/python"),
        *((f"{folder}/{number}.db", "/tmp/replay.db") for number in range(len(MANNERS))),
        ('"LC_CTYPE":"C.UTF-8",', ""),
    ]
    bare = [(it.removeprefix("http://"), new.removeprefix("https://")) for it, new in named[:2]]
    return named + bare


def capture_all(manner: Manner, url: str, aws: str) -> None:
    """Capture every event, in this process."""
    import requests
    from awslambdaric.lambda_context import LambdaContext

    requests.post(f"{aws}/moto-api/reset", timeout=10)
    namespace: dict[str, Any] = {"__name__": "app"}
    exec(compile(_APP.read_text(), _LAMBDA_APP, "exec"), namespace)
    namespace["MANNER"].update(does=manner.does, url=url, aws=aws)
    namespace["prepare"]()
    for number, path in enumerate(sorted(EVENTS.glob("*.json"))):
        context = LambdaContext(*_context_of(manner, number))
        try:
            namespace["handler"](json.loads(path.read_bytes()), context)
        except (KeyError, TypeError, namespace["OrderError"]):
            continue


def _context_of(manner: Manner, number: int) -> tuple[Any, ...]:
    client = {
        "client": {"installation_id": f"i-{number}", "app_title": "shop", "app_version_name": "2"},
        "custom": {"cart": str(number)},
        "env": {"locale": "de_DE", "platform": "Android"},
    }
    identity = {"cognitoIdentityId": f"eu-west-1:{number}", "cognitoIdentityPoolId": "eu-west-1:1"}
    arn = f"arn:aws:lambda:{manner.region}:123456789012:function:{manner.function}"
    return (
        f"8476a536-e9f4-11e8-9739-{number:012x}",
        client if manner.client else None,
        identity if manner.client else None,
        int(time.time() * 1000) + 15_000,
        f"{arn}:{manner.alias}" if manner.alias else arn,
        "tenant-1" if manner.client and number % 2 else None,
    )


if __name__ == "__main__":
    os.environ.pop("REPLAY_CAPTURE", None)
    capture_all(MANNERS[int(sys.argv[1])], *sys.argv[2:])
