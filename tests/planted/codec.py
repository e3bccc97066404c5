"""Wrappings in which values travel."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def text(data: Any) -> str:
    """JSON in a string."""
    return json.dumps(data)


def wrap(data: str | bytes) -> str:
    """Base64 of bytes or of a text."""
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def pack(data: str) -> bytes:
    """Gzip, without the time of day."""
    return gzip.compress(data.encode(), mtime=0)


def form(pairs: Sequence[tuple[str, str]]) -> str:
    return urlencode(pairs)


def percent(value: str) -> str:
    return quote(value, safe="")


def basic(user: str, password: str) -> str:
    """The value of a header of basic authentication."""
    return "Basic " + wrap(f"{user}:{password}")
