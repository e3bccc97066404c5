"""Captured values in pages: as indented JSON, two of them side by side, and the body of a message.

Long ones are cut, and say how long they are.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, TypeAlias

from replay.codec import Truncated
from replay.interaction import Body
from replay.replayer.compare import ABSENT
from replay.report.html_markup import Markup, cut, join, tag, text
from replay.report.jsonable import indent_of, jsonable

MAX_TEXT = 64 * 1024
"""Characters of a whole document that are shown: an event, an outcome, an output."""
MAX_BODY = 16 * 1024
"""Characters of what one call has sent, and of what came back."""
_MAX_VALUE = 2_000
"""Characters of one value in a table."""
_MAX_COMPARED = 1_000
"""Lines that are aligned one by one; it takes time by the square of them."""

Row: TypeAlias = tuple[str | None, str | None, bool]
"""A line of each side, None where it has none, and whether they differ."""


def pretty(value: Any) -> str:
    """Return a value as indented JSON."""
    try:
        plain = jsonable(value)
        return json.dumps(plain, indent=indent_of(plain), ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply to be shown)"


def document(value: Any) -> Markup:
    """Return a value as indented JSON, in a block."""
    return tag("pre", cut(pretty(value), MAX_TEXT))


def compared(value: Any) -> Markup:
    """Return one side of a difference, short."""
    if value is ABSENT:
        return tag("span", "nothing there", class_="dim")
    return tag("code", cut(pretty(value), _MAX_VALUE))


def body(content: Body) -> Markup:
    """Return the body of a message, in a block: JSON indented, bytes that are no text as base64."""
    match content:
        case None:
            return tag("p", "no body", class_="dim")
        case Truncated(size_bytes=size_bytes, head=head):
            said = f" ... cut when it was captured: {size_bytes:,} bytes"
            return tag("pre", cut(head, MAX_BODY), tag("span", said, class_="cut"))
        case bytes():
            return tag("pre", cut(_body_text(content), MAX_BODY)) if content else body(None)


def _body_text(content: bytes) -> str:
    try:
        decoded = content.decode()
    except UnicodeDecodeError:
        return f"base64 {b64encode(content[:MAX_BODY]).decode()} of {len(content):,} bytes"
    if not decoded.lstrip().startswith(("{", "[")):
        return decoded
    try:
        return pretty(json.loads(decoded))
    except (ValueError, RecursionError):
        return decoded


def sides(recorded: Any, replayed: Any) -> Markup:
    """Return two values side by side, with the lines that differ marked; one where they do not."""
    then, now = pretty(recorded), pretty(replayed)
    if then == now:
        return join(tag("h4", "recorded and replayed"), tag("pre", cut(then, MAX_TEXT)))
    rows = list(_rows(then[:MAX_TEXT].split("\n"), now[:MAX_TEXT].split("\n")))
    return tag(
        "div",
        _side("recorded", then, [(row[0], row[2]) for row in rows]),
        _side("replayed", now, [(row[1], row[2]) for row in rows]),
        class_="sides",
    )


def _side(title: str, whole: str, lines: Sequence[tuple[str | None, bool]]) -> Markup:
    shown = (_line(line, title if differs else None) for line, differs in lines)
    said = f"cut: {MAX_TEXT:,} of {len(whole):,} characters" if len(whole) > MAX_TEXT else ""
    end = tag("span", said, class_="cut") if said else ""
    return tag("div", tag("h4", title), tag("pre", *shown, end, class_="lines"))


def _line(line: str | None, side: str | None) -> Markup:
    if line is None:
        return tag("span", class_="gap")
    return tag("span", text(f"{line}\n"), class_=side)


def _rows(recorded: list[str], replayed: list[str]) -> Iterator[Row]:
    """Yield the lines of both, those that are equal beside each other."""
    before = _common(recorded, replayed)
    after = _common(recorded[before:][::-1], replayed[before:][::-1])
    yield from ((line, line, False) for line in recorded[:before])
    then = recorded[before : len(recorded) - after]
    now = replayed[before : len(replayed) - after]
    if max(len(then), len(now)) > _MAX_COMPARED:
        yield from ((*pair, True) for pair in zip_longest(then, now))
    else:
        for kind, a, b, c, d in SequenceMatcher(None, then, now).get_opcodes():
            yield from ((*pair, kind != "equal") for pair in zip_longest(then[a:b], now[c:d]))
    yield from ((line, line, False) for line in recorded[len(recorded) - after :])


def _common(one: list[str], other: list[str]) -> int:
    """Return how many lines are the same from the start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))
