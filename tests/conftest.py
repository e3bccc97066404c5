"""What tests share: a clean environment, a store, and the real runtime client in a folder."""

import gc
import io
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import settings
from runtime_api import RuntimeApi, RuntimeProcess
from xdist.scheduler import LoadScopeScheduling

from replay.cli import main
from replay.recorder import connection, journal
from replay.store.store import Store

if TYPE_CHECKING:
    from postgres_server import PostgresServer

TOGETHER = {
    "tests/test_generate.py": "a generated suite",
    "tests/test_plugin.py": "a generated suite",
    "tests/test_outbound_aws.py": "services of AWS",
    "tests/test_postgres.py": "a server",
    "tests/test_cluster.py": "a cluster",
}
settings.register_profile("any machine", deadline=None)  # a busy one takes what it takes
settings.load_profile("any machine")
SHARED_EVENTS = Path(__file__).parents[2] / "shared" / "events"


class Grouped(LoadScopeScheduling):
    """Gives each process one test after the other, and files that share what is made once whole."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER.get(nodeid.partition("::")[0], nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Grouped:
    """Have the long groups begin first."""
    return Grouped(config, log)


def pytest_collection_finish() -> None:
    """Leave what was imported to no collection: there is so much of it that each takes long."""
    gc.freeze()


def also_slow(quick: list[Any], all_of_them: Iterable[Any]) -> list[Any]:
    """Parameters: the quick ones, and the others for a slow run."""
    rest = [pytest.param(it, marks=pytest.mark.slow) for it in all_of_them if it not in quick]
    return [*quick, *rest]


def also_long(
    quick: list[str], all_of_them: Iterable[str], *, slow: Iterable[str] = ()
) -> list[Any]:
    """Parameters: the quick ones, some for a slow run, and the others for a long one."""
    rest = [it for it in all_of_them if it not in (*quick, *slow)]
    return [*also_slow(quick, slow), *(pytest.param(it, marks=pytest.mark.long) for it in rest)]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the machine's own environment says about Lambda or replay."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "REPLAY_", "LAMBDA_", "_HANDLER", "_X_AMZN")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def closed_journals() -> Iterator[None]:
    """Let go of the stores that a test has captured into: `select` takes no great descriptor."""
    yield
    for one in journal._journals.values():
        one.close()
    journal._journals.clear()
    while connection.ABANDONED:
        connection.ABANDONED.pop().close()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to work in, with nothing in it."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def runtime(project: Path) -> Iterator[Callable[..., RuntimeProcess]]:
    """Start AWS's runtime client on a handler of `project`; ended after the test."""
    pytest.importorskip("awslambdaric")
    started: list[RuntimeProcess] = []

    def start(handler: str = "app.handler", **variables: str) -> RuntimeProcess:
        process = RuntimeProcess(RuntimeApi(), project, handler, variables)
        started.append(process)
        return process

    yield start
    for process in started:
        process.end()


@pytest.fixture
def replay(project: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run the command in `project`: a function of its arguments and two streams."""

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, variables),
            redirect_stdout(out),
            redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            main(list(arguments))
        code = int(ended.value.code or 0)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="module")
def server() -> "Iterator[PostgresServer]":
    """One server of PostgreSQL for the tests of a file."""
    from postgres_server import running_server  # which most files need not load

    with running_server() as found:
        yield found


@pytest.fixture
def address(server: "PostgresServer") -> str:
    """A new, empty database."""
    return server.database()


@pytest.fixture
def stored(project: Path) -> Iterator[Callable[[], Store]]:
    """Open the store of `project`; closed after the test."""
    opened: list[Store] = []

    def open_store() -> Store:
        opened.append(Store.open(str(project / "replay.db")))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()
