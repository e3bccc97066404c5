"""`--shard 3/16`: the part of a selection that one job of a CI matrix replays.

A hash of its id puts a recording into a shard, whatever else is selected: the shards are disjoint
and together the whole, and recordings that are added move none of those that are there.
"""

import re
from hashlib import blake2b
from typing import Annotated

import typer

from replay.cli.command import say
from replay.errors import ReplayError

ShardOption = Annotated[
    str | None,
    typer.Option("--shard", help="One of N even parts of the selection, by id: 3/16 for a CI job."),
]
_SHARD = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")
_HASH_BYTES = 8


class Shard:
    """One of `count` shards, from 1; counts what it has passed on to the others."""

    def __init__(self, number: int = 1, count: int = 1) -> None:
        self.number = number
        self.count = count
        self.passed_on = 0

    def has(self, id: str) -> bool:
        """Whether the recording of this id is in this shard."""
        digest = blake2b(id.encode(errors="backslashreplace"), digest_size=_HASH_BYTES).digest()
        drawn = int.from_bytes(digest, "big")
        is_here = drawn % self.count == self.number - 1
        self.passed_on += not is_here
        return is_here

    def say_empty(self) -> None:
        """Tell that all of what was selected is in other shards."""
        say(f"shard {self.number}/{self.count} has none of the {self.passed_on:,} selected")


def shard_of(text: str | None) -> Shard:
    """Return the shard that `3/16` names, the whole for None; raises ReplayError."""
    if text is None:
        return Shard()
    found = _SHARD.fullmatch(text)
    if not found:
        raise _refusal(text, "it is not NUMBER/COUNT")
    number, count = int(found[1]), int(found[2])
    if not 1 <= number <= count:
        raise _refusal(text, f"there are shards from 1 to {count}" if count else "there are none")
    return Shard(number, count)


def _refusal(text: str, why: str) -> ReplayError:
    hint = "of 16 jobs, the first says --shard 1/16 and the last --shard 16/16"
    return ReplayError(f"--shard {text!r}: {why}", hint)
