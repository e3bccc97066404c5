"""What tests share: a clean environment, a store, and the real runtime client in a folder."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from runtime_api import RuntimeApi, RuntimeProcess

from replay.store.store import Store

SHARED_EVENTS = Path(__file__).parents[2] / "shared" / "events"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the machine's own environment says about Lambda or replay."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "REPLAY_", "LAMBDA_", "_HANDLER", "_X_AMZN")):
            monkeypatch.delenv(name)


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
    """Run the command in `project`, as a user would."""

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "replay", *arguments],
            cwd=project,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


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
