"""What lines for a terminal are made of: pieces, each a text and a style, and never markup.

Control characters are escaped, so that nothing captured is taken for an instruction by the terminal
or by rich.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from replay.replayer.compare import ABSENT
from replay.report.jsonable import indent_of

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
_OBEYED = "\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff"
"""What a terminal or a reader of lines obeys, what turns text around, what cannot be encoded."""
_UNSEEN = "\\u00ad\\u180e\\u200b\\u2060-\\u2064\\ufeff\\U000e0000-\\U000e007f"
"""What has no width, so that two names look like one. The two joiners stay, scripts and emoji need
them."""
_ESCAPED = re.compile(f"[{_OBEYED}{_UNSEEN}]")
_ESCAPED_IN_LINES = re.compile(f"(?![\\n\\t])[{_OBEYED}{_UNSEEN}]")


def escaped(text: str, *, keep_lines: bool = False) -> str:
    """Return `text` with the characters that do something, or cannot be seen, as escapes."""
    return (_ESCAPED_IN_LINES if keep_lines else _ESCAPED).sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def escaped_json(text: str) -> str:
    """Return JSON with the same characters as JSON's own escapes, so that it says the same."""
    return _ESCAPED_IN_LINES.sub(lambda found: json.dumps(found[0])[1:-1], text)


def milliseconds(duration_us: int | None) -> str:
    """Return a duration for reading: microseconds below a millisecond, seconds above ten."""
    if duration_us is None:
        return "-"
    if duration_us < 1000:
        return f"{duration_us} us"
    if duration_us < 10_000_000:
        return f"{duration_us / 1000:,.{1 if duration_us < 100_000 else 0}f} ms"
    return f"{duration_us / 1_000_000:,.1f} s"


def bytes_text(size_bytes: int) -> str:
    """Return a size for reading, in the unit that leaves at most three digits before the point."""
    if size_bytes < 1024:
        return f"{size_bytes} B"
    size, unit = size_bytes / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB"):
        if size < 1000:
            break
        size, unit = size / 1024, larger
    return f"{size:,.1f} {unit}"


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
    return escaped(json.dumps(value, indent=indent_of(value), ensure_ascii=False), keep_lines=True)
