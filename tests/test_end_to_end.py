"""From AWS's runtime client to a verdict, the whole way over machines: none lost, none doubled.

The runtime client captures; the extension ships into a bucket that fails a fifth of all calls, and
is killed over and over; from there recordings are pulled into a file and into a server, and pushed
from one to the other, killed as well.
"""

import json
import subprocess
import sys
import time
from contextlib import closing
from typing import NamedTuple

import pytest
from extension_api import Flaky
from postgres_server import rows, running_server
from test_push import is_killed
from test_shipping import (
    ADDRESS,
    captured,
    closing_server,
    exporting,
    ids_in,
    moto,
    s3,
    ship,
)

from replay.store.store import Store

__all__ = ["captured", "moto", "s3"]  # fixtures of the shipping tests
REPLAY = [sys.executable, "-m", "replay"]


class Load(NamedTuple):
    """How many invocations, and how often the exporter and a push are killed."""

    invocations: int
    kills: int


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(Load(300, 3), marks=pytest.mark.slow),
        pytest.param(Load(10_000, 50), marks=pytest.mark.long),
    ],
    ids=str,
)
def test_every_invocation_reaches_every_store_once(captured, project, replay, s3, load):
    """0 lost and 0 doubled, whatever fails on the way; both stores replay to match."""
    flaky = Flaky(s3.meta.endpoint_url, 0.2)
    with closing_server(flaky), running_server() as server:
        ship_all(captured, project, flaky, load)
        ship(project / "replay.db", s3)  # what a failed shutdown leaves is there for the next
        address, other = server.database(), server.database()
        for store in ("pulled.db", address):
            pull(replay, store, flaky.url)
        pulled = ids_in(replay, "--store", "pulled.db")
        assert len(pulled) == load.invocations
        assert pulled == ids_in(replay, "--store", address)
        assert pulled >= ids_in(replay)  # which has let go of what was acknowledged
        assert push_killed(address, other, load) >= load.kills // 2  # some had ended by then
        subprocess.run([*REPLAY, "push", other, "--store", address], check=True)
        for server_store in (address, other):
            counted = rows(server_store, "SELECT count(*), count(DISTINCT (id, kind)) FROM part")
            assert counted == [(2 * load.invocations, 2 * load.invocations)]
            check_sound(server_store)
        check_sound("pulled.db")
        assert flaky.failed
        for store in ("pulled.db", other):
            done = replay("run", "--store", store, "--json")
            assert done.returncode == 0, done.stderr[-2000:]
            assert {it["verdict"] for it in json.loads(done.stdout)} == {"match"}


def ship_all(captured, project, flaky, load):
    """Invoke so many times, with an extension beside it that is killed over and over."""
    each = load.invocations // load.kills
    with exporting(project, flaky.url) as (api, start):
        exporter = start()
        for n in range(load.invocations):
            api.invoke(request_id := f"request-{n}")
            captured({"n": n, "length": 1_000})
            api.done(request_id)
            if n % each == each // 2:
                time.sleep(flaky.random.random() / 5)
                exporter.kill()
                exporter = start()
        api.shut_down()
        exporter.process.wait(timeout=60)


def pull(replay, store, endpoint):
    for _ in range(20):
        if replay("pull", ADDRESS, "--store", store, AWS_ENDPOINT_URL=endpoint).returncode == 0:
            return
    pytest.fail("twenty pulls have failed")


def push_killed(source, target, load):
    """Push, killed a little later each time; return how often it was running still."""
    command = [*REPLAY, "push", target, "--store", source]
    goals = [n * load.invocations * 9 // 10 // load.kills for n in range(load.kills)]
    return sum(is_killed(command, target, goal) for goal in goals)


def check_sound(store):
    with closing(Store.open(store)) as found:
        assert all(check.level == "ok" for check in found.audit(lambda _done, _total: None))
