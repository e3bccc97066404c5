"""Tags: names that a person gives to recordings. Imports errors only."""

import re

from replay.errors import ReplayError

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")


def is_tag(name: object) -> bool:
    """Whether `name` can be a tag; it then needs no escaping in a shell, a terminal or a path."""
    return type(name) is str and _TAG.fullmatch(name) is not None


def checked_tag(name: str) -> str:
    """Return `name` if it can be a tag; raises ReplayError."""
    if is_tag(name):
        return name
    raise ReplayError(
        f"{name!r} cannot be a tag",
        "write up to 64 ASCII letters, digits and . _ : / -, a letter or digit first",
    )
