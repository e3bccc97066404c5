"""`replay demo`: the whole way once, in a temporary folder: capture, list, replay."""

import os
import subprocess
import sys
import tempfile
import uuid
from importlib.resources import files
from pathlib import Path
from time import time_ns

from replay.cli.command import answering
from replay.invocation import ContextSnapshot, Invocation, Sandbox
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.engine import Worker
from replay.replayer.world import World

_HANDLER = "shop.handler"
_FUNCTION = "shop"
_TIMEOUT_MS = 1_500
_ARN = f"arn:aws:lambda:eu-central-1:123456789012:function:{_FUNCTION}:live"
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
    world = World(clock="live", entropy_seed=uuid.uuid4().hex, is_captured=True)
    cases = [_case(event, project) for event in events]
    with Worker(cases[0], world) as sandbox:
        for case in cases:
            sandbox.run(case)


def _case(event: object, project: Path) -> Case:
    now_us = time_ns() // 1000
    return Case(Recording(new_ulid(), _invocation(event, project, now_us)), _HANDLER, (project,))


def _invocation(event: object, project: Path, now_us: int) -> Invocation:
    environment = {
        "AWS_LAMBDA_FUNCTION_NAME": _FUNCTION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python3.{sys.version_info.minor}",
        "AWS_REGION": "eu-central-1",
        "_HANDLER": _HANDLER,
        "REPLAY_STORE": str(project / "replay.db"),
    }
    context = ContextSnapshot(
        kind="lambda",
        type_name="LambdaContext",
        attributes={
            "aws_request_id": str(uuid.uuid4()),
            "log_group_name": f"/aws/lambda/{_FUNCTION}",
            "log_stream_name": None,
            "function_name": _FUNCTION,
            "memory_limit_in_mb": "256",
            "function_version": "7",
            "invoked_function_arn": _ARN,
            "tenant_id": None,
            "client_context": None,
            "identity": {"cognito_identity_id": None, "cognito_identity_pool_id": None},
        },
        deadline_epoch_ms=now_us // 1000 + _TIMEOUT_MS,
    )
    sandbox = Sandbox(new_ulid(), 1, "", None)
    return Invocation(
        _HANDLER, event, context, environment, now_us, _TIMEOUT_MS, None, sandbox, awaited=False
    )


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
