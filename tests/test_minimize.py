"""`replay minimize`: choosing, measuring lines and branches, edited lines, the command."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from databases import capture_parts
from hypothesis import given
from hypothesis import strategies as st
from test_recording import invocation

from replay.interaction import AwsCall, HttpCall
from replay.outcome import Exited, Outcome, Raised, Returned, TimedOut
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.coverage import EXIT, Coverage, FileCoverage
from replay.replayer.pool import Isolation, Pool
from replay.replayer.tracing.project import Project
from replay.replayer.verdict import Verdict
from replay.testing.feature import Feature, operation_of
from replay.testing.measure import judging_here, measure
from replay.testing.minimize import Measured, minimal

FEATURES = st.frozensets(st.integers(1, 12).map(lambda n: Feature("line", "app.py", n)))
CASES = st.lists(
    st.builds(Measured, st.uuids().map(str), st.integers(1, 9), FEATURES), unique_by=lambda c: c.id
)

BRANCHING = """\
import threading


class Shop:
    NAME = "x"

    def price(self, item):
        if item == "tea":
            return 1
        elif item == "cocoa":
            raise KeyError(item)
        return 2


def numbers(n):
    for i in range(n):
        if i % 2:
            continue
        yield i


def handler(event, context):
    shop = Shop()
    found = [x for x in numbers(event["n"]) if x]
    try:
        total = shop.price(event["item"])
    except KeyError:
        total = -1
    finally:
        found.append(0)
    while total > 0:
        total -= 1
    other = threading.Thread(target=work, args=(found,))
    other.start()
    other.join()
    match event["item"]:
        case "tea":
            found.append("t")
        case "coffee":
            found.append("c")
    if event["n"] > 4:
        raise ValueError("too many")
    return found


def work(found):
    if found and found[0] == 2:
        found.append(5)
"""
EVENTS = [{"n": n, "item": item} for n, item in [(0, "tea"), (2, "coffee"), (3, "cocoa"), (5, "?")]]
UNDER_COVERAGE = """\
import json, sys, coverage
measuring = coverage.Coverage(branch=True, source=["."], data_file=None, config_file=False)
measuring.start()
import app
for number, event in enumerate(json.loads(sys.argv[1])):
    measuring.switch_context(f"case {number}")
    try:
        app.handler(event, None)
    except ValueError:
        pass
measuring.stop()
data = measuring.get_data()
lines = [[] for _ in range(number + 1)]
for line, contexts in data.contexts_by_lineno(next(iter(data.measured_files()))).items():
    for context in contexts:
        if context:
            lines[int(context[5:])].append(line)
measuring.json_report(outfile="report.json")
branches = json.load(open("report.json"))["files"]["app.py"]["executed_branches"]
print(json.dumps([[sorted(n for n in some if n > 0) for some in lines], branches]))
"""


def recordings(
    project: Path, code: str, events: list, outcomes: list[Outcome | None] | None = None
) -> list[Recording]:
    """A handler in `project` and recordings of it, in its store too."""
    (project / "app.py").write_text(code)
    ends = outcomes or [Returned(b"null")] * len(events)
    found = [
        Recording(new_ulid(), dataclasses.replace(invocation(), event=event), outcome, 10)
        for event, outcome in zip(events, ends, strict=True)
    ]
    capture_parts(project / "replay.db", *found)
    return found


def cases(project: Path, found: list[Recording], **fields: object) -> list[Case]:
    how = {"looks": "once", "measures": True, **fields}
    return [Case(it, "app.handler", (project,), **how) for it in found]


def verdicts(given: list[Case], isolation: Isolation = "worker") -> list[Verdict]:
    return list(Pool("builtin", isolation, 2).verdicts(given))


def coverages(given: list[Case], isolation: Isolation = "worker") -> list[Coverage]:
    return [it.replay.coverage for it in verdicts(given, isolation) if it.replay]


def files(given: list[Case], isolation: Isolation = "worker") -> list[tuple[FileCoverage, ...]]:
    return [coverage.files for coverage in coverages(given, isolation)]


@pytest.mark.slow
@given(CASES)
def test_what_all_have_the_kept_have(given):
    """The kept cases have every feature, and none of them could be left out."""
    kept = minimal(given)
    assert frozenset().union(*(it.features for it in given)) == frozenset().union(
        *(it.features for it in kept)
    )
    for one in kept:
        others = frozenset().union(*(it.features for it in kept if it is not one))
        assert frozenset(one.purpose) == one.features - others != frozenset()


@pytest.mark.slow
@given(CASES, st.randoms(use_true_random=False))
def test_the_order_of_cases_makes_no_difference(given, random):
    """The same cases are kept, for the same, whatever order they come in."""
    shuffled = list(given)
    random.shuffle(shuffled)
    assert minimal(given) == minimal(shuffled)


def test_of_what_behaves_alike_the_smallest_event_stands_for_all():
    """The smallest, of those the oldest; `alike` counts them."""
    features = frozenset([Feature("line", "app.py", 1)])
    given = [Measured("c", 5, features), Measured("b", 3, features), Measured("a", 3, features)]
    ((kept),) = minimal(given)
    assert (kept.id, kept.alike, kept.purpose) == ("a", 3, (Feature("line", "app.py", 1),))


def test_a_small_event_takes_the_place_of_a_large_one_that_is_kept_for_the_same():
    """What is greedily taken first is not kept where a smaller case does."""
    one, two, three, four = (Feature("line", "app.py", n) for n in range(4))
    given = [
        Measured("a", 900, frozenset([one, two, three])),
        Measured("b", 1, frozenset([three, four])),
        Measured("c", 2, frozenset([one, two])),
    ]
    assert [kept.id for kept in minimal(given)] == ["b", "c"]


def test_ids_in_a_path_are_no_operation_of_their_own():
    """A URL's ids become stars, an AWS operation has no resource."""
    url = "https://api.example.com/orders/42/items/0d9f4e0c7c7b4c0b9d2e6a1f?x=1"
    assert operation_of(HttpCall("GET", url)) == "GET https://api.example.com/orders/*/items/*"
    put = AwsCall("dynamodb", "PutItem", None, {"TableName": "a"}, is_read=False)
    assert operation_of(put) == "dynamodb PutItem"


@pytest.mark.slow
def test_lines_and_branches_are_those_that_coverage_py_finds(project):
    """Also of threads, generators, comprehensions and exceptions, case by case."""
    pytest.importorskip("coverage")
    ours = files(cases(project, recordings(project, BRANCHING, EVENTS)))
    program = [sys.executable, "-c", UNDER_COVERAGE, json.dumps(EVENTS)]
    done = subprocess.run(program, cwd=project, capture_output=True, text=True, check=True)
    lines, branches = json.loads(done.stdout.splitlines()[-1])
    assert lines == [list(app.lines) for (app,) in ours]
    found = {branch for (app,) in ours for branch in app.branches}
    assert found == {(line, to if to > 0 else EXIT) for line, to in branches}


def test_bodies_of_modules_and_classes_are_the_imports_own(project):
    """They belong to no case, even where a case is the first to import them."""
    (project / "late.py").write_text("VALUE = 1\nclass A:\n    b = 2\ndef f():\n    return VALUE\n")
    code = "def handler(event, context):\n    import late\n    return late.f()\n"
    given = cases(project, recordings(project, code, [{}, {}]))
    first, second = coverages(given)
    assert first.files == second.files
    assert [(f.path, f.lines) for f in first.files] == [("app.py", (2, 3)), ("late.py", (5,))]
    assert [(f.path, f.lines) for f in first.at_import] == [
        ("app.py", (1,)),
        ("late.py", (1, 2, 3, 4)),
    ]


ENDINGS = """\
import os, time

def handler(event, context):
    if event == "exits":
        os._exit(3)
    if event == "sleeps":
        time.sleep(1000)
    if event == "raises":
        raise ValueError
    return event
"""


@pytest.mark.slow
def test_cases_that_end_their_process_are_measured_in_each_isolation(project):
    """By `os._exit` and by the deadline of the virtual clock; what they ran is the same."""
    ends = [Returned(b'"x"'), Exited(3), Raised("ValueError", ""), TimedOut(3000)]
    given = cases(project, recordings(project, ENDINGS, ["x", "exits", "raises", "sleeps"], ends))
    warm = files(given)
    lines = [list(app.lines) for (app,) in warm]
    assert lines == [[4, 6, 8, 10], [4, 5], [4, 6, 8, 9], [4, 6, 7]]
    assert warm == files(given, "case") == files(given, "process")


@pytest.mark.slow
def test_a_process_that_ends_without_a_word_is_kept_with_the_reason(project, replay):
    """Nobody can say what it ran."""
    code = "import os\ndef handler(event, context):\n    os.kill(os.getpid(), 9)\n"
    found = recordings(project, code, [{}], [Exited(-9)])
    done = replay("minimize", "--jobs", "1", "--json")
    (kept,) = json.loads(done.stdout)["kept"]
    assert (kept["id"], done.returncode) == (found[0].id, 0)
    assert "cannot be measured" in replay("minimize", "--jobs", "1").stdout


@pytest.mark.slow
def test_measuring_changes_neither_outcome_nor_time(project):
    """Times, randomness and what is left of the deadline are those of a mere replay."""
    code = (
        "import time, uuid\n"
        "def handler(event, context):\n"
        "    seen = []\n"
        "    for _ in range(3):\n"
        "        seen.append([time.time(), time.perf_counter(), str(uuid.uuid4())])\n"
        "        time.sleep(0.1)\n"
        "    return [seen, context.get_remaining_time_in_millis()]\n"
    )
    found = recordings(project, code, [{}])
    for isolation in ("worker", "process"):
        (plain,) = verdicts(cases(project, found, measures=False, looks="once"), isolation)
        (measured,) = verdicts(cases(project, found), isolation)
        assert plain.kind == measured.kind == "drift"
        assert plain.replay.coverage is None is not measured.replay.coverage
        if isolation == "process":
            assert plain.replay.outcome == measured.replay.outcome
            assert plain.replay.duration_us == measured.replay.duration_us


@pytest.mark.slow
def test_a_loop_of_a_million_lines_is_measured_once(project):
    """Places that come again and again are turned off, and on again for the next case."""
    code = (
        "def handler(event, context):\n"
        "    n = 0\n"
        "    while n < event:\n"
        "        n += 1\n"
        "    if n > 5:\n"
        "        return n\n"
    )
    given = cases(project, recordings(project, code, [20_000, 3, 20_000]))
    ((first,), (second,), (third,)) = files(given)
    assert first == third
    assert first.branches == ((3, 4), (3, 5), (5, 6))
    assert second.branches == ((3, 4), (3, 5), (5, EXIT))


def test_only_the_handlers_own_files_are_the_projects(tmp_path):
    """Neither an environment below the folder, nor what was installed beside the handler."""
    for name in ("app.py", "own/a.py", "dep/b.py", "venv/lib/c.py", "x/site-packages/d.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "venv/pyvenv.cfg").touch()
    (tmp_path / "dep-1.dist-info").mkdir()
    (tmp_path / "dep-1.dist-info/RECORD").write_text("dep/b.py,sha256=x,1\n")
    project = Project([str(tmp_path)])
    found = [project.path_of(str(path)) for path in sorted(tmp_path.rglob("*.py"))]
    assert [it for it in found if it] == ["app.py", "own/a.py"]
    assert project.path_of(json.__file__) is project.path_of("<string>") is None


STATEFUL = """\
state = None

def handler(event, context):
    global state
    if state is None:
        state = special() if event["special"] else 1
    return event

def special():
    return 2
"""


@pytest.mark.slow
def test_what_a_warm_process_would_hide_is_measured_alone(project):
    """Its first invocation keeps a special one from what that does by itself."""
    found = recordings(project, STATEFUL, [{"special": False}, {"special": True}])
    given = cases(project, found)
    special = Feature("line", "app.py", 10)
    judge = judging_here(
        lambda ids: (it for it in given if ids is None or it.recording.id in ids), jobs=1
    )
    hidden = measure(judge, isolation="worker")
    assert special not in hidden.features_by_id()[found[1].id]  # the control: it can be hidden
    measured = measure(judge, isolation=None)
    assert special in measured.features_by_id()[found[1].id]
    assert measured.isolation in ("case", "process")


ROUTES = """\
def handler(event, context):
    if event["kind"] == "a":
        return first()
    if event["kind"] == "b":
        raise ValueError("b")
    return event["kind"]


def first():
    return 1
"""


def routed(project: Path) -> list[Recording]:
    kinds = ["a", "a", "b", "c", "a"]
    ends = {"a": Returned(b"1"), "b": Raised("ValueError", "b"), "c": Returned(b'"c"')}
    events = [{"kind": kind, "padding": "x" * (9 - n)} for n, kind in enumerate(kinds)]
    return recordings(project, ROUTES, events, [ends[kind] for kind in kinds])


@pytest.mark.slow
def test_the_command_keeps_one_of_each_and_says_for_what(project, replay):
    """Rows, and a closing line; the same as a document."""
    found = routed(project)
    done = replay("minimize", "--jobs", "1")
    assert (done.returncode, done.stderr) == (0, "")
    rows = done.stdout.splitlines()
    assert [row[:8] for row in rows[:-1]] == [found[n].id[-8:] for n in (2, 3, 4)]
    assert "raised ValueError" in rows[0]
    assert "branch app.py:2->3" in rows[2]
    assert rows[2].endswith("3 alike")
    closing = "kept 3 of 5 recordings: all 6 lines, 4 branches, 2 outcomes, 1 error type"
    assert rows[-1] == closing.replace("6 lines", f"{6} lines")
    document = json.loads(replay("minimize", "--jobs", "1", "--json").stdout)
    assert [kept["id"] for kept in document["kept"]] == [found[n].id for n in (2, 3, 4)]
    assert document["covered"] == {"line": 6, "branch": 4, "outcome": 2, "error": 1}
    assert {"kind": "line", "name": "app.py", "line": 10} in document["kept"][2]["purpose"]


@pytest.mark.slow
def test_what_cannot_be_replayed_is_left_out_and_named(project, replay):
    """It hides nothing else, and the exit code is 2."""
    found = routed(project)
    (project / "other.py").write_text("")
    broken = dataclasses.replace(
        found[0], id=new_ulid(), invocation=dataclasses.replace(invocation(), handler="gone.f")
    )
    capture_parts(project / "replay.db", broken)
    done = replay("minimize", "--json")
    assert done.returncode == 2
    document = json.loads(done.stdout)
    assert (len(document["kept"]), document["left_out"][0]["id"]) == (3, broken.id)
    assert broken.id in done.stderr


def test_an_empty_selection_is_an_error_unless_allowed(project, replay):
    """As for the other commands."""
    routed(project)
    assert replay("minimize", "--function", "nobody").returncode == 2
    assert replay("minimize", "--function", "nobody", "--allow-empty").returncode == 0


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.long
def test_changed_since_chooses_those_that_run_edited_lines(project, replay):
    """Of a real repository, new files included; lines that nobody runs are named."""
    found = routed(project)
    git(project, "init", "-q")
    git(project, "add", "app.py")
    git(project, "commit", "-q", "-m", "first")
    since = "minimize", "--changed-since", "HEAD", "--jobs", "1"
    nothing = replay(*since)
    assert nothing.stdout == "kept 0 of 5 recordings: none runs an edited line\n"
    added = "    return 0 + 1\n\n\ndef unused():\n    return 2\n"
    edited = ROUTES.replace("    return 1\n", added + 'TEXT = """\n++ b/other.py\n"""\n')
    (project / "app.py").write_text(edited)
    (project / "new.py").write_text("VALUE = 1\n")
    document = json.loads(replay(*since, "--json").stdout)
    assert [kept["id"] for kept in document["kept"]] == [found[4].id]
    assert document["edited"]["run"] == {"app.py": [10]}
    assert document["edited"]["run_at_import"] == {"app.py": [13, 15]}
    assert document["edited"]["not_run"] == {"app.py": [14], "new.py": [1]}
    said = replay(*since).stdout
    assert "no recording runs app.py:14" in said
    assert "loaded by no recording: new.py" in said


@pytest.mark.parametrize(("is_repository", "why"), [(False, "no git repo"), (True, "no such rev")])
def test_changed_since_says_what_git_could_not_do(project, replay, is_repository, why):
    """Outside of a repository, and for a revision that there is not."""
    routed(project)
    if is_repository:
        git(project, "init", "-q")
    done = replay("minimize", "--changed-since", "v1")
    assert done.returncode == 2
    assert "error: --changed-since v1: " in done.stderr
    assert why in done.stderr
    assert "hint: " in done.stderr
