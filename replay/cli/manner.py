"""The options that say how each case is replayed: what runs, on which clock, how often."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from replay.cli.command import PathOption, folders_of
from replay.cli.filters import path_and_value
from replay.cli.options import with_options
from replay.cli.reach import Reach
from replay.executor.plan import Plan
from replay.executor.secret import secrets_of
from replay.replayer.case import Break, Clock, Looks
from replay.replayer.rule import rule_of
from replay.settings import Settings


class ClockChoice(StrEnum):
    """`--clock`: what time it is, and what makes it pass."""

    virtual = "virtual"
    shifted = "shifted"
    live = "live"


class BreakChoice(StrEnum):
    """`--pdb`: where the debugger opens."""

    error = "raise"
    entry = "entry"


@dataclass(frozen=True, slots=True)
class Manner:
    """How each case is replayed; what is None, the project's settings say."""

    handler: str | None
    path: list[Path] | None
    clock: Clock
    timeout_s: float | None
    changes: tuple[tuple[str, object], ...]
    breaks_at: Break | None
    looks: Looks
    secrets: Mapping[str, str]

    def plan(self, settings: Settings, reach: Reach) -> Plan:
        """Return the plan of a run."""
        return Plan(
            handler=self.handler or settings.handler,
            folders=folders_of(self.path, settings),
            clock=self.clock,
            timeout_s=self.timeout_s or settings.timeout,
            looks=self.looks,
            changes=self.changes,
            breaks_at=self.breaks_at,
            network=reach.network,
            misses=reach.misses,
            outbound_rules=settings.outbound_rules,
            excuses=tuple(map(rule_of, settings.noise)),
        )


_OPTIONS: dict[str, object] = {
    "handler": Annotated[
        str | None, typer.Option("--handler", help="Replay this handler instead: module.function.")
    ],
    "path": PathOption,
    "clock": Annotated[
        ClockChoice | None,
        typer.Option(
            "--clock",
            help="virtual, the default: moved by the handler alone; shifted: runs on from the"
            " recorded instant; live: real.",
        ),
    ],
    "timeout": Annotated[
        float | None,
        typer.Option("--timeout", min=0.001, help="Stop each replay after so many real seconds."),
    ],
    "values": Annotated[
        list[str] | None,
        typer.Option("--set", help="JSONPATH=VALUE: set in the event first; may be repeated."),
    ],
    "secret": Annotated[
        list[str] | None,
        typer.Option(
            "--secret",
            help="NAME=VALUE or NAME=env:VARIABLE: the true value of what was redacted under this"
            " name; never stored or shown; may be repeated.",
        ),
    ],
    "pdb": Annotated[
        BreakChoice | None,
        typer.Option(
            "--pdb", help="Debug where the handler raises; --pdb=entry: from its first line."
        ),
    ],
    "once": Annotated[bool, typer.Option("--once", help="Do not look again at what differs.")],
    "twice": Annotated[
        bool, typer.Option("--twice", help="Look again at matches too: say what they depend on.")
    ],
}


def replaying(command: Callable[..., int]) -> Callable[..., int]:
    """Return `command` with these options, which reach it as `manner`."""
    return with_options(command, "manner", _OPTIONS, _manner)


def _manner(
    *,
    handler: str | None,
    path: list[Path] | None,
    clock: ClockChoice | None,
    timeout: float | None,
    values: list[str] | None,
    secret: list[str] | None,
    pdb: BreakChoice | None,
    once: bool | None,
    twice: bool | None,
) -> Manner:
    return Manner(
        handler=handler,
        path=path,
        clock=(clock or ClockChoice.virtual).value,
        timeout_s=timeout,
        secrets=secrets_of(secret or ()),
        changes=tuple(path_and_value(text, "--set") for text in values or ()),
        breaks_at=pdb.value if pdb else None,
        looks="once" if once or pdb else "twice" if twice else "once, then again",
    )
