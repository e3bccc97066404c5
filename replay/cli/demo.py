"""`replay demo`: the whole way once, in a temporary folder: capture, list, replay, tests."""

import os
import subprocess
import sys
import tempfile
from importlib.resources import files
from importlib.util import find_spec
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
    """Capture sample invocations in a temporary folder, replay them and make tests of them."""
    with tempfile.TemporaryDirectory(prefix="replay-demo-") as folder:
        project = Path(folder)
        code = files("replay.cli").joinpath("shop.py").read_text(encoding="utf-8")
        (project / "shop.py").write_text(code, encoding="utf-8")
        print(f"# {project}/shop.py is decorated with @capture; four invocations, the last one is")
        print(f"# killed at its deadline of {_TIMEOUT_MS / 1000} s", flush=True)
        _capture((_ORDER, _UNKNOWN_ITEM, _BATCH, _SLOW_REPORT), project)
        commands = ("list", "run --limit 4", "generate --yes")
        codes = [_replay(words, project) for words in commands]
        return max(*codes, _test(project))


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
    return _run(["replay", *words.split()], project)


def _test(project: Path) -> int:
    """Run the tests that were generated, where there is something to run them with."""
    if find_spec("pytest") is None:
        print("\n# pip install pytest, and pytest runs the suite that was generated")
        return 0
    print("\n$ pytest -q tests", flush=True)
    return _run(["pytest", "-q", "-p", "no:cacheprovider", "tests"], project)


def _run(words: list[str], project: Path) -> int:
    environment = {name: v for name, v in os.environ.items() if not name.startswith("REPLAY_")}
    search = [entry for entry in sys.path if entry]
    return subprocess.run(
        [sys.executable, "-P", "-m", *words],
        cwd=project,
        env={**environment, "PYTHONPATH": os.pathsep.join(search)},
        check=False,
    ).returncode
