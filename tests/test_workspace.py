"""Where a replay runs, and in what interpreter: the same each time, and on every machine."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import also_long
from test_engine import case_of
from test_run import store, verdicts

from replay.outcome import Returned
from replay.recorder.ulid import new_ulid
from replay.replayer import folder
from replay.replayer.builtin import BuiltinSandbox
from replay.replayer.case import Case
from replay.replayer.engine import replay_once
from replay.replayer.folder import taken
from replay.replayer.interpreter import environment
from replay.replayer.local import WORLD
from replay.replayer.verdict import judge
from replay.replayer.world import World

BASE = Path("/tmp") / f"replay-{os.geteuid()}"
PLACES = "return [os.getcwd(), os.path.expanduser('~'), os.path.abspath('x')]"


def named(case: Case) -> Case:
    """The case with an id that no other test has."""
    return dataclasses.replace(case, recording=dataclasses.replace(case.recording, id=new_ulid()))


def value(case: Case, world: World | None = None) -> object:
    return json.loads(replay_once(BuiltinSandbox, case, world or World.of(case)).outcome.payload)


@pytest.mark.slow
def test_a_replay_runs_where_the_recordings_id_says(project):
    """Working directory, home and absolute paths, each time."""
    case = named(case_of(project, PLACES))
    place = f"{BASE}/{case.recording.id}"
    expected = [f"{place}/task", f"{place}/home", f"{place}/task/x"]
    assert [value(case) for _ in range(3)] == [expected] * 3


@pytest.mark.long
def test_a_handler_that_returns_its_folder_drifts_and_is_no_noise(project):
    """It moves with none of the factors, though the looks at it run in folders of their own."""
    case = named(case_of(project, "return {'at': os.getcwd()}", Returned(b'{"at": "/var/task"}')))
    verdict = judge(case, BuiltinSandbox)
    assert verdict.kind == "drift"
    assert [(d.path, d.replayed) for d in verdict.differences] == [
        ("$.at", f"{BASE}/{case.recording.id}/task")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("isolation", also_long(["worker"], ["process"]))
def test_the_folder_is_the_same_however_cases_are_kept_apart(project, replay, isolation):
    """What a shared sandbox finds different is judged in the case's own folder."""
    code = "import os\ndef handler(event, context): return os.getcwd()\n"
    ids = store(project, code, [Returned(b'"/var/task"')] * 3)
    done = replay("run", "--json", "--once", "--isolation", isolation, "--jobs", "1")
    found = {verdict["id"]: verdict["outcome"]["value"] for verdict in verdicts(done)}
    assert found == {id: f"{BASE}/{id}/task" for id in ids}


def test_two_replays_at_once_have_a_folder_each(project):
    """The second takes the next free name, and the plain one is free again afterwards."""
    name = new_ulid()
    with taken(name) as first, taken(name) as second, taken(name) as third:
        assert [first, second, third] == [BASE / name, BASE / f"{name}.1", BASE / f"{name}.2"]
    with taken(name) as again:
        assert again == first
    assert list(BASE.glob(f"{name}*")) == []


@pytest.mark.slow
def test_threads_and_processes_that_take_one_name_never_share_a_folder(project):
    """Sixteen at a time in two processes: whoever has a folder finds it empty, and alone."""
    name = new_ulid()
    program = (
        "import sys, time\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from replay.replayer.folder import taken\n"
        "def take(n):\n"
        "    with taken(sys.argv[1]) as folder:\n"
        "        assert not list(folder.iterdir()), folder\n"
        "        (folder / 'mine').mkdir()\n"
        "        time.sleep(0.001)\n"
        "with ThreadPoolExecutor(8) as pool: list(pool.map(take, range(200)))\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", program, name]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert list(BASE.glob(f"{name}*")) == []


def test_a_folder_that_a_killed_run_has_left_is_taken_again_and_emptied():
    """Its lock went with its process."""
    name = new_ulid()
    program = (
        "import os, sys, time\n"
        "from replay.replayer.folder import taken\n"
        "with taken(sys.argv[1]) as folder:\n"
        "    (folder / 'deep' / 'er').mkdir(parents=True)\n"
        "    (folder / 'deep' / 'er' / 'file').write_text('x')\n"
        "    (folder / 'deep' / 'er').chmod(0)\n"
        "    folder.chmod(0)\n"
        "    print('taken', flush=True)\n"
        "    time.sleep(60)\n"
    )
    arguments = [sys.executable, "-c", program, name]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        killed.stdout.readline()
        with taken(name) as meanwhile:
            assert meanwhile.name == f"{name}.1"
        killed.kill()
    with taken(name) as found:
        assert found == BASE / name
        assert list(found.iterdir()) == []
    assert not found.exists()


@pytest.mark.parametrize("what", ["link", "open", "file"])
def test_a_folder_that_somebody_else_may_reach_into_is_not_used(tmp_path, monkeypatch, what):
    """A link, a folder that others may enter, a file: there is a random folder then."""
    monkeypatch.setattr(folder, "_USUAL", tmp_path)
    base, name = tmp_path / f"replay-{os.geteuid()}", new_ulid()
    if what == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        base.symlink_to(tmp_path / "elsewhere")
    elif what == "open":
        base.mkdir()
        base.chmod(0o755)
    else:
        base.touch(mode=0o700)
    with taken(name) as found:
        assert tmp_path not in found.parents
        assert found.is_dir()
    assert not found.exists()


@pytest.mark.parametrize("what", ["link", "file"])
def test_a_name_that_is_no_folder_makes_way_for_the_next(project, what):
    """It is left alone."""
    name = new_ulid()
    with taken(name):
        pass
    in_the_way = BASE / name
    if what == "link":
        in_the_way.symlink_to(project)
    else:
        in_the_way.write_text("mine")
    try:
        with taken(name) as found:
            assert found == BASE / f"{name}.1"
        assert in_the_way.exists()
    finally:
        in_the_way.unlink()


def test_the_handler_does_not_inherit_the_lock(project):
    """Nor do its children: a daemon would keep the name taken for ever."""
    body = (
        "found = []\n"
        "for number in range(3, 1024):\n"
        "  try: found.append(os.readlink(f'/proc/self/fd/{number}'))\n"
        "  except OSError: pass\n"
        "return found"
    )
    assert [name for name in value(named(case_of(project, body))) if "replay-" in name] == []


INTERPRETER = (
    "import locale, io\n"
    "previous = os.umask(0o22)\n"
    "return [sorted(str(f) for f in sys.flags), sys.warnoptions, sys.dont_write_bytecode,\n"
    "  locale.getpreferredencoding(), sys.stdout.encoding, sys.stdout.errors,\n"
    "  sys.getfilesystemencoding(), previous, time.tzname, hash('x'), sys._xoptions,\n"
    "  __debug__, os.environ.get('LC_ALL'), sorted(n for n in os.environ if 'REPLAY' in n)]"
)
ODD_MACHINE = {
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "error",
    "PYTHONDEVMODE": "1",
    "PYTHONIOENCODING": "latin-1:replace",
    "PYTHONASYNCIODEBUG": "1",
    "PYTHONINSPECT": "1",
    "PYTHONUTF8": "0",
    "PYTHONVERBOSE": "",
    "PYTHONINTMAXSTRDIGITS": "700",
    "PYTHONHASHSEED": "5",
    "LC_ALL": "POSIX",
    "LANG": "de_DE.ISO-8859-1",
    "TZ": "Asia/Tokyo",
}


@pytest.mark.slow
def test_the_interpreter_of_a_replay_is_the_same_on_every_machine(project, monkeypatch):
    """Its flags, encodings, locale, time zone, hashes and umask, whatever is set around it."""
    case = named(case_of(project, INTERPRETER))
    ordinary = value(case)
    for name, setting in ODD_MACHINE.items():
        monkeypatch.setenv(name, setting)
    before = os.umask(0o077)
    try:
        assert value(case) == ordinary
    finally:
        os.umask(before)


@pytest.mark.slow
def test_without_that_the_machine_would_show(project, monkeypatch):
    """Positive control: an invocation that is no replay has the machine's own settings."""
    case = named(case_of(project, "return sys.flags.optimize"))
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    assert (value(case), value(case, WORLD)) == (0, 2)


def test_settings_that_find_code_stay(project, tmp_path, monkeypatch):
    """PYTHONPATH, also a relative one; no folder for byte code where there is to be none."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "of_the_machine.py").write_text("value = 7")
    monkeypatch.setenv("PYTHONPATH", os.path.relpath(library))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    body = "import of_the_machine\nreturn [of_the_machine.value, sys.dont_write_bytecode]"
    assert value(named(case_of(project, body))) == [7, True]


def test_the_choice_of_a_debugger_stays_where_there_is_one(monkeypatch):
    """PYTHONBREAKPOINT, under --pdb; nobody sits before any other replay."""
    monkeypatch.setenv("PYTHONBREAKPOINT", "ipdb.set_trace")
    assert environment(0, on_terminal=True)["PYTHONBREAKPOINT"] == "ipdb.set_trace"
    assert "PYTHONBREAKPOINT" not in environment(0, on_terminal=False)


NOTES = """
import json, os, random, time
from replay import capture
PATH = "/tmp/replay-test-{name}.txt"

def remembers(event):
    if os.path.exists(PATH):
        return "warm"
    open(PATH, "w").write("1")
    return "cold"

def reads_back(event):
    open(PATH, "w").write(str(event["n"]))
    time.sleep(0.001)
    sum(range(100_000))
    return open(PATH).read()

@capture
def handler(event, context):
    return {{"v": globals()[event["do"]](event)}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("do", ["remembers", "reads_back"])
@pytest.mark.parametrize("isolation", also_long(["worker"], ["process", "case"]))
def test_a_case_finds_no_file_that_another_has_made(project, replay, do, isolation):
    """Neither what it left nor, where they run at once, what it is writing."""
    (project / "app.py").write_text(NOTES.format(name=os.getpid()))
    path = Path(f"/tmp/replay-test-{os.getpid()}.txt")
    for n in range(8):
        path.unlink(missing_ok=True)
        event = json.dumps({"do": do, "n": n})
        assert replay("invoke", "--capture", "app.handler", event).returncode == 0
    path.unlink(missing_ok=True)
    done = replay("run", "--isolation", isolation, "--jobs", "4", "--json")
    verdicts = json.loads(done.stdout)
    assert [it["verdict"] for it in verdicts] == ["match"] * 8, done.stdout
    assert [noise for it in verdicts for noise in it["noise"]] == []
    assert not path.exists()


@pytest.mark.slow
def test_a_fork_of_the_handlers_draws_the_same_every_time(project, replay):
    """Python seeds it anew from the system."""
    (project / "app.py").write_text(
        "import os, random\n"
        "def handler(event, context):\n"
        "    read, write = os.pipe()\n"
        "    if os.fork() == 0:\n"
        "        os.write(write, str(random.random()).encode()); os._exit(0)\n"
        "    os.wait()\n"
        "    return {'v': os.read(read, 99).decode()}\n"
    )
    assert replay("invoke", "--capture", "app.handler", "{}").returncode == 0
    runs = [json.loads(replay("run", "@1", "--once", "--json").stdout) for _ in range(2)]
    assert runs[0][0]["outcome"] == runs[1][0]["outcome"]
