"""A replay in the test's own process: what it puts in place, and that nothing of it stays."""

import contextlib
import dataclasses
import decimal
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
import types
import uuid
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import also_slow
from test_recording import ID, invocation

from replay.outcome import Outcome, Raised, Returned
from replay.recording import Recording
from replay.replayer.builtin import BuiltinSandbox
from replay.replayer.case import Case
from replay.replayer.engine import replay_once
from replay.replayer.verdict import settled_by
from replay.replayer.world import World
from replay.testing.inside import limit
from replay.testing.inside.guard import NotHereError
from replay.testing.inside.process import Inside


@pytest.fixture
def inside():
    with contextlib.closing(Inside()) as found:
        yield found


def case_of(project: Path, source: str, event: object = None, **fields: object) -> Case:
    """A case of the handler in `project`."""
    (project / "app.py").write_text(source)
    base = dataclasses.replace(invocation(event), **fields)
    return Case(Recording(ID, base, Returned(b"null"), 10), "app.handler", (project,))


def handled(body: str, head: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"import os, random, sys, time, uuid\n{head}\ndef handler(event, context):\n{lines}"


def outcome_here(inside: Inside, case: Case) -> Outcome:
    return inside.replay(case).outcome


BODIES = {
    "clocks": "return [time.time(), time.time_ns(), time.monotonic() - time.perf_counter()]",
    "datetime": "import datetime\nreturn str(datetime.datetime.now()), time.ctime()",
    "sleep": "a = time.time(); time.sleep(2); return time.time() - a",
    "remaining": "return [context.get_remaining_time_in_millis() for _ in range(3)]",
    "entropy": "return [uuid.uuid4().hex, os.urandom(4).hex(), random.random(), str(uuid.uuid1())]",
    "environment": "return [os.environ['A'], os.environ.get('HOME') is not None, time.tzname[0]]",
    "context": "return [context.aws_request_id, context.log_stream_name, repr(context)[:20]]",
    "raised": "raise KeyError('x')",
    "unmarshallable": "return {1, 2}",
    "folder": "import pathlib\nreturn pathlib.Path('data.txt').read_text()",
    "event": "event['seen'] = True; return event",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", also_slow(["clocks", "sleep", "entropy", "raised", "folder"], BODIES)
)
def test_a_handler_does_here_what_it_does_in_a_process_of_its_own(project, inside, name):
    """To the byte: the same clock, randomness, environment, context."""
    (project / "data.txt").write_text("here")
    case = case_of(project, handled(BODIES[name]), {"a": 1})
    alone = replay_once(BuiltinSandbox, case, World.shared_by(case).of_other(case.recording))
    here = outcome_here(inside, case)
    if isinstance(here, Raised):
        assert here.error_type == alone.outcome.error_type
    else:
        assert alone.outcome == here
    assert outcome_here(inside, case) == here


def state_of_this_process() -> dict[str, object]:
    return {
        "environment": dict(os.environ),
        "folder": Path.cwd(),
        "path": list(sys.path),
        "modules": set(sys.modules),
        "random": random.getstate(),
        "variables of C": subprocess.run(["env"], capture_output=True, check=True).stdout,
        "log": (logging.getLogger().level, logging.getLogger().handlers[:]),
        "warnings": warnings.filters[:],
        "decimals": decimal.getcontext().prec,
        "functions": (os.urandom, random.seed, uuid.uuid1, random.Random.seed, time.sleep),
        "zone": time.tzname,
        "remaining": sys.modules.get("app"),
    }


def test_nothing_of_a_replay_stays_in_the_process(project, inside, monkeypatch):
    """Neither of one that returns nor of one that raises; time goes on."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    body = (
        "import decimal, logging, warnings\n"
        "random.seed(1); os.environ['LEFT'] = '1'; sys.path.append('/left'); os.chdir('/')\n"
        "os.environ['TZ'] = 'EST5'; time.tzset(); decimal.getcontext().prec = 3\n"
        "logging.basicConfig(level=logging.DEBUG, force=True); warnings.simplefilter('ignore')\n"
        "if event: raise ValueError\nreturn time.time()"
    )
    before, began_s = state_of_this_process(), time.time()
    for event in (0, 1):
        outcome_here(inside, case_of(project, handled(body), event))
    assert before == state_of_this_process()
    assert 0 <= time.time() - began_s < 60
    assert abs(datetime.now(UTC).timestamp() - time.time()) < 5
    monkeypatch.undo()
    time.tzset()


def test_the_tests_own_module_is_another_than_the_replays(project, inside, monkeypatch):
    """Each has its own environment at import; neither sees what the other leaves behind."""
    head = "STAGE = os.environ.get('A', 'none')"
    case = case_of(project, handled("return STAGE", head))
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.delitem(sys.modules, "app", raising=False)
    import app

    assert app.STAGE == "none"
    assert outcome_here(inside, case) == Returned(b'"b"')
    assert sys.modules["app"] is app
    assert app.handler(None, None) == "none"
    # A project elsewhere may have a module of the same name.
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    other = case_of(elsewhere, handled("return STAGE * 2", head))
    assert outcome_here(inside, other) == Returned(b'"bb"')
    del sys.modules["app"]


def test_modules_that_a_handler_imports_late_are_the_replays_and_no_others(project, inside):
    """What is the test's own, below the same project, stays in its place."""
    (project / "late.py").write_text("LATE = 1")
    mine = types.ModuleType("mine")
    mine.__file__, mine.items = str(project / "mine.py"), [1]
    sys.modules["mine"] = mine
    case = case_of(project, handled("import late; late.LATE += 1; return late.LATE"))
    outcomes = [outcome_here(inside, case) for _ in range(3)]
    mine.items.append(2)
    assert [Returned(b"2")] * 3 == [*outcomes[:1], *(outcome_here(inside, case) for _ in range(2))]
    assert sys.modules["mine"] is mine
    assert mine.items == [1, 2]
    assert "late" not in sys.modules
    del sys.modules["mine"]


DEEDS = {
    "a thread": "import threading; threading.Thread(target=print).start()",
    "a fork": "os.fork() or os._exit(0)",
    "a program": "import subprocess; subprocess.run(['true'])",
    "a shell": "os.system('true')",
    "a file": "open('data.txt', 'w').close()",
    "a folder": "os.mkdir('made')",
    "a removal": "os.remove('app.py')",
}


@pytest.mark.parametrize("deed", DEEDS)
def test_what_outlives_a_case_or_changes_the_project_is_refused_here(project, inside, deed):
    """However late it is imported, and whatever the handler catches."""
    (project / "data.txt").write_text("mine")
    body = f"try:\n    {DEEDS[deed]}\nexcept Exception: pass\nreturn 1"
    case = case_of(project, handled(body))
    before = threading.active_count()
    with pytest.raises(NotHereError):
        outcome_here(inside, case)
    assert threading.active_count() == before
    assert {"app.py", "data.txt"} == {it.name for it in project.iterdir()} - {"__pycache__"}
    assert (project / "data.txt").read_text() == "mine"


@pytest.mark.slow
def test_threads_of_the_test_have_the_real_time(project, inside):
    """A handler's clock is the handler's."""
    seen, stop = [], threading.Event()

    def watch() -> None:
        while not stop.is_set():
            with contextlib.suppress(ValueError):  # time-machine's, as it comes and goes
                seen.append(time.time())

    thread = threading.Thread(target=watch)
    thread.start()
    for _ in range(20):
        outcome_here(inside, case_of(project, handled("return sum(range(100000))")))
    stop.set()
    thread.join()
    assert max(seen) - min(seen) < 60


def test_each_case_finds_a_cold_sandbox(project, inside):
    """Names, containers, objects and caches are put back, so that the order of tests is free."""
    head = (
        "import functools\ncount = 0\nseen = []\nkept = {}\nclass Box: pass\nbox = Box()\n"
        "box.n = 0\n@functools.cache\ndef made(): return kept.setdefault('x', len(seen))"
    )
    body = (
        "global count\ncount += 1; seen.append(1); box.n += 1\n"
        "return [count, len(seen), box.n, made(), sorted(kept)]"
    )
    case = case_of(project, handled(body, head))
    first = outcome_here(inside, case)
    assert first == Returned(b'[1, 1, 1, 1, ["x"]]')
    assert all(outcome_here(inside, case) == first for _ in range(3))


@pytest.mark.parametrize(
    "head", ["import threading", "from subprocess import run", "import asyncio", "import signal"]
)
def test_what_starts_threads_or_processes_is_not_run_here(project, inside, head):
    """It would run on, and its waits would take real time."""
    with pytest.raises(NotHereError, match=head.split()[1]):
        outcome_here(inside, case_of(project, handled("return 1", head)))


def test_a_handler_that_passes_its_deadline_is_not_judged_here(project, inside):
    """A process of its own ends it, whatever it catches."""
    body = "try: time.sleep(4)\nexcept BaseException: pass\nreturn 1"
    with pytest.raises(NotHereError, match="Deadline"):
        outcome_here(inside, case_of(project, handled(body)))


def test_a_handler_that_never_ends_does_not_hold_up_the_tests(project, inside, monkeypatch):
    """It is judged in a process of its own; the alarm is as it was, and others' is left alone."""
    monkeypatch.setattr(limit, "_LIMIT_S", 0.2)
    endless = case_of(project, handled("try:\n    while True: pass\nexcept Exception: pass"))
    with pytest.raises(NotHereError, match="Deadline"):
        outcome_here(inside, endless)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    monkeypatch.setattr(limit, "_LIMIT_S", 60)
    signal.signal(signal.SIGALRM, lambda *_: None)
    try:
        (project / "other").mkdir()
        outcome_here(inside, case_of(project / "other", handled("return 1")))
        assert signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_the_network_is_refused_to_the_handler_alone(project, inside):
    """As an error that names the address; the test's own connections are none of its business."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        body = f"import socket\ntry: socket.create_connection({address!r})\nexcept OSError: pass"
        with pytest.raises(Exception, match=f"tried to reach 127.0.0.1:{address[1]}"):
            outcome_here(inside, case_of(project, handled(body)))
        socket.create_connection(address).close()


def test_an_interrupt_reaches_whoever_runs_the_tests(project, inside):
    """It is no outcome of the handler."""
    with pytest.raises(KeyboardInterrupt):
        outcome_here(inside, case_of(project, handled("raise KeyboardInterrupt")))


def test_a_captured_handler_stores_no_replay(project, inside):
    """Also where capturing is on in the recorded environment."""
    source = handled("return 1").replace("def handler", "@capture\ndef handler")
    case = case_of(
        project,
        f"from replay import capture\n{source}",
        environment={"REPLAY_CAPTURE": "on", "REPLAY_STORE": str(project / "replay.db")},
    )
    assert outcome_here(inside, case) == Returned(b"1")
    assert not (project / "replay.db").exists()


def test_what_matches_here_is_a_match(project, inside):
    """The verdict says how little the guard is worth."""
    case = case_of(project, handled("return None"))
    verdict = settled_by(case, inside.replay(case))
    assert verdict.kind == "match"
    assert verdict.guard == "best effort"
