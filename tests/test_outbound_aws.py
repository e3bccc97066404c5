"""Calls to AWS services: recorded over a real server, answered without one, and judged."""

import contextlib
import http.server
import json
import os
import shutil
import socket
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from conftest import also_slow
from databases import content_of, query

from replay.redaction.stand_in import WITHHELD
from replay.store.selection import Selection

boto3 = pytest.importorskip("boto3")
server = pytest.importorskip("moto.server")

FUNCTIONS = Path(__file__).with_name("aws_functions.py")
REGION = "eu-central-1"
FLOWS = (
    *("s3_stream", "s3_partly_read", "s3_multipart", "s3_missing", "s3_signed", "s3_pages"),
    *("dynamodb_reads", "dynamodb_condition", "dynamodb_batch", "dynamodb_transaction"),
    *("dynamodb_waiter", "queue", "others", "threads", "flaky", "refused", "secrets"),
)


QUICK = ("dynamodb_condition", "s3_missing", "flaky")


class Flaky(http.server.BaseHTTPRequestHandler):
    """DynamoDB on a bad day: every third call is answered, and a query never."""

    calls = 0
    item = json.dumps({"Item": {"id": {"S": "order-1"}}}).encode()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["X-Amz-Target"].endswith("Query"):
            time.sleep(60)
        Flaky.calls += 1
        status, body = (200, self.item) if Flaky.calls % 3 == 0 else (500, b"{}")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def aws():
    """Yield the address of moto's server, filled, and of a flaky one; both end with the module."""
    moto = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    flaky = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Flaky)
    flaky.daemon_threads = True
    threading.Thread(target=flaky.serve_forever, daemon=True).start()
    url = "http://{}:{}".format(*moto.get_host_and_port())
    yield {"url": url, "flaky": f"http://127.0.0.1:{flaky.server_port}", **fill(url)}
    flaky.shutdown()
    flaky.server_close()
    moto.stop()


def fill(url):
    """Make what the functions find there."""
    import requests

    requests.post(f"{url}/moto-api/config", json={"lambda": {"use_docker": False}}, timeout=5)

    def client(name):
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        return boto3.client(name, region_name=REGION, endpoint_url=url, **keys)

    client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for n in range(6):
        item = {"id": {"S": f"order-{n}"}, "total": {"N": str(n * 10)}}
        client("dynamodb").put_item(TableName="orders", Item=item)
    s3 = client("s3")
    s3.create_bucket(Bucket="invoices", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="invoices", Key="large", Body=os.urandom(9 << 20))
    s3.put_object(Bucket="invoices", Key="small", Body=b"small")
    for n in range(8):
        s3.put_object(Bucket="invoices", Key=f"page/{n}", Body=b"x")
    client("sqs").create_queue(QueueName="work")
    client("secretsmanager").create_secret(Name="db", SecretString='{"user": "app"}')
    client("ssm").put_parameter(Name="/app/limit", Value="17", Type="SecureString")
    role = "arn:aws:iam::123456789012:role/app"
    document = {"AssumeRolePolicyDocument": "{}", "RoleName": "app"}
    client("iam").create_role(**document)
    client("lambda").create_function(
        FunctionName="other",
        Runtime="python3.11",
        Role=role,
        Handler="a.b",
        Code={"ZipFile": b"x"},
    )
    definition = {"StartAt": "a", "States": {"a": {"Type": "Pass", "End": True}}}
    machine = client("stepfunctions").create_state_machine(
        name="m", roleArn=role, definition=json.dumps(definition)
    )
    return {"machine": machine["stateMachineArn"]}


@pytest.fixture
def function(runtime, project, aws):
    """Start the functions under the real client: a function of `do` and the rest of an event."""
    shutil.copy(FUNCTIONS, project / "app.py")
    process = runtime(
        AWS_ENDPOINT_URL=aws["url"],
        MACHINE=aws["machine"],
        PYTHONPATH=os.environ.get("PYTHONPATH", ""),
    )

    def invoke(do, **event):
        return process.invoke({"do": do, **event}, wait_s=30, timeout_ms=30_000)

    invoke.process = process
    return invoke


def recorded(function, aws, *flows):
    """Run flows, and end the client: nobody answers at its addresses from then on."""
    for do in flows:
        endpoint = aws["flaky"] if do == "flaky" else nobody()
        answer = function(do, endpoint=endpoint)
        assert answer.kind == "response", (do, answer.body)
    function.process.kill()


def judged(replay, *options):
    """Replay all and return the documents of their verdicts."""
    done = replay("run", "--json", *options)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "flows",
    [
        pytest.param(QUICK, marks=pytest.mark.slow),
        pytest.param(("others", "flaky"), marks=pytest.mark.long),
        pytest.param(FLOWS, marks=pytest.mark.long),
    ],
)
def test_what_was_recorded_replays_to_match(function, aws, replay, flows, offline):
    """To the same bytes, with no socket to any address: credentials are not looked for either."""
    recorded(function, aws, *flows)
    with offline():
        for engine in ("builtin",) if flows == QUICK else ("builtin", "ric"):
            verdicts = judged(replay, "--runtime", engine)
            found = {v["verdict"] for v in verdicts}
            assert found == {"match"}, [v for v in verdicts if v["verdict"] != "match"]
            assert len(verdicts) == len(flows)
            assert all(v["interactions"]["matched"] for v in verdicts)


@pytest.mark.slow
def test_no_credential_of_a_call_is_in_the_store(function, aws, project):
    """In headers, URLs, forms, documents, answers; the names stay."""
    recorded(function, aws, "secrets")
    content = b"".join(content_of(file) for file in project.glob("replay.db*"))
    assert WITHHELD.encode() in content
    assert b"planted" not in content
    for name in (b"api_key", b"client_secret", b"SessionToken"):
        assert name in content
    assert b"X-Amz-Signature=" not in content


@pytest.mark.slow
def test_a_call_that_a_killed_function_hung_on_is_told_and_waited_for(
    function, aws, project, replay, stored
):
    """The first two are answered again, the third waits for the deadline."""
    function.process.send({"do": "hangs", "endpoint": aws["flaky"]}, timeout_ms=30_000)
    await_true(lambda: sent_parts(project / "replay.db") == 3)
    function.process.kill()
    (recording,) = stored().find(Selection())
    assert [it.answer is None for it in recording.interactions] == [False, False, True]
    shown = replay("show", "@latest").stdout
    assert "was waiting for dynamodb Query" in shown
    (verdict,) = judged(replay)
    assert (verdict["verdict"], verdict["outcome"]["kind"]) == ("match", "timed_out")
    assert verdict["interactions"]["matched"] == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", also_slow([("--isolation", "case")], [("--runtime", "ric"), ("@2",)])
)
def test_calls_at_import_are_the_sandboxes(runtime, project, aws, replay, options):
    """Seen by the entry without a change of code, stored once, replayed with each recording."""
    (project / "app.py").write_text(AT_IMPORT)
    process = runtime(
        "replay.recorder.handler.handler",
        REPLAY_HANDLER="app.handler",
        AWS_ENDPOINT_URL=aws["url"],
    )
    for n in range(3):
        assert process.invoke({"n": n}).value == ["17", n]
    process.kill()
    verdicts = judged(replay, *options)
    assert {v["verdict"] for v in verdicts} == {"match"}, verdicts
    assert "1 at import" in replay("show", "@latest").stdout
    assert sent_parts(project / "replay.db") == 1


@pytest.mark.slow
def test_the_decorator_alone_does_not_see_calls_at_import_and_a_miss_says_so(
    runtime, project, aws, replay
):
    """It is applied when they have been made."""
    decorated = AT_IMPORT.replace(
        "def handler", "from replay import capture\n@capture\ndef handler"
    )
    (project / "app.py").write_text(decorated)
    process = runtime(AWS_ENDPOINT_URL=aws["url"])
    assert process.invoke({"n": 1}).value == ["17", 1]
    process.kill()
    assert "those at import were not seen" in replay("show", "@latest").stdout
    (verdict,) = judged(replay)
    assert verdict["verdict"] == "error"
    assert "ssm GetParameter" in verdict["error"]["message"]
    assert "replay.recorder.handler.handler" in verdict["error"]["hint"]


AT_IMPORT = """
import boto3
ssm = boto3.client("ssm")
LIMIT = ssm.get_parameter(Name="/app/limit", WithDecryption=True)["Parameter"]["Value"]

def handler(event, context):
    return [LIMIT, event["n"]]
"""


@pytest.fixture
def offline(monkeypatch):
    """Refuse what this process would connect to, but for the addresses of replays themselves."""

    @contextlib.contextmanager
    def refused():
        def connect(self, address):
            raise AssertionError(f"connects to {address}")

        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "connect", connect)
            yield

    return refused


def sent_parts(store):
    """Count them; the store may be on its way."""
    try:
        return query(store, "SELECT count(*) FROM part WHERE kind = 'sent'")[0][0]
    except sqlite3.OperationalError:
        return 0


def await_true(condition):
    """Wait until something is so."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def nobody():
    """Return the address of a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
