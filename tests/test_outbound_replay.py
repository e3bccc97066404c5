"""HTTP through each client, under AWS's own runtime client: recorded, then answered offline."""

import json
import shutil
from pathlib import Path

import pytest
from http_service import running_service
from test_outbound_aws import nobody

FUNCTIONS = Path(__file__).with_name("http_functions.py")
CLIENTS = (
    *("http_client", "urllib", "urllib3", "requests", "httpx", "async_httpx", "aiohttp"),
    "gathered",
)


@pytest.fixture
def recorded(runtime, project):
    """Record an invocation for each of some events; the service is gone when it returns."""
    shutil.copy(FUNCTIONS, project / "app.py")

    def record(*events):
        with running_service() as service:
            process = runtime(SERVICE_URL=service.url, NOBODY_URL=nobody())
            answers = [process.invoke(event, wait_s=60, timeout_ms=60_000) for event in events]
            process.kill()
        assert all(answer.kind == "response" for answer in answers)
        return [answer.value for answer in answers]

    return record


@pytest.mark.parametrize(
    ("engine", "clients"),
    [
        pytest.param("builtin", CLIENTS, marks=pytest.mark.long),
        pytest.param("ric", CLIENTS, marks=pytest.mark.long),
    ],
)
def test_every_client_finds_what_it_found(recorded, replay, engine, clients):
    """Answers of every kind, redirects, errors, time-outs, cut bodies, nobody there; 20 at once."""
    values = recorded(*({"client": client} for client in clients))
    outcomes = [outcome for value in values[:-1] for outcome in value.values()]
    assert len({outcome[1] for outcome in outcomes if isinstance(outcome, list)}) > 8
    done = replay("run", "--json", "--runtime", engine)
    verdicts = json.loads(done.stdout)
    assert {v["verdict"] for v in verdicts} == {"match"}, done.stdout
    assert {v["interactions"]["matched"] for v in verdicts} >= {14, 20}


def test_what_is_sent_over_http_is_drift_at_its_path(recorded, replay, project):
    """Of a query and of a document; the answer is the recorded one all the same."""
    recorded({"client": "requests", "do": ["json", "post"]})
    app = project / "app.py"
    app.write_text(app.read_text().replace("b=2&a=1", "a=1&b=30").replace("[1, 2]", "[1, 30]"))
    done = replay("run", "--json", "--once")
    (verdict,) = json.loads(done.stdout)
    found = {(d["call"].partition("://")[0], d["path"]) for d in verdict["differences"]}
    assert (verdict["verdict"], done.returncode) == ("drift", 1)
    assert found == {("1 GET http", "$.query.b"), ("2 POST http", "$.body.n[1]")}


@pytest.mark.slow
def test_a_read_that_is_not_recorded_is_an_error_that_names_it_and_the_nearest(
    recorded, replay, project
):
    """With the line that makes it, and what differs."""
    recorded({"client": "requests", "do": ["json"]})
    app = project / "app.py"
    app.write_text(app.read_text().replace('"/json?b=2&a=1"', '"/other?b=2"'))
    done = replay("run", "--json")
    (verdict,) = json.loads(done.stdout)
    message = verdict["error"]["message"]
    assert (verdict["verdict"], done.returncode) == ("error", 2)
    assert "/other, from app.py:" in message
    assert "the nearest recorded: 1 GET" in message
    assert "$.path" in message
    assert "--on-miss live" in verdict["error"]["hint"]


@pytest.mark.slow
def test_a_fresh_id_that_is_written_and_read_again_is_found(runtime, project, replay):
    """What the handler compares is its id of now, in the answers as well; a match with noise."""
    (project / "app.py").write_text(
        "import os, uuid\nimport requests\nfrom replay import capture\n\n@capture\n"
        "def handler(event, context):\n"
        "    id = str(uuid.uuid4())\n"
        "    url = os.environ['SERVICE_URL'] + '/json?id=' + id\n"
        "    return {'id': id, 'is_mine': requests.get(url).json()['query']['id'] == [id]}\n"
    )
    with running_service() as service:
        process = runtime(SERVICE_URL=service.url)
        assert process.invoke({}).value["is_mine"] is True
        process.kill()
    (verdict,) = json.loads(replay("run", "--json").stdout)
    assert (verdict["verdict"], verdict["outcome"]["value"]["is_mine"]) == ("match", True)
    assert {noise["factor"] for noise in verdict["noise"]} == {"entropy"}


@pytest.mark.slow
def test_a_driver_of_its_own_is_refused_by_address(project, runtime, replay):
    """What is not recorded cannot be answered: verdict error with the address and the ways on."""
    (project / "app.py").write_text(
        "import socket\nfrom replay import capture\n\n@capture\ndef handler(event, context):\n"
        "    with socket.create_connection(('127.0.0.1', event['port'])) as database:\n"
        "        database.sendall(b'GET /json HTTP/1.0\\r\\n\\r\\n')\n"
        "        return database.recv(10).decode()\n"
    )
    with running_service() as service:
        port = int(service.netloc.rpartition(":")[2])
        process = runtime()
        process.invoke({"port": port})
        process.kill()
    done = replay("run", "--json")
    (verdict,) = json.loads(done.stdout)
    assert (verdict["verdict"], done.returncode) == ("error", 2)
    assert f"tried to reach 127.0.0.1:{port}" in verdict["error"]["message"]


@pytest.mark.slow
def test_a_recorder_that_is_off_leaves_calls_alone(runtime, replay, project):
    """No part of a call is written, and a replay refuses what it cannot answer."""
    app = FUNCTIONS.read_text().replace("@capture\n", "@capture(outbound=False)\n")
    (project / "app.py").write_text(app)
    with running_service() as service:
        process = runtime(SERVICE_URL=service.url, NOBODY_URL=nobody())
        process.invoke({"client": "requests", "do": ["json"]})
        process.kill()
    shown = json.loads(replay("show", "@latest", "--json").stdout)
    assert (shown["outbound"], shown["interactions"]) == ("off", [])
    (verdict,) = json.loads(replay("run", "--json").stdout)
    assert verdict["verdict"] == "error"
