"""`replay demo`: the whole way once, in a temporary folder: capture, list, replay."""

import os
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from replay.cli.command import answering
from replay.replayer.builtin import BuiltinSandbox
from replay.replayer.local import WORLD, LocalFunction

_TIMEOUT_MS = 1_500
_ORDER = {
    "version": "2.0",
    "routeKey": "POST /orders",
    "requestContext": {"http": {"method": "POST", "path": "/orders"}},
    "body": '{"item": "tea", "count": 2}',
}
_UNKNOWN_ITEM = {**_ORDER, "body": '{"item": "cocoa", "count": 1}'}
_BATCH = {
    "Records": [
        {"eventSource": "aws:sqs", "messageId": "message-1", "body": "17"},
        {"eventSource": "aws:sqs", "messageId": "message-2", "body": "seventeen"},
    ]
}
_SLOW_REPORT = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@answering
def demo() -> int:
    """Capture sample invocations in a temporary folder, list them and replay them."""
    with tempfile.TemporaryDirectory(prefix="replay-demo-") as folder:
        project = Path(folder)
        code = files("replay.cli").joinpath("shop.py").read_text(encoding="utf-8")
        (project / "shop.py").write_text(code, encoding="utf-8")
        print(f"# {project}/shop.py is decorated with @capture; four invocations, the last one is")
        print(f"# killed at its deadline of {_TIMEOUT_MS / 1000} s", flush=True)
        _capture((_ORDER, _UNKNOWN_ITEM, _BATCH, _SLOW_REPORT), project)
        codes = [_replay(words, project) for words in ("list", "run --limit 4")]
    return max(codes)


def _capture(events: tuple[object, ...], project: Path) -> None:
    """Run the events one after the other in one sandbox, as Lambda's runtime loop does."""
    shop = LocalFunction(
        handler="shop.handler",
        folders=(project,),
        name="shop",
        version="7",
        alias="live",
        memory_mb=256,
        timeout_ms=_TIMEOUT_MS,
        environment={"AWS_REGION": "eu-central-1", "REPLAY_STORE": str(project / "replay.db")},
    )
    with BuiltinSandbox(shop.case(events[0]), WORLD) as sandbox:
        for event in events:
            sandbox.replay(shop.case(event), WORLD)


def _replay(words: str, project: Path) -> int:
    print(f"\n$ replay {words}", flush=True)
    environment = {name: v for name, v in os.environ.items() if not name.startswith("REPLAY_")}
    search = [entry for entry in sys.path if entry]
    return subprocess.run(
        [sys.executable, "-P", "-m", "replay", *words.split()],
        cwd=project,
        env={**environment, "PYTHONPATH": os.pathsep.join(search)},
        check=False,
    ).returncode
