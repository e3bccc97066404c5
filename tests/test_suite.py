"""Suites generated out of what the sample applications did: quiet, and red where they break.

pytest -m long tests/test_suite.py -n0 -s
"""

import contextlib
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from applications.faults import Fault, apply, faults
from applications.record import TRAFFIC, folder, record

COUNT = 650
"""Recordings of each application."""
ROUNDS = 50
FAULTS = 60
MOVED = """
import pytest, time_machine

@pytest.fixture(autouse=True)
def moved():
    with time_machine.travel({date!r}):
        yield
"""


Done = subprocess.CompletedProcess[str]


def pytest_in(project: Path, *arguments: str, **variables: str) -> Done:
    """Run pytest with the plugin; without a network, where that can be had."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    alone = ["unshare", "-rn"] if has_namespaces() else []
    return subprocess.run(
        [*alone, *command],
        cwd=project,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def has_namespaces() -> bool:
    unshare = shutil.which("unshare")
    command = ["unshare", "-rn", "true"]
    return unshare is not None and not subprocess.run(command, check=False).returncode


@pytest.fixture
def application(request, project, replay):
    """A project with an application, and what it did; two suites: of all, and of the fewest."""
    name = request.param
    shutil.copytree(folder(name), project, dirs_exist_ok=True)
    (project / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
    record(name, project / "replay.db", count=COUNT, seed=3, is_taped=False)
    for suite, options in (("all", ()), ("few", ("--minimize",))):
        where = "--to", f"tests_{suite}", "--fixtures", f"fixtures_{suite}"
        done = replay("generate", "--yes", *where, *options)
        assert done.returncode == 0, done.stdout + done.stderr
    return project


def count_of(project: Path, suite: str) -> int:
    return len(list((project / f"fixtures_{suite}").rglob("*.json")))


@pytest.mark.long
@pytest.mark.parametrize("application", TRAFFIC, indirect=True)
def test_a_generated_suite_passes_every_time(application):
    """In random order, on one process or two, whatever the date and the zone, without a network."""
    draw, failed = random.Random(5), []
    for number in range(ROUNDS):
        date = f"{draw.randint(2020, 2037)}-{draw.randint(1, 12):02}-28T23:59:58"
        (application / "conftest.py").write_text(MOVED.format(date=date))
        done = pytest_in(
            application,
            f"-n{2 if number % 3 else 0}",
            "tests_all",
            TZ=draw.choice(["Asia/Tokyo", "America/St_Johns", "UTC", "Pacific/Chatham"]),
            PYTHONHASHSEED=str(draw.randint(0, 2**32 - 1)),
        )
        if done.returncode:
            failed.append(done.stdout[-2000:])
    cases = count_of(application, "all")
    print(f"\n{application}: {ROUNDS - len(failed)} of {ROUNDS} runs of {cases} cases passed")
    assert failed == []


@pytest.mark.long
@pytest.mark.parametrize("application", TRAFFIC, indirect=True)
def test_the_fewest_cases_catch_what_all_of_them_catch(application):
    """At least 95 in 100 of the seeded faults, with at most 5 in 100 of the cases."""
    assert not is_red(application, None, "all"), "a copy without a fault is to be green"
    assert not is_red(application, None, "few")
    chosen = random.Random(11).sample(faults(application), FAULTS)
    caught = {
        suite: [is_red(application, fault, suite) for fault in chosen] for suite in ("all", "few")
    }
    by_all = [few for every, few in zip(caught["all"], caught["few"], strict=True) if every]
    counts = {suite: count_of(application, suite) for suite in caught}
    missed = [
        (fault.path, fault.line, fault.description)
        for fault, every, few in zip(chosen, caught["all"], caught["few"], strict=True)
        if every and not few
    ]
    print(f"\n{application}: {counts}, {sum(by_all)} of {len(by_all)} of {FAULTS}; missed {missed}")
    assert sum(by_all) >= 0.95 * len(by_all)
    assert len(by_all) > FAULTS / 2
    assert counts["few"] <= 0.05 * COUNT


def is_red(project: Path, fault: Fault | None, suite: str) -> bool:
    """Whether a suite fails in a copy of the project that has the fault, or none."""
    with contextlib.ExitStack() as stack:
        copy = project.with_name("faulty")
        stack.callback(shutil.rmtree, copy, ignore_errors=True)
        shutil.copytree(project, copy)
        if fault is not None:
            apply(fault, copy)
        return pytest_in(copy, "-x", "-n0", f"tests_{suite}").returncode == 1
