"""`replay run --warm`: what a sandbox has seen before an invocation is replayed first."""

import dataclasses
import json
from pathlib import Path

import pytest
from conftest import also_long, also_slow
from databases import capture_parts, flip_payload
from test_entropy import captured
from test_recording import invocation
from test_run import COUNTING, debugged, returned, verdicts

from replay.codec import Truncated
from replay.executor import earlier
from replay.invocation import Invocation, Sandbox
from replay.outcome import Exited, Outcome, Raised, Returned, TimedOut
from replay.recorder.ulid import new_ulid
from replay.recording import Recording

THIRD_FAILS = (
    "seen = []\n"
    "def handler(event, context):\n"
    "    seen.append(event['n'])\n"
    "    if len(seen) == 3: raise ValueError('third')\n"
    "    return seen\n"
)


def one_sandbox(
    project: Path, code: str, outcomes: list[Outcome | None], id: str | None = None, **more: object
) -> list[Recording]:
    """A handler, and recordings of one sandbox with the events {"n": 0}, {"n": 1}, ..., stored."""
    (project / "app.py").write_text(code)
    recordings = of_one_sandbox(outcomes, id, **more)
    capture_parts(project / "replay.db", *recordings)
    return recordings


def of_one_sandbox(
    outcomes: list[Outcome | None], id: str | None = None, **more: object
) -> list[Recording]:
    id = id or new_ulid()
    base: Invocation = dataclasses.replace(invocation(), **more)
    return [
        Recording(
            new_ulid(),
            dataclasses.replace(base, event={"n": n}, sandbox=Sandbox(id, n + 1, "3.11.7", None)),
            outcome,
            10,
        )
        for n, outcome in enumerate(outcomes)
    ]


def seen(*events: int) -> Returned:
    return Returned(json.dumps(events).encode())


@pytest.mark.parametrize("runtime", also_slow(["builtin"], ["builtin", "ric"]))
def test_a_bug_that_needs_a_warm_sandbox_shows_only_in_one(project, replay, runtime):
    """The third invocation fails after two others, and by itself it does not: the control."""
    if runtime == "ric":
        pytest.importorskip("awslambdaric")
    one_sandbox(project, THIRD_FAILS, [seen(0), seen(0, 1), Raised("ValueError", "third")])
    cold = replay("run", "@1", "--once", "--runtime", runtime)
    assert (cold.returncode, "warmed" in cold.stdout) == (1, False)
    warm = replay("run", "@1", "--warm", "--runtime", runtime)
    assert warm.returncode == 0, warm.stdout
    assert "raised ValueError" in warm.stdout
    assert "warmed with 2 of 2 earlier invocations" in warm.stdout


@pytest.mark.slow
def test_each_case_is_warmed_with_what_came_before_it(project, replay):
    """All of a store, several at once; the first of a sandbox has nothing before it."""
    outcomes = [seen(0), seen(0, 1), Raised("ValueError", "third"), seen(0, 1, 2, 3)]
    one_sandbox(project, THIRD_FAILS, outcomes)
    one_sandbox(project, THIRD_FAILS, outcomes[:2])
    found = verdicts(replay("run", "--warm", "--json", "--once"))
    assert {verdict["verdict"] for verdict in found} == {"match"}
    assert [verdict["warmed_with"] for verdict in found] == [1, 0, 3, 2, 1, 0]
    assert [verdict["earlier_invocations"] for verdict in found] == [1, 0, 3, 2, 1, 0]
    text = replay("run", "@2", "--warm", "--once").stdout
    assert "the first invocation of its sandbox: nothing to warm it with" in text
    assert "warmed_with" not in verdicts(replay("run", "@2", "--json", "--once"))[0]


@pytest.mark.slow
def test_the_import_is_in_the_world_of_the_first_and_each_one_in_its_own(project, replay):
    """Its clock, its seed and its trace id; the output is the case's alone."""
    code = (
        "import os, random, time\n"
        "at_import = round(time.time())\n"
        "seen = []\n"
        "def handler(event, context):\n"
        "    print('line', event['n'])\n"
        "    seen.append([round(time.time()), os.environ['_X_AMZN_TRACE_ID'], random.random()])\n"
        "    return {'import': at_import, 'seen': seen}\n"
    )
    recordings = one_sandbox(project, code, [None])
    (first,) = recordings
    later = dataclasses.replace(
        first,
        id=new_ulid(),
        invocation=dataclasses.replace(
            first.invocation,
            sandbox=dataclasses.replace(first.invocation.sandbox, sequence=2),
            context=dataclasses.replace(
                first.invocation.context,
                deadline_epoch_ms=first.invocation.context.deadline_epoch_ms + 60_000,
            ),
            trace_id="Root=2",
        ),
    )
    capture_parts(project / "replay.db", later)
    (verdict,) = verdicts(replay("run", "@1", "--warm", "--json", "--once"))
    (cold,) = verdicts(replay("run", "@2", "--json", "--once"))
    value = verdict["outcome"]["value"]
    assert value["seen"][0] == cold["outcome"]["value"]["seen"][0]
    assert value["import"] == cold["outcome"]["value"]["import"]
    (at, trace, drawn), (later_at, later_trace, later_drawn) = value["seen"]
    assert (later_at - at, trace, later_trace) == (60, "Root=1", "Root=2")
    assert drawn != later_drawn
    assert verdict["output"] == "line 0\n"


def test_what_is_missing_is_said(project, replay):
    """Not sampled, pruned, damaged, of another handler, impossible to replay: 2 of 7."""
    recordings = of_one_sandbox([seen(n) for n in range(8)])
    (project / "app.py").write_text(COUNTING)
    recordings[2] = changed(recordings[2], handler="app.other")
    recordings[3] = changed(recordings[3], event=Truncated(7_000_000, "00", "{"))
    recordings[7] = dataclasses.replace(recordings[7], outcome=returned(n=7, calls=3))
    capture_parts(project / "replay.db", *recordings[1:5], *recordings[6:])
    flip_payload(project / "replay.db", recordings[4].id)
    done = replay("run", recordings[7].id, "--warm")
    assert done.returncode == 0, done.stdout
    assert "warmed with 2 of 7 earlier invocations" in done.stdout


def changed(recording: Recording, **fields: object) -> Recording:
    of = dataclasses.replace(recording.invocation, **fields)
    return dataclasses.replace(recording, invocation=of)


ENDING = COUNTING.replace(
    "    return", "    import os, time\n    exec(event.get('do', ''))\n    return"
)


@pytest.mark.parametrize(
    ("runtime", "do"),
    [
        pytest.param("builtin", "os._exit(7)", marks=pytest.mark.long),
        pytest.param("builtin", "raise SystemExit(3)", marks=pytest.mark.long),
        ("builtin", "time.sleep(60)"),
        pytest.param("ric", "raise SystemExit(3)", marks=pytest.mark.slow),
    ],
)
def test_an_earlier_one_that_ends_the_process_leaves_the_next_a_fresh_one(
    project, replay, runtime, do
):
    """Its own outcome is not judged; what came before it is not counted."""
    if runtime == "ric":
        pytest.importorskip("awslambdaric")
    expected = [returned(n=0, calls=1), TimedOut(1), Exited(0), returned(n=3, calls=2)]
    recordings = of_one_sandbox(expected, remaining_ms=400)
    recordings[1] = changed(recordings[1], event={"n": 1, "do": do})
    (project / "app.py").write_text(ENDING)
    capture_parts(project / "replay.db", *recordings)
    done = replay("run", "@1", "--warm", "--runtime", runtime)
    assert done.returncode == 0, done.stdout
    assert "warmed with 1 of 3 earlier invocations" in done.stdout


@pytest.mark.slow
def test_the_last_earlier_one_may_end_the_process_as_well(project, replay):
    """The case then finds it cold, which is said."""
    recordings = of_one_sandbox([Exited(7), returned(n=1, calls=1)])
    recordings[0] = changed(recordings[0], event={"n": 0, "do": "os._exit(7)"})
    (project / "app.py").write_text(ENDING)
    capture_parts(project / "replay.db", *recordings)
    done = replay("run", "@1", "--warm")
    assert (done.returncode, "warmed with 0 of 1" in done.stdout) == (0, True)


def test_a_handler_that_cannot_be_had_is_an_error_once(project, replay):
    """Its import is not tried again for each of the earlier ones."""
    (project.parent / "tries").touch()  # what a replay makes itself is taken away
    code = f"open({str(project.parent / 'tries')!r}, 'a').write('x')\nraise ImportError('gone')\n"
    one_sandbox(project, code, [seen(0)] * 5)
    done = replay("run", "@1", "--warm")
    assert (done.returncode, "gone" in done.stdout) == (2, True)
    assert (project.parent / "tries").read_text() == "x"


@pytest.mark.slow
def test_earlier_ones_are_found_among_the_given_files(project, replay):
    """In whatever order, in several files, without any store."""
    recordings = one_sandbox(project, COUNTING, [returned(n=n, calls=n + 1) for n in range(4)])
    for n, one in enumerate(recordings):
        replay("export", one.id, "-o", f"{n}.json")
    replay("export", "-o", "all.jsonl")
    for file in project.glob("replay.db*"):
        file.unlink()
    found = verdicts(replay("run", "--warm", "--json", "3.json", "1.json", "0.json", "--once"))
    assert [verdict["warmed_with"] for verdict in found] == [2, 1, 0]
    found = verdicts(replay("run", "--warm", "--json", "all.jsonl", "2.json"))
    assert [verdict["warmed_with"] for verdict in found] == [0, 1, 2, 3, 2]
    assert {verdict["verdict"] for verdict in found} == {"match"}
    assert replay("run", "--warm", "absent.json").returncode == 2


@pytest.mark.slow
def test_earlier_ones_of_store_and_files_are_put_together(project, replay):
    """One that both hold is replayed once."""
    recordings = one_sandbox(project, COUNTING, [returned(n=n, calls=n + 1) for n in range(4)])
    replay("export", recordings[0].id, recordings[1].id, "-o", "old.jsonl")
    (project / "replay.db").unlink()
    capture_parts(project / "replay.db", *recordings[1:])
    done = replay("run", "@1", "old.jsonl", "--warm")
    assert done.returncode == 0, done.stdout
    assert "warmed with 3 of 3 earlier invocations" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("isolation", also_long(["case"], ["worker"]))
def test_warm_and_another_isolation_are_refused(project, replay, isolation):
    """Each warm case has a process of its own; naming that one is allowed."""
    one_sandbox(project, COUNTING, [returned(n=0, calls=1)])
    done = replay("run", "--warm", "--isolation", isolation)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--warm does not work with --isolation {isolation}" in done.stderr
    assert replay("run", "--warm", "--isolation", "process").returncode == 0


def test_another_sandbox_and_another_function_are_not_taken(project, replay):
    """Though they ran between; ids that are no ULID are looked for as well."""
    own = of_one_sandbox([returned(n=n, calls=n + 1) for n in range(3)], "a-sandbox-of-mine")
    other = of_one_sandbox([seen(n) for n in range(3)])
    (project / "app.py").write_text(COUNTING)
    for one, two in zip(own, other, strict=True):
        capture_parts(project / "replay.db", one, two)
    done = replay("run", own[2].id, "--warm")
    assert done.returncode == 0, done.stdout
    assert "warmed with 2 of 2" in done.stdout


def test_a_long_life_is_cut_to_its_end(project, replay, monkeypatch):
    """The last ones warm; the verdict says of how many."""
    monkeypatch.setattr(earlier, "MAX_EARLIER", 2)
    one_sandbox(project, THIRD_FAILS, [seen(n) for n in range(5)])
    done = replay("run", "@1", "--warm", "--once")
    assert "raised ValueError" in done.stdout
    assert "warmed with 2 of 4 earlier invocations" in done.stdout


@pytest.mark.long
def test_the_second_look_is_warm_as_well(project, replay):
    """Noise is told from drift with the count that only a warm process has."""
    code = (
        "import uuid\ncalls = 0\n"
        "def handler(event, context):\n"
        "    global calls\n"
        "    calls += 1\n"
        "    return {'id': str(uuid.uuid4()), 'calls': calls, 'n': event['n']}\n"
    )
    recorded = {"id": "0b0f6ac2-7e4c-4c41-9d0c-3f1d8f2f6a01", "calls": 3, "n": 5}
    one_sandbox(project, code, [seen(0), seen(1), returned(**recorded)])
    (verdict,) = verdicts(replay("run", "@1", "--warm", "--json"))
    assert [difference["path"] for difference in verdict["differences"]] == ["$.n"]
    assert [(one["path"], one["factor"]) for one in verdict["noise"]] == [("$.id", "entropy")]
    assert verdict["warmed_with"] == 2


def test_a_changed_input_is_the_cases_alone(project, replay):
    """What warms it stays as recorded."""
    one_sandbox(project, THIRD_FAILS, [seen(0), seen(0, 9)])
    assert replay("run", "@1", "--warm", "--set", "$.n=9").returncode == 0


@pytest.mark.long
def test_the_debugger_opens_for_the_case_alone(project):
    """Not for an earlier one that raises, though it has the terminal."""
    code = THIRD_FAILS.replace("len(seen) == 3", "len(seen) != 2")
    one_sandbox(project, code, [seen(0), seen(0, 1), Raised("ValueError", "third")])
    done = debugged(project, "--pdb", "p 'seen', seen\nq\n", "--warm")
    assert done.returncode == 0, done.stderr
    assert "('seen', [0, 1, 2])" in done.stderr
    assert "warmed with 2 of 2" in done.stdout


@pytest.mark.slow
def test_what_an_earlier_one_drew_is_there_in_the_later_one(project, replay):
    """A token made by the first invocation and kept in the module, with the entropy taped."""
    code = (
        "import secrets\nfrom replay import capture\ntoken = None\n"
        "@capture\ndef handler(event, context):\n"
        "    global token\n"
        "    token = token or secrets.token_hex()\n"
        "    return token\n"
    )
    captured(project, code, "for n in range(3): app.handler(n, None)")
    assert replay("run", "--warm", "--once").returncode == 0
    assert replay("run", "@1", "--once").returncode == 1
