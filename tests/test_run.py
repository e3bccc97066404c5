"""`replay run` in full: changed input, isolation, jobs, order, the debugger, fixture files."""

import dataclasses
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Lock

import pytest
from conftest import also_long
from databases import capture_parts
from test_recording import invocation

from replay.outcome import Outcome, Returned
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer import pool
from replay.replayer.local import LocalFunction
from replay.replayer.verdict import Verdict

COUNTING = (
    "calls = 0\n"
    "def handler(event, context):\n"
    "    global calls\n"
    "    calls += 1\n"
    "    return {'n': event['n'], 'calls': calls}\n"
)


def store(project: Path, code: str, outcomes: list[Outcome | None], **fields: object) -> list[str]:
    """A handler, and recordings of it with the events {"n": 0}, {"n": 1}, ...; their ids."""
    (project / "app.py").write_text(code)
    base = dataclasses.replace(invocation(), **fields)
    recordings = [
        Recording(new_ulid(), dataclasses.replace(base, event={"n": n}), outcome, 10)
        for n, outcome in enumerate(outcomes)
    ]
    capture_parts(project / "replay.db", *recordings)
    return [recording.id for recording in recordings]


def returned(**fields: object) -> Returned:
    """An outcome with these fields as its payload."""
    return Returned(json.dumps(fields).encode())


def verdicts(done: "subprocess.CompletedProcess[str]") -> list[dict]:
    """The documents that a command printed."""
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("isolation", "jobs"),
    [
        ("case", "3"),
        pytest.param("process", "3", marks=pytest.mark.slow),
        pytest.param("worker", "1", marks=pytest.mark.slow),
        pytest.param("process", "1", marks=pytest.mark.long),
        pytest.param("case", "1", marks=pytest.mark.long),
        pytest.param("worker", "3", marks=pytest.mark.long),
    ],
)
def test_results_come_in_the_order_of_the_recordings(project, replay, isolation, jobs):
    """Newest first, however many run at once, though the first ones take longest."""
    code = (
        "import time\n"
        "def handler(event, context):\n"
        "    time.sleep(0.02 * event['n'])\n"
        "    return event['n']\n"
    )
    ids = store(project, code, [Returned(str(n).encode()) for n in range(5)])
    done = replay("run", "--json", "--isolation", isolation, "--jobs", jobs)
    assert done.returncode == 0, done.stderr
    assert ids[::-1] == [verdict["id"] for verdict in verdicts(done)]


@pytest.mark.long
@pytest.mark.parametrize(("most_ahead", "is_held_up"), [(64, True), (10**9, False)])
def test_a_slow_case_does_not_fill_the_memory_with_later_verdicts(
    project, monkeypatch, most_ahead, is_held_up
):
    """Cases are read only so far ahead of the first that is not judged; without a limit, all."""
    code = (
        "def handler(event, context):\n"
        "    for _ in range(10**8 if event['n'] == 0 else 0):\n"
        "        pass\n"
        "    return 1\n"
    )
    (project / "app.py").write_text(code)
    function = LocalFunction("app.handler", (project,), name="orders")
    read = 0

    def cases():
        nonlocal read
        for read in range(20_000):
            case = function.case({"n": read})
            finished = dataclasses.replace(case.recording, outcome=Returned(b"1"))
            yield dataclasses.replace(case, recording=finished)

    monkeypatch.setattr(pool, "_MAX_AHEAD", most_ahead)
    judged = pool.Pool("builtin", "worker", 2).verdicts(cases())
    next(judged)
    assert is_held_up == (read < 4 * pool._WINDOW)
    judged.close()


@pytest.mark.long
def test_after_a_slow_case_as_many_run_at_once_as_before(project, monkeypatch):
    """Its successors wait for it, no longer."""
    live, most, lock = 0, 0, Lock()
    slow_has_ended = Event()

    def judge(case, engine, **_):
        nonlocal live, most
        n = case.recording.invocation.event["n"]
        with lock:
            live += 1
            most = max(most, live) if n > 100 else 0
        slow_has_ended.wait(2) if n == 0 else time.sleep(0.01)
        with lock:
            live -= 1
        if n == 30:
            slow_has_ended.set()
        return Verdict("match", case.recording)

    monkeypatch.setattr(pool, "judge", judge)
    monkeypatch.setattr(pool, "_MAX_AHEAD", 20)
    function = LocalFunction("app.handler", (project,), name="orders")
    judged = pool.Pool("builtin", "process", 4).verdicts(
        function.case({"n": n}) for n in range(140)
    )
    assert len(list(judged)) == 140
    assert most == 4


@pytest.mark.slow
def test_cases_know_nothing_of_each_other_but_in_a_warm_worker(project, replay):
    """A count at module level is 1 in each case; in one worker it goes on, and is judged again."""
    store(project, COUNTING, [returned(n=n, calls=1) for n in range(3)])
    for isolation in ("process", "case", "worker"):
        done = replay("run", "--json", "--isolation", isolation, "--jobs", "1")
        found = verdicts(done)
        assert {verdict["verdict"] for verdict in found} == {"match"}, isolation
        assert {verdict["outcome"]["value"]["calls"] for verdict in found} == {1}


@pytest.mark.slow
def test_a_warm_worker_does_share_what_its_cases_leave(project):
    """Positive control: without the second judgement the count would differ."""
    from replay.replayer.builtin import BuiltinSandbox, ForkingSandbox
    from replay.replayer.case import Case
    from replay.replayer.world import World

    (project / "app.py").write_text(COUNTING)
    cases = [
        Case(Recording(new_ulid(), invocation({"n": n})), "app.handler", (project,))
        for n in range(3)
    ]
    for engine, expected in ((BuiltinSandbox, [1, 2, 3]), (ForkingSandbox, [1, 1, 1])):
        with engine(cases[0], World.of(cases[0])) as sandbox:
            replays = list(sandbox.replay_all(cases))
        assert expected == [json.loads(one.outcome.payload)["calls"] for one in replays]


ENDING = """
import os, sys, time
def handler(event, context):
    n = event['n']
    if n == 1: os._exit(7)
    if n == 2: sys.exit(3)
    if n == 3: raise KeyError('x')
    if n == 4: time.sleep(60)
    if n == 5: os.kill(os.getpid(), 9)
    if n == 6: print('x' * 100_000); return 'y' * 200_000
    return n
"""


@pytest.mark.slow
@pytest.mark.parametrize("isolation", also_long(["case"], ["process"], slow=["worker"]))
def test_a_case_that_ends_its_process_does_not_cost_the_others(project, replay, isolation):
    """Exits, kills, a timeout and large results among ordinary ones, on one thread."""
    from replay.outcome import Exited, Raised, TimedOut

    big = Returned(json.dumps("y" * 200_000).encode())
    expected = [
        *(Returned(b"0"), Exited(7), Exited(3), Raised("KeyError", "'x'")),
        *(TimedOut(800), Exited(-9), big, Returned(b"7")),
    ]
    store(project, ENDING, expected, remaining_ms=800)
    done = replay("run", "--json", "--isolation", isolation, "--jobs", "1", "--once")
    assert [verdict["verdict"] for verdict in verdicts(done)] == ["match"] * 8, done.stdout[:3000]


@pytest.mark.slow
def test_a_handler_with_threads_of_its_own_is_not_forked(project, replay):
    """A fork would be without them: each case gets a process."""
    code = (
        "import queue, threading\n"
        "asked, told = queue.Queue(), queue.Queue()\n"
        "def serve():\n"
        "    while True: told.put(asked.get() + 1)\n"
        "threading.Thread(target=serve, daemon=True).start()\n"
        "def handler(event, context):\n"
        "    asked.put(event['n'])\n"
        "    return told.get(timeout=2)\n"
    )
    store(project, code, [Returned(b"1"), Returned(b"2"), Returned(b"3")])
    assert replay("run", "--isolation", "case").returncode == 0


@pytest.mark.slow
def test_the_environment_decides_which_cases_share_an_import(project, replay):
    """What the module has read at import is each case's own."""
    code = "import os\nSTAGE = os.environ['STAGE']\ndef handler(event, context): return STAGE\n"
    (project / "app.py").write_text(code)
    for stage in ("dev", "test", "dev", "test"):
        environment = {"STAGE": stage}
        base = invocation({})
        recorded = dataclasses.replace(base, environment=environment)
        outcome = Returned(json.dumps(stage).encode())
        capture_parts(project / "replay.db", Recording(new_ulid(), recorded, outcome, 1))
    done = replay("run", "--json", "--isolation", "worker", "--jobs", "1")
    assert [verdict["verdict"] for verdict in verdicts(done)] == ["match"] * 4


ECHO = "def handler(event, context):\n    return event\n"
NESTED = {"n": 0, "detail": {"items": [{"id": 1}, {"id": 2}]}, "body": '{"a": 1}'}


def one_recording(project: Path, code: str, event: object, outcome: Outcome) -> str:
    (project / "app.py").write_text(code)
    recording = Recording(new_ulid(), invocation(event), outcome, 10)
    capture_parts(project / "replay.db", recording)
    return recording.id


@pytest.mark.parametrize(
    ("settings", "path", "value"),
    [
        pytest.param(["$.n=5"], ("n",), 5, marks=pytest.mark.long),
        pytest.param(["$.n=five"], ("n",), "five", marks=pytest.mark.slow),
        pytest.param(['$.n={"a": [1]}'], ("n",), {"a": [1]}, marks=pytest.mark.long),
        (["$.detail.items[1].id=null"], ("detail", "items", 1, "id"), None),
        pytest.param(
            ["$.detail.items[-1].id=9"], ("detail", "items", 1, "id"), 9, marks=pytest.mark.long
        ),
        pytest.param(
            ["$['detail']['items'][0]=x=y"], ("detail", "items", 0), "x=y", marks=pytest.mark.long
        ),
        pytest.param(["$.n=1", "$.n=2"], ("n",), 2, marks=pytest.mark.slow),
        (["$.detail.items[?@.id==2].id=7"], ("detail", "items", 1, "id"), 7),
    ],
)
def test_a_value_set_in_the_event_is_replayed(project, replay, settings, path, value):
    """JSON, else text; the verdict names it as changed input."""
    outcome = returned(**NESTED)
    one_recording(project, ECHO, NESTED, outcome)
    options = [word for setting in settings for word in ("--set", setting)]
    (verdict,) = verdicts(replay("run", "@1", "--once", "--json", *options))
    found = verdict["outcome"]["value"]
    for step in path:
        found = found[step]
    assert value == found
    assert verdict["verdict"] == "drift"
    assert verdict["changed_input"][-1]["replayed"] == value


def test_what_was_set_in_the_event_is_shown(project, replay):
    """As changed input, beside the verdict."""
    one_recording(project, ECHO, NESTED, returned(**NESTED))
    assert "changed input" in replay("run", "@1", "--once", "--set", "$.n=five").stdout


def test_the_whole_event_can_be_set(project, replay):
    """The path `$`."""
    one_recording(project, ECHO, NESTED, Returned(b"[1]"))
    assert replay("run", "@1", "--set", "$=[1]").returncode == 0


def test_every_match_of_a_path_is_set(project, replay):
    """A wildcard sets several."""
    expected = {**NESTED, "detail": {"items": [{"id": 0}, {"id": 0}]}}
    one_recording(project, ECHO, NESTED, returned(**expected))
    (verdict,) = verdicts(replay("run", "@1", "--json", "--set", "$.detail.items[*].id=0"))
    assert verdict["verdict"] == "match"
    assert [change["path"] for change in verdict["changed_input"]] == [
        "$['detail']['items'][0]['id']",
        "$['detail']['items'][1]['id']",
    ]


def test_what_is_in_a_match_that_is_set_goes_with_it(project, replay):
    """`$..*` matches an object and what is in it."""
    one_recording(project, ECHO, NESTED, returned(detail=1, n=1))
    (verdict,) = verdicts(replay("run", "@1", "--json", "--once", "--set", "$..*=1"))
    assert {it["path"] for it in verdict["changed_input"]} == {f"$['{name}']" for name in NESTED}


@pytest.mark.slow
@pytest.mark.parametrize("reads", [1, 10**6])
def test_a_reader_that_stops_early_is_told_no_match(project, replay, reads):
    """`replay run | head -1` would be taken for one; a reader of everything is the control."""
    store(project, "def handler(event, context): return 1\n", [Returned(b"1")] * 1500)
    program = [sys.executable, "-m", "replay", "run", "--isolation", "worker"]
    command = f"{shlex.join(program)} | head -{reads}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == (2 if reads == 1 else 0), done.stderr
    assert ("stdout was closed" in done.stderr) == (reads == 1)


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["$.nothing=1", "$.detail.items[7]=1", "$.n.x=1"])
def test_a_path_that_matches_nothing_is_an_error(project, replay, setting):
    """It is named; the recording is not replayed."""
    one_recording(project, ECHO, NESTED, returned(**NESTED))
    done = replay("run", "@1", "--set", setting)
    assert done.returncode == 2
    assert "matches nothing" in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_a_recording_is_not_changed_by_what_is_set(project, replay):
    """The next replay finds the recorded event."""
    one_recording(project, ECHO, NESTED, returned(**NESTED))
    assert replay("run", "@1", "--set", "$.n=9", "--once").returncode == 1
    assert replay("run", "@1").returncode == 0


def debugged(
    project: Path, option: str, commands: str, *more: str
) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own, with what a person would type."""
    return subprocess.run(
        [sys.executable, "-m", "replay", "run", "@1", option, *more],
        cwd=project,
        input=commands,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.slow
def test_the_debugger_opens_where_the_handler_raises(project):
    """Its locals are at hand, behind the decorator; the verdict comes when it is left."""
    from replay.outcome import Raised

    code = (
        "from replay import capture\n"
        "@capture\n"
        "def handler(event, context):\n"
        "    secret = event['n'] + 41\n"
        "    raise ValueError('odd')\n"
    )
    one_recording(project, code, {"n": 1}, Raised("ValueError", "odd"))
    done = debugged(project, "--pdb", "p secret\np context.get_remaining_time_in_millis()\nq\n")
    assert done.returncode == 0, done.stderr
    assert "42" in done.stderr
    assert "raise ValueError('odd')" in done.stderr
    assert done.stdout.startswith("match")


@pytest.mark.slow
def test_the_debugger_opens_at_the_handlers_first_line(project):
    """Past every decorator; changed values have their effect."""
    code = (
        "import functools\n"
        "from replay import capture\n"
        "def noted(handler):\n"
        "    @functools.wraps(handler)\n"
        "    def inner(event, context):\n"
        "        return handler(event, context)\n"
        "    return inner\n"
        "@capture\n"
        "@noted\n"
        "def handler(event, context):\n"
        "    total = event['n']\n"
        "    return total\n"
    )
    one_recording(project, code, {"n": 1}, Returned(b"8"))
    done = debugged(project, "--pdb=entry", "n\ntotal = 8\nc\n")
    assert done.returncode == 0, done.stderr
    assert "total = event['n']" in done.stderr


@pytest.mark.slow
def test_leaving_the_debugger_ends_the_run(project):
    """As Ctrl-C does."""
    one_recording(project, ECHO, {"n": 1}, Returned(b"1"))
    done = debugged(project, "--pdb=entry", "q\n")
    assert done.returncode == 130
    assert "interrupted" in done.stderr


@pytest.mark.parametrize("option", also_long([], ["--pdb=entry"], slow=["--pdb"]))
def test_the_debugger_stands_in_the_world_of_the_replay(project, option):
    """Clock, randomness, guard and waits are those of the replay, and the same each time."""
    store(project, "def handler(event, context):\n    return event['missing']\n", [returned(n=0)])
    typed = (
        "import time, uuid, socket\np 'now', int(time.time()), uuid.uuid4()\n"
        "p 'slept', time.sleep(3600)\np 'left', context.get_remaining_time_in_millis()\n"
        "p 'net', socket.create_connection(('127.0.0.1', 9))\nc\n"
    )
    first, second = (debugged(project, option, typed) for _ in range(2))
    entry_ms = invocation({}).context.deadline_epoch_ms - invocation({}).remaining_ms
    assert f"('now', {entry_ms // 1000}, UUID(" in first.stderr
    assert "('slept', None)\n(Pdb) ('left', 0)" in first.stderr
    assert "a replay refuses to reach 127.0.0.1:9" in first.stderr
    assert first.stderr == second.stderr


@pytest.mark.slow
def test_without_a_limit_the_debugger_may_take_its_time(project):
    """The deadline does not end a case in which somebody thinks."""
    store(project, ECHO, [returned(n=0)], remaining_ms=300)
    done = debugged(project, "--pdb=entry", "import time; time.sleep(0.8)\nc\n")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--runtime", "ric", "--isolation", "case"], "cannot be forked"),
        (["--runtime", "ric", "--pdb"], "--pdb does not work"),
        (["--set", "n=1"], "--set"),
        (["--set", "$.n"], "has no value"),
    ],
)
def test_what_cannot_be_combined_is_refused(project, replay, arguments, words):
    """In one line, before anything runs."""
    one_recording(project, ECHO, {"n": 1}, returned(n=1))
    done = replay("run", "@1", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_fixture_files_are_replayed_without_a_store(project, replay):
    """One document or one a line; pretty-printed ones as well."""
    ids = store(project, ECHO, [returned(n=n) for n in range(3)])
    assert replay("export", "-o", "all.jsonl").returncode == 0
    assert replay("export", ids[0], "-o", "one.json").returncode == 0
    document = json.loads((project / "one.json").read_text())
    (project / "pretty.json").write_text(json.dumps(document, indent=2))
    for file in project.glob("replay.db*"):
        file.unlink()
    found = verdicts(replay("run", "all.jsonl", "./one.json", "pretty.json", "--json"))
    assert [*ids, ids[0], ids[0]] == [verdict["id"] for verdict in found]
    assert {verdict["verdict"] for verdict in found} == {"match"}


@pytest.mark.slow
def test_recordings_are_named_once_and_before_any_is_replayed(project, replay):
    """By whatever names; in the order of the arguments, files among them."""
    ids = store(project, ECHO, [returned(n=n) for n in range(3)])
    replay("export", ids[1], "-o", "one.json")
    done = replay("run", "@3", "one.json", ids[0], "@latest", "one.json", "--json")
    assert [ids[0], ids[1], ids[2]] == [verdict["id"] for verdict in verdicts(done)]
    done = replay("run", "@1", "@2", "zzzz")
    assert (done.returncode, done.stdout) == (2, "")
    assert "zzzz" in done.stderr


@pytest.mark.slow
def test_a_damaged_line_of_a_fixture_file_is_named_and_the_others_are_replayed(project, replay):
    """Exit 2."""
    store(project, ECHO, [returned(n=n) for n in range(3)])
    replay("export", "-o", "all.jsonl")
    lines = (project / "all.jsonl").read_text().splitlines()
    lines[1] = lines[1].replace('"n":1', '"n":7')
    (project / "all.jsonl").write_text("\n".join(lines))
    done = replay("run", "all.jsonl", "--json")
    assert done.returncode == 2
    assert len(verdicts(done)) == 2
    assert "all.jsonl line 2" in done.stderr


@pytest.mark.parametrize("name", ["absent.json", "./absent"])
def test_a_fixture_file_that_is_not_there_is_one_clear_line(project, replay, name):
    """It is named."""
    done = replay("run", name)
    assert done.returncode == 2
    assert name.removeprefix("./") in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_output_is_each_cases_own_and_shown_on_drift(project, replay):
    """Also where cases share a process."""
    code = "def handler(event, context):\n    print('line', event['n'])\n    return event['n']\n"
    store(project, code, [Returned(b"0"), Returned(b"1"), Returned(b"5")])
    for isolation in ("case", "worker"):
        found = verdicts(replay("run", "--json", "--once", "--isolation", isolation, "--jobs", "1"))
        assert [verdict["output"] for verdict in found] == ["line 2\n", "line 1\n", "line 0\n"]
    how = "run", "--once", "--isolation", "worker", "--jobs", "1"
    text = replay(*how).stdout
    assert "line 2" in text
    assert "line 1" not in text
    assert "line 1" in replay(*how, "-s").stdout


@pytest.mark.long
def test_interrupting_many_leaves_no_process(project):
    """Ctrl-C while several run: exit 130, the JSON array is closed, nothing stays behind."""
    pids = project.parent / "pids"
    pids.mkdir()
    code = (
        "import os, time\n"
        f"def told(): open(os.path.join({str(pids)!r}, os.readlink('/proc/self')), 'w').close()\n"
        "told()\n"
        "def handler(event, context):\n"
        "    told()\n"
        "    if event['n'] < 3:\n"
        "        while True: pass\n"
        "    return event['n']\n"
    )
    store(project, code, [Returned(str(n).encode()) for n in range(6)])
    process = subprocess.Popen(
        [sys.executable, "-m", "replay", "run", "--json", "--jobs", "3"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(list(pids.iterdir())) < 4:
        time.sleep(0.01)
    time.sleep(0.3)
    started = [pid.name for pid in pids.iterdir()]  # a replay's own files are taken away
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 130
    json.loads(out)
    for pid in started:
        assert not Path(f"/proc/{pid}/cmdline").exists() or not is_ours(pid)


def is_ours(pid: str) -> bool:
    """Whether a process is one of the replayer's, and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        return "replay" in Path(f"/proc/{pid}/cmdline").read_text() and stat.split()[2] != "Z"
    except FileNotFoundError:
        return False


def completions(project: Path, typed: str) -> str:
    """What the shell would be offered."""
    words = f"replay {typed}"
    return subprocess.run(
        [str(Path(sys.executable).with_name("replay"))],
        cwd=project,
        env={
            **os.environ,
            "_REPLAY_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.mark.long
def test_the_shell_completes_ids_and_functions(project):
    """Short ids as lists show them; silent without a store."""
    ids = store(project, ECHO, [Returned(b"1")])
    assert ids[0][-8:] in completions(project, f"run {ids[0][-8:-4]}")
    assert "app.handler" in completions(project, "list --function app")
    assert completions(project.parent, "run ab").strip() == ""
