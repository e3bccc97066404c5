"""The options that say what a replayed handler may reach."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from replay.cli.options import with_options
from replay.errors import ReplayError
from replay.replayer.case import Misses
from replay.replayer.network import Network


class MissChoice(StrEnum):
    """`--on-miss`: what becomes of an outbound call that nothing recorded answers."""

    error = "error"
    live = "live"


@dataclass(frozen=True, slots=True)
class Reach:
    """What is let through, and what becomes of a call that nothing recorded answers."""

    network: Network
    misses: Misses


_OPTIONS = {
    "allow_network": Annotated[
        list[str] | None,
        typer.Option("--allow-network", help="HOST:PORT: let it through; may be repeated."),
    ],
    "unsafe_network": Annotated[
        bool, typer.Option("--unsafe-network", help="Let handlers reach everything, for real.")
    ],
    "on_miss": Annotated[
        MissChoice | None,
        typer.Option(
            "--on-miss",
            help="error: refuse an outbound call that was not recorded, the default; live, with"
            " --unsafe-network: make it.",
        ),
    ],
}


def reaching(command: Callable[..., int]) -> Callable[..., int]:
    """Return `command` with these options, which reach it as `reach`."""
    return with_options(command, "reach", _OPTIONS, _reach)


def _reach(
    *, allow_network: list[str] | None, unsafe_network: bool | None, on_miss: MissChoice | None
) -> Reach:
    if on_miss is MissChoice.live and not unsafe_network:
        raise ReplayError(
            "--on-miss live makes calls for real, which a replay does not do by itself",
            "add --unsafe-network",
        )
    network = Network.of(allow_network or (), is_open=bool(unsafe_network))
    return Reach(network, (on_miss or MissChoice.error).value)
