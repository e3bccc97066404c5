"""The options that say what `replay prune` lets go of, and what it keeps."""

import re
from collections.abc import Callable
from typing import Annotated

import typer

from replay.cli.filters import epoch_us
from replay.cli.options import with_options
from replay.errors import ReplayError
from replay.store.retention import Retention

_OPTIONS: dict[str, object] = {
    "older_than": Annotated[
        str | None, typer.Option("--older-than", help="What is older than this: 30d, 12h.")
    ],
    "max_bytes": Annotated[
        str | None,
        typer.Option("--max-bytes", help="The oldest, until the payloads fit: 500MB, 2GiB."),
    ],
    "keep_last": Annotated[
        int | None,
        typer.Option("--keep-last", min=1, help="Keep the newest so many of each function."),
    ],
    "keep_errors": Annotated[
        bool, typer.Option("--keep-errors", help="Keep what did not return, unfinished too.")
    ],
    "keep_tagged": Annotated[bool, typer.Option("--keep-tagged", help="Keep what has a tag.")],
}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,3})?) ?([KMGT]i?)?B?", re.IGNORECASE)
_POWERS = " KMGT"


def retaining(command: Callable[..., int]) -> Callable[..., int]:
    """Return `command` with these options, which reach it as `rules`, a `Retention`."""
    return with_options(command, "rules", _OPTIONS, _retention)


def _retention(
    *,
    older_than: str | None,
    max_bytes: str | None,
    keep_last: int | None,
    keep_errors: bool | None,
    keep_tagged: bool | None,
) -> Retention:
    return Retention(
        older_than_us=epoch_us(older_than, "--older-than"),
        max_bytes=None if max_bytes is None else bytes_of(max_bytes),
        keep_last=keep_last,
        keep_errors=bool(keep_errors),
        keep_tagged=bool(keep_tagged),
    )


def bytes_of(text: str) -> int:
    """Return the bytes of a size: 500MB by thousands, 500MiB by 1,024. Raises ReplayError."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        hint = "write bytes or a unit: 500MB, 1.5GB, 64MiB"
        raise ReplayError(f"--max-bytes {text!r} is no size", hint)
    unit = (found[2] or " ").upper()
    return int(float(found[1]) * (1024 if unit.endswith("I") else 1000) ** _POWERS.index(unit[0]))
