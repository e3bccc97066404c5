"""`replay invoke`: what the invoker gets, what the log says, and every kind of bad input."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SHARED_EVENTS, also_long, also_slow

APP = """
import os, sys, time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    what = event.get("do") if isinstance(event, dict) else None
    print("call", calls)
    if what == "raise": raise KeyError("boom")
    if what == "sleep": time.sleep(60)
    if what == "exit": sys.exit(event["status"])
    if what == "kill": os.kill(os.getpid(), 9)
    if what == "large": return "x" * 6_300_000
    if what == "set": return {1}
    if what == "bytes": return b"\\xff\\x00"
    if what == "calls": return calls
    if what == "environ": return {name: os.environ.get(name) for name in event["names"]}
    if what == "context":
        client = context.client_context
        return {
            "name": context.function_name, "version": context.function_version,
            "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb,
            "tenant": context.tenant_id, "left": context.get_remaining_time_in_millis(),
            "identity": [
                context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id
            ],
            "client": client and [client.custom, client.env, client.client and [
                getattr(client.client, name) for name in client.client.__slots__]],
            "w3c": context.w3c(), "log": [context.log_group_name, context.log_stream_name],
        }
    return event
"""
CLIENT = {
    "client": {"app_title": "Shop", "unknown": 1},
    "custom": {"ü": [1]},
    "env": {"locale": "de"},
    "other": "dropped",
    "w3c": {"traceparent": "00-1"},
}
RUNTIMES = ["builtin", "ric"] if sys.platform == "linux" else ["builtin"]


@pytest.fixture
def app(project) -> Path:
    (project / "app.py").write_text(APP)
    return project


@pytest.fixture(params=also_slow(RUNTIMES[:1], RUNTIMES))
def invoke(app, replay, request):
    """The command with a handler, in both engines."""

    def run(event: object, *options: str) -> "subprocess.CompletedProcess[str]":
        text = json.dumps(event)
        return replay("invoke", "app.handler", text, "--runtime", request.param, *options)

    return run


def test_the_payload_is_what_the_invoker_gets_and_the_report_what_the_log_says(invoke):
    """Payload on stdout, output and report on stderr, exit 0."""
    done = invoke({"a": [1, 2.5, None, "ü"]})
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\n")
    assert json.loads(done.stdout) == {"a": [1, 2.5, None, "ü"]}
    output, report = done.stderr.splitlines()
    assert output == "call 1"
    assert re.fullmatch(
        r"REPORT RequestId: [0-9a-f-]{36}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms",
        report,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("event", "error_type", "message"),
    [
        ({"do": "raise"}, "KeyError", "'boom'"),
        ({"do": "set"}, "Runtime.MarshalError", "Unable to marshal response: Object of type set"),
        pytest.param(
            {"do": "exit", "status": 0},
            "Runtime.ExitError",
            "Runtime exited without providing a",
            marks=pytest.mark.long,
        ),
        ({"do": "exit", "status": 3}, "Runtime.ExitError", "exited with error: exit status 3"),
        ({"do": "kill"}, "Runtime.ExitError", "Runtime exited with error: signal: killed"),
        ({"do": "large"}, "Function.ResponseSizeTooLarge", "(6291556 bytes)."),
        ({"do": "sleep"}, "Sandbox.Timedout", "Task timed out after 0.50 seconds"),
    ],
)
def test_a_function_that_fails_gives_lambdas_own_payload_and_exit_1(
    invoke, event, error_type, message
):
    """The runtime's error document, or the service's."""
    done = invoke(event, "--timeout", "0.5")
    assert done.returncode == 1
    payload = json.loads(done.stdout)
    assert error_type == payload["errorType"]
    assert message in payload["errorMessage"]
    assert ("stackTrace" in payload) == (error_type in ("KeyError", "Runtime.MarshalError"))
    request_id = re.search(r"REPORT RequestId: (\S+)", done.stderr)[1]
    if error_type not in ("KeyError", "Runtime.MarshalError", "Function.ResponseSizeTooLarge"):
        assert payload["errorMessage"].startswith(f"RequestId: {request_id} Error: ")


def test_an_error_carries_request_id_and_the_handlers_own_frames(invoke, app):
    """As AWS's runtime client posts it."""
    payload = json.loads(invoke({"do": "raise"}).stdout)
    assert list(payload) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    (frame,) = payload["stackTrace"]
    assert frame.startswith(f'  File "{app}/app.py", line 9, in handler\n')


def test_the_context_is_made_of_the_options(invoke):
    """Names and types as on Lambda; unknown fields are dropped as the client drops them."""
    done = invoke(
        {"do": "context"},
        *("--client-context", json.dumps(CLIENT), "--tenant-id", "tenant-1"),
        *("--cognito-identity", '{"cognitoIdentityId": "eu:1", "cognitoIdentityPoolId": "eu:2"}'),
        *("--function-name", "orders", "--version", "7", "--alias", "live"),
        *("--memory", "512", "--timeout", "20"),
    )
    found = json.loads(done.stdout)
    assert found.pop("log")[0] == "/aws/lambda/orders"
    assert found == {
        "name": "orders",
        "version": "7",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:orders:live",
        "memory": "512",
        "tenant": "tenant-1",
        "left": 20_000,
        "identity": ["eu:1", "eu:2"],
        "client": [{"ü": [1]}, {"locale": "de"}, [None, "Shop", None, None, None]],
        "w3c": {"traceparent": "00-1"},
    }
    assert "Memory Size: 512 MB" in done.stderr


def test_without_options_the_context_is_lambdas_default(invoke):
    """128 MB, 3 s, $LATEST, nothing of the mobile SDK."""
    found = json.loads(invoke({"do": "context"}).stdout)
    assert found["log"][1].rsplit("]")[0].endswith("/[$LATEST")
    assert {**found, "log": None} == {
        "name": "app",
        "version": "$LATEST",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:app",
        "memory": "128",
        "tenant": None,
        "left": 3000,
        "identity": [None, None],
        "client": None,
        "w3c": {},
        "log": None,
    }


def test_variables_come_from_lambda_the_shell_and_the_file(invoke, app, monkeypatch):
    """The file outranks the shell; a bare name takes the shell's value."""
    monkeypatch.setenv("FROM_SHELL", "shell")
    monkeypatch.setenv("BOTH", "shell")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    (app / ".env").write_text('# staging\nBOTH=file\nexport QUOTED="two words"\nFROM_SHELL\n')
    names = ["FROM_SHELL", "BOTH", "QUOTED", "AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME", "_HANDLER"]
    done = invoke({"do": "environ", "names": names}, "--env-file", ".env")
    assert list(json.loads(done.stdout).values()) == [
        *("shell", "file", "two words", "eu-central-1", "app", "app.handler")
    ]


def test_repeated_invocations_find_a_warm_sandbox(invoke):
    """One payload and one report each; the import is paid and billed once."""
    done = invoke({"do": "calls"}, "--repeat", "3")
    assert done.stdout == "1\n2\n3\n"
    reports = re.findall(r"REPORT .*", done.stderr)
    assert ["Init Duration" in report for report in reports] == [True, False, False]
    assert len(set(re.findall(r"RequestId: (\S+)", done.stderr))) == 3


def test_an_invocation_that_ends_the_sandbox_is_followed_by_a_cold_one(invoke):
    """As on Lambda."""
    done = invoke({"do": "kill"}, "--repeat", "2")
    assert done.returncode == 1
    assert len(re.findall("Init Duration", done.stderr)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("runtime", also_long(RUNTIMES[:1], RUNTIMES))
def test_bytes_go_out_as_they_are(app, runtime):
    """Without a line end."""
    command = [sys.executable, "-m", "replay", "invoke", "app.handler", '{"do": "bytes"}']
    done = subprocess.run(
        [*command, "--runtime", runtime], capture_output=True, check=False, cwd=app
    )
    assert done.stdout == b"\xff\x00", done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decorated", "runtime"),
    [
        (True, RUNTIMES[-1]),
        (False, "builtin"),
        pytest.param(True, "builtin", marks=pytest.mark.long),
        pytest.param(False, RUNTIMES[-1], marks=pytest.mark.long),
    ],
)
def test_a_decorated_handler_or_the_option_captures(project, replay, decorated, runtime):
    """What was captured replays to match; without both nothing is stored."""
    code = "def handler(event, context): return [event, context.function_name]\n"
    if decorated:
        code = f"from replay import capture\n@capture\n{code}"
    (project / "app.py").write_text(code)
    options = [] if decorated else ["--capture"]
    invoked = replay("invoke", "app.handler", '{"n": 1}', "--runtime", runtime, *options)
    assert invoked.stdout == '[{"n": 1}, "app"]\n', invoked.stderr
    (listed,) = json.loads(replay("list", "--json").stdout)
    assert listed["function_name"] == "app"
    assert replay("run", "@latest", "--runtime", runtime).returncode == 0


def test_without_decorator_and_option_nothing_is_stored(app, replay):
    """Positive control."""
    assert replay("invoke", "app.handler", "{}").returncode == 0
    assert not list(app.glob("replay.db*"))


@pytest.mark.slow
def test_a_captured_killed_invocation_is_unfinished(app, replay):
    """The most valuable kind."""
    replay("invoke", "app.handler", '{"do": "sleep"}', "--capture", "--timeout", "0.5")
    (listed,) = json.loads(replay("list", "--json").stdout)
    assert listed["outcome"] == "unfinished"


@pytest.mark.parametrize("runtime", also_slow(RUNTIMES[:1], RUNTIMES))
def test_a_handler_that_cannot_be_had_fails_as_on_lambda(project, replay, runtime):
    """The client's payload, exit 1, and where it was looked for."""
    done = replay("invoke", "missing.handler", "{}", "--runtime", runtime)
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "errorMessage": "Unable to import module 'missing': No module named 'missing'",
        "errorType": "Runtime.ImportModuleError",
        "requestId": "",
        "stackTrace": [],
    }
    assert "--path" in done.stderr


TEXTS = ["[1]", "null", "17", '"text"', "true", ' {"b": 2}']


@pytest.mark.parametrize("text", also_long(TEXTS[3:4] + TEXTS[5:], TEXTS))
def test_an_event_on_the_command_line_is_json_of_any_kind(app, replay, text):
    """Not objects alone."""
    done = replay("invoke", "app.handler", text)
    assert json.loads(text) == json.loads(done.stdout)


@pytest.mark.slow
def test_events_come_from_files_and_stdin(app, replay, monkeypatch):
    """A file, with a byte order mark as well; `-`."""
    (app / "event.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert replay("invoke", "app.handler", "event.json").stdout == '{"a": 1}\n'

    class Stdin:
        buffer = io.BytesIO(b'{"c": 3}')

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert replay("invoke", "app.handler", "-").stdout == '{"c": 3}\n'


@pytest.mark.slow
@pytest.mark.skipif(not SHARED_EVENTS.exists(), reason="the shared events are not here")
@pytest.mark.parametrize("every", [45, pytest.param(15, marks=pytest.mark.long)])
def test_shared_events_reach_the_handler_unchanged(app, replay, every):
    """Some by their files; in a long run a few of each folder."""
    for path in sorted(SHARED_EVENTS.rglob("*.json"))[::every]:
        done = replay("invoke", "app.handler", str(path))
        assert json.loads(path.read_text()) == json.loads(done.stdout)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b'"' + b"x" * (6 * 2**20) + b'"', "6,291,456"),
    ],
)
def test_an_event_that_is_none_is_one_clear_line(app, replay, content, words):
    """What, which file, why, and what to do."""
    if content is not None:
        (app / "event.json").write_bytes(content)
    done = replay("invoke", "app.handler", "./event.json")
    refused(done, words)
    assert "event.json" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "nothing"),
        (["{bad"], "not JSON"),
        ([""], "cannot read"),
        (["."], "directory"),
        (["{}", "--client-context", "{bad"], "--client-context"),
        (["{}", "--client-context", "[1]"], "no JSON object"),
        (["{}", "--client-context", '{"client": "text"}'], "client of the client context"),
        (["{}", "--client-context", json.dumps({"custom": "x" * 4000})], "3,583"),
        (["{}", "--client-context", "absent.json"], "absent.json"),
        (["{}", "--cognito-identity", "1"], "no JSON object"),
        (["{}", "--env-file", "absent"], "absent"),
        (["{}", "--timeout", "0"], "timeout"),
        (["{}", "--memory", "64"], "memory"),
        (["{}", "--repeat", "0"], "repeat"),
        (["{}", "--store", "mysql://x"], "not a file"),
    ],
)
def test_options_that_cannot_be_understood_are_one_clear_line(app, replay, arguments, words):
    """Exit 2, nothing on stdout, the handler is not called."""
    refused(replay("invoke", "app.handler", *arguments), words)


def test_a_line_of_the_env_file_that_is_none_is_named(app, replay):
    """With its number."""
    (app / ".env").write_text("A=1\n'B = 2\n")
    refused(replay("invoke", "app.handler", "{}", "--env-file", ".env"), ".env line 2")


def refused(done: "subprocess.CompletedProcess[str]", words: str) -> None:
    """Exit 2, said on stderr, nothing else."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "REPORT" not in done.stderr
