"""Handlers that misbehave: each replay ends, by name and in its time, and nothing is left of it."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import also_long
from test_engine import case_of
from test_run import store

from replay.errors import ReplayError
from replay.outcome import Exited, Outcome, Raised, Returned, TimedOut
from replay.recorder.ulid import new_ulid
from replay.replayer.builtin import BuiltinSandbox, ForkingSandbox
from replay.replayer.case import Case
from replay.replayer.descendant import Descendants
from replay.replayer.engine import Sandbox
from replay.replayer.folder import taken
from replay.replayer.pool import Pool
from replay.replayer.replay import Replay
from replay.replayer.ric import RicSandbox
from replay.replayer.world import World

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the process group alone")
BASE = Path("/tmp") / f"replay-{os.geteuid()}"
ENGINES = {"process": BuiltinSandbox, "case": ForkingSandbox, "ric": RicSandbox}


def named(case: Case) -> Case:
    """The case with an id that no other test has."""
    return dataclasses.replace(case, recording=dataclasses.replace(case.recording, id=new_ulid()))


def run(case: Case, engine: type[Sandbox] = BuiltinSandbox) -> Replay:
    """Replay it, and see that nothing is left: no process, no folder."""
    with engine(case, World.of(case)) as sandbox:
        variables = _variables(sandbox._process._child.pid)
        mark = next(v for v in variables if v.startswith(b"REPLAY_PROCESS="))
        home = f"HOME={sandbox._workspace.home}".encode()
        replay = sandbox.replay(case, World.of(case))
    assert processes_with(mark, home) == []
    assert list(BASE.glob(f"{case.recording.id}*")) == []
    return replay


def processes_with(*marks: bytes) -> list[int]:
    """The processes that were started with one of these variables, and are no zombies."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if is_running(pid) and set(marks) & set(_variables(pid))]


def _variables(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


FORKS = "for _ in range(50):\n  if os.fork() == 0: time.sleep(60)\nreturn 1"
DAEMON = """
import subprocess
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir('/')
        os.closerange(0, 4096)
        time.sleep(60)
    os._exit(0)
os.wait()
"""
OTHER_SESSION = """
import subprocess
child = subprocess.Popen(['sleep', '60'], start_new_session=True, cwd='/', stdout=-3, stderr=-3)
"""
CATCHES_ALL = "while True:\n  try:\n    while True: pass\n  except BaseException: pass"
IGNORES = "import signal\nsignal.signal(15, signal.SIG_IGN)\nos.kill(os.getpid(), 15)\nreturn 1"
DIES = "os.kill(os.getpid(), 9)"
DIES_AS_A_GROUP = "os.killpg(0, 9)"
REAPS = "import signal\nsignal.signal(17, lambda *_: os.waitpid(-1, os.WNOHANG))\n"
NO_FILES = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\nreturn 1"

BAD: dict[str, tuple[str, Outcome]] = {
    "never ends": ("while True: pass", TimedOut(400)),
    "catches everything": (CATCHES_ALL, TimedOut(400)),
    "forks fifty": (FORKS, Returned(b"1")),
    "starts a daemon": (DAEMON + "return 1", Returned(b"1")),
    "starts a session": (OTHER_SESSION + "return 1", Returned(b"1")),
    "starts a daemon and dies": (DAEMON + DIES, Exited(-9)),
    "starts a session and dies": (OTHER_SESSION + DIES, Exited(-9)),
    "starts a daemon and kills its group": (DAEMON + DIES_AS_A_GROUP, Exited(-9)),
    "starts a session and kills its group": (OTHER_SESSION + DIES_AS_A_GROUP, Exited(-9)),
    "starts a daemon and never ends": (DAEMON + "while True: pass", TimedOut(400)),
    "closes its descriptors": ("os.closerange(3, 4096)\nreturn 1", Exited(1)),
    "closes those of a tidy program": ("os.closerange(3, 256)\nreturn 1", Returned(b"1")),
    "replaces the clock": ("time.time = lambda: 'now'\nreturn 1", Returned(b"1")),
    "has no stdout": ("sys.stdout = sys.stderr = None\nreturn 1", Returned(b"1")),
    "has another stdout": ("sys.stdout = 'text'\nreturn 1", Returned(b"1")),
    "deletes its folder": ("import shutil\nshutil.rmtree(os.getcwd())\nreturn 1", Returned(b"1")),
    "locks its folder": ("os.mkdir('a')\nos.chmod('a', 0)\nos.chmod('..', 0)", Returned(b"null")),
    "goes away": ("os.chdir('/')\nreturn 1", Returned(b"1")),
    "makes files for itself alone": (
        "os.umask(0o777)\nos.mkdir('a')\nopen('b', 'w')\nreturn 1",
        Returned(b"1"),
    ),
    "raises at exit": (
        "import atexit\natexit.register(lambda: 1 / 0)\nreturn 1",
        Returned(b"1"),
    ),
    "ignores SIGTERM": (IGNORES, Returned(b"1")),
    "waits for every child": (REAPS + DAEMON.replace("os.wait()", "") + "return 1", Returned(b"1")),
    "may open no file": (NO_FILES, Returned(b"1")),
    "allocates one block": ("bytearray(10**14)", Raised("MemoryError", "", module="builtins")),
}


QUICK = [
    *("starts a daemon and kills its group", "starts a session and dies", "closes its descriptors"),
]
SLOW = [
    *("starts a daemon and never ends", "locks its folder"),
    *("forks fifty", "has no stdout", "deletes its folder", "allocates one block"),
    "may open no file",
]


@on_linux
@pytest.mark.parametrize("what", also_long(QUICK, BAD, slow=SLOW))
def test_a_handler_that_misbehaves_ends_by_name_and_leaves_nothing(project, what):
    """Its outcome, within its time; no process, wherever it went, and no folder."""
    body, expected = BAD[what]
    limit_ms = 400 if isinstance(expected, TimedOut) else 10_000
    case = named(case_of(project, body.strip(), remaining_ms=limit_ms))
    began = time.monotonic()
    assert expected == bare(run(case).outcome)
    assert time.monotonic() - began < 5


def bare(outcome: Outcome) -> Outcome:
    return dataclasses.replace(outcome, stack=()) if isinstance(outcome, Raised) else outcome


SHARED = [
    *("never ends", "forks fifty", "starts a daemon", "starts a session and dies"),
    *("closes its descriptors", "starts a daemon and kills its group", "has no stdout"),
    *("deletes its folder", "may open no file", "ignores SIGTERM", "allocates one block"),
]


@on_linux
@pytest.mark.long
@pytest.mark.parametrize("engine", ["case", "ric"])
@pytest.mark.parametrize("what", SHARED)
def test_so_it_does_in_every_engine(project, what, engine):
    """In a fork of its own, and in AWS's runtime client; there a handler may take its client along.

    The client reports by the connection and the streams that the handler found.
    """
    if engine == "ric":
        pytest.importorskip("awslambdaric")
    body, expected = BAD[what]
    limit_ms = 400 if isinstance(expected, TimedOut) else 10_000
    case = named(case_of(project, body.strip(), remaining_ms=limit_ms))
    outcome = bare(run(case, ENGINES[engine]).outcome)
    if engine == "ric" and what in ("closes its descriptors", "has no stdout"):
        assert isinstance(outcome, Exited | Returned)
    else:
        assert dataclasses.replace(expected, **module_of(outcome)) == outcome


def module_of(outcome: Outcome) -> dict[str, str]:
    """The client does not tell in which module a type stands."""
    return {"module": outcome.module} if isinstance(outcome, Raised) else {}


BARE = """
import subprocess
sleep = ['/bin/sleep', '60']
child = subprocess.Popen(sleep, start_new_session=True, cwd='/', env={'A': 'b'}, stdout=-3)
print(child.pid, flush=True)
"""


@pytest.mark.slow
@on_linux
@pytest.mark.parametrize("end", ["return 1", "time.sleep(0.3)\n" + DIES])
def test_a_process_without_any_mark_is_known_by_the_tree_that_it_was_seen_in(project, end):
    """A session, a folder and variables of its own, and then a child that dies."""
    replay = run(named(case_of(project, BARE.strip() + "\n" + end)))
    assert not is_running(int(replay.output))


@on_linux
def test_killing_the_group_alone_would_leave_a_daemon(project):
    """Positive control: the same handler, and the kill that reaches its process group."""
    case = named(case_of(project, (DAEMON + "return 1").strip()))
    with BuiltinSandbox(case, World.of(case)) as sandbox:
        child = sandbox._process._child.pid
        mark = next(v for v in _variables(child) if v.startswith(b"REPLAY_PROCESS="))
        sandbox.replay(case, World.of(case))
        os.killpg(child, signal.SIGKILL)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert len(processes_with(mark)) == 1
    assert processes_with(mark) == []


@on_linux
def test_nobody_elses_process_is_killed(project):
    """One that stands in the folder of a replay, or began at the same time, has nothing of it."""
    case = named(case_of(project, DIES))
    with BuiltinSandbox(case, World.of(case)) as sandbox:
        place = sandbox._workspace.task_root
        with subprocess.Popen(["sleep", "60"], cwd=place, start_new_session=True) as other:
            sandbox.replay(case, World.of(case))
            sandbox.__exit__()
            assert other.poll() is None
            other.kill()


GROWS = "kept = []\nwhile True: kept.append(bytearray(b'x') * (1 << 24))"
GROWS_IN_A_CHILD = f"if os.fork() == 0:\n  kept = []\n  {GROWS.splitlines()[1]}\ntime.sleep(60)"


@pytest.mark.slow
@on_linux
def test_memory_without_bound_is_an_error_that_says_how_much(project):
    """Where Lambda's process did return."""
    case = named(case_of(project, GROWS, Returned(b"1"), remaining_ms=60_000))
    with pytest.raises(
        ReplayError, match=r"took 1,\d\d\d MB, more than the limit of 1,024 MB"
    ) as it:
        run(case)
    assert case.recording.id in it.value.message
    assert "--pdb" in it.value.hint


@on_linux
@pytest.mark.long
def test_memory_without_bound_is_how_an_unfinished_recording_ends_again(project):
    """Lambda kills for it, too: that recording has no outcome."""
    case = named(case_of(project, GROWS, remaining_ms=60_000))
    assert Exited(-9) == run(case).outcome


@on_linux
@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("body", [GROWS, GROWS_IN_A_CHILD])
def test_memory_is_bounded_in_every_engine_and_in_a_child_of_the_handler(project, body, engine):
    """The tree of the process counts."""
    case = named(case_of(project, body, remaining_ms=60_000))
    assert Exited(-9) == run(case, ENGINES[engine]).outcome


@on_linux
@pytest.mark.long
def test_a_function_with_much_memory_may_take_twice_as_much_as_it_has(project):
    """1.2 GB are no error for a function of 1,024 MB."""
    body = "kept = bytearray(b'x') * (1200 << 20)\ntime.sleep(0.5)\nreturn len(kept) >> 20"
    case = named(case_of(project, body, remaining_ms=60_000))
    context = dataclasses.replace(
        case.recording.invocation.context,
        attributes={**case.recording.invocation.context.attributes, "memory_limit_in_mb": "1024"},
    )
    recorded = dataclasses.replace(case.recording.invocation, context=context)
    recording = dataclasses.replace(case.recording, invocation=recorded)
    assert Returned(b"1200") == run(dataclasses.replace(case, recording=recording)).outcome


@on_linux
@pytest.mark.long
def test_forks_that_share_their_memory_do_not_add_up(project):
    """Fifty forks of a process of 100 MB take hardly more than that."""
    body = "kept = bytearray(b'x') * (100 << 20)\n" + FORKS.replace("return 1", "time.sleep(0.5)")
    case = named(case_of(project, body, remaining_ms=60_000))
    assert Returned(b"null") == run(case).outcome


@on_linux
def test_a_forked_case_finds_nothing_running_of_the_one_before(project):
    """Its daemon is gone; a program that the module has started stays for all of them."""
    base = case_of(project, "")
    (project / "app.py").write_text(
        "import os, subprocess, time\n"
        "helper = subprocess.Popen(['sleep', '60'])\n"
        "def handler(event, context):\n"
        "    if event:\n" + indented(DAEMON, 2) + "    return helper.pid\n"
    )
    cases = [named(base).with_event(event, ()) for event in (1, 0)]
    with ForkingSandbox(cases[0], World.of(cases[0])) as sandbox:
        child = sandbox._process._child.pid
        mark = next(v for v in _variables(child) if v.startswith(b"REPLAY_PROCESS="))
        helpers = [int(sandbox.replay(it, World.of(it)).outcome.payload) for it in cases]
        wait_until(lambda: processes_with(mark) == [child])  # the last fork may yet be ending
        assert all(map(is_running, helpers))
    assert not any(map(is_running, helpers))


FILLS = "line = 'x' * (1 << 20)\nfor _ in range(100): print(line)\nreturn 1"


@on_linux
@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_a_hundred_megabytes_of_output_are_cut(project, engine):
    """They neither block the handler nor fill the report."""
    replay = run(named(case_of(project, FILLS, remaining_ms=60_000)), ENGINES[engine])
    assert Returned(b"1") == replay.outcome
    assert replay.output.endswith("[output cut at 1 MiB]\n")


@on_linux
@pytest.mark.long
def test_endless_output_does_not_fill_the_disk(project):
    """What is too much to be read is given back while the handler runs."""
    body = "line = 'x' * (1 << 20)\nwhile True: print(line)"
    case = named(case_of(project, body, remaining_ms=2000))
    with BuiltinSandbox(case, World.of(case)) as sandbox:
        replay = sandbox.replay(case, World.of(case))
        assert os.fstat(sandbox._process.output.fileno()).st_blocks * 512 < 1 << 29
    assert TimedOut(2000) == replay.outcome
    assert replay.output.endswith("[output cut at 1 MiB]\n")


@pytest.mark.slow
@on_linux
@pytest.mark.parametrize("isolation", also_long(["case"], ["process"]))
def test_a_handler_that_never_ends_does_with_a_replay_that_is_killed(project, isolation):
    """Nobody is left to end it; the folder is for the next replay to clear."""
    code = "def handler(event, context):\n  open('begun', 'w')\n  while True: pass\n"
    (recorded,) = store(project, code, [None], remaining_ms=60_000)
    program = "import sys; from replay.cli import main; main(sys.argv[1:])"
    arguments = ["run", recorded, "--isolation", isolation]
    with subprocess.Popen([sys.executable, "-c", program, *arguments]) as command:
        wait_until(lambda: list(BASE.glob(f"{recorded}*/task/begun")))
        left = [entry.pid for entry in Descendants(command.pid, "").look()]
        command.kill()
    assert left
    wait_until(lambda: not any(map(is_running, left)))
    (place,) = BASE.glob(f"{recorded}*")
    with taken(place.name) as again:
        assert again == place


@pytest.mark.slow
@on_linux
@pytest.mark.parametrize("isolation", also_long(["case"], ["process", "worker"]))
def test_among_others_it_costs_them_nothing(project, isolation):
    """Cases before and after a daemon, a kill of the group and a timeout match."""
    body = (
        "n = event['n']\n"
        "if n == 1:\n" + indented(DAEMON) + "if n == 2: os.killpg(0, 9)\n"
        "if n == 3: time.sleep(60)\n"
        "return n"
    )
    outcomes = [Returned(b"0"), Returned(b"1"), None, None, Returned(b"4")]
    base = case_of(project, body, remaining_ms=500)
    cases = [
        named(
            dataclasses.replace(base, recording=dataclasses.replace(base.recording, outcome=it))
        ).with_event({"n": n}, ())
        for n, it in enumerate(outcomes)
    ]
    verdicts = list(Pool("builtin", isolation, jobs=1).verdicts(cases))
    assert [verdict.kind for verdict in verdicts] == ["match"] * 5
    homes = [f"HOME={BASE}/{case.recording.id}" for case in cases]
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        found = os.fsdecode(b"\n".join(_variables(pid)))
        assert not is_running(pid) or not any(home in found for home in homes)
    assert [path for case in cases for path in BASE.glob(f"{case.recording.id}*")] == []


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def indented(body: str, times: int = 1) -> str:
    return "".join(f"{'    ' * times}{line}\n" for line in body.strip().splitlines())
