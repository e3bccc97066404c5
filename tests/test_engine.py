"""The builtin engine: every outcome, within its limits, with nothing left behind."""

import contextlib
import dataclasses
import os
import random
import resource
import time
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread

import pytest
from test_recording import ID, invocation

from replay.codec import Opaque, Truncated
from replay.outcome import Exited, Outcome, Raised, Returned, TimedOut
from replay.recording import Recording
from replay.replayer.builtin import BuiltinSandbox, ForkingSandbox
from replay.replayer.case import Case
from replay.replayer.engine import replay_once
from replay.replayer.local import WORLD
from replay.replayer.process import interrupted_by
from replay.replayer.replay import Replay
from replay.replayer.verdict import judge
from replay.replayer.world import World


def case_of(
    project: Path,
    body: str,
    outcome: Outcome | None = None,
    event: object = None,
    **changes: object,
) -> Case:
    """A case whose handler does `body`."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    (project / "app.py").write_text(f"import os, sys, time\ndef handler(event, context):\n{lines}")
    base = invocation(event)
    fields = {k: changes.pop(k) for k in list(changes) if hasattr(base, k)}
    recording = Recording(ID, dataclasses.replace(base, **fields), outcome, 10)
    return Case(recording, "app.handler", (project,), **changes)


def run(case: Case) -> Replay:
    return replay_once(BuiltinSandbox, case, World(clock=case.clock, entropy_seed="seed"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return event", Returned(b'{"a": 1}')),
        ("return b'\\xff'", Returned(b"\xff", "application/unknown")),
        ("return {1, 2}", "Runtime.MarshalError"),
        ("raise KeyError('boom')", "KeyError"),
        ("sys.exit(3)", Exited(3)),
        pytest.param("sys.exit()", Exited(0), marks=pytest.mark.long),
        pytest.param("sys.exit('text')", Exited(1), marks=pytest.mark.slow),
        ("os._exit(7)", Exited(7)),
        ("raise KeyboardInterrupt", Exited(-2)),
        pytest.param("raise GeneratorExit", Exited(1), marks=pytest.mark.long),
        ("os.kill(os.getpid(), 9)", Exited(-9)),
        pytest.param("os.killpg(0, 9)", Exited(-9), marks=pytest.mark.long),
        pytest.param("os.abort()", Exited(-6), marks=pytest.mark.long),
        ("time.sleep(60)", TimedOut(400)),
        ("while True:\n  try: time.sleep(60)\n  except BaseException: pass", TimedOut(400)),
        pytest.param("while True: pass", TimedOut(400), marks=pytest.mark.long),
    ],
)
def test_every_outcome_of_a_handler_is_seen_for_what_it_is(project, body, expected):
    """Returned, raised, exited or timed out, whatever the handler does about it."""
    limit = 400 if isinstance(expected, TimedOut) else 3000
    outcome = run(case_of(project, body, event={"a": 1}, remaining_ms=limit)).outcome
    if isinstance(expected, str):
        assert isinstance(outcome, Raised)
        assert outcome.error_type == expected
    else:
        assert expected == outcome


ENDS_AMID_ITS_ANSWER = """
import os, _thread
def handler(event, context):
    def bye():
        for _ in range(event["turns"]): pass
        os._exit(7)
    if event["turns"]: _thread.start_new_thread(bye, ())
    return event["n"]
"""


@pytest.mark.slow
def test_a_fork_that_ends_amid_its_answer_leaves_the_others_theirs(project):
    """It is told of twice; answers taken in the order they come would be those of other cases."""
    one = case_of(project, "", clock="shifted", is_named=True)
    (project / "app.py").write_text(ENDS_AMID_ITS_ANSWER)
    turns = random.Random(1)
    events = [{"n": n, "turns": turns.randrange(1, 4000) * (n % 2 == 0)} for n in range(300)]
    cases = [one.with_event(event, ()) for event in events]
    with ForkingSandbox(one, World.shared_by(one), is_shared=True) as sandbox:
        replays = list(sandbox.replay_all(cases))
    assert len(cases) == len(replays)
    for n, replay in enumerate(replays):
        assert replay.outcome in (Returned(str(n).encode()), *([Exited(7)] if n % 2 == 0 else []))
    assert Exited(7) in [replay.outcome for replay in replays]


@pytest.mark.slow
def test_a_replay_goes_on_in_a_host_that_has_many_files_open(project):
    """`select()` refuses descriptors from 1,024 on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1300:
        pytest.skip("no more than 1,300 files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1300), hard))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1100):
            stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        assert Returned(b"1") == run(case_of(project, "return 1")).outcome


@pytest.mark.long
@pytest.mark.parametrize("at_once", [1, 3])
def test_a_second_look_has_as_many_processes_at_once_as_it_may(project, at_once):
    """`--jobs 1` on a machine of many cores is one; that of three is the positive control."""
    running, most, lock = 0, 0, Lock()

    class Counted(BuiltinSandbox):
        def __enter__(self):
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            return super().__enter__()

        def __exit__(self, *raised):
            nonlocal running
            super().__exit__(*raised)
            with lock:
                running -= 1

    case = case_of(project, "return {'it': 1}", Returned(b'{"it":2}'))
    assert judge(case, Counted, at_once=at_once).kind == "drift"
    assert (at_once, 0) == (most, running)


@pytest.mark.slow
def test_the_deadline_ends_the_replay_at_the_recorded_time(project):
    """An unfinished recording is given as long as it had, and no longer."""
    began = time.monotonic()
    replay = run(case_of(project, "time.sleep(60)", remaining_ms=600, clock="shifted"))
    assert TimedOut(600) == replay.outcome
    assert 0.6 < time.monotonic() - began < 5


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["shifted", "live"])
def test_remaining_time_at_entry_is_the_recorded_one_to_the_millisecond(project, clock):
    """Whatever the clock mode, and it runs down from there in real time."""
    body = (
        "first = context.get_remaining_time_in_millis()\n"
        "time.sleep(0.2)\n"
        "return [first, context.get_remaining_time_in_millis()]"
    )
    replay = run(case_of(project, body, clock=clock, remaining_ms=2345))
    assert replay.remaining_ms == 2345
    first, second = (int(n) for n in replay.outcome.payload.strip(b"[]").split(b","))
    assert 2335 <= first <= 2345
    assert 180 <= first - second < 600


def test_the_shifted_clock_shows_the_recorded_instant_and_the_live_one_the_real(project):
    """The wall clock of both modes, module level included."""
    for clock in ("shifted", "live"):
        case = case_of(project, "return time.time()", clock=clock)
        (project / "app.py").write_text(
            "import time\nAT_IMPORT = time.time()\n"
            "def handler(event, context): return [AT_IMPORT, time.time()]\n"
        )
        at_import, at_entry = map(float, run(case).outcome.payload.strip(b"[]").split(b","))
        entry = case.recording.invocation.context.deadline_epoch_ms / 1000 - 3
        expected = entry if clock == "shifted" else time.time()
        assert abs(at_entry - expected) < 2
        assert abs(at_import - expected) < 5


def test_the_environment_is_the_recorded_one_without_credentials_and_real_paths(project):
    """Placeholders for AWS's keys, a home of its own, the real search path."""
    environment = {
        "TABLE": "orders",
        "AWS_LAMBDA_FUNCTION_NAME": "orders",
        "PATH": "/var/lang/bin",
        "PYTHONPATH": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_LAMBDA_RUNTIME_API": "169.254.100.1:9001",
    }
    case = case_of(project, "return dict(os.environ)", environment=environment)
    import json

    seen = json.loads(run(case).outcome.payload)
    assert seen["TABLE"] == "orders"
    assert seen["AWS_SECRET_ACCESS_KEY"] == "replay-withheld"
    assert seen["PATH"] == os.environ["PATH"]
    assert seen["LAMBDA_TASK_ROOT"].endswith("/task")
    assert seen["_X_AMZN_TRACE_ID"] == "Root=1"
    assert seen["HOME"] != os.environ["HOME"]
    assert "AWS_LAMBDA_RUNTIME_API" not in seen
    assert "PYTHONHASHSEED" not in seen


def test_without_the_guard_the_projects_files_would_change(project):
    """Positive control: in an invocation that is no replay, the same call goes through."""
    (project / "data.txt").write_text("hello")
    body = "open(os.path.join(os.path.dirname(__file__), 'data.txt'), 'a').write('y')"
    replay_once(BuiltinSandbox, case_of(project, body), WORLD)
    assert (project / "data.txt").read_text() == "helloy"


FILES = """
import os, sqlite3
here = os.path.dirname(__file__)
open('data.txt', 'a').write('y')
open('new.txt', 'w').write('x')
refused = []
for change in (
    lambda: open('conf/new.txt', 'w'),
    lambda: open(os.path.join(here, 'data.txt'), 'a'),
    lambda: os.remove(os.path.join(here, 'data.txt')),
    lambda: os.rename('new.txt', os.path.join(here, 'data.txt')),
    lambda: sqlite3.connect(os.path.join(here, 'data.db')),
):
    try: change()
    except OSError as error: refused.append(error.errno)
return [open('data.txt').read(), open('conf/old.txt').read(), refused]
"""


def test_files_beside_the_handler_are_read_by_relative_path_and_never_written(project):
    """As on Lambda: the task root is the working directory, and the project's files stay."""
    (project / "data.txt").write_text("hello")
    (project / "conf").mkdir()
    (project / "conf" / "old.txt").write_text("old")
    case = case_of(project, FILES.strip())
    before = sorted(path.name for path in project.rglob("*") if "__pycache__" not in str(path))
    assert run(case).outcome == Returned(b'["helloy", "old", [30, 30, 30, 30, 30]]')
    after = sorted(path.name for path in project.rglob("*") if "__pycache__" not in str(path))
    assert before == after
    assert (project / "data.txt").read_text() == "hello"


def test_what_the_handler_writes_is_kept_in_order(project):
    """print, logging in Lambda's format, context.log, stderr."""
    body = (
        "import logging\nprint('printed')\nlogging.getLogger().warning('logged')\n"
        "context.log('noted')\nprint('err', file=sys.stderr)\nos.write(1, b'raw')"
    )
    output = run(case_of(project, body)).output
    assert output.startswith("printed\n[WARNING]\t20")
    assert output.endswith("Z\tr-1\tlogged\nnotederr\nraw")


def test_an_awaited_coroutine_handler_is_awaited_and_another_refused_as_lambda_does(project):
    """Who awaited it at capture decides."""
    (project / "app.py").write_text("async def handler(event, context): return event\n")
    for awaited, expected in ((True, Returned), (False, Raised)):
        recording = Recording(ID, dataclasses.replace(invocation(1), awaited=awaited))
        case = Case(recording, "app.handler", (project,))
        assert isinstance(run(case).outcome, expected)


def test_nothing_that_the_handler_started_is_left_running(project):
    """The process group is killed, also after a handler that returned."""
    body = (
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "if os.fork() == 0: time.sleep(60)\n"
        "return child.pid"
    )
    pid = int(run(case_of(project, body)).outcome.payload)
    deadline = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(pid)


def is_running(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("code", "error_type"),
    [
        (None, "Runtime.ImportModuleError"),
        pytest.param(
            "import missing_dependency", "Runtime.ImportModuleError", marks=pytest.mark.slow
        ),
        ("def handler(:", "Runtime.UserCodeSyntaxError"),
        pytest.param("other = 1", "Runtime.HandlerNotFound", marks=pytest.mark.slow),
        ("raise ZeroDivisionError('at import')", "ZeroDivisionError: at import"),
        ("import os; os._exit(3)", "ended with status 3"),
        pytest.param("import sys; sys.exit(3)", "ended with status 3", marks=pytest.mark.long),
    ],
)
def test_a_handler_that_cannot_be_had_is_an_error_that_names_what_was_tried(
    project, code, error_type
):
    """The runtime's own name for it, the folders, and the options that mend it."""
    case = case_of(project, "pass")
    (project / "app.py").unlink()
    if code is not None:
        (project / "app.py").write_text(code)
    verdict = judge(case, BuiltinSandbox)
    assert verdict.kind == "error"
    assert error_type in verdict.error.message
    assert str(project) in verdict.error.hint
    assert "--handler" in verdict.error.hint


def test_a_handler_that_is_no_function_is_an_error_of_the_invocation(project):
    """The runtime client finds out as it calls it."""
    case = case_of(project, "pass")
    (project / "app.py").write_text("handler = 'text'")
    outcome = run(case).outcome
    assert (outcome.error_type, outcome.message) == ("TypeError", "'str' object is not callable")


def test_a_recording_that_lacks_what_a_replay_needs_is_an_error_with_the_reason(project):
    """A truncated event, an event that was no JSON, a durable function's context."""
    case = case_of(project, "return 1")
    durable = dataclasses.replace(invocation().context, kind="durable")
    for changes, words in [
        ({"event": Truncated(9_000_000, "00", "")}, "truncated"),
        ({"event": Opaque("app.Order")}, "not the outermost"),
        ({"context": durable}, "durable"),
    ]:
        changed = dataclasses.replace(case.recording.invocation, **changes)
        recording = dataclasses.replace(case.recording, invocation=changed)
        verdict = judge(dataclasses.replace(case, recording=recording), BuiltinSandbox)
        assert verdict.kind == "error"
        assert words in verdict.error.message
        assert verdict.error.hint


def test_a_decorator_outside_capture_that_changes_the_event_is_an_error(project):
    """The event that reaches the wrapper is not the recorded one."""
    case = case_of(project, "pass", Returned(b"1"), event={"a": 1})
    (project / "app.py").write_text(
        "from replay import capture\n"
        "def upper(handler):\n"
        "    return lambda event, context: handler({**event, 'more': 1}, context)\n"
        "@upper\n@capture\ndef handler(event, context): return 1\n"
    )
    verdict = judge(case, BuiltinSandbox)
    assert verdict.kind == "error"
    assert "not the outermost" in verdict.error.message


def test_a_decorator_outside_capture_that_changes_the_result_is_an_error(project):
    """What the wrapper gave is not what the runtime got."""
    case = case_of(project, "pass", Returned(b"1"), event={"a": 1})
    (project / "app.py").write_text(
        "from replay import capture\n"
        "def twice(handler):\n"
        "    return lambda event, context: 2 * handler(event, context)\n"
        "@twice\n@capture\ndef handler(event, context): return 1\n"
    )
    verdict = judge(case, BuiltinSandbox)
    assert verdict.kind == "error"
    assert "the result is changed outside" in verdict.error.message


def test_the_log_level_of_the_function_is_set(project):
    """A handler may ask its logger."""
    case = case_of(
        project,
        "import logging\nreturn logging.getLogger().getEffectiveLevel()",
        environment={"AWS_LAMBDA_LOG_LEVEL": "INFO"},
    )
    assert run(case).outcome == Returned(b"20")


@pytest.mark.slow
def test_a_replay_that_our_own_timeout_cuts_short_is_an_error_and_no_match(project):
    """An unfinished recording would match whatever the handler does."""
    case = case_of(project, "while True: pass", remaining_ms=60_000, timeout_s=0.3)
    verdict = judge(case, BuiltinSandbox)
    assert verdict.kind == "error"
    assert "--timeout" in verdict.error.hint


def test_within_a_replay_the_decorator_stores_nothing(project):
    """Not even where a store is named."""
    case = case_of(project, "pass", Returned(b"1"), environment={"REPLAY_STORE": "replay.db"})
    (project / "app.py").write_text(
        "from replay import capture\n@capture\ndef handler(event, context): return 1\n"
    )
    assert judge(case, BuiltinSandbox).kind == "match"
    assert not list(project.glob("replay.db*"))


def test_a_recorded_handler_that_ran_past_its_deadline_is_not_killed_by_it(project):
    """A local runner set a deadline in the past; Lambda would not have returned."""
    case = case_of(project, "time.sleep(0.1)\nreturn 1", Returned(b"1"), remaining_ms=0)
    assert judge(case, BuiltinSandbox).kind == "match"


@pytest.mark.slow
def test_entropy_is_the_same_in_equal_worlds_and_another_when_it_is_moved(project):
    """os.urandom, uuid, secrets, random: seeded, so that the second look can move them."""
    body = (
        "import uuid, secrets, random\n"
        "return [str(uuid.uuid4()), secrets.token_hex(4), random.random(), os.urandom(2).hex()]"
    )
    case = case_of(project, body)
    world = World(clock="shifted", entropy_seed="seed")
    first, second = (replay_once(BuiltinSandbox, case, world).outcome for _ in range(2))
    assert first == second
    moved = replay_once(BuiltinSandbox, case, world.moved("entropy")).outcome
    assert moved != first


@pytest.mark.parametrize(
    ("body", "factor"),
    [
        pytest.param(
            "import uuid\nreturn {'v': str(uuid.uuid4())}", "entropy", marks=pytest.mark.long
        ),
        pytest.param(
            "import uuid\nreturn {'v': f'{uuid.uuid4()} failed at {time.time()}'}",
            "entropy",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "import uuid\nreturn {'v': f'{uuid.uuid4()}:{uuid.uuid4()}'}",
            "entropy",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "import uuid\nreturn {'v': f'{uuid.uuid4()}-{time.time_ns()}'}",
            "entropy",
            marks=pytest.mark.long,
        ),
        pytest.param("return {'v': f'{time.time_ns():x}'}", "clock", marks=pytest.mark.long),
        pytest.param(
            "import random\nreturn {'v': random.randint(0, 10**9)}",
            "entropy",
            marks=pytest.mark.long,
        ),
        pytest.param("return {'v': time.time()}", "clock", marks=pytest.mark.long),
        pytest.param(
            "from datetime import datetime\nreturn {'v': datetime.now().isoformat()}",
            "clock",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "return {'v': context.get_remaining_time_in_millis()}", "clock", marks=pytest.mark.long
        ),
        pytest.param("return {'v': repr(object())}", "address", marks=pytest.mark.slow),
        pytest.param(
            "return {'v': list({str(n) for n in range(9)})}", "hash seed", marks=pytest.mark.slow
        ),
        pytest.param(
            "return {'v': ','.join({str(n) for n in range(9)})}",
            "hash seed",
            marks=pytest.mark.long,
        ),
    ],
)
def test_each_factor_is_found_by_moving_it_in_fresh_processes(project, body, factor):
    """Recorded in another world, replayed to match, with the factor named."""
    case = case_of(project, body)
    elsewhere = World(clock="shifted", entropy_seed="recorded", hash_seed=77)
    recorded = replay_once(BuiltinSandbox, case, elsewhere).outcome
    recording = dataclasses.replace(case.recording, outcome=recorded)
    verdict = judge(dataclasses.replace(case, recording=recording), BuiltinSandbox)
    assert verdict.kind == "match", verdict.differences
    if verdict.noise:  # a clock in milliseconds may agree by chance
        assert {factor} == {noise.factor for noise in verdict.noise}
    once = dataclasses.replace(case, recording=recording, looks="once")
    if factor in ("entropy", "hash seed"):
        assert judge(once, BuiltinSandbox).kind == "drift"


@pytest.mark.long
def test_a_changed_field_beside_true_noise_is_still_drift(project):
    """Noise excuses one path, never its neighbour."""
    body = "import uuid\nreturn {'id': str(uuid.uuid4()), 'total': 700}"
    case = case_of(project, body)
    recorded = Returned(b'{"id": "0b0f6ac2-7e4c-4c41-9d0c-3f1d8f2f6a01", "total": 701}')
    recording = dataclasses.replace(case.recording, outcome=recorded)
    verdict = judge(dataclasses.replace(case, recording=recording), BuiltinSandbox)
    assert verdict.kind == "drift"
    assert [d.path for d in verdict.differences] == ["$.total"]
    assert {n.path: n.factor for n in verdict.noise} == {"$.id": "entropy"}


def test_one_thread_is_interrupted_without_the_others(project):
    """As the shards of one run are on a worker that has those of another as well."""
    case = case_of(project, "time.sleep(60)", clock="live", remaining_ms=90_000)
    events, ended = (Event(), Event()), SimpleQueue[int]()

    def replay_until(number: int) -> None:
        with interrupted_by(events[number]), contextlib.suppress(KeyboardInterrupt):
            run(case)
        ended.put(number)

    threads = [Thread(target=replay_until, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    events[1].set()
    assert ended.get(timeout=30) == 1
    assert threads[0].is_alive()  # the control: nothing else has ended
    events[0].set()
    assert ended.get(timeout=30) == 0
