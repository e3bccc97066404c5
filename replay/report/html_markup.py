"""What pages are made of: text that is HTML already, and elements that escape all other text.

Imports the standard library and `pieces`. Invariant: nothing that is not `Markup` reaches a page
unescaped, be it in an element or in an attribute; a mistake shows as escaped twice, never as raw.
"""

from html import escape

from replay.report.pieces import escaped

_VOID = frozenset({"meta", "br", "input", "line", "rect"})
"""Elements without content; a slash ends those of SVG, and means nothing in HTML."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: str) -> Markup:
    """Return captured text as HTML that shows it, its control characters as escapes."""
    return Markup(escape(escaped(value, keep_lines=True), quote=True))


def cut(value: str, max_characters: int) -> Markup:
    """Return text as HTML; where it is too long its beginning, and how long it is."""
    if len(value) <= max_characters:
        return text(value)
    said = f" ... cut: {max_characters:,} of {len(value):,} characters"
    return join(value[:max_characters], tag("span", said, class_="cut"))


def join(*children: str) -> Markup:
    """Return one piece of HTML of several."""
    return Markup("".join([it if isinstance(it, Markup) else text(it) for it in children]))


def tag(name: str, /, *children: str, **attributes: str | float | bool | None) -> Markup:
    """Return an element; None and False leave an attribute out, `class_` is `class`."""
    opening = "".join([_attribute(key, value) for key, value in attributes.items()])
    if name in _VOID:
        return Markup(f"<{name}{opening}/>")
    return Markup(f"<{name}{opening}>{join(*children)}</{name}>")


def _attribute(name: str, value: str | float | bool | None) -> str:
    name = name.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{text(str(value))}"'


def section(title: str, *children: str, is_open: bool = False) -> Markup:
    """Return what a reader may fold away, under its title."""
    return tag("details", tag("summary", title), *children, class_="part", open=is_open)
