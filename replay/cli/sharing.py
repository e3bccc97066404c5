"""The options that say what calls the handlers, what cases share, and how many run at once."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from replay.cli.command import RuntimeChoice, RuntimeOption
from replay.cli.options import with_options
from replay.cli.plan import Plan, pool_of
from replay.replayer.builtin import BuiltinSandbox
from replay.replayer.pool import Isolation, Pool
from replay.replayer.process import prepared


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

    def prepared(self, plan: Plan) -> AbstractContextManager[None]:
        """Start the first process while the store is read; not where a debugger needs it."""
        if plan.breaks_at or self.runtime is not RuntimeChoice.builtin:
            return nullcontext()
        return prepared(BuiltinSandbox.module, hash_seed=0)

    def pool(self, plan: Plan, count: int) -> Pool:
        """Return what replays `count` or more recordings; raises ReplayError."""
        return pool_of(plan, self.runtime.value, self.isolation, self.jobs, count)


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
