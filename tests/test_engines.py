"""The two engines over recordings that AWS's runtime client made: the same verdicts from both."""

import json
import queue
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED_EVENTS
from handlers import EXITS, RAISES, RETURNS, module
from runtime_api import RuntimeProcess
from test_recorder_runtime import EVERYTHING, HEADERS, write_app

pytest.importorskip("awslambdaric")
OWN_EVENTS = Path(__file__).parents[1] / "fixtures" / "events"
CLIENT, IDENTITY, TENANT = HEADERS
SHAPES: list[dict[str, str]] = [
    {},
    HEADERS,
    {CLIENT: "{}"},
    {CLIENT: "null"},
    {CLIENT: r'{"custom": {"\u00fc": [1, null, {"a": 1.5}]}}'},
    {CLIENT: '{"client": {"app_title": "Shop", "unknown": 1}, "services": 1, "Custom": 2}'},
    {CLIENT: '{"w3c": {"traceparent": "00-1", "tracestate": 7, "other": "x"}}'},
    {CLIENT: '{"env": {"locale": "de"}, "client": null}', TENANT: "tenant-1"},
    {IDENTITY: '{"cognitoIdentityId": "eu:1", "more": "dropped"}'},
    {IDENTITY: "null", TENANT: "t"},
    {"Lambda-Runtime-Trace-Id": ""},
    {"Lambda-Runtime-Invoked-Function-Arn": ""},
    {"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:1:function:orders"},
    {"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:1:function:orders:7"},
]
"""The headers of an invocation: client contexts, identities, tenants, aliases, traces."""
ODD_EVENTS: list[object] = [
    *(None, True, 0, -1.5, "", "text", [], {}, [None], {"a": {}}, "\ud83d", "\ud83d\ude00"),
    *({"n": 10**30}, {"f": 1e308}, {"s": "\u2028\x00"}, {"$replay:int": "0x1"}, [[[[[[]]]]]]),
    *(b"1e400", b'{"a": [1e999, -1e999]}', b'{"a": 1, "a": 2}', b" \n{}\t", b'"\\ud800"'),
]
BODIES = [*(f"return {it}" for it in RETURNS), *RAISES, *EXITS]


def shared_events() -> Iterator[Any]:
    for folder in (SHARED_EVENTS, OWN_EVENTS):
        for path in sorted(folder.rglob("*.json")):
            yield json.loads(path.read_text())


def app(bodies: list[str]) -> str:
    """A captured handler that does what the event's `body` says, or else echoes everything."""
    echo = EVERYTHING.replace("@capture\n", "").replace("def handler", "def echo")
    dispatch = (
        "@capture\n"
        "def handler(event, context):\n"
        "    body = event.get('body_to_run') if isinstance(event, dict) else None\n"
        "    return (globals()[body] if body else echo)(event, context)\n"
    )
    return module(bodies, echo, dispatch)


def capture_all(start: Callable[..., RuntimeProcess], *, shapes_an_event: int, every: int) -> int:
    """Record events x shapes and the table through the real client; return how many.

    Of events and table it is each one, or one out of `every`.
    """
    process = start(TABLE="orders")
    events = [*shared_events(), *ODD_EVENTS][::every]
    count = 0
    for number, event in enumerate(events):
        for place in (number, 5 * number + 3, 9 * number + 1)[:shapes_an_event]:
            process.invoke(event, headers=SHAPES[place % len(SHAPES)])
            count += 1
    for shape in SHAPES:
        process.invoke({"n": 1}, headers=shape)
        count += 1
    for number in range(0, len(BODIES), every):
        process.send({"body_to_run": f"body_{number}", "n": [1, "ü"]})
        if not has_answered(process):
            process = start(TABLE="orders")
        count += 1
    process.kill()
    return count


def has_answered(process: RuntimeProcess) -> bool:
    """Wait for what the client posts; False where it has died instead."""
    for _ in range(1000):
        try:
            return process.api.answers.get(timeout=0.01) is not None
        except queue.Empty:
            if process.process.poll() is not None:
                return False
    raise TimeoutError


@pytest.mark.parametrize(
    ("shapes_an_event", "every"),
    [
        pytest.param(1, 4, marks=pytest.mark.slow),
        pytest.param(3, 1, marks=pytest.mark.long),
    ],
)
def test_both_engines_give_the_same_verdicts_over_recordings_of_the_real_client(
    project, runtime, replay, shapes_an_event, every
):
    """Shared events, odd ones, every context shape, the table of outcomes: match in both.

    Recorded outcomes of handlers that died are unfinished, and met by an exit.
    """
    write_app(project, app(BODIES))
    count = capture_all(runtime, shapes_an_event=shapes_an_event, every=every)
    assert count >= (200 if SHARED_EVENTS.exists() else 100) * shapes_an_event // every

    builtin, ric = (verdicts(replay("run", "--json", "--runtime", it)) for it in ("builtin", "ric"))

    assert count == len(builtin) == len(ric)
    assert [v["differences"] for v in (*builtin, *ric) if v["verdict"] != "match"] == []
    for ours, theirs in zip(builtin, ric, strict=True):
        assert bare(theirs) == bare(ours)


def verdicts(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def bare(verdict: dict[str, Any]) -> dict[str, Any]:
    """A verdict without what took its time, or depends on the frames above the handler.

    Nor how each is kept from the network, which differs.
    """
    timed = ("duration_us", "output", "noise", "network")
    kept = {key: value for key, value in verdict.items() if key not in timed}
    if verdict["outcome"].get("error_type") == "RecursionError":
        kept["outcome"] = {"error_type": "RecursionError"}
    return kept
