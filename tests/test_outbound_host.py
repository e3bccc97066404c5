"""What the host of a recorder may do with its calls, and is not to notice of it."""

import io
import json
import os
import subprocess
import sys

import pytest
import requests
from http_service import running_service

from replay import capture
from replay.interaction import Response
from replay.store.selection import Selection

ALARMED = """
import encodings.idna  # what looks up a name first imports it, and may not be interrupted there
import os, signal, sys, urllib.request
from replay import capture

calls = 0

def alarm(*_):
    global calls
    calls += 1
    urllib.request.urlopen(os.environ["SERVICE_URL"] + "/json?alarm=1").read()
    signal.setitimer(signal.ITIMER_REAL, 0.001)

@capture(store="replay.db")
def handler(event, context):
    signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    while calls < 150:
        urllib.request.urlopen(os.environ["SERVICE_URL"] + "/json").read()
    signal.setitimer(signal.ITIMER_REAL, 0)

handler({}, None)
print("ended")
"""
CUT = """
import os
import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, HTTPClientError
from replay import capture

s3 = boto3.client(
    "s3",
    endpoint_url=os.environ["SERVICE_URL"],
    config=Config(read_timeout=0.5, retries={"total_max_attempts": 1}),
)

@capture
def handler(event, context):
    body = s3.get_object(Bucket=event["bucket"], Key="key")["Body"]
    try:
        return len(body.read())
    except Exception as error:
        return [type(error).__name__, str(error)]
"""


class Once:
    """A body that can be read only once, and says where it stands."""

    def __init__(self, content):
        self._content = content

    def read(self, size=-1):
        piece, self._content = self._content[:size], self._content[size:]
        return piece if size >= 0 else self._content

    def tell(self):
        return 0

    def seek(self, *_):
        raise io.UnsupportedOperation("no way back")


def test_a_body_that_cannot_be_read_twice_is_sent(project, stored):
    """It is not looked at; the call is recorded without it."""
    with running_service() as service:

        @capture(store="replay.db")
        def handler(event, context):
            url = f"{service.url}/echo"
            return requests.put(url, data=Once(b"abc"), headers={"Content-Length": "3"}).text

        assert "abc" in handler({}, None)
    (recording,) = stored().find(Selection())
    (interaction,) = recording.interactions
    assert (interaction.call.body, type(interaction.answer)) == (None, Response)


@pytest.mark.slow
def test_a_signal_handler_may_make_calls_while_one_is_written(project):
    """Its call is one of the invocation's as well; nothing waits for itself."""
    with running_service() as service:
        done = subprocess.run(
            [sys.executable, "-c", ALARMED],
            env={**os.environ, "SERVICE_URL": service.url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.stdout == "ended\n", done.stderr


def test_a_fork_does_not_answer_for_its_parent(project, stored):
    """What the child closes, the parent still reads, and that is what came."""
    with running_service() as service:

        @capture(store="replay.db")
        def handler(event, context):
            response = requests.get(f"{service.url}/binary", stream=True)
            if (pid := os.fork()) == 0:
                response.close()
                os._exit(0)
            os.waitpid(pid, 0)
            return len(response.content)

        size = handler({}, None)
    (recording,) = stored().find(Selection())
    (interaction,) = recording.interactions
    assert (len(interaction.answer.body), interaction.answer.is_complete) == (size, True)


@pytest.mark.slow
def test_a_full_store_keeps_calls_without_their_bodies(project, stored, monkeypatch):
    """The cap holds for what calls bring as well, and the recording is a finished one."""
    monkeypatch.setenv("REPLAY_MAX_STORE_BYTES", "100KiB")
    monkeypatch.setenv("REPLAY_STORE", "replay.db")
    with running_service() as service:

        @capture
        def handler(event, context):
            return [len(requests.get(f"{service.url}/binary").content) for _ in range(40)]

        handler({}, None)
    assert os.path.getsize("replay.db") + os.path.getsize("replay.db-wal") < 500 * 1024
    (recording,) = stored().find(Selection())
    assert recording.outcome is not None
    assert all(interaction.answer is not None for interaction in recording.interactions)


@pytest.mark.slow
def test_a_stream_of_aws_that_is_cut_or_stalls_ends_as_it_did(project, runtime, replay):
    """The library makes its exception of what it reads, then and now."""
    (project / "app.py").write_text(CUT)
    with running_service() as service:
        process = runtime(SERVICE_URL=service.url)
        values = [
            process.invoke({"bucket": bucket}).value
            for bucket in ("truncated", "halfslow", "cutchunks", "binary")
        ]
        process.kill()
    assert [isinstance(value, list) for value in values] == [True, True, True, False]
    verdicts = json.loads(replay("run", "--json").stdout)
    assert {verdict["verdict"] for verdict in verdicts} == {"match"}, verdicts
