"""The whole way with AWS's own runtime client: capture there, find and replay here."""

import json
import re
import time
from pathlib import Path

import pytest
from databases import content_of

from replay.invocation import Invocation
from replay.outcome import Raised, Returned

AWS_EXAMPLE = """
from __future__ import print_function

import time
from replay import capture

@capture
def get_my_log_stream(event, context):
    print("Log stream name:", context.log_stream_name)
    print("Log group name:",  context.log_group_name)
    print("Request ID:",context.aws_request_id)
    print("Mem. limits(MB):", context.memory_limit_in_mb)
    # a delay of one second, to be seen in the remaining time
    time.sleep(1)
    print("Time remaining (MS):", context.get_remaining_time_in_millis())
"""
HEADERS = {
    "Lambda-Runtime-Client-Context": json.dumps(
        {
            "client": {
                "installation_id": "i-1",
                "app_title": "Shop",
                "app_version_name": "1.0",
                "app_version_code": "10",
                "app_package_name": "com.example.shop",
                "unknown": "dropped",
            },
            "custom": {"plan": "gold", "n": 1.5},
            "env": {"locale": "de"},
            "services": "dropped",
            "w3c": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        }
    ),
    "Lambda-Runtime-Cognito-Identity": json.dumps(
        {"cognitoIdentityId": "eu-central-1:1", "cognitoIdentityPoolId": "eu-central-1:2"}
    ),
    "Lambda-Runtime-Aws-Tenant-Id": "tenant-1",
}
EVERYTHING = """
import os
from replay import capture

@capture
def handler(event, context):
    client = context.client_context and context.client_context.client
    return {
        "vars": {k: v for k, v in vars(context).items() if isinstance(v, (str, type(None), dict))},
        "repr": repr(context),
        "client": client and [getattr(client, name) for name in client.__slots__],
        "custom": context.client_context and context.client_context.custom,
        "env": context.client_context and context.client_context.env,
        "identity": [
            context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id
        ],
        "w3c": context.w3c(),
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "memory": [type(context.memory_limit_in_mb).__name__, context.memory_limit_in_mb],
        "table": os.environ.get("TABLE"),
        "event": event,
    }
"""


def write_app(project: Path, code: str) -> None:
    (project / "app.py").write_text(code)


@pytest.mark.slow
def test_awss_example_handler_prints_the_same_in_a_replay(project, runtime, replay):
    """Every printed attribute is equal, remaining time at entry within 2 ms."""
    write_app(project, AWS_EXAMPLE)
    process = runtime("app.get_my_log_stream")
    assert process.invoke({}, headers=HEADERS).value is None
    printed = process.text().splitlines()

    done = replay("run", "@latest", "--json")

    assert done.returncode == 0, done.stderr
    (verdict,) = json.loads(done.stdout)
    assert verdict["verdict"] == "match"
    replayed = verdict["output"].splitlines()
    assert printed[:4] == replayed[:4]
    shown = json.loads(replay("show", "@latest", "--json").stdout)
    assert abs(shown["remaining_ms"] - verdict["remaining_ms"]) <= 2
    left = [int(lines[4].split(":")[1]) for lines in (printed, replayed)]
    assert abs(left[0] - left[1]) < 200
    assert shown["remaining_reads_ms"] == left[:1]


@pytest.mark.slow
@pytest.mark.parametrize("headers", [HEADERS, {}], ids=["all attributes", "none"])
def test_a_replayed_context_equals_the_runtime_clients(project, runtime, replay, headers):
    """Attributes, `vars`, `repr`, identity, client context, w3c, trace id and environment agree."""
    write_app(project, EVERYTHING)
    process = runtime(TABLE="orders-staging")
    answer = process.invoke({"n": 1}, headers=headers)
    assert answer.kind == "response", answer.body

    done = replay("run", "@latest", "--json", "--once")

    (verdict,) = json.loads(done.stdout)
    assert verdict["differences"] == []
    assert verdict["outcome"]["value"] == answer.value
    assert verdict["outcome"]["value"]["memory"] == ["str", "256"]
    assert verdict["outcome"]["value"]["table"] == "orders-staging"


@pytest.mark.slow
def test_retries_with_one_request_id_are_two_recordings(project, runtime, replay):
    """A retry keeps the request id; both attempts are kept and found by it."""
    write_app(project, "from replay import capture\n@capture\ndef handler(e, c): return 1\n")
    process = runtime()
    process.invoke({}, request_id="r-1")
    process.invoke({}, request_id="r-1")

    done = replay("run", "r-1", "--json")

    assert [v["verdict"] for v in json.loads(done.stdout)] == ["match", "match"]


@pytest.mark.slow
def test_log_stream_none_client_context_empty_and_null(project, runtime, replay):
    """What the runtime gives as None stays None; an empty client context stays an object."""
    write_app(project, EVERYTHING)
    process = runtime(AWS_LAMBDA_LOG_STREAM_NAME="")
    answers = [
        process.invoke({}, headers={"Lambda-Runtime-Client-Context": text})
        for text in ("", "{}", "null")
    ]
    assert [a.value["custom"] for a in answers] == [None, None, None]

    done = replay("run", "--function", "orders", "--json", "--once")

    verdicts = json.loads(done.stdout)[::-1]
    assert [v["differences"] for v in verdicts] == [[], [], []]
    assert verdicts[0]["outcome"]["value"]["vars"]["log_stream_name"] is None
    assert "client_context=ClientContext(" in verdicts[1]["outcome"]["value"]["repr"]


@pytest.mark.long
def test_uuid_token_and_time_replay_to_match_with_their_factors_named(project, runtime, replay):
    """Three paths differ by nature; each is noise with its factor, and the verdict is match."""
    write_app(
        project,
        "import secrets, time, uuid\nfrom replay import capture\n@capture\n"
        "def handler(event, context):\n"
        "    return {'id': str(uuid.uuid4()), 'token': secrets.token_hex(8), 'at': time.time()}\n",
    )
    runtime().invoke({})

    done = replay("run", "@latest", "--json")

    (verdict,) = json.loads(done.stdout)
    assert verdict["verdict"] == "match"
    found = {noise["path"]: noise["factor"] for noise in verdict["noise"]}
    assert found == {"$.id": "entropy", "$.token": "entropy", "$.at": "clock"}


def test_a_handler_that_raises_is_reported_as_without_the_decorator(project, runtime, stored):
    """The runtime posts the handler's frames alone, and the recording holds the same."""
    code = "def handler(event, context):\n    raise KeyError('boom')\n"
    write_app(project, f"from replay import capture\n@capture\n{code}")
    posted = runtime().invoke({}).value
    assert (posted["errorType"], posted["errorMessage"]) == ("KeyError", "'boom'")

    recording = stored().get(stored().resolve("@latest")[0])

    assert isinstance(recording.outcome, Raised)
    assert len(posted["stackTrace"]) == 1
    assert recording.outcome.stack == tuple(posted["stackTrace"])
    assert recording.outcome.arguments == ("boom",)


@pytest.mark.slow
def test_a_killed_invocation_is_unfinished_and_replays_to_a_match(project, runtime, replay):
    """The begun part outlives SIGKILL; failing to finish again is what was recorded."""
    write_app(
        project,
        "import time\nfrom replay import capture\n@capture\n"
        "def handler(event, context):\n    print('begun', flush=True)\n    time.sleep(60)\n",
    )
    process = runtime()
    process.send({}, timeout_ms=700)
    while "begun" not in process.text():
        time.sleep(0.01)
    process.kill()

    (listed,) = json.loads(replay("list", "--json").stdout)
    done = replay("run", listed["id"], "--json")

    assert listed["outcome"] == "unfinished"
    (verdict,) = json.loads(done.stdout)
    assert (verdict["verdict"], verdict["outcome"]["kind"]) == ("match", "timed_out")


@pytest.mark.slow
def test_an_unfinished_recording_that_now_finishes_is_drift(project, runtime, replay):
    """The outcome kind has changed, and the exit code says so."""
    slow = (
        "import time\nfrom replay import capture\n@capture\n"
        "def handler(event, context):\n    print('begun', flush=True)\n    time.sleep(60)\n"
    )
    write_app(project, slow)
    process = runtime()
    process.send({})
    while "begun" not in process.text():
        time.sleep(0.01)
    process.kill()
    write_app(project, slow.replace("sleep(60)", "sleep(0)"))

    done = replay("run", "@latest", "--json")

    assert done.returncode == 1
    (verdict,) = json.loads(done.stdout)
    assert [d["path"] for d in verdict["differences"]] == ["$"]


def test_credentials_never_reach_the_store(project, runtime, stored):
    """AWS's own are dropped; a name or a URL that looks like one keeps its name only."""
    write_app(project, "from replay import capture\n@capture\ndef handler(e, c): return 1\n")
    process = runtime(
        DB_PASSWORD="planted-password",
        DATABASE_URL="postgres://user:planted-in-url@db/orders",
        STRIPE_API_KEY="planted-api-key",
        REPLAY_REDACT_KEY="planted-own-key",
        TABLE="orders",
    )
    process.invoke({})

    invocation: Invocation = stored().get(stored().resolve("@latest")[0]).invocation

    withheld = {n for n, v in invocation.environment.items() if v == "replay-withheld"}
    assert withheld == {"DB_PASSWORD", "DATABASE_URL", "STRIPE_API_KEY"}
    assert invocation.environment["TABLE"] == "orders"
    process.kill()
    raw = b"".join(content_of(path) for path in project.glob("replay.db*"))
    assert re.findall(rb"planted[a-z-]*", raw) == []


@pytest.mark.parametrize("way", ["handler setting", "exec wrapper"])
def test_capture_without_a_change_of_code(project, runtime, stored, way):
    """The handler setting or the wrapper script captures an undecorated handler under its name."""
    from replay import recorder

    write_app(project, "def handler(event, context):\n    return event\n")
    if way == "handler setting":
        process = runtime("replay.recorder.handler.handler", REPLAY_HANDLER="app.handler")
    else:
        script = Path(recorder.__file__).parent / "exec-wrapper"
        process = runtime("app.handler", AWS_LAMBDA_EXEC_WRAPPER=str(script))
    assert process.invoke({"a": 1}).value == {"a": 1}

    recording = stored().get(stored().resolve("@latest")[0])

    assert recording.invocation.handler == "app.handler"
    assert recording.outcome == Returned(b'{"a": 1}')


def test_import_errors_reach_the_runtime_under_the_apps_own_name(project, runtime):
    """Captured without a change of code, a missing app is reported as without capture."""
    process = runtime("replay.recorder.handler.handler", REPLAY_HANDLER="missing.handler")

    posted = process.api.answers.get(timeout=10)

    assert posted.kind == "init/error"
    assert posted.value["errorType"] == "Runtime.ImportModuleError"
    assert posted.value["errorMessage"] == (
        "Unable to import module 'missing': No module named 'missing'"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("result", "error_type"),
    [("{1, 2}", "Runtime.MarshalError"), ("(x for x in [])", "Runtime.MarshalError")],
)
def test_a_result_that_lambda_refuses_is_a_marshal_error_here_too(
    project, runtime, stored, result, error_type
):
    """The verdict on a result is Lambda's, and the recording holds it."""
    write_app(
        project,
        f"from replay import capture\n@capture\ndef handler(e, c): return {result}\n",
    )
    posted = runtime().invoke({}).value
    outcome = stored().get(stored().resolve("@latest")[0]).outcome

    assert isinstance(outcome, Raised)
    assert (posted["errorType"], posted["errorMessage"]) == (outcome.error_type, outcome.message)
    assert outcome.error_type == error_type


@pytest.mark.slow
def test_a_result_of_six_megabytes_passes(project, runtime, replay):
    """Neither the capture nor the replay's channel is a bottleneck for the largest result."""
    write_app(
        project,
        "from replay import capture\n@capture\ndef handler(event, context): return event\n",
    )
    answer = runtime().invoke({"blob": "x" * 5_900_000})
    assert len(answer.body) > 5_900_000

    done = replay("run", "@latest")

    assert done.returncode == 0, done.stdout + done.stderr
