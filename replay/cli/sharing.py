"""The options that say who calls the handlers, what cases share, and how many run at once."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from replay.cli.command import JobsOption, RuntimeChoice, RuntimeOption
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


SchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        help="Replay on the workers of this Dask scheduler, tcp://HOST:8786, which read the store.",
    ),
]


@dataclass(frozen=True, slots=True)
class Sharing:
    """What the cases of a run share, and where; `isolation` and `jobs` None: what fits best."""

    runtime: RuntimeChoice
    isolation: Isolation | None
    jobs: int | None
    scheduler: str | None

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

    def executor(self, work: Work, here: Here, *, store: str) -> AbstractContextManager[Executor]:
        """Return who replays; raises ReplayError for what cannot be done there."""
        return executor_of(self.scheduler, work, here, store=store, jobs=self.jobs)


def executor_of(
    scheduler: str | None, work: Work, here: Here, *, store: str, jobs: int | None
) -> AbstractContextManager[Executor]:
    """Return this machine, or the workers of a scheduler, which open the `store` of this setting.

    Raises ReplayError for what cannot be done there.
    """
    if scheduler is None:
        return Local(work, here, jobs=1 if work.plan.breaks_at else jobs or os.cpu_count() or 1)
    _refuse_what_stays_here(work, here, jobs)
    from replay.executor.cluster import Cluster  # which others need not load

    return Cluster(work, here, address=scheduler, store=store)


def _refuse_what_stays_here(work: Work, here: Here, jobs: int | None) -> None:
    for is_asked, option, why in (
        (jobs, "--jobs", "start workers with --nthreads, which says how many each replays at once"),
        (work.plan.breaks_at, "--pdb", "a debugger needs this terminal: leave --scheduler out"),
        (here.secrets.values, "--secret", "true values leave no machine: leave --scheduler out"),
        (
            here.earlier and here.earlier.has_given,
            "--warm of files",
            "workers read what came before from the store: import the files, and name ids",
        ),
    ):
        if is_asked:
            raise ReplayError(f"{option} does not work with --scheduler", why)


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
    "jobs": JobsOption,
    "scheduler": SchedulerOption,
}


def sharing(command: Callable[..., int]) -> Callable[..., int]:
    """Return `command` with these options, which reach it as `shared`."""
    return with_options(command, "shared", _OPTIONS, _shared)


def _shared(
    *,
    runtime: RuntimeChoice | None,
    isolation: IsolationChoice | None,
    jobs: int | None,
    scheduler: str | None,
) -> Sharing:
    return Sharing(
        runtime or RuntimeChoice.builtin,
        isolation.value if isolation else None,
        jobs,
        scheduler,
    )
