"""What a handler sends as the new expectation: a case's calls change with its outcome."""

import json
import shutil

import pytest
from applications.record import folder, record
from http_service import running_service
from test_generate import pytest_in

CALLER = """
import http.client, json, os
from replay import capture

@capture
def handler(event, context):
    connection = http.client.HTTPConnection(os.environ["SERVICE"])
    connection.request("POST", "/post", json.dumps({"made_at": event["at"]}))
    return connection.getresponse().status
"""


@pytest.mark.slow
def test_a_call_that_is_sent_otherwise_is_drift_until_it_is_accepted(project, replay):
    """It is then recorded as it is sent now, with the answer that it had."""
    (project / "app.py").write_text(CALLER)
    (project / "pyproject.toml").write_text('[project]\nname = "app"\n')
    with running_service() as service:
        replay("invoke", "app.handler", '{"at": 7}', SERVICE=service.netloc)
    assert replay("generate", "--yes", "--jobs", "1").returncode == 0
    (project / "app.py").write_text(CALLER.replace("made_at", "created_at"))
    red = pytest_in(project, "-n0").stdout
    assert "1 failed" in red
    assert "POST http" in red
    assert "accepted fixtures" in replay("accept", "fixtures", "--yes").stderr
    assert "1 passed" in pytest_in(project, "-n0").stdout
    (path,) = (project / "fixtures").rglob("*.json")
    (sent,) = (
        it for it in json.loads(path.read_text())["recording"]["parts"] if it["kind"] == "sent"
    )
    assert "created_at" in json.dumps(sent["payload"]["call"])


@pytest.fixture
def orders(project, replay):
    """The application of orders with the cases of what it did a few times."""
    shutil.copytree(folder("orders"), project, dirs_exist_ok=True)
    (project / "pyproject.toml").write_text('[project]\nname = "orders"\n')
    record("orders", project / "replay.db", count=3, seed=3)
    assert replay("generate", "--yes", "--jobs", "1").returncode == 0
    return project


@pytest.mark.long
def test_a_call_to_aws_that_is_sent_otherwise_is_drift_until_it_is_accepted(orders, replay):
    """It is then recorded as it is sent now, with the answer that it had."""
    assert " passed" in pytest_in(orders, "-n0").stdout
    source = (orders / "table.py").read_text() + (orders / "order.py").read_text()
    name = "created_at"
    assert name in source
    for path in orders.glob("*.py"):
        path.write_text(path.read_text().replace(f'"{name}"', '"made_at"'))
    red = pytest_in(orders, "-n0").stdout
    assert " failed" in red
    assert "dynamodb PutItem" in red
    done = replay("accept", "fixtures", "--yes")
    assert "accepted fixtures" in done.stderr
    again = pytest_in(orders, "-n0").stdout
    assert " failed" not in again, again
    sent = [
        part["payload"]["call"]
        for path in (orders / "fixtures").rglob("*.json")
        for part in json.loads(path.read_text())["recording"]["parts"]
        if part["kind"] == "sent" and part["payload"]["call"]["operation"] == "PutItem"
    ]
    assert any("made_at" in json.dumps(call) for call in sent)
