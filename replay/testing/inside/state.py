"""The state of this process that a replay puts in place, and the test's own again after it."""

import decimal
import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_UTC = (":UTC", "UTC")
_AS_FILES = sys.getfilesystemencoding(), "surrogateescape"


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have these variables, and no others, in `os.environ`, and local time in the zone of `TZ`."""
    # C code keeps variables of its own, which only child processes see, of which there are none.
    held: dict[bytes, bytes] = vars(os.environ)["_data"]
    before, zone = dict(held), time.tzname
    put = {k.encode(*_AS_FILES): v.encode(*_AS_FILES) for k, v in variables.items()}
    held.clear()
    held.update(put)
    if not (variables["TZ"] in _UTC and zone == ("UTC", "UTC")):
        _set_zone(variables["TZ"])
    try:
        yield
    finally:
        changed = {key for key in put.keys() | held.keys() if put.get(key) != held.get(key)}
        held.clear()
        held.update(before)
        for key in changed:  # by the handler, and so for C code as well
            _put(key, before.get(key))
        if time.tzname != zone or changed & {b"TZ"}:
            real = before.get(b"TZ")
            _set_zone(None if real is None else os.fsdecode(real))


@contextmanager
def working_in(folders: tuple[Path, ...]) -> Iterator[None]:
    """Find modules in the folders first, and files in the first one, as in a Lambda's task root."""
    before, path = os.getcwd(), sys.path[:]  # noqa: PTH109 - each case pays for it
    sys.path[:0] = map(str, folders)
    os.chdir(folders[0])
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path


@contextmanager
def manners() -> Iterator[None]:
    """Have what a handler says of logs, warnings and decimals hold for it alone."""
    root = logging.getLogger()
    level, handlers, disabled = root.level, root.handlers[:], logging.root.manager.disable
    filters, decimals = warnings.filters[:], decimal.getcontext().copy()
    try:
        yield
    finally:
        decimal.setcontext(decimals)
        if root.level != level:
            root.setLevel(level)
        if root.handlers != handlers:
            root.handlers[:] = handlers
        logging.root.manager.disable = disabled
        if warnings.filters != filters:
            held: Any = warnings.filters  # a list, whatever its type says
            held[:] = filters
            warnings.simplefilter("default", _NoWarning)  # has what is cached of them made anew
            del held[0]


class _NoWarning(Warning):
    """Is never given."""


def _put(key: bytes, value: bytes | None) -> None:
    if value is None:
        os.unsetenv(key)
    else:
        os.putenv(key, value)


def _set_zone(zone: str | None) -> None:
    """Have local time be that of a zone, which C code reads of the process's own variables."""
    _put(b"TZ", None if zone is None else os.fsencode(zone))
    time.tzset()
