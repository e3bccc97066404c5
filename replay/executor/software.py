"""What a replay depends on besides the project: which Python and which version of this package."""

import platform
from typing import NamedTuple

from replay.errors import ReplayError
from replay.version import __version__


class Software(NamedTuple):
    """Versions; of Python without the last number, which changes no behaviour."""

    python: str
    replay: str

    @classmethod
    def here(cls) -> "Software":
        """Return what this process runs."""
        return cls(".".join(platform.python_version_tuple()[:2]), __version__)

    def refuse(self, other: "Software") -> None:
        """Raise ReplayError where another machine has something else."""
        for kind, ours, theirs in zip(("Python", "replay"), self, other, strict=True):
            if ours != theirs:
                raise ReplayError(
                    f"it has {kind} {theirs}, and the run was begun with {kind} {ours}",
                    "a replay is the same with the same versions only: install them there",
                )
