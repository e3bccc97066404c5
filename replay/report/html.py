"""Verdicts as one page for a browser, which loads nothing and runs nothing.

A policy in the page forbids whatever its own stylesheet is not: what was captured is hostile. So it
is the stylesheet that filters, by which radio button is checked. Cases are written as they come,
errors first, then drift, then matches; only the totals are kept.
"""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from replay.replayer.verdict import Verdict, VerdictKind
from replay.report.file import Form, ReportFile
from replay.report.html_case import case_line, case_markup
from replay.report.html_markup import Markup, join, tag
from replay.report.html_summary import FunctionNumbers, alike, filters, summary
from replay.report.totals import Totals

PAGE = Form(
    name="page",
    option="--html",
    first_line=(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="generator" content="lambda-replay">'
    ),
    sections=("head", "error", "drift", "match", "tail"),
)
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

    def __init__(self, page: ReportFile) -> None:
        self._page = page
        self._totals = Totals()
        self._functions = FunctionNumbers()

    def add(self, verdict: Verdict) -> None:
        """Write one."""
        self._totals.add(verdict)
        number = self._totals.kinds[verdict.kind]
        if number == 1:
            title = tag("h2", _TITLES[verdict.kind], class_=verdict.kind)
            self._page.write(verdict.kind, f"{title}\n")
        self._page.write(verdict.kind, f"{self._case(verdict, number)}\n")

    def _case(self, verdict: Verdict, number: int) -> Markup:
        function = self._functions.style(verdict.recording.invocation.function_name)
        anchor, style = f"case-{self._totals.count}", f"case {verdict.kind} {function}".rstrip()
        if number > _MAX_WHOLE:
            return case_line(verdict, anchor=anchor, style=style)
        is_open = verdict.kind != "match" and number <= _MAX_OPEN
        return case_markup(verdict, anchor=anchor, style=style, is_open=is_open)

    def close(self) -> None:
        """Write what stands around them."""
        parts = (
            f"{PAGE.first_line}\n{_head()}</head>\n<body>\n",
            *filters(self._totals, self._functions),
            summary(self._totals),
            "\n<main>\n",
            *alike(self._totals, self._functions),
            *_left_out(self._totals),
        )
        self._page.write("head", "".join(parts))
        self._page.write("tail", "</main>\n</body></html>\n")


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


def _left_out(totals: Totals) -> tuple[Markup, ...]:
    if not any(count > _MAX_WHOLE for count in totals.kinds.values()):
        return ()
    said = f"Of each kind the first {_MAX_WHOLE:,} cases are shown whole, the others in a line."
    return (tag("p", said, class_="cut error drift match"),)
