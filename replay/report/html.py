"""Verdicts as one page for a browser, which loads nothing and runs nothing.

A policy in the page forbids whatever its own stylesheet is not: what was captured is hostile. Cases
are written as they come, errors first, then drift, then matches; only the totals are kept.
"""

from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import get_args

from replay.replayer.verdict import Verdict, VerdictKind
from replay.report.html_case import case_line, case_markup
from replay.report.html_file import FIRST_LINE, PageFile
from replay.report.html_markup import Markup, join, tag
from replay.report.stream import Totals
from replay.version import __version__

_MAX_OPEN = 20
"""How many cases that do not match are unfolded from the start."""
_MAX_WHOLE = 500
"""How many cases of a kind are shown whole; a browser has to hold them all."""
_TITLES: dict[VerdictKind, str] = {
    "error": "could not be replayed",
    "drift": "drift",
    "match": "match",
}


class HtmlStream:
    """Sections of a page file, one for each kind of verdict, and a summary above them."""

    def __init__(self, page: PageFile) -> None:
        self._page = page
        self._totals = Totals()

    def add(self, verdict: Verdict) -> None:
        """Write one."""
        self._totals.add(verdict)
        number = self._totals.kinds[verdict.kind]
        if number == 1:
            self._page.write(verdict.kind, tag("h2", _TITLES[verdict.kind], id=verdict.kind) + "\n")
        self._page.write(verdict.kind, f"{self._case(verdict, number)}\n")

    def _case(self, verdict: Verdict, number: int) -> Markup:
        if number > _MAX_WHOLE:
            return case_line(verdict)
        is_open = verdict.kind != "match" and number <= _MAX_OPEN
        return case_markup(verdict, number=self._totals.kinds.total(), is_open=is_open)

    def close(self) -> None:
        """Write what stands around them."""
        self._page.write(
            "head", f"{FIRST_LINE}\n{_head()}</head>\n<body>\n{_summary(self._totals)}\n"
        )
        self._page.write("tail", "</body></html>\n")


def _head() -> Markup:
    # The policy names the sheet by the hash of what stands between its tags, so it stays as it is.
    sheet = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(sheet.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return join(
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>'),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", "replay run"),
        tag("style", Markup(sheet)),
    )


def _summary(totals: Totals) -> Markup:
    when = datetime.now(UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    return tag(
        "header",
        tag("h1", "replay run"),
        tag("p", *(_count(kind, totals.kinds) for kind in get_args(VerdictKind)), class_="counts"),
        tag("p", f"{_cases(totals)}, {totals.noise:,} noise; {when} UTC, replay {__version__}"),
        *_left_out(totals),
    )


def _cases(totals: Totals) -> str:
    count = totals.kinds.total()
    return "1 case" if count == 1 else f"{count:,} cases"


def _count(kind: VerdictKind, kinds: Counter[VerdictKind]) -> Markup:
    count = kinds[kind]
    content = tag("b", f"{count:,}"), f" {kind}"
    if not count:
        return tag("span", *content, class_="count none")
    return tag("a", *content, href=f"#{kind}", class_=f"count {kind}")


def _left_out(totals: Totals) -> tuple[Markup, ...]:
    if not any(count > _MAX_WHOLE for count in totals.kinds.values()):
        return ()
    said = f"Of each kind the first {_MAX_WHOLE:,} cases are shown whole, the others in a line."
    return (tag("p", said, class_="cut"),)
