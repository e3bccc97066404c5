"""Whose code a recording runs: the project's, and nothing else unless a person has named it."""

import dataclasses
import os
import sys
from pathlib import Path

import pytest
from databases import capture_parts
from test_case_file import file_of, written
from test_recording import invocation

from replay.errors import DamagedError
from replay.outcome import Returned
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer import ownership
from replay.testing.case_file import load_case

APP = "import os\nfrom shutil import rmtree\nfrom os import system\ndef handler(event, context):\n"
APP += "    return 1\n"


def recorded(project: Path, handler: str, event: object = None) -> str:
    """The id of a recording whose handler is called so."""
    base = dataclasses.replace(invocation(event), handler=handler)
    one = Recording(new_ulid(), base, Returned(b"1"), 10)
    capture_parts(project / "replay.db", one)
    return one.id


def make(folder: Path, *names: str) -> None:
    """Modules with a handler, and the packages that they lie in."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(APP)


FOREIGN = {
    "os.system": "part of Python",
    "subprocess.run": "part of Python",
    "shutil.rmtree": "part of Python",
    "code.interact": "part of Python",
    "xml.dom.minidom.parseString": "part of Python",
    "pytest.main": "site-packages",
    "_pytest.config.main": "site-packages",
    "replay.cli.main": "replay",
    "../evil.handler": "no path of a module",
    "/etc/evil.handler": "no path of a module",
    "app/../../evil.handler": "no path of a module",
    "app;x.handler": "no path of a module",
    "linked.handler": "outside",
    "package.linked.handler": "outside",
    ".venv/lib/evil.handler": "no path of a module",
}


@pytest.fixture
def shop(project) -> Path:
    """A project with modules of its own, a folder named like one of Python's, and links out."""
    make(project, "app.py", "package/__init__.py", "package/orders.py", "functions/a/app.py")
    make(project.parent / "outside", "evil.py")
    make(project.parent, "evil.py")
    (project / "code").mkdir()
    (project / "pyproject.toml").write_text("")
    for link in (project / "linked.py", project / "package" / "linked.py"):
        link.symlink_to(project.parent / "outside" / "evil.py")
    return project


@pytest.mark.slow
@pytest.mark.parametrize("handler", FOREIGN)
def test_a_recording_runs_nothing_that_is_not_the_projects(shop, replay, handler):
    """Refused with what it is, and how to run it if that is meant."""
    id = recorded(shop, handler)
    done = replay("run", id)
    assert done.returncode == 2
    assert id in done.stdout
    assert f"handler {handler} is not the project's own" in done.stdout
    assert FOREIGN[handler] in done.stdout
    assert f"--handler {handler}" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "handler", ["app.handler", "package.orders.handler", "package/orders.handler"]
)
def test_the_projects_own_handlers_run(shop, replay, handler):
    """At the top, in packages, by dots and by slashes."""
    assert replay("run", recorded(shop, handler)).returncode == 0


def test_what_an_event_names_stays_until_a_person_names_the_function(shop, replay):
    """Positive control: named on the command line, the function does what it says."""
    victim = shop.parent / "victim"
    make(victim, "file.txt")
    id = recorded(shop, "shutil.rmtree", str(victim))
    assert replay("run", id, "--once").returncode == 2
    assert (victim / "file.txt").exists()
    replay("run", id, "--once", "--handler", "shutil.rmtree")
    assert not victim.exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rmtree", "system", "os.path.join"])
def test_a_function_of_pythons_own_is_none_where_a_module_has_imported_it(shop, replay, name):
    """The module is the project's, the function is not."""
    done = replay("run", recorded(shop, f"app.{name}"), "--once")
    assert done.returncode == 2
    assert "cannot be had" in done.stdout


@pytest.mark.slow
def test_folders_that_a_person_has_named_are_the_projects(shop, replay, monkeypatch):
    """By option, by setting, by PYTHONPATH; also where packages are put there."""
    make(shop.parent / "elsewhere", "other.py")
    make(shop.parent / "site-packages", "installed.py")
    id = recorded(shop, "other.handler")
    assert replay("run", id).returncode == 2
    assert replay("run", id, "--path", "../elsewhere").returncode == 0
    monkeypatch.setenv("PYTHONPATH", str(shop.parent / "elsewhere"))
    monkeypatch.syspath_prepend(str(shop.parent / "elsewhere"))
    assert replay("run", id).returncode == 0
    id = recorded(shop, "installed.handler")
    assert replay("run", id, "--path", "../site-packages").returncode == 0


def test_a_project_that_is_installed_is_still_the_project(shop, replay, monkeypatch):
    """One of a src layout, whose package is found where packages are installed."""
    installed = shop.parent / "site-packages"
    make(installed, "shop_package/__init__.py", "shop_package/orders.py")
    monkeypatch.setenv("PYTHONPATH", str(installed))
    monkeypatch.syspath_prepend(str(installed))
    id = recorded(shop, "shop_package.orders.handler")
    monkeypatch.delenv("PYTHONPATH")
    done = replay("run", id)
    assert "site-packages" in done.stdout
    make(shop, "src/shop_package/__init__.py")
    ownership._why_foreign.cache_clear()
    monkeypatch.setenv("PYTHONPATH", str(installed))
    assert replay("run", id).returncode == 0


def test_a_case_file_runs_nothing_that_is_not_the_projects(shop, replay):
    """Not by its handler, and not by a folder that is a link out of the project."""
    file = dataclasses.replace(file_of({"a": 1}), handler="os.system")
    written(file, shop / "cases")
    for arguments in (["accept", "cases"], ["run", "./cases/case.json"]):
        done = replay(*arguments)
        assert done.returncode == 2
        assert "not the project's own" in done.stdout
    (shop / "way_out").symlink_to(shop.parent / "outside")
    path = written(file_of(folders=("way_out",)), shop / "other")
    with pytest.raises(DamagedError, match="is not in the project"):
        load_case(path).case(shop)


@pytest.mark.slow
def test_the_settings_of_a_project_can_name_a_handler_for_its_cases(shop, replay):
    """A wrapper that a layer brings, for all of its functions."""
    (shop / "pyproject.toml").write_text('[tool.replay]\nhandler = "string.capwords"\n')
    file = dataclasses.replace(file_of("a b"), handler="string.capwords")
    written(file, shop / "cases")
    assert "not the project's own" not in replay("accept", "cases").stdout


@pytest.mark.skipif(sys.platform != "linux", reason="AWS's client runs on Linux")
def test_so_it_is_with_awss_own_client(shop, replay):
    """The same look, before anything is started."""
    pytest.importorskip("awslambdaric")
    done = replay("run", recorded(shop, "os.system"), "--runtime", "ric")
    assert done.returncode == 2
    assert "not the project's own" in done.stdout
    assert os.path.exists(shop / "app.py")
