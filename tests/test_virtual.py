"""The virtual clock: what waits take, and that two replays agree to the byte."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from inspect import isfunction, signature
from pathlib import Path

import nondeterminism
import pytest
from test_recording import ID, invocation

from replay.outcome import Returned, TimedOut
from replay.recording import Recording
from replay.replayer.builtin import BuiltinSandbox, ForkingSandbox
from replay.replayer.case import Case
from replay.replayer.engine import Sandbox, replay_once
from replay.replayer.pool import Pool
from replay.replayer.replay import Replay
from replay.replayer.ric import RicSandbox
from replay.replayer.verdict import judge
from replay.replayer.world import World

SOURCE = Path(nondeterminism.__file__).read_text()
EXPECTED, OTHERS = nondeterminism.EXPECTED, nondeterminism.OTHERS
HANDLERS = [
    name
    for name, function in vars(nondeterminism).items()
    if isfunction(function) and list(signature(function).parameters) == ["event", "context"]
]
REST = [name for name in HANDLERS if name not in (*EXPECTED, "handler")]
EVERY = [*EXPECTED, *REST]
LONGEST_MS = 900_000
HEAD = """
import json, time, uuid
STARTED = time.time()
def handler(event, context): return globals()[event](event, context)
"""


def case_of(folder: Path, name: str, **changes: object) -> Case:
    """The case of a handler, whose recording's id is as fixed as a stored one's."""
    base = invocation(name)
    fields = {name: changes.pop(name) for name in list(changes) if hasattr(base, name)}
    entry = dataclasses.replace(base, **{"remaining_ms": LONGEST_MS, **fields})
    deadline = base.context.deadline_epoch_ms - base.remaining_ms + entry.remaining_ms
    context = dataclasses.replace(entry.context, deadline_epoch_ms=deadline)
    entry = dataclasses.replace(entry, context=context)
    recorded = {k: changes.pop(k) for k in list(changes) if k in Recording.__slots__}
    id = f"{ID[:-3]}{EVERY.index(name) if name in EVERY else 999:03}"
    return Case(Recording(id, entry, **recorded), "app.handler", (folder,), **changes)


def payload(replay: Replay) -> object:
    """What was returned; an outcome of another kind is told from it."""
    outcome = replay.outcome
    return outcome.payload if isinstance(outcome, Returned) else outcome


def write_body(folder: Path, body: str) -> None:
    """A handler named `body`."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    (folder / "app.py").write_text(f"{HEAD}\n\ndef body(event, context):\n{lines}")


def run(folder: Path, body: str, **changes: object) -> Replay:
    write_body(folder, body)
    case = case_of(folder, "body", **changes)
    return replay_once(BuiltinSandbox, case, World.of(case))


def run_all(folder: Path, engine: type[Sandbox], names: Iterable[str]) -> list[object]:
    """The payloads of some handlers, run one after the other in one sandbox."""
    cases = [case_of(folder, name) for name in names]
    with engine(cases[0], World.shared_by(cases[0]), is_shared=True) as sandbox:
        return [payload(replay) for replay in sandbox.replay_all(cases)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with the handlers."""
    folder = tmp_path_factory.mktemp("virtual")
    (folder / "app.py").write_text(SOURCE)
    return folder


@pytest.mark.slow
def test_waits_take_what_they_wait_for(project):
    """Threads, queues, pools, asyncio, children, descriptors, signals."""
    found = run_all(project, ForkingSandbox, EXPECTED)
    computed = [json.loads(p) if isinstance(p, bytes) else p for p in found]
    assert dict(zip(EXPECTED, computed, strict=True)) == EXPECTED


@pytest.mark.parametrize(
    "names",
    [
        REST[::12],
        pytest.param(REST[::3], marks=pytest.mark.slow),
        pytest.param(REST, marks=pytest.mark.long),
    ],
    ids=["some", "more", "all"],
)
def test_two_forks_of_different_processes_compute_the_same(project, names):
    """Clocks, randomness, order, other people's retries and signatures."""
    first, second = (run_all(project, ForkingSandbox, names) for _ in range(2))
    assert [payload for payload in first if not isinstance(payload, bytes)] == []
    assert first == second


@pytest.mark.parametrize(
    ("isolation", "every"),
    [
        pytest.param("case", 50, marks=pytest.mark.slow),
        pytest.param("case", 30, marks=pytest.mark.long),
        pytest.param("worker", 30, marks=pytest.mark.long),
    ],
)
def test_every_isolation_comes_to_the_same_bytes(project, isolation, every):
    """Whatever a shared sandbox computes differently is computed again in a fresh process."""
    some = [case_of(project, name, looks="once") for name in EVERY[3::every]]
    shared = list(Pool("builtin", isolation, 2).verdicts(some))
    alone = [replay_once(BuiltinSandbox, case, World.of(case)) for case in some]
    assert [payload(replay) for replay in alone] == [payload(v.replay) for v in shared]


@pytest.mark.slow
@pytest.mark.parametrize(
    "names", [REST[::28], pytest.param(REST[::14], marks=pytest.mark.long)], ids=["some", "more"]
)
def test_the_machine_is_not_seen(project, monkeypatch, names):
    """Neither its time zone and locale, nor its settings of Python, nor its folders."""
    some = [case_of(project, name) for name in names]
    here = [payload(replay_once(BuiltinSandbox, case, World.of(case))) for case in some]
    for name, value in {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7"}.items():
        monkeypatch.setenv(name, value)
    time.tzset()
    there = [payload(replay_once(BuiltinSandbox, case, World.of(case))) for case in some]
    monkeypatch.undo()
    time.tzset()
    assert here == there


@pytest.mark.slow
def test_on_real_time_the_same_handlers_do_differ(project):
    """Positive control: it is the virtual clock that makes them agree."""
    case = case_of(project, "clocks", clock="shifted")
    first, second = (payload(replay_once(BuiltinSandbox, case, World.of(case))) for _ in range(2))
    assert first != second


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client is for Linux alone")
@pytest.mark.parametrize("every", [8, pytest.param(4, marks=pytest.mark.long)])
def test_the_runtime_client_computes_the_same_as_the_builtin_engine(project, every):
    """In a warm process of that client, all waits take what they take here."""
    names = list(EXPECTED)[::every]
    assert run_all(project, ForkingSandbox, names) == run_all(project, RicSandbox, names)


@pytest.mark.slow
def test_a_polling_loop_of_a_quarter_of_an_hour_times_out_at_once(tmp_path):
    """The main thread crosses its deadline; catching everything does not prevent it."""
    body = "while True:\n    try:\n        time.sleep(5)\n    except BaseException:\n        pass"
    began = time.monotonic()
    replay = run(tmp_path, body)
    assert TimedOut(LONGEST_MS) == replay.outcome
    assert time.monotonic() - began < 5
    verdict = judge(case_of(tmp_path, "body"), BuiltinSandbox)
    assert verdict.kind == "match"


def test_a_backoff_of_five_minutes_that_succeeded_matches_at_once(tmp_path):
    """Its waits add up to what they were recorded to be."""
    body = (
        "began = time.time()\nfor attempt in range(99):\n    time.sleep(min(60, 2 ** attempt))\n"
        "    if time.time() - began > 290:\n        return {'attempts': attempt + 1}"
    )
    write_body(tmp_path, body)
    outcome = Returned(b'{"attempts": 10}')
    case = case_of(tmp_path, "body", outcome=outcome, duration_us=303_000_000)
    began = time.monotonic()
    assert judge(case, BuiltinSandbox).kind == "match"
    assert time.monotonic() - began < 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("read(3)", [9_000, 7_500, 7_400]),
        ("read(5)", [9_000, 7_500, 7_400, 7_400, 7_400]),
        ("[read(1), time.sleep(2), read(1)]", [[9_000], None, [7_000]]),
    ],
)
def test_remaining_time_is_the_recorded_one_and_never_grows(tmp_path, body, expected):
    """Read as often, more often, or after a wait past the recorded value."""
    read = "def read(n):\n    return [context.get_remaining_time_in_millis() for _ in range(n)]\n"
    replay = run(
        tmp_path,
        f"{read}return {body}",
        remaining_ms=10_000,
        remaining_reads_ms=(9_000, 7_500, 7_400),
        outcome=Returned(b"null"),
    )
    assert expected == json.loads(payload(replay))
    computed = [finding.facts["read"] for finding in replay.findings if finding.kind == "computed"]
    assert ([2] if "sleep" in body else []) == computed


def test_the_clock_stands_where_the_recorded_remaining_time_puts_it(tmp_path):
    """The wall clock and the remaining time belong together."""
    replay = run(
        tmp_path,
        "context.get_remaining_time_in_millis()\nreturn time.time()",
        remaining_ms=10_000,
        remaining_reads_ms=(4_000,),
        outcome=Returned(b"null"),
    )
    entry_ms = invocation(None).context.deadline_epoch_ms - invocation(None).remaining_ms
    assert json.loads(payload(replay)) == pytest.approx(entry_ms / 1000 + 6, abs=0.001)


def test_the_clock_of_the_machine_cannot_be_set(tmp_path):
    """A program that sets the clock to what it reads would set it to the recorded instant."""
    before = time.time()
    replay = run(tmp_path, "time.clock_settime(time.CLOCK_REALTIME, time.time())")
    assert replay.outcome.error_type == "PermissionError"
    assert before <= time.time() < before + 600


@pytest.mark.slow
def test_a_lost_turn_is_told_of(project):
    """A thread that spins until another one acts: what they do is in no fixed order."""
    case = case_of(project, "spins_on_a_variable")
    replay = replay_once(BuiltinSandbox, case, World.of(case))
    assert "raced" in [finding.kind for finding in replay.findings]


@pytest.mark.long
def test_a_match_that_is_looked_at_twice_says_what_it_depends_on(tmp_path):
    """Each path with its factor, though nothing differs."""
    body = "return [context.get_remaining_time_in_millis(), time.time(), str(uuid.uuid4()), 7]"
    recorded = run(tmp_path, body).outcome
    verdict = judge(case_of(tmp_path, "body", outcome=recorded, looks="twice"), BuiltinSandbox)
    assert verdict.kind == "match"
    found = {dependence.path: dependence.factor for dependence in verdict.dependences}
    assert found == {"$[0]": "deadline", "$[1]": "clock", "$[2]": "entropy"}


@pytest.mark.long
def test_how_long_an_import_took_is_noise_of_the_clock(tmp_path):
    """It depends on the machine: ages of what a module has made, in whatever unit."""
    body = "return {'s': time.time() - STARTED, 'ms': int(1000 * (time.time() - STARTED)), 'n': 7}"
    outcome = Returned(b'{"s": 0.2134, "ms": 213, "n": 7}')
    write_body(tmp_path, body)
    verdict = judge(case_of(tmp_path, "body", outcome=outcome, duration_us=400), BuiltinSandbox)
    assert verdict.kind == "match", verdict.differences
    assert {it.path: it.factor for it in verdict.noise} == {"$.s": "clock", "$.ms": "clock"}


@pytest.mark.slow
def test_what_is_used_of_time_machine_is_what_there_is():
    """Its C functions ask the last traveller for `time_ns()`, and for nothing else."""
    program = (
        "import datetime, time, time_machine\n"
        "class Traveller:\n    def time_ns(self): return 1_700_000_000_123_456_789\n"
        "time_machine.travel(0).start()\ntime_machine.traveller_stack.append(Traveller())\n"
        "print(time.time(), time.time_ns(), datetime.datetime.now(datetime.UTC).isoformat(),"
        " time.gmtime().tm_year, time.strftime('%Y'), datetime.date.today().year)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
    )
    expected = (
        "1700000000.1234567 1700000000123456789 2023-11-14T22:13:20.123456+00:00 2023 2023 2023"
    )
    assert done.stdout.strip() == expected


@pytest.mark.long
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("isolation", ["process", "case", "worker"])
def test_ten_replays_of_every_body_agree(project, isolation, jobs):
    """The whole table, in every isolation, on one thread and on two."""
    every = [case_of(project, name, looks="once") for name in EVERY]
    first, *others = (
        [payload(verdict.replay) for verdict in Pool("builtin", isolation, jobs).verdicts(every)]
        for _ in range(10)
    )
    moved = {
        name for other in others for name, a, b in zip(EVERY, first, other, strict=True) if a != b
    }
    assert set() == moved
