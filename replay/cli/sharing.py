"""The options that say who calls the handlers, what cases share, and how many run at once."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from replay.cli.command import RuntimeChoice, RuntimeOption
from replay.cli.options import with_options
from replay.errors import ReplayError
from replay.executor.local import Local
from replay.executor.work import Executor, Here, Work
from replay.replayer.pool import Isolation, default_isolation, engine_of


class IsolationChoice(StrEnum):
    """`--isolation`: what cases share."""

    process = "process"
    case = "case"
    worker = "worker"


@dataclass(frozen=True, slots=True)
class Sharing:
    """What the cases of a run share; `isolation` and `jobs` None: what fits best."""

    runtime: RuntimeChoice
    isolation: Isolation | None
    jobs: int | None

    def isolation_of(self, work: Work, count: int) -> Isolation:
        """Return how `count` or more recordings are kept apart; raises ReplayError."""
        if work.plan.breaks_at and work.runtime != "builtin":
            hint = "leave --runtime out"
            raise ReplayError(f"--pdb does not work with --runtime {work.runtime}", hint)
        if work.is_warm and self.isolation not in (None, "process"):
            raise ReplayError(
                f"--warm does not work with --isolation {self.isolation}",
                "leave --isolation out: each warm case has a process of its own",
            )
        isolation = self.isolation or default_isolation(work.runtime, is_one=count < 2)
        if work.is_warm:
            isolation = "process"
        engine_of(work.runtime, isolation)
        return isolation

    def executor(self, work: Work, here: Here) -> AbstractContextManager[Executor]:
        """Return who replays."""
        return executor_of(work, here, jobs=self.jobs)


def executor_of(work: Work, here: Here, *, jobs: int | None) -> AbstractContextManager[Executor]:
    """Return who replays."""
    return Local(work, here, jobs=1 if work.plan.breaks_at else jobs or os.cpu_count() or 1)


_OPTIONS = {
    "runtime": RuntimeOption,
    "isolation": Annotated[
        IsolationChoice | None,
        typer.Option(
            "--isolation",
            help="process: a fresh import each, the default for one case; case: a fork each, the"
            " default for many; worker: one warm process.",
        ),
    ],
    "jobs": Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, max=256, help="So many at once; else cores."),
    ],
}


def sharing(command: Callable[..., int]) -> Callable[..., int]:
    """Return `command` with these options, which reach it as `shared`."""
    return with_options(command, "shared", _OPTIONS, _shared)


def _shared(
    *, runtime: RuntimeChoice | None, isolation: IsolationChoice | None, jobs: int | None
) -> Sharing:
    return Sharing(runtime or RuntimeChoice.builtin, isolation.value if isolation else None, jobs)
