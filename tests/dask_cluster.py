"""A Dask cluster on loopback: a scheduler and workers, real processes that end with the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def until(holds: Callable[[], object], *, limit_s: float = 60) -> None:
    """Wait until something holds; fails where it does not."""
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def children_of(pid: int) -> list[int]:
    """The processes that a process has started, by all of its threads."""
    tasks = Path(f"/proc/{pid}/task")
    with suppress(FileNotFoundError):
        return [
            int(it) for task in tasks.iterdir() for it in (task / "children").read_text().split()
        ]
    return []


class Cluster:
    """A scheduler; `folder` holds its logs, `project` is where workers are started."""

    def __init__(self, folder: Path, project: Path) -> None:
        self.folder = folder
        self.project = project
        self.started: list[subprocess.Popen[bytes]] = []
        place = folder / "scheduler.json"
        self._start("scheduler", "--port", "0", "--scheduler-file", str(place))
        until(lambda: place.exists() and place.read_text().endswith("}"))
        self.address = next(
            line.split()[-1] for line in self.log(0).splitlines() if "Scheduler at:" in line
        )

    def worker(
        self,
        *,
        program: str = "",
        nanny: bool = False,
        project: Path | None = None,
        threads: int = 1,
    ) -> "subprocess.Popen[bytes]":
        """Start a worker and wait until it has registered; `program` runs in it first."""
        number = len(self.started)
        started = self._start(
            "worker",
            self.address,
            *("--nthreads", str(threads)),
            *("--nanny" if nanny else "--no-nanny",),
            *("--local-directory", str(self.folder / f"worker-{number}")),
            program=program,
            cwd=project or self.project,
        )
        until(lambda: "Starting established connection" in self.log(number))
        return started

    def log(self, number: int) -> str:
        """What a process has logged, in the order of their starts; the scheduler is the first."""
        return (self.folder / f"{number}.log").read_text()

    def end(self) -> None:
        """Kill all of it."""
        for process in self.started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(
        self, *command: str, program: str = "", cwd: Path | None = None
    ) -> "subprocess.Popen[bytes]":
        call = f"{program}\nimport sys\nfrom dask.__main__ import main\nsys.exit(main())"
        log = self.folder / f"{len(self.started)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-c", call, *command, "--host", "127.0.0.1", "--no-dashboard"],
                cwd=cwd or self.project,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(process)
        return process
