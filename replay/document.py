"""The JSON of a portable document: what may stand in it, and reading it without losing anything.

`fixture.py` makes a recording of it. Imports orjson and the standard library. Invariant: whatever
orjson would change in silence - an integer over 64 bits, a key that stands twice - is refused.
"""

import errno
import json
import re
import stat
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from os import fstat
from pathlib import Path
from typing import Any, BinaryIO

DOCUMENT_FORMAT = 1
KEYS = ("format", "id", "tags", "parts", "digest")
"""The keys of a document, in the order they are written."""
_DIGEST = re.compile(r"[0-9a-f]{32}")


MAX_BYTES = 64 * 2**20
"""A longer document is refused: whoever reads a file does not know what is in it."""


class LayoutError(Exception):
    """The document is not laid out as one; the message says in what."""


def open_given(path: Path) -> BinaryIO:
    """Return a file that somebody has named, opened; raises OSError, also for a device.

    A link in a folder of fixtures may lead to one that never ends.
    """
    try:
        file = path.open("rb")
    except ValueError as error:  # a NUL in its name
        raise OSError(errno.EINVAL, str(error)) from error
    mode = fstat(file.fileno()).st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        file.close()
        raise OSError(errno.ENODEV, "it is a device")
    return file


def read_given(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file that somebody has named; raises OSError, also where it is long."""
    with open_given(path) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise OSError(errno.EFBIG, f"it has over {max_bytes / 2**20:g} MiB")
    return content


def loaded(document: bytes, load: Callable[[bytes], Any]) -> dict[str, Any]:
    """Return the object that a document is; raises LayoutError."""
    try:
        found = load(document)
    except (ValueError, RecursionError) as error:
        raise LayoutError(f"not JSON ({error})") from error
    if type(found) is not dict:
        raise LayoutError("not an object")
    return found


def is_json(text: str) -> bool:
    """Whether a text is JSON as Python reads it; one that nests too deep for that is none."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def load_strictly(document: bytes) -> Any:
    """Return the value of valid JSON; raises LayoutError where reading it would change it."""
    return json.loads(document, parse_int=_parse_int, object_pairs_hook=_parse_object)


def _parse_int(digits: str) -> int:
    number = int(digits) if len(digits) < 21 else 2**64
    if not -(2**63) <= number < 2**64:
        hint = 'write {"$replay:int": "0x..."}'
        raise LayoutError(f"an integer over 64 bits; in a payload {hint}")
    return number


def _parse_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise LayoutError(f"the key {twice!r} stands twice in one object")
    return found


def check_format(document: dict[str, Any]) -> None:
    """Raise LayoutError where the document is not ours, or of a newer format."""
    number = document.get("format")
    if type(number) is not int or "id" not in document:
        raise LayoutError("not a recording that replay has exported")
    if number != DOCUMENT_FORMAT:
        raise LayoutError(
            f"document format {number}; this version reads formats up to {DOCUMENT_FORMAT}"
        )


def check_keys(document: dict[str, Any]) -> None:
    """Raise LayoutError where a key is unknown or missing, or the digest cannot be one."""
    unknown = sorted(set(document) - set(KEYS))
    if unknown:
        raise LayoutError(f"unknown key {unknown[0]!r}; keys: {', '.join(KEYS)}")
    for key in KEYS[:-1]:
        if key not in document:
            raise LayoutError(f"it has no {key!r}; keys: {', '.join(KEYS)}")
    digest = document.get("digest", "0" * 32)
    if type(digest) is not str or not _DIGEST.fullmatch(digest):
        raise LayoutError("its digest is not 32 hexadecimal digits")


def digest_of(body: bytes) -> str:
    """Return the digest of a document that has none yet, in hexadecimal."""
    return blake2b(body, digest_size=16).hexdigest()


def with_digest(body: bytes) -> bytes:
    """Return a document with its digest as the last key."""
    return b'%b,"digest":"%b"}' % (body[:-1], digest_of(body).encode())
