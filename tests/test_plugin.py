"""The pytest plugin beside others, and the suite with next to nothing installed."""

import importlib.util
import json
import os
import subprocess
import venv
from pathlib import Path

import pytest
import test_generate
from test_generate import pytest_beside_others_in, pytest_in

generated, kept, shop = test_generate.generated, test_generate.kept, test_generate.shop
OTHERS = {
    "pytest_recording": "pytest-recording",
    "pytest_asyncio": "pytest-asyncio",
    "pytest_randomly": "pytest-randomly",
    "xdist": "pytest-xdist",
    "pytest_cov": "pytest-cov",
    "pytest_socket": "pytest-socket",
}


@pytest.mark.slow
def test_it_works_beside_the_plugins_that_teams_use(generated):
    """All at once, with sockets disabled, cassettes off and coverage on; nothing collides."""
    for module in OTHERS:
        pytest.importorskip(module)
    (generated / "tests/test_own.py").write_text(
        "import asyncio, pytest, shop\n"
        "async def test_async(): await asyncio.sleep(0)\n"
        "def test_own(): assert shop.PRICES['tea'] == 350\n"
        "@pytest.mark.block_network\ndef test_blocked(): pass\n"
    )
    options = ("-n2", "--disable-socket", "--allow-unix-socket", "--block-network", "--cov=.")
    options += ("--cov-report=json", "--cov-branch")
    more = "-o", "asyncio_mode=auto", "--strict-markers"
    done = pytest_beside_others_in(generated, *options, *more)
    assert "9 passed" in done.stdout, done.stdout + done.stderr
    assert line_that_exits() not in missing_lines(generated)
    assert "warning" not in done.stdout.lower()


@pytest.mark.slow
def test_every_name_of_the_plugin_begins_with_replay():
    """Options, markers, ini keys and fixtures: nobody else's can be meant."""
    done = pytest_in(Path.cwd(), "--help", "--markers", "--fixtures", "-p", "no:xdist")
    told = done.stdout
    ours = [line.split()[0] for line in told.splitlines() if "replay" in line and "--" in line[:6]]
    assert len(ours) >= 3
    assert all(name.startswith("--replay") for name in ours)


MEASURED = ("-p", "pytest_cov", "--cov=.", "--cov-report=json")


def covered(project: Path, *options: str) -> list[int]:
    pytest.importorskip("pytest_cov")
    done = pytest_in(project, "-n0", *MEASURED, *options)
    assert "6 passed" in done.stdout, done.stdout
    return missing_lines(project)


def missing_lines(project: Path) -> list[int]:
    files = json.loads((project / "coverage.json").read_text())["files"]
    return list(files["shop.py"]["missing_lines"])


def line_that_exits() -> int:
    """The line that only a process of its own can run."""
    return test_generate.SHOP.splitlines().index("        os._exit(3)") + 1


@pytest.mark.long
@pytest.mark.parametrize("options", [(), ("--cov-branch",)], ids=["lines", "branches"])
def test_coverage_counts_what_runs_in_guarded_processes_as_well(generated, options):
    """The line that ends the process is run nowhere else; without its case it is missing."""
    line = line_that_exits()
    assert line not in covered(generated, *options, "--replay-isolate")
    for path in (generated / "fixtures").rglob("*exits_3*"):
        path.unlink()
    module = generated / "tests/test_replay_shop.py"
    kept = [it for it in module.read_text().split("\n\n\n") if "exits_3" not in it]
    module.write_text("\n\n\n".join(kept))
    done = pytest_in(generated, "-n0", *MEASURED, *options)
    assert "5 passed" in done.stdout, done.stdout
    assert line in missing_lines(generated)


@pytest.mark.slow
def test_a_suite_runs_with_next_to_nothing_installed(generated, tmp_path):
    """orjson, time-machine and pytest: no database, no terminal library."""
    venv.create(tmp_path / "bare", symlinks=True)
    python = tmp_path / "bare/bin/python"
    place = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    needed = ("orjson", "time_machine", "pytest", "_pytest", "py", "pluggy")
    for name in (*needed, "_time_machine", "iniconfig", "packaging", "pygments", "replay"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        found = Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)
        (Path(place) / found.name).symlink_to(found)
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "replay.testing.plugin", "-p", "no:cacheprovider"],
        cwd=generated,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "6 passed" in done.stdout, done.stdout + done.stderr
    absent = subprocess.run([python, "-c", "import sqlalchemy"], capture_output=True, check=False)
    assert absent.returncode == 1


@pytest.mark.slow
def test_the_plugin_loads_nothing_before_there_is_a_case(project):
    """Whoever has this package installed pays next to nothing in other projects."""
    (project / "test_other.py").write_text(
        "import sys\ndef test():\n"
        "    ours = [it for it in sys.modules if it.startswith('replay.')]\n"
        "    assert 'replay.testing.plugin' in ours\n"
        "    assert not [it for it in ours if it.startswith('replay.replayer')]\n"
        "    assert len(ours) < 25\n"
    )
    done = pytest_in(project, "-n0", "-p", "no:randomly")
    assert "1 passed" in done.stdout, done.stdout


@pytest.mark.slow
def test_a_test_can_ask_for_a_process_of_its_own(generated):
    """By a marker; a case that is not there is told, and what is wrong with one as well."""
    (generated / "tests/test_own.py").write_text(
        "import pytest\nfrom pathlib import Path\nfrom replay.testing import cases, replay_case\n"
        "CASES = list(cases('fixtures'))\n"
        "@pytest.mark.replay_isolate\n"
        "@pytest.mark.parametrize('case', CASES, ids=lambda case: case.name)\n"
        "def test_all(case):\n"
        "    verdict = replay_case(case)\n"
        "    assert verdict.guard in ('seccomp', 'best effort')\n"
        "def test_none(): replay_case('fixtures/none.json')\n"
    )
    done = pytest_in(generated, "-n0", "tests/test_own.py", "--strict-markers")
    assert "6 passed" in done.stdout, done.stdout
    assert "1 failed" in done.stdout
    assert "fixtures/none.json cannot be read: No such file or directory" in done.stdout
