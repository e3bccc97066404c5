"""What lines for a terminal are made of: pieces, each a text and a style, and never markup.

Control characters are escaped, so that nothing captured is taken for an instruction by the terminal
or by rich.
"""

import json
from collections.abc import Iterable
from typing import Any, TypeAlias

from replay.replayer.compare import ABSENT

Piece: TypeAlias = tuple[str, str]
"""A text, and its style in rich's words; "" is plain."""
STYLES = {
    "match": "bold green",
    "drift": "bold red",
    "error": "bold yellow",
    "returned": "green",
    "raised": "red",
    "unfinished": "bold magenta",
    "timed_out": "magenta",
    "exited": "magenta",
    "damaged": "bold yellow",
}
_MAX_VALUE = 300
_BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def escaped(text: str, *, keep_lines: bool = False) -> str:
    """Return `text` with control, bidirectional and lone surrogate characters as escapes."""
    kept = "\n\t" if keep_lines else ""
    return "".join([c if c in kept or not _is_control(ord(c)) else _escape(ord(c)) for c in text])


def _is_control(code: int) -> bool:
    return code < 32 or 127 <= code < 160 or code in _BIDI or 0xD800 <= code < 0xE000


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def milliseconds(duration_us: int | None) -> str:
    """Return a duration for reading: microseconds below a millisecond, seconds above ten."""
    if duration_us is None:
        return "-"
    if duration_us < 1000:
        return f"{duration_us} us"
    if duration_us < 10_000_000:
        return f"{duration_us / 1000:,.{1 if duration_us < 100_000 else 0}f} ms"
    return f"{duration_us / 1_000_000:,.1f} s"


def value_text(value: Any, *, max_characters: int = _MAX_VALUE) -> str:
    """Return a compared value on one line, cut where it is long."""
    if value is ABSENT:
        return "(nothing there)"
    text = escaped(json.dumps(value, ensure_ascii=False))
    if len(text) <= max_characters:
        return text
    return f"{text[:max_characters]} ... ({len(text):,} characters)"


def plain_text(pieces: Iterable[Piece]) -> str:
    """Return pieces without their styles."""
    return "".join([text for text, _ in pieces])


def json_text(value: Any) -> str:
    """Return a value as indented JSON, escaped for a terminal."""
    return escaped(json.dumps(value, indent=2, ensure_ascii=False), keep_lines=True)
