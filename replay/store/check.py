"""What `replay doctor` has to say of one thing that it looked at: a frozen value. Pure."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: how it is, and what to do where it is not well.

    `details` names each recording, part or file that is concerned, one a line.
    """

    name: str
    level: Level
    message: str
    hint: str = ""
    details: tuple[str, ...] = ()
