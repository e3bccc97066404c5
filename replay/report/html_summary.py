"""What stands above the cases of a page: counts, which are filters as well, and what is alike.

The buttons come before all else in the body: the stylesheet finds what they hide by that. It knows
the three kinds of verdicts, and functions by the numbers 1 to 8.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import get_args

from replay.replayer.verdict import VerdictKind
from replay.report.group import MAX_CASES, Group, Place, cut_text
from replay.report.html_markup import Markup, cut, join, tag
from replay.report.pieces import milliseconds
from replay.report.totals import Totals
from replay.version import __version__

_MAX_FUNCTIONS = 8
"""How many functions there is a filter for; of more of them there is none."""
_MAX_GROUPS = 20
_MAX_NAME = 200


class FunctionNumbers:
    """The numbers of functions, from 1, in the order of their coming; only the first have one."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def style(self, name: str) -> str:
        """Return the class of what belongs to a function; none beyond the first."""
        name = cut_text(name)
        if len(self._numbers) < _MAX_FUNCTIONS:
            self._numbers.setdefault(name, len(self._numbers) + 1)
        number = self._numbers.get(name)
        return "" if number is None else f"function-{number}"


def filters(totals: Totals, functions: FunctionNumbers) -> Iterator[Markup]:
    """Yield the buttons of which one of each set is checked; nothing where there is one case."""
    if totals.count < 2:
        return
    yield _button("kind", "all", "all verdicts")
    for kind in get_args(VerdictKind):
        if totals.kinds[kind]:
            yield _button("kind", kind, f"{kind} only")
    yield Markup("\n")
    if _has_functions(totals):
        yield _button("function", "every-function", "all functions")
        for name in totals.functions:
            yield _button("function", functions.style(name), f"{name} only")
        yield Markup("\n")


def _button(set_: str, id: str, label: str) -> Markup:
    is_checked = id in ("all", "every-function")
    name = {"aria-label": label}
    return tag("input", type="radio", name=set_, id=f"only-{id}", checked=is_checked, **name)


def _has_functions(totals: Totals) -> bool:
    return 1 < len(totals.functions) <= _MAX_FUNCTIONS


def summary(totals: Totals) -> Markup:
    """Return the head of the page."""
    when = datetime.now(UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    took = f"handlers took {milliseconds(totals.duration_us)} by their own clocks"
    said = f"{_cases(totals.count)}, {_noise(totals)}; {took}; {when} UTC, replay {__version__}"
    counts = _all(totals), *(_kind(kind, totals) for kind in get_args(VerdictKind))
    return tag(
        "header",
        tag("h1", "replay run"),
        tag("p", *counts, class_="counts"),
        *_functions(totals),
        tag("p", said, class_="dim"),
    )


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count:,} cases"


def _noise(totals: Totals) -> str:
    causes = ", ".join(f"{count:,} {cause}" for cause, count in totals.causes.most_common())
    return f"{totals.noise:,} noise" + (f" ({causes})" if causes else "")


def _all(totals: Totals) -> Markup:
    if totals.count < 2:
        return join()
    return _count("all", f"{totals.count:,}", "all")


def _kind(kind: VerdictKind, totals: Totals) -> Markup:
    count = totals.kinds[kind]
    if totals.count < 2 or not count:
        style = f"count {kind if count else 'none'}"
        return tag("span", tag("b", f"{count:,}"), f" {kind}", class_=style)
    return _count(kind, f"{count:,}", kind)


def _count(id: str, count: str, *words: str) -> Markup:
    return tag("label", tag("b", count), " ", *words, for_=f"only-{id}", class_=f"count {id}")


def _functions(totals: Totals) -> Iterator[Markup]:
    if len(totals.functions) == 1 or totals.count < 2:
        return
    if not _has_functions(totals):
        yield tag("p", f"{len(totals.functions):,} functions")
        return
    labels = [_count("every-function", "all", "functions")]
    for number, (name, count) in enumerate(totals.functions.items(), start=1):
        labels.append(_count(f"function-{number}", f"{count:,}", cut(name, _MAX_NAME)))
    yield tag("p", *labels, class_="counts functions")


def alike(totals: Totals, functions: FunctionNumbers) -> Iterator[Markup]:
    """Yield a table of the cases that do not match, those that are alike in one row."""
    groups = totals.groups.largest()
    if not groups or totals.count < 2:
        return
    titles = tag("tr", *(tag("th", it) for it in ("cases", "where", "recorded", "replayed")))
    rows = [row for group in groups[:_MAX_GROUPS] for row in _rows(group, functions)]
    kinds = " ".join(sorted({group.kind for group in groups}))
    yield tag("h2", "at a glance", class_=kinds)
    table = tag("table", tag("thead", titles), tag("tbody", *rows), class_="differences")
    yield tag("div", table, class_=f"scroll alike {kinds}")
    left = sum(it.count for it in groups[_MAX_GROUPS:]) + totals.groups.left_over.total()
    if left:
        yield tag("p", f"and {_cases(left)} in smaller groups", class_=f"cut {kinds}")


def _rows(group: Group, functions: FunctionNumbers) -> Iterator[Markup]:
    style = f"{group.kind} {functions.style(group.function_name)}".rstrip()
    height = len(group.places) + bool(group.more_places)
    first = tag("td", *_who(group), rowspan=max(1, height))
    if group.kind == "error":
        yield tag("tr", first, tag("td", cut(group.message, 400), colspan=3), class_=style)
    for place in group.places:
        yield tag("tr", first, *_place(place), class_=style)
        first = join()
    if group.more_places:
        said = f"and at {group.more_places:,} more"
        yield tag("tr", tag("td", said, class_="cut", colspan=3), class_=style)


def _who(group: Group) -> Iterator[Markup]:
    yield tag("b", group.count_text, class_="badge")
    yield join(" ", tag("span", group.function_name), " ")
    links = [tag("a", case.id[-8:], href=f"#case-{case.number}") for case in group.cases]
    yield tag("span", *(join(it, " ") for it in links), class_="cases")
    if group.count > MAX_CASES:
        yield tag("span", "...", class_="dim")


def _place(place: Place) -> Iterator[Markup]:
    call = "" if place.call is None else tag("span", place.call, class_="in-call")
    yield tag("td", call, tag("code", place.path))
    others = tag("span", " or other values", class_="dim") if place.varies else ""
    yield tag("td", tag("code", place.recorded), class_="recorded")
    yield tag("td", tag("code", place.replayed), others, class_="replayed")
