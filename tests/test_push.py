"""Recordings between stores: each once, whatever is pushed again, killed, redacted or cut off."""

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from calls import AT_IMPORT, capture_sandbox, of_one_sandbox
from databases import capture_parts, content_of, flip_payload, query
from postgres_server import rows, running_server
from test_store import recording

from replay.outcome import Returned
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.store import revision
from replay.store.store import Store

SAMPLE = Path(__file__).parents[1] / "fixtures" / "stores" / f"{revision.HEAD}.sqlite"
SECRET = "correct-horse-battery"


@pytest.fixture
def path(project: Path) -> Path:
    """A store with recordings of every kind, calls of an import among them."""
    path = project / "replay.db"
    shutil.copy(SAMPLE, path)
    capture_sandbox(path, *of_one_sandbox())
    return path


def listed(replay, store: str) -> list[dict]:
    return json.loads(replay("list", "--json", "--store", store).stdout)


def exported(replay, store: object) -> str:
    return replay("export", "--store", str(store)).stdout


def test_what_is_pushed_is_there_as_it_was_and_once(path, replay):
    """A second push copies nothing; what was captured since comes with the next."""
    done = replay("push", "team.db")
    assert done.returncode == 0, done.stderr
    count = len(listed(replay, str(path)))
    assert f"pushed {count} recordings; the store had 0 already" in done.stderr
    assert exported(replay, path) == exported(replay, "team.db")
    capture_parts(path, recording())
    done = replay("push", "team.db")
    assert f"pushed 1 recordings; the store had {count} already" in done.stderr
    assert exported(replay, path) == exported(replay, "team.db")
    assert replay("doctor", "--store", "team.db").returncode == 0


def test_pull_is_push_from_the_other_side(path, replay):
    """With ids and filters as everywhere."""
    first, second = (it["id"] for it in listed(replay, str(path))[:2])
    assert replay("pull", str(path), first[-8:], "--store", "mine.db").returncode == 0
    assert [first] == [it["id"] for it in listed(replay, "mine.db")]
    assert replay("push", "theirs.db", "--outcome", "raised").returncode == 0
    assert {it["outcome"] for it in listed(replay, "theirs.db")} == {"raised"}
    assert replay("pull", str(path), "--limit", "2", "--store", "two.db").returncode == 0
    assert [first, second] == [it["id"] for it in listed(replay, "two.db")]


def test_tags_travel_also_with_what_is_there_already(path, replay):
    """They are added; none is taken away."""
    assert replay("push", "team.db").returncode == 0
    assert replay("tag", "@1", "--add", "slow", "--store", "team.db").returncode == 0
    assert replay("tag", "@1", "--add", "bug/1").returncode == 0
    assert replay("push", "team.db").returncode == 0
    assert listed(replay, "team.db")[0]["tags"] == ["bug/1", "slow"]


def test_an_invocation_that_had_not_ended_is_completed(project, replay):
    """Its end comes with a later push; the other way round nothing is lost."""
    one = recording(event={"n": 1})
    begun, ended = one.parts()
    path = project / "replay.db"
    capture_parts(path, Recording(one.id, one.invocation))
    assert replay("push", "team.db").returncode == 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO part (id, kind, crc, payload) VALUES (?, ?, ?, ?)",
            (ended.id, ended.kind, ended.crc, ended.payload),
        )
        connection.commit()
    done = replay("push", "team.db")
    assert "1 of them unfinished until now" in done.stderr
    assert listed(replay, "team.db")[0]["outcome"] == "returned"
    capture_parts(project / "older.db", Recording(one.id, one.invocation))
    assert replay("push", "team.db", "--store", "older.db").returncode == 0
    assert listed(replay, "team.db")[0]["outcome"] == "returned"
    assert begun.id == one.id


def secret_recording() -> Recording:
    return recording(event={"password": SECRET, "n": 1}, outcome=Returned(b'{"a": 1}'))


def test_what_was_redacted_since_takes_the_place_of_what_was_not(project, replay):
    """And stays where the older one comes again: no secret comes back."""
    path, older = project / "replay.db", project / "older.db"
    capture_parts(path, secret_recording())
    shutil.copy(path, older)
    assert replay("push", "team.db").returncode == 0
    assert SECRET.encode() in content_of(project / "team.db")
    assert replay("redact", "--yes").returncode == 0
    done = replay("push", "team.db")
    assert "1 of them redacted since" in done.stderr
    assert SECRET not in exported(replay, "team.db")
    assert replay("push", "team.db", "--store", str(older)).returncode == 0
    assert SECRET not in exported(replay, "team.db")
    assert exported(replay, path) == exported(replay, "team.db")
    assert replay("doctor", "--store", "team.db").returncode == 0


def test_another_recording_of_the_same_id_is_named_and_left(project, replay):
    """Neither is taken for the other; the others are copied."""
    id = new_ulid()
    capture_parts(project / "replay.db", recording(id, {"n": 1}), recording())
    capture_parts(project / "other.db", recording(id, {"n": 2}))
    before = exported(replay, "other.db")
    done = replay("push", "other.db")
    assert done.returncode == 2
    assert id in done.stderr
    assert len(listed(replay, "other.db")) == 2
    assert before.strip() in exported(replay, "other.db")


def test_a_damaged_recording_is_named_and_the_others_are_copied(path, replay):
    """Exit code 2; on the other side there is none of it."""
    id = listed(replay, str(path))[3]["id"]
    flip_payload(path, id)
    done = replay("push", "team.db")
    assert done.returncode == 2
    assert id in done.stderr
    assert id not in {it["id"] for it in listed(replay, "team.db")}
    assert len(listed(replay, "team.db")) == len(listed(replay, str(path))) - 1


def test_misuse_is_told_in_one_line(path, replay):
    """The same store twice, a selection that matches nothing, filters for a bucket."""
    assert "is both stores" in replay("push", str(path), "--store", str(path)).stderr
    assert replay("push", "team.db", "--function", "nobody").returncode == 2
    assert replay("push", "team.db", "--function", "nobody", "--allow-empty").returncode == 0
    done = replay("pull", "s3://bucket/prefix", "--limit", "3")
    assert done.returncode == 2
    assert "as a whole" in done.stderr
    assert replay("pull", "nowhere.db").returncode == 2


def test_calls_of_an_import_are_redacted_through_any_recording_of_the_sandbox(project, replay):
    """They lie with one of them; that one is written, and none is damaged."""
    path = project / "replay.db"
    recordings = of_one_sandbox()
    capture_sandbox(path, *recordings)
    assert AT_IMPORT[0].call.parameters == {"SecretId": "shop"}
    assert "shop" in exported(replay, path)
    ((holder,),) = query(path, "SELECT DISTINCT recording_id FROM interaction WHERE at_import")
    others = [one.id for one in recordings if one.id != holder]
    done = replay("redact", others[-1], "--rule", "SecretId", "--yes")
    assert done.returncode == 0, done.stderr
    assert '"SecretId":"shop"' not in exported(replay, path)
    assert replay("doctor").returncode == 0


PUSHING = [sys.executable, "-m", "replay", "push"]


def many(path: Path, count: int) -> set[str]:
    recordings = [recording(event={"n": n, "text": "x" * 500}) for n in range(count)]
    capture_parts(path, *recordings)
    return {one.id for one in recordings}


def is_killed(command: list[str], address: str, at_count: int) -> bool:
    """Run a push, kill it once so many recordings are there; whether it was running still."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and count_in(address) < at_count:
            time.sleep(random.random() / 100)
        was_running = process.poll() is None
        process.send_signal(signal.SIGKILL)
    return was_running


def count_in(address: str) -> int:
    if rows(address, "SELECT to_regclass('recording')") == [(None,)]:
        return 0
    ((count,),) = rows(address, "SELECT count(*) FROM recording")
    return int(str(count))


@pytest.mark.parametrize(
    ("count", "rounds"),
    [
        pytest.param(2_000, 1, marks=pytest.mark.slow),
        pytest.param(10_000, 10, marks=pytest.mark.long),
    ],
)
def test_killed_at_any_moment_nothing_is_lost_or_doubled_on_a_server(project, count, rounds):
    """Each push goes on where the one before was killed, five times; the last one finishes."""
    ids = many(project / "replay.db", count)
    with running_server() as server:
        for _ in range(rounds):
            address = server.database()
            push = [*PUSHING, address, "--store", "replay.db"]
            goals = sorted(random.randrange(count * 8 // 10) for _ in range(5))
            killed = [is_killed(push, address, goal) for goal in goals]
            assert killed == [True] * 5
            assert count_in(address) < count
            subprocess.run(push, check=True, stderr=subprocess.DEVNULL)
            check_whole(address, ids)


def check_whole(address: str, ids: set[str]) -> None:
    assert {id for (id,) in rows(address, "SELECT id FROM recording")} == ids
    counted = rows(address, "SELECT count(*), count(DISTINCT (id, kind)) FROM part")
    assert counted == [(2 * len(ids), 2 * len(ids))]
    with closing(Store.open(address)) as store:
        assert all(check.level == "ok" for check in store.audit(lambda _done, _total: None))
