"""AWS's own runtime client as an engine: the oracle that the builtin one is held to."""

import dataclasses
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import also_slow
from handlers import EXITS, OF_THE_PLACE, RAISES, RETURNS, module
from test_engine import is_running

from replay.outcome import Exited, Outcome, Raised, Returned, TimedOut
from replay.replayer.builtin import BuiltinSandbox
from replay.replayer.case import Case
from replay.replayer.engine import ImportRefusedError, Sandbox, replay_once
from replay.replayer.local import WORLD, LocalFunction
from replay.replayer.pool import Pool
from replay.replayer.ric import RicSandbox
from replay.replayer.verdict import judge
from replay.replayer.world import World

pytest.importorskip("awslambdaric")


def case_in(project: Path, event: object = None, **variables: str) -> Case:
    """A replay of the handler in `project`, as if it had been captured on Lambda."""
    function = LocalFunction(
        handler="app.handler",
        folders=(project,),
        name="orders",
        version="7",
        alias="live",
        memory_mb=256,
        environment={"TABLE": "orders", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"},
    )
    case = function.case(event)
    invocation = case.recording.invocation
    environment = {**invocation.environment, **variables}
    invocation = dataclasses.replace(invocation, environment=environment)
    recording = dataclasses.replace(case.recording, invocation=invocation)
    return dataclasses.replace(case, recording=recording, clock="shifted")


def echoed(project: Path, event: int) -> Case:
    """A case whose recorded handler returned its event."""
    case = case_in(project, event)
    recording = dataclasses.replace(case.recording, outcome=Returned(b"%d" % event))
    return dataclasses.replace(case, recording=recording)


DISPATCH = "def handler(event, context):\n    return globals()[event['body']](event, context)\n"


def outcomes(engine: type[Sandbox], base: Case, count: int) -> list[Outcome]:
    """What each body does, in warm processes that are started again when one has ended."""
    found: list[Outcome] = []
    while len(found) < count:
        with engine(base, World.of(base)) as sandbox:
            while len(found) < count and sandbox.is_alive:
                event = {"body": f"body_{len(found)}", "n": [1, 2.5, None, "ü"]}
                case = base.with_event(event, ())
                replay = sandbox.replay(case, World.of(case))
                found.append(bare(replay.outcome))
                if isinstance(replay.outcome, Exited | TimedOut):
                    break
    return found


def bare(outcome: Outcome) -> Outcome:
    """An outcome without what the wire does not carry."""
    if isinstance(outcome, Raised):
        # How deep a handler may recurse depends on the frames above it.
        stack = () if outcome.error_type == "RecursionError" else outcome.stack
        return dataclasses.replace(outcome, stack=stack, module="", arguments=(), chain=())
    return outcome


@pytest.mark.parametrize(
    ("runtime", "bodies"),
    [
        pytest.param(
            "AWS_Lambda_python3.11",
            [f"return {it}" for it in (*RETURNS, *OF_THE_PLACE)],
            marks=pytest.mark.slow,
        ),
        ("AWS_Lambda_python3.13", [f"return {it}" for it in (*RETURNS, *OF_THE_PLACE)]),
        pytest.param("AWS_Lambda_python3.11", RAISES, marks=pytest.mark.long),
        pytest.param("AWS_Lambda_python3.13", RAISES, marks=pytest.mark.slow),
        pytest.param("AWS_Lambda_python3.13", EXITS[::9], marks=pytest.mark.slow),
        pytest.param("AWS_Lambda_python3.13", EXITS[::5], marks=pytest.mark.slow),
        pytest.param("AWS_Lambda_python3.13", EXITS, marks=pytest.mark.long),
    ],
    ids=[
        "returns, escaped",
        "returns, raw",
        "raises, escaped",
        "raises, raw",
        "some exits",
        "exits",
        "all exits",
    ],
)
def test_both_engines_make_the_same_of_whatever_a_handler_does(project, runtime, bodies):
    """Where they differ, the builtin engine is wrong."""
    (project / "app.py").write_text(module(bodies, DISPATCH))
    base = case_in(project, AWS_EXECUTION_ENV=runtime)
    ric, builtin = (outcomes(e, base, len(bodies)) for e in (RicSandbox, BuiltinSandbox))
    for body, theirs, ours in zip(bodies, ric, builtin, strict=True):
        assert theirs == ours, body


@pytest.mark.parametrize(
    ("code", "error_type"),
    [
        pytest.param(None, "Runtime.ImportModuleError", marks=pytest.mark.long),
        pytest.param(
            "import missing_dependency", "Runtime.ImportModuleError", marks=pytest.mark.slow
        ),
        pytest.param("def handler(:", "Runtime.UserCodeSyntaxError", marks=pytest.mark.long),
        pytest.param("other = 1", "Runtime.HandlerNotFound", marks=pytest.mark.long),
        pytest.param(
            "raise ZeroDivisionError('at import')", "ZeroDivisionError", marks=pytest.mark.long
        ),
        ("def f(): raise KeyError('deep')\nf()", "KeyError"),
        pytest.param("import os; os._exit(3)", 3, marks=pytest.mark.long),
        pytest.param("import sys; sys.exit(3)", 3, marks=pytest.mark.slow),
        pytest.param("import sys; sys.exit(0)", 0, marks=pytest.mark.long),
        ("import ctypes; ctypes.string_at(0)", -11),
    ],
)
def test_both_engines_say_the_same_of_a_handler_that_cannot_be_had(project, code, error_type):
    """Type, message, stack: those of the client."""
    if code is not None:
        (project / "app.py").write_text(code)
    found = []
    for engine in (RicSandbox, BuiltinSandbox):
        with pytest.raises(ImportRefusedError) as refused:
            replay_once(engine, case_in(project), World.of(case_in(project)))
        found.append(refused.value.outcome)
    theirs, ours = found
    if isinstance(error_type, int):
        assert Exited(error_type) == theirs == ours
    else:
        assert error_type == theirs.error_type == ours.error_type
        assert theirs.message == ours.message
        assert own_frames(theirs) == own_frames(ours)


def own_frames(error: Raised) -> list[str]:
    """The frames of the app: those of importlib depend on who calls it."""
    return [frame for frame in error.stack if "importlib" not in frame]


SNAPSHOT = """
import snapshot_restore_py
ran = []
snapshot_restore_py.register_before_snapshot(ran.append, "before 1")
snapshot_restore_py.register_before_snapshot(ran.append, "before 2")
snapshot_restore_py.register_after_restore(ran.append, "after")
{more}
def handler(event, context):
    return ran
"""


@pytest.mark.slow
def test_both_engines_run_the_hooks_of_a_snapshot(project):
    """Before-hooks in reverse order, then after-hooks, as the client does."""
    (project / "app.py").write_text(SNAPSHOT.format(more=""))
    case = case_in(project, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    for engine in (RicSandbox, BuiltinSandbox):
        outcome = replay_once(engine, case, World.of(case)).outcome
        assert Returned(b'["before 2", "before 1", "after"]') == outcome


@pytest.mark.slow
def test_a_failing_restore_hook_is_an_error_in_both_engines(project):
    """The sandbox would not start."""
    more = "def fail(): raise OSError('no')\nsnapshot_restore_py.register_after_restore(fail)"
    (project / "app.py").write_text(SNAPSHOT.format(more=more))
    case = case_in(project, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    for engine in (RicSandbox, BuiltinSandbox):
        verdict = judge(case, engine)
        assert verdict.kind == "error"
        assert "OSError: no" in verdict.error.message


@pytest.mark.slow
def test_the_deadline_ends_the_client_and_all_that_it_started(project):
    """The client does not enforce it; the parent kills the group."""
    (project / "app.py").write_text(
        "import subprocess, time\n"
        "def handler(event, context):\n"
        "    child = subprocess.Popen(['sleep', '60'])\n"
        "    print(child.pid, flush=True)\n"
        "    while True:\n"
        "        try: time.sleep(60)\n"
        "        except BaseException: pass\n"
    )
    case = case_in(project)
    invocation = dataclasses.replace(case.recording.invocation, remaining_ms=700)
    recording = dataclasses.replace(case.recording, invocation=invocation)
    replay = replay_once(RicSandbox, dataclasses.replace(case, recording=recording), WORLD)
    assert TimedOut(700) == replay.outcome
    deadline = time.monotonic() + 5
    while is_running(int(replay.output)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(int(replay.output))


@pytest.mark.parametrize("clock", also_slow(["shifted"], ["shifted", "live"]))
def test_the_clients_context_has_all_of_the_recorded_time_left(project, clock):
    """To the millisecond at entry, though reading a large event takes some."""
    (project / "app.py").write_text(
        "import time\nREAD = time.time()\n"
        "def handler(event, context):\n"
        "    return [context.get_remaining_time_in_millis(), time.time()]\n"
    )
    case = dataclasses.replace(case_in(project, {"blob": "x" * 4_000_000}), clock=clock)
    replay = replay_once(RicSandbox, case, World.of(case))
    left, now = json.loads(replay.outcome.payload)
    assert 2990 < left <= 3000  # a busy machine may have paused it
    entry_s = case.recording.invocation.context.deadline_epoch_ms / 1000 - 3
    assert abs(now - (entry_s if clock == "shifted" else time.time())) < 5


@pytest.mark.long
def test_entropy_and_factors_work_under_the_client_as_well(project):
    """Equal worlds agree, a moved one does not; noise is told from drift."""
    (project / "app.py").write_text(
        "import time, uuid\n"
        "def handler(event, context):\n"
        "    return {'id': str(uuid.uuid4()), 'at': time.time(), 'total': event}\n"
    )
    case = case_in(project, 7)
    world = World.of(case)
    first, second, moved = (
        json.loads(replay_once(RicSandbox, case, it).outcome.payload)
        for it in (world, world, world.moved("entropy"))
    )
    assert first["id"] == second["id"] != moved["id"]
    at = case.recording.invocation.captured_at_us / 1e6
    recorded = {"id": "0b0f6ac2-7e4c-4c41-9d0c-3f1d8f2f6a01", "at": at, "total": 8}
    outcome = Returned(json.dumps(recorded).encode())
    recording = dataclasses.replace(case.recording, outcome=outcome, duration_us=10)
    verdict = judge(dataclasses.replace(case, recording=recording), RicSandbox)
    assert [d.path for d in verdict.differences] == ["$.total"]
    assert {n.path: n.factor for n in verdict.noise} == {"$.id": "entropy", "$.at": "clock"}


@pytest.mark.slow
@pytest.mark.parametrize("change", ["{**event, 'more': 1}, context)", "event, context) + [1]"])
def test_a_decorator_outside_capture_is_seen_under_the_client_too(project, change):
    """It changes the event, or the result."""
    (project / "app.py").write_text(
        "from replay import capture\n"
        f"def outer(handler): return lambda event, context: handler({change}\n"
        "@outer\n@capture\ndef handler(event, context): return [1]\n"
    )
    verdict = judge(case_in(project, {"a": 1}), RicSandbox)
    assert verdict.kind == "error"
    assert "not the outermost" in verdict.error.message


@pytest.mark.slow
def test_a_client_that_dies_between_two_cases_costs_none_of_them(project):
    """A thread ends the process after the first answer; the second case gets a new one."""
    (project / "app.py").write_text(
        "import os, threading\n"
        "def handler(event, context):\n"
        "    threading.Timer(0.2, os._exit, [1]).start() if event == 1 else None\n"
        "    return event\n"
    )
    cases = [echoed(project, event) for event in (1, 2, 3)]
    pool = Pool("ric", "worker", jobs=1)

    def slowly():
        for case in cases:
            yield case
            time.sleep(0.4)

    assert [verdict.kind for verdict in pool.verdicts(slowly())] == ["match"] * 3


def test_a_context_that_the_client_does_not_make_is_refused(project):
    """None, another class, no request id: with the way to replay it all the same."""
    (project / "app.py").write_text("def handler(event, context): return 1\n")
    case = case_in(project)
    context = case.recording.invocation.context
    without_id = {**context.attributes, "aws_request_id": None}
    for changes in (
        {"kind": "value"},
        {"kind": "object", "type_name": "app.Fake"},
        {"attributes": without_id},
        {"attributes": {**context.attributes, "tenant_id": "a\r\nb: c"}},
    ):
        changed = dataclasses.replace(context, **changes)
        invocation = dataclasses.replace(case.recording.invocation, context=changed)
        recording = dataclasses.replace(case.recording, invocation=invocation)
        verdict = judge(dataclasses.replace(case, recording=recording), RicSandbox)
        assert verdict.kind == "error"
        assert "--runtime builtin" in verdict.error.hint


def test_without_the_client_the_extra_is_named(project):
    """In an interpreter that does not find it."""
    program = (
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'awslambdaric': raise ModuleNotFoundError(name)\n"
        "import importlib.util\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name: None if name == 'awslambdaric' else real(name)\n"
        "from replay.cli import main\n"
        "main(['invoke', 'app.handler', '{}', '--runtime', 'ric'])\n"
    )
    (project / "app.py").write_text("def handler(event, context): return 1\n")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "lambda-replay[ric]" in done.stderr


LOGGING = """
import logging
logging.getLogger().setLevel("INFO")
print("imported")
def handler(event, context):
    logger = logging.getLogger("shop")
    print("printed")
    logger.info("counted %s", 3)
    logger.warning({"order": 7}, extra={"stage": "dev", "odd": object})
    try: 1 / 0
    except ZeroDivisionError: logger.exception("caught")
    context.log("noted\\n")
    raise KeyError("boom")
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", also_slow(["JSON"], ["JSON", "Text"]))
def test_both_engines_write_the_same_log(project, form):
    """Print, records in text or JSON, context.log, the error; each on lines of its own."""
    (project / "app.py").write_text(LOGGING)
    case = case_in(project, AWS_LAMBDA_LOG_FORMAT=form)
    theirs, ours = (
        re.sub(r"\d\d:\d\d:\d\d(\.\d+)?", "TIME", replay_once(it, case, World.of(case)).output)
        for it in (RicSandbox, BuiltinSandbox)
    )
    assert theirs == ours
    assert theirs.startswith("imported\nprinted\n")
    assert ('"message": {"order": 7}' in ours) == (form == "JSON")


def test_a_client_that_does_not_start_is_told_from_the_handler(project, monkeypatch):
    """A module of its name that fails or dies, in the way of the installed one."""
    (project / "app.py").write_text("def handler(event, context): return 1\n")
    other = project / "other" / "awslambdaric"
    other.mkdir(parents=True)
    monkeypatch.setenv("PYTHONPATH", str(other.parent))
    for code in ("raise OSError('broken')", "import ctypes; ctypes.string_at(0)"):
        (other / "__init__.py").write_text(code)
        verdict = judge(case_in(project), RicSandbox)
        assert verdict.kind == "error"
        assert "runtime client does not run" in verdict.error.message
        assert "lambda-replay[ric]" in verdict.error.hint


@pytest.mark.slow
def test_a_client_that_dies_of_asking_is_told_from_the_handler_too(project):
    """The handler has been imported by then; its own end in the import is its own."""
    dies = "import ctypes, runtime_client\n{}\ndef handler(event, context): return 1\n"
    later = "runtime_client.next = lambda: ctypes.string_at(0)"
    for harm, words in (
        (later, "runtime client does not run"),
        ("ctypes.string_at(0)", "cannot be"),
    ):
        (project / "app.py").write_text(dies.format(harm))
        verdict = judge(case_in(project), RicSandbox)
        assert verdict.kind == "error"
        assert words in verdict.error.message


@pytest.mark.slow
@pytest.mark.parametrize("runtime", also_slow(["ric"], ["ric", "builtin"]))
def test_a_client_that_has_closed_its_own_descriptors_is_not_waited_for(project, runtime):
    """It answers, and never asks again: the next case gets another process."""
    code = "import os\ndef handler(event, context):\n    os.closerange(3, 256)\n    return event\n"
    (project / "app.py").write_text(code)
    cases = [echoed(project, event) for event in (1, 2)]
    verdicts = list(Pool(runtime, "worker", jobs=1).verdicts(iter(cases)))
    assert [verdict.kind for verdict in verdicts] == ["match"] * 2


def test_a_fork_that_comes_back_as_well_does_not_answer_for_the_next_case(project):
    """Both sides of the fork return; posts are told apart by the request id."""
    code = (
        "import os, time\n"
        "def handler(event, context):\n"
        "    if event == 1 and os.fork() == 0: time.sleep(0.1)\n"
        "    return event\n"
    )
    (project / "app.py").write_text(code)
    for engine in (RicSandbox, BuiltinSandbox):
        case = case_in(project, 1)
        assert Returned(b"1") == replay_once(engine, case, World.of(case)).outcome
