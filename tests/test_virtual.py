"""The virtual clock: what waits take, and that two replays agree to the byte."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import nondeterminism
import pytest
from test_recording import ID, invocation

from replay.outcome import Returned, TimedOut
from replay.recording import Recording
from replay.replayer.builtin import BuiltinSandbox, ForkingSandbox
from replay.replayer.case import Case
from replay.replayer.engine import Replay, Sandbox, replay_once
from replay.replayer.pool import Pool
from replay.replayer.ric import RicSandbox
from replay.replayer.verdict import judge
from replay.replayer.world import World

BODIES = [
    *(body for body, _ in nondeterminism.WITH_VALUE),
    *nondeterminism.WITHOUT_VALUE,
    *nondeterminism.OTHERS,
]
VALUES = [value for _, value in nondeterminism.WITH_VALUE]
LONGEST_MS = 900_000


def write_module(folder: Path, bodies: list[str]) -> None:
    """A module whose handler does what the body does that its event names by number."""
    functions = []
    for number, body in enumerate(bodies):
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        functions.append(f"def body_{number}(event, context):\n{lines}")
    called = "def handler(event, context):\n    return globals()[f'body_{event}'](event, context)\n"
    (folder / "app.py").write_text("\n".join([nondeterminism.PREAMBLE, *functions, called]))


def case_of(folder: Path, number: int, **changes: object) -> Case:
    base = invocation(number)
    fields = {name: changes.pop(name) for name in list(changes) if hasattr(base, name)}
    entry = dataclasses.replace(base, **{"remaining_ms": LONGEST_MS, **fields})
    deadline = base.context.deadline_epoch_ms - base.remaining_ms + entry.remaining_ms
    context = dataclasses.replace(entry.context, deadline_epoch_ms=deadline)
    entry = dataclasses.replace(entry, context=context)
    recorded = {k: changes.pop(k) for k in list(changes) if k in Recording.__slots__}
    id = f"{ID[:-3]}{number:03}"
    return Case(Recording(id, entry, **recorded), "app.handler", (folder,), **changes)


def payload(replay: Replay) -> object:
    """What was returned; an outcome of another kind is told from it."""
    outcome = replay.outcome
    return outcome.payload if isinstance(outcome, Returned) else outcome


def run(
    folder: Path, body: str, engine: type[Sandbox] = BuiltinSandbox, **changes: object
) -> Replay:
    write_module(folder, [body])
    case = case_of(folder, 0, **changes)
    return replay_once(BuiltinSandbox, case, World.of(case))


def run_all(folder: Path, engine: type[Sandbox], numbers: Iterable[int]) -> list[object]:
    """The payloads of some of the bodies, run one after the other in one sandbox."""
    cases = [case_of(folder, number) for number in numbers]
    with engine(cases[0], World.shared_by(cases[0])) as sandbox:
        return [payload(replay) for replay in sandbox.replay_all(cases)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with a handler for each body."""
    folder = tmp_path_factory.mktemp("virtual")
    write_module(folder, BODIES)
    return folder


def test_waits_take_what_they_wait_for(project):
    """Threads, queues, pools, asyncio, children, descriptors, signals: no real time, all virtual."""
    found = run_all(project, ForkingSandbox, range(len(VALUES)))
    assert [json.loads(p) if isinstance(p, bytes) else p for p in found] == VALUES


def test_two_forks_of_different_processes_compute_the_same(project):
    """Clocks, randomness, order, other people's retries and signatures."""
    numbers = range(len(VALUES), len(BODIES))
    first, second = (run_all(project, ForkingSandbox, numbers) for _ in range(2))
    assert [payload for payload in first if not isinstance(payload, bytes)] == []
    assert first == second


@pytest.mark.parametrize("isolation", ["case", "worker"])
def test_every_isolation_comes_to_the_same_bytes(project, isolation):
    """Whatever a shared sandbox computes differently is computed again in a fresh process."""
    some = [case_of(project, number, looks="once") for number in range(3, len(BODIES), 16)]
    shared = list(Pool("builtin", isolation, 2).verdicts(some))
    alone = [replay_once(BuiltinSandbox, case, World.of(case)) for case in some]
    assert [payload(replay) for replay in alone] == [payload(v.replay) for v in shared]


def test_the_machine_is_not_seen(project, monkeypatch):
    """Neither its time zone and locale, nor its settings of Python, nor its folders."""
    some = [case_of(project, number) for number in range(len(VALUES), len(BODIES), 9)]
    here = [payload(replay_once(BuiltinSandbox, case, World.of(case))) for case in some]
    for name, value in {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7"}.items():
        monkeypatch.setenv(name, value)
    time.tzset()
    there = [payload(replay_once(BuiltinSandbox, case, World.of(case))) for case in some]
    monkeypatch.undo()
    time.tzset()
    assert here == there


def test_on_real_time_the_same_handlers_do_differ(project):
    """Positive control: it is the virtual clock that makes them agree."""
    (number,) = (
        n for n, body in enumerate(BODIES) if body.startswith("return [time.time(), time.")
    )
    case = case_of(project, number, clock="shifted")
    first, second = (payload(replay_once(BuiltinSandbox, case, World.of(case))) for _ in range(2))
    assert first != second


@pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client is for Linux alone")
def test_the_runtime_client_computes_the_same_as_the_builtin_engine(project):
    """In a warm process of that client, all waits take what they take here."""
    numbers = range(0, len(VALUES), 2)
    assert run_all(project, ForkingSandbox, numbers) == run_all(project, RicSandbox, numbers)


def test_a_polling_loop_of_a_quarter_of_an_hour_times_out_at_once(tmp_path):
    """The main thread crosses its deadline; catching everything does not prevent it."""
    body = "while True:\n    try:\n        time.sleep(5)\n    except BaseException:\n        pass"
    began = time.monotonic()
    replay = run(tmp_path, body)
    assert TimedOut(LONGEST_MS) == replay.outcome
    assert time.monotonic() - began < 5
    verdict = judge(case_of(tmp_path, 0), BuiltinSandbox)
    assert verdict.kind == "match"


def test_a_backoff_of_five_minutes_that_succeeded_matches_at_once(tmp_path):
    """Its waits add up to what they were recorded to be."""
    body = (
        "began = time.time()\nfor attempt in range(99):\n    time.sleep(min(60, 2 ** attempt))\n"
        "    if time.time() - began > 290:\n        return {'attempts': attempt + 1}"
    )
    write_module(tmp_path, [body])
    outcome = Returned(b'{"attempts": 10}')
    case = case_of(tmp_path, 0, outcome=outcome, duration_us=303_000_000)
    began = time.monotonic()
    assert judge(case, BuiltinSandbox).kind == "match"
    assert time.monotonic() - began < 5


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


def test_a_lost_turn_is_told_of(tmp_path):
    """A thread that spins until another one acts: what they do is in no fixed order."""
    (number,) = [n for n, body in enumerate(BODIES) if "while not seen:\n    pass" in body]
    assert "raced" in [finding.kind for finding in run(tmp_path, BODIES[number]).findings]


def test_a_match_that_is_looked_at_twice_says_what_it_depends_on(tmp_path):
    """Each path with its factor, though nothing differs."""
    body = "return [context.get_remaining_time_in_millis(), time.time(), str(uuid.uuid4()), 7]"
    recorded = run(tmp_path, body).outcome
    verdict = judge(case_of(tmp_path, 0, outcome=recorded, looks="twice"), BuiltinSandbox)
    assert verdict.kind == "match"
    found = {dependence.path: dependence.factor for dependence in verdict.dependences}
    assert found == {"$[0]": "deadline", "$[1]": "clock", "$[2]": "entropy"}


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
    every = [case_of(project, number, looks="once") for number in range(len(BODIES))]
    first, *others = (
        [payload(verdict.replay) for verdict in Pool("builtin", isolation, jobs).verdicts(every)]
        for _ in range(10)
    )
    assert all(other == first for other in others)
