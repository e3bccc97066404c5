"""Calls to AWS services: recorded over a real server, answered without one, and judged."""

import http.server
import json
import os
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest

boto3 = pytest.importorskip("boto3")
server = pytest.importorskip("moto.server")

FUNCTIONS = Path(__file__).with_name("aws_functions.py")
REGION = "eu-central-1"
FLOWS = (
    *("s3_stream", "s3_partly_read", "s3_multipart", "s3_missing", "s3_signed", "s3_pages"),
    *("dynamodb_reads", "dynamodb_condition", "dynamodb_batch", "dynamodb_transaction"),
    *("dynamodb_waiter", "queue", "others", "threads", "flaky", "refused", "secrets"),
)


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


def test_what_was_recorded_replays_with_the_server_gone(function, project, aws, stored, replay):
    """Every flow, in both engines, to the same bytes; the address is nobody's any more."""
    for do in FLOWS:
        endpoint = aws["flaky"] if do == "flaky" else nobody()
        answer = function(do, endpoint=endpoint)
        assert answer.kind == "response", (do, answer.body)
    function.process.kill()
    (project / "app.py").write_text(FUNCTIONS.read_text())
    for engine in ("builtin", "ric"):
        done = replay("run", "--json", "--runtime", engine)
        verdicts = json.loads(done.stdout)
        assert {v["verdict"] for v in verdicts} == {"match"}, done.stdout + done.stderr
        assert len(verdicts) == len(FLOWS)


def nobody():
    """Return the address of a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
