"""`replay generate`: a suite out of recordings, and what becomes of it as code changes."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SHOP = """
import os
import time
import uuid

from replay import capture

PRICES = {"tea": 350, "coffee": 420}
seen = []


@capture
def handler(event, context):
    seen.append(event)
    time.sleep(event.get("sleep", 0))
    if event["item"] == "poison":
        os._exit(3)
    if event["item"] == "loop":
        time.sleep(900)
    total = PRICES[event["item"]] * event["count"]
    tags = {"warm", "cheap", "fresh", "new"} if event.get("tags") else ()
    return {
        "id": str(uuid.uuid4()), "at": time.time(), "total": total, "seen": len(seen),
        "left_ms": context.get_remaining_time_in_millis(), "tags": list(tags),
    }
"""
EVENTS = (
    {"item": "tea", "count": 2},
    {"item": "coffee", "count": 1, "sleep": 0.01},
    {"item": "cocoa", "count": 1},
    {"item": "tea", "count": 1, "tags": True},
    {"item": "poison", "count": 1},
    {"item": "loop", "count": 1},
)
NAMES = [
    "test_event_with_item_count_exits_3",
    "test_event_with_item_count_raises_key_error",
    "test_event_with_item_count_returns",
    "test_event_with_item_count_sleep_returns",
    "test_event_with_item_count_tags_returns",
]


FOREIGN = (
    *("anyio", "asyncio", "hypothesispytest", "pytest_cov"),
    *("randomly", "recording", "socket", "time_machine"),
)
"""Plugins that are installed for this suite: to load them takes longer than what is run here."""
ALONE = tuple(word for name in FOREIGN for word in ("-p", f"no:{name}"))


def pytest_in(
    folder: Path, *arguments: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run pytest as a user does who has it, xdist and the plugin of this package."""
    return pytest_beside_others_in(folder, *ALONE, *arguments, **variables)


def pytest_beside_others_in(
    folder: Path, *arguments: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run pytest with every plugin that is installed, and nothing of this suite's own settings."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """A folder for what is made once and copied by each test that needs it."""
    return tmp_path_factory.mktemp("kept")


def made_once(kept: Path, name: str, project: Path, make: Callable[[], object]) -> Path:
    """Have what `make` makes of `project`, by copying what it has made of the first one."""
    if (kept / name).exists():
        return shutil.copytree(kept / name, project, dirs_exist_ok=True)
    make()
    shutil.copytree(project, kept / name)
    return project


@pytest.fixture
def shop(project, replay, kept):
    """A project whose function was invoked some times, each kind of outcome among them."""

    def invoke():
        (project / "shop.py").write_text(SHOP)
        (project / "pyproject.toml").write_text('[project]\nname = "shop"\n')
        for event in EVENTS:
            replay("invoke", "shop.handler", json.dumps(event), "--timeout", "1")
        replay("export", "-o", "recorded.jsonl")

    return made_once(kept, "shop", project, invoke)


@pytest.fixture
def generated(shop, replay, kept):
    """The project with its suite."""

    def generate():
        done = replay("generate", "--yes")
        assert "written; run it:  pytest tests" in done.stderr, done.stderr

    return made_once(kept, "generated", shop, generate)


@pytest.mark.slow
def test_a_suite_is_planned_before_it_is_written(shop, replay):
    """Without --yes nothing is."""
    planned = replay("generate", "--jobs", "1")
    assert planned.returncode == 0, planned.stderr
    assert "6 cases of 1 function: 3 run in the test's process, 3 in one of their own" in (
        planned.stdout
    )
    assert "nothing is written yet" in planned.stderr
    assert not (shop / "tests").exists()


@pytest.mark.slow
def test_a_suite_that_is_written_is_then_left_alone(generated, replay):
    """A test and a case of each recording; running it again changes nothing."""
    cases = sorted(path.stem for path in (generated / "fixtures" / "shop").glob("*.json"))
    assert {name.removeprefix("test_") for name in NAMES} <= set(cases)
    again = replay("generate", "--yes")
    assert "6 recordings are cases already" in again.stdout
    assert "nothing to write" in again.stdout


@pytest.mark.slow
def test_a_suite_turns_red_where_behaviour_changes_until_that_is_accepted(generated):
    """Both values are shown; what is accepted is expected, and the recording stays what it is."""
    (generated / "shop.py").write_text(SHOP.replace("350", "300"))
    red = pytest_in(generated, "-p", "no:xdist")
    assert "2 failed, 4 passed" in red.stdout, red.stdout
    for said in ("$.total", "recorded  700", "replayed  600", "replay run fixtures/shop/"):
        assert said in red.stdout
    accepted = pytest_in(generated, "-n0", "--replay-accept-all")
    assert "6 passed" in accepted.stdout
    assert accepted.stdout.count("replay: accepted") == 2
    assert "6 passed" in pytest_in(generated, "-n0").stdout
    case = generated / "fixtures/shop/event_with_item_count_returns.json"
    document = json.loads(case.read_text())
    assert document["expected"]["value"]["total"] == 600
    ended = json.loads(document["recording"]["parts"][-1]["payload"]["outcome"]["payload"])
    assert ended["total"] == 700


@pytest.mark.slow
@pytest.mark.parametrize("options", [("-p", "randomly", "-n2"), ("--replay-isolate", "-n0")])
def test_a_suite_passes_in_any_order_and_place(generated, options):
    """On two processes in random order, each case by itself; elsewhere, with another hash seed."""
    elsewhere = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "AWS_REGION": "nowhere"}
    done = pytest_beside_others_in(generated, *options, **elsewhere)
    assert "6 passed" in done.stdout, done.stdout


@pytest.mark.slow
def test_what_varies_has_a_rule_that_says_why_and_of_what_kind(generated):
    """The test goes on to assert that it is a UUID, a time, the same set."""
    document = json.loads(
        (generated / "fixtures/shop/event_with_item_count_tags_returns.json").read_text()
    )
    rules = {rule["path"]: (rule["kind"], rule["cause"]) for rule in document["rules"]}
    assert rules["$.id"] == ("uuid", "entropy")
    assert rules["$.at"] == ("time", "clock")
    assert rules["$.tags"] == ("order", "hash seed")
    assert "$.total" not in rules
    (generated / "shop.py").write_text(SHOP.replace("str(uuid.uuid4())", "uuid.uuid4().hex"))
    red = pytest_in(generated, "-n0", "-k", "tags")
    assert "1 failed" in red.stdout
    assert "$.id" in red.stdout


@pytest.mark.slow
def test_a_refactoring_that_changes_nothing_stays_green(generated):
    """Also where more randomness is drawn, the clock is read more often, and lines move."""
    changed = SHOP.replace(
        "    total =",
        "    uuid.uuid4(); time.time(); time.time()\n    context.aws_request_id\n    total =",
    )
    (generated / "shop.py").write_text(f"# moved\n\n{changed}")
    assert "6 passed" in pytest_in(generated, "-n0").stdout


@pytest.mark.long
def test_drift_is_never_written_without_saying_which_is_right(shop, replay):
    """Its recording is set aside with both values and the ways on; the others become cases."""
    (shop / "shop.py").write_text(SHOP.replace("350", "300"))
    some = "@6", "@4", "--jobs", "1"
    aside = replay("generate", *some, "--yes")
    assert aside.returncode == 1
    assert "it drifts at $.total: 700 -> 600" in aside.stdout
    assert "--expect recorded or --expect replayed" in aside.stdout
    assert len(list((shop / "fixtures/shop").glob("*.json"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expect", "told"),
    [("recorded", "1 failed, "), pytest.param("replayed", "", marks=pytest.mark.long)],
)
def test_drift_is_written_where_it_is_said_which_is_right(shop, replay, expect, told):
    """Either the recording, so that the test is red until the code is mended, or the replay."""
    (shop / "shop.py").write_text(SHOP.replace("350", "300"))
    done = replay("generate", "@6", "@4", "--jobs", "1", "--yes", "--expect", expect)
    assert done.returncode == 0
    assert f"{told}{1 if told else 2} passed" in pytest_in(shop, "-n0").stdout


@pytest.mark.long
def test_what_a_person_has_edited_is_theirs(shop, replay):
    """A module keeps what is in it and gets what it lacks; a case is left alone."""
    replay("generate", "@5", "--yes", "--jobs", "1")
    module, case = shop / "tests/test_replay_shop.py", next((shop / "fixtures/shop").glob("*.json"))
    module.write_text(module.read_text().replace("def test_", "def test_my_", 1) + "\n\nMINE = 1\n")
    case.write_text(case.read_text() + "\n")
    before = case.read_bytes()
    done = replay("generate", "@5", "@6", "--yes", "--jobs", "1")
    assert "more         tests/test_replay_shop.py" in done.stdout
    assert case.read_bytes() == before
    assert "MINE = 1" in module.read_text()
    assert module.read_text().count("def test_") == 2
    module.write_text("import nothing\n")
    assert replay("generate", "@5", "--yes", "--overwrite", "--jobs", "1").returncode == 2


@pytest.mark.slow
def test_a_module_that_is_gone_is_written_again(generated, replay):
    """Also where all its cases are there."""
    module = generated / "tests/test_replay_shop.py"
    before = module.read_text()
    module.unlink()
    assert "new          tests/test_replay_shop.py" in replay("generate", "--yes").stdout
    assert module.read_text() == before


@pytest.mark.slow
def test_cases_can_be_collected_without_a_module(shop, replay):
    """For thousands of them."""
    replay("generate", "@6", "@4", "--yes", "--collect", "--jobs", "1")
    assert not (shop / "tests").exists()
    (shop / "shop.py").write_text(SHOP.replace("350", "300"))
    red = pytest_in(shop, "fixtures", "-n0")
    assert "1 failed, 1 passed" in red.stdout
    assert "recorded  700" in red.stdout
    assert "Traceback" not in red.stdout


@pytest.mark.slow
def test_a_rule_for_what_is_not_there_any_more_is_told(generated):
    """As a warning; --replay-strict-noise makes it a failure."""
    for path in (generated / "fixtures/shop").glob("*count_returns.json"):
        document = json.loads(path.read_text())
        document["rules"].append({"path": "$.gone", "kind": "uuid"})
        path.write_text(json.dumps(document, indent=2))
    options = "-n0", "-k", "count_returns"
    passed = pytest_in(generated, *options)
    assert "1 passed" in passed.stdout
    assert "excuses what is not there any more: event_with_item_count_returns.json: $.gone" in (
        passed.stdout
    )
    assert "1 failed" in pytest_in(generated, *options, "--replay-strict-noise").stdout


@pytest.mark.slow
def test_a_case_is_replayed_by_the_command_as_well(generated, replay):
    """By its own rules and expectation; a drift is a drift there too."""
    case = "fixtures/shop/event_with_item_count_returns.json"
    done = replay("run", case, "--once")
    assert (done.returncode, done.stdout.split()[0]) == (0, "match")
    (generated / "shop.py").write_text(SHOP.replace("350", "300"))
    assert replay("run", case, "--once").returncode == 1


@pytest.mark.slow
def test_the_generated_code_passes_linters_as_it_is(generated):
    """It is committed beside the code of the team."""
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("there is no ruff")
    for command in (["check", "--select", "E,F,I,UP,B"], ["format", "--check"]):
        words = [ruff, *command, "tests"]
        done = subprocess.run(words, cwd=generated, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.long
def test_drift_is_accepted_once_it_was_shown(generated, replay):
    """Case by case or a folder at once; what is not accepted is a drift still."""
    (generated / "shop.py").write_text(SHOP.replace("350", "300"))
    left = replay("accept", "fixtures")
    assert left.returncode == 1
    assert "recorded  700" in left.stdout
    assert "--yes accepts what it does" in left.stderr
    done = replay("accept", "fixtures", "--yes")
    assert (done.returncode, done.stderr.count("accepted ")) == (0, 2)
    assert (replay("accept", "fixtures").returncode, replay("accept", "none.json").returncode) == (
        0,
        2,
    )


@pytest.mark.slow
def test_a_program_is_told_what_there_is_to_be(shop, replay):
    """As JSON: the cases with their rules, what is set aside and why, what becomes of each file."""
    document = json.loads(replay("generate", "@6", "@3", "--json", "--jobs", "1").stdout)
    assert {"new"} == {file["change"] for file in document["files"]}
    assert (len(document["cases"]), document["set_aside"]) == (2, [])
    kinds = {rule["kind"] for case in document["cases"] for rule in case["rules"]}
    assert {"uuid", "time", "order"} <= kinds
    assert {"here", "isolated"} == {case["runs"] for case in document["cases"]}


@pytest.mark.slow
def test_a_program_is_told_what_was_accepted(generated, replay):
    """As JSON: the verdicts of the cases that drifted."""
    (generated / "shop.py").write_text(SHOP.replace("350", "300"))
    case = "fixtures/shop/event_with_item_count_returns.json"
    accepted = replay("accept", case, "--yes", "--json")
    assert [it["verdict"] for it in json.loads(accepted.stdout)] == ["drift"]


@pytest.mark.slow
def test_what_cannot_be_read_is_told_once(shop, replay):
    """Though recordings are read several times to find the fewest."""
    lines = (shop / "recorded.jsonl").read_text().splitlines()
    (shop / "some.jsonl").write_text("\n".join([lines[0], lines[1][:-40], lines[2]]))
    done = replay("generate", "some.jsonl", "--minimize", "--jobs", "1")
    assert done.returncode == 2
    assert done.stderr.count("some.jsonl line 2") == 1
