"""`replay run --html`: the page, what it shows, and that nothing captured gets the better of it."""

import dataclasses
import json
import re
import sys
import tracemalloc
from base64 import b64encode
from contextlib import suppress
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from test_recording import ID, invocation
from test_run import ECHO, returned, store

from replay.errors import ReplayError
from replay.interaction import AwsCall, Call, Failure, HttpCall, Interaction, Response
from replay.outcome import Outcome, Raised, Returned, TimedOut
from replay.recording import Recording
from replay.replayer.compare import compare
from replay.replayer.noise import Noise
from replay.replayer.outbound.contract import Sent, contract_of
from replay.replayer.outbound.rules import STANDARD
from replay.replayer.replay import Replay
from replay.replayer.verdict import Verdict
from replay.report.file import ReportFile
from replay.report.html import PAGE, HtmlStream

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'` onload=x </style></details> --> ]]>"
    " &lt; &amp;amp; <iframe src=//evil.example> javascript:alert(1) {{x}} ${x}"
)
CONTROL = "\x1b]52;c;aGk=\x07 \x9b \u202e\u2066 \x00"
VOID = {"meta", "br", "input", "line", "rect"}
INERT = {
    *("html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "h4", "p"),
    *("div", "span", "b", "a", "code", "pre", "details", "summary", "table", "thead", "tbody"),
    *("tr", "th", "td", "svg", "g", "rect", "line", "text", "main", "label", "input"),
}
ATTRIBUTES = {
    *("id", "class", "open", "href", "lang", "name", "content", "charset", "http-equiv", "role"),
    *("aria-label", "x", "y", "x1", "x2", "y1", "y2", "dx", "width", "height", "rx"),
    *("text-anchor", "type", "checked", "for", "rowspan", "colspan"),
}


class Page(HTMLParser):
    """A page as a browser's parser sees it: its elements, and the text of each kind of them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.comments: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], "an element has no end"

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def handle_comment(self, data):
        self.comments.append(data)

    @property
    def text(self) -> str:
        return "\n".join(self.texts["body"])

    def with_class(self, name: str) -> int:
        return sum(name in (attrs.get("class") or "").split() for _, attrs in self.elements)


def page_of(tmp_path: Path, *verdicts: Verdict) -> str:
    path = tmp_path / "page.html"
    with ReportFile(path, PAGE) as page:
        stream = HtmlStream(page)
        for verdict in verdicts:
            stream.add(verdict)
        stream.close()
    return path.read_text(encoding="utf-8")


def recording(*interactions: Interaction, outcome: Outcome | None, **fields: object) -> Recording:
    made = Recording(ID, invocation({"order": 42}), outcome, None if outcome is None else 412_000)
    return dataclasses.replace(made, interactions=interactions, outbound="all", **fields)


def replayed(outcome: Outcome) -> Replay:
    return Replay(outcome, 801, 3000, "took the order\n")


def verdict_of(
    recorded: Recording, now: Outcome, sent: tuple[Sent, ...] = (), *, noise: tuple[Noise, ...] = ()
) -> Verdict:
    """The verdict of an outcome and of what was sent."""
    contract = contract_of(recorded.interactions, sent, STANDARD)
    found = (*compare(recorded.outcome, now), *contract.differences)
    kind = "drift" if found else "match"
    return Verdict(kind, recorded, replayed(now), found, noise, contract=contract)


def answered(number: int, call: Call, at_ms: int, took_ms: int, status: int = 200) -> Interaction:
    answer = Response(status, "OK", (("Content-Type", "application/json"),), b'{"done": true}')
    return Interaction(number, call, at_ms * 1000, answer, took_ms * 1000)


def sent(call: Call, number: int | None = None) -> Sent:
    return Sent(call, False, number, number is not None, "app.py:12 in handler")


def put(total: int) -> AwsCall:
    item = {"id": {"S": "42"}, "total": {"N": str(total)}}
    parameters = {"TableName": "orders", "Item": item}
    return AwsCall("dynamodb", "PutItem", "eu-west-1", parameters, False, "https://dynamodb")


GET = HttpCall("GET", "https://prices.example.com/tea?currency=EUR")
PAY = HttpCall("POST", "https://pay.example.com/charges", (("Authorization", "-"),), b'{"sum": 7}')
MAIL = HttpCall("POST", "https://mail.example.com/send", (), b"to=me")
QUERY = AwsCall("dynamodb", "Query", "eu-west-1", {"TableName": "stock"}, True)
BUCKETS = AwsCall("s3", "ListBuckets", None, {}, True)


def drift_with_calls() -> Verdict:
    """One of each: kept, changed, unused, extra, reordered, failed, at import."""
    failure = Failure("ConnectTimeout", "httpx", "timed out", stage="request")
    interactions = (
        Interaction(1, BUCKETS, 1_000, Response(200), 80_000, at_import=True),
        answered(1, GET, 12, 90),
        answered(2, QUERY, 15, 140),
        Interaction(3, HttpCall("GET", "https://tax.example.com/"), 18_000, failure, 200_000),
        answered(4, put(700), 230, 25),
        answered(5, PAY, 260, 120, 402),
        answered(6, MAIL, 385, 20),
    )
    audit = HttpCall("POST", "https://audit.example.com/events", (), b"{}")
    now = (
        *(sent(GET, 1), sent(QUERY, 2), sent(interactions[3].call, 3)),
        *(sent(PAY, 5), sent(put(600), 4), sent(audit)),
    )
    recorded = recording(*interactions, outcome=returned(total=700, id="a", items=[1, 2, 3]))
    noise = (Noise("$.id", "a", "b", factor="entropy"), Noise("$.at", 1, 2, rule="signature"))
    return verdict_of(recorded, returned(total=600, id="b", items=[1, 3]), now, noise=noise)


def match_with_calls() -> Verdict:
    recorded = recording(answered(1, GET, 12, 90), outcome=returned(total=700))
    return verdict_of(recorded, returned(total=700), (sent(GET, 1),))


def unfinished() -> Verdict:
    """It was waiting for a Query when it was killed, and again does not finish."""
    recorded = recording(answered(1, GET, 10, 800), Interaction(2, QUERY, 860_000), outcome=None)
    return verdict_of(recorded, TimedOut(3000), (sent(GET, 1), sent(QUERY, 2)))


def named(verdict: Verdict, name: str) -> Verdict:
    """The same of another function."""
    invocation = verdict.recording.invocation
    attributes = {**invocation.context.attributes, "function_name": name}
    context = dataclasses.replace(invocation.context, attributes=attributes)
    recorded = dataclasses.replace(
        verdict.recording, invocation=dataclasses.replace(invocation, context=context)
    )
    return dataclasses.replace(verdict, recording=recorded)


def drift(then: int = 700, now: int = 600) -> Verdict:
    return verdict_of(recording(outcome=returned(total=then)), returned(total=now))


def error() -> Verdict:
    recorded = recording(answered(1, GET, 12, 90), outcome=returned(n=1))
    why = ReplayError("the handler tried to reach db.example.com:5432", "--allow-network lets it")
    return Verdict("error", recorded, error=why)


def hostile() -> Verdict:
    """A case in which every text that a capture can hold is an attack."""
    bad = HOSTILE + CONTROL
    headers = ((bad, bad),)
    reply = Response(200, bad, headers, bad.encode())
    cause = Failure(bad, bad, bad)
    failure = Failure(bad, bad, bad, (bad,), {bad: bad}, "body", cause)
    calls = (
        Interaction(1, HttpCall(bad, f"https://{bad}", headers, bad.encode()), 1, reply, 5),
        Interaction(2, AwsCall(bad, bad, bad, {bad: bad}, False, bad), 9, failure, 5),
        Interaction(3, HttpCall("PUT", bad, headers, b"\xff" + bad.encode()), 20),
        Interaction(4, AwsCall("s3", "PutObject", bad, {bad: bad}, False, bad), 30, reply, 5),
        Interaction(1, HttpCall(bad, bad), 1, at_import=True),
    )
    asked = dataclasses.replace(invocation({bad: bad, "\ud800": "\ud800"}), handler=bad)
    context = dataclasses.replace(
        asked.context, attributes={"function_name": bad, bad: bad}, extra={bad: bad}
    )
    asked = dataclasses.replace(asked, context=context, environment={bad: bad})
    outcome = Raised(bad, bad, (bad,))
    recorded = Recording(ID, asked, outcome, 50, outbound="all", interactions=calls)
    other = AwsCall("s3", "PutObject", bad, {bad: "other"}, False, bad)
    now = (Sent(other, False, 4, True, bad), Sent(HttpCall("POST", bad), False, None, False, bad))
    noise = (Noise(bad, bad, bad, rule=bad, call=bad),)
    verdict = verdict_of(recorded, Returned(json.dumps({bad: bad}).encode()), now, noise=noise)
    replay = dataclasses.replace(replayed(verdict.replay.outcome), output=bad)
    return dataclasses.replace(verdict, replay=replay, error=ReplayError(bad, bad))


def test_a_page_loads_nothing_and_runs_nothing_whatever_was_captured(tmp_path):
    """Only known elements and attributes; the policy allows the page's own stylesheet alone."""
    page = Page(page_of(tmp_path, hostile(), drift_with_calls(), unfinished(), error()))
    names = {name for name, _ in page.elements}
    assert set() == names - INERT
    assert set() == {key for _, attrs in page.elements for key in attrs} - ATTRIBUTES
    assert {"#case-1", "#case-2", "#case-4"} == {a["href"] for _, a in page.elements if "href" in a}
    assert {a["type"] for _, a in page.elements if "type" in a} == {"radio"}
    assert page.comments == []
    (sheet,) = page.texts["style"]
    digest = b64encode(sha256(sheet.encode()).digest()).decode()
    (policy,) = [a["content"] for _, a in page.elements if "http-equiv" in a]
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "url(" not in sheet
    assert "@import" not in sheet


def test_hostile_text_is_shown_as_it_is(tmp_path):
    """In every place, so that a reader sees what was captured; ids of elements hold none of it."""
    page = Page(page_of(tmp_path, hostile()))
    assert page.text.count(HOSTILE) > 40
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert ids == ["case-1"]
    page = Page(page_of(tmp_path, hostile(), named(hostile(), "billing")))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert {re.sub(r"\d", "N", it) for it in ids} == {
        *("case-N", "only-all", "only-drift", "only-every-function", "only-function-N"),
    }


def test_control_and_bidirectional_characters_are_shown_escaped(tmp_path):
    """A page that is read in a terminal does nothing there either."""
    text = page_of(tmp_path, hostile())
    assert (
        re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
        == []
    )
    assert "\\x1b]52;c;aGk=\\x07 \\x9b \\u202e\\u2066 \\x00" in text
    assert "\\ud800" in text


def test_the_parser_of_these_tests_would_see_an_attack():
    """Positive control: unescaped, the same text is a script, a picture and a frame."""
    seen: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: seen.append(tag)
    parser.feed(f"<p>{HOSTILE.replace('<script>alert(1)</script>', '')}</p>")
    assert seen == ["p", "img", "iframe"]


def test_errors_come_first_then_drift_then_matches(tmp_path):
    """Whatever came first; matches are folded, and each case has an anchor."""
    html = page_of(tmp_path, match_with_calls(), drift_with_calls(), error())
    page = Page(html)
    assert page.texts["h2"] == ["at a glance", "could not be replayed", "drift", "match"]
    cases = [
        (a["id"], a["class"], "open" in a)
        for _, a in page.elements
        if "case" in (a.get("id") or "")
    ]
    assert cases == [
        ("case-3", "case error function-1", True),
        ("case-2", "case drift function-1", True),
        ("case-1", "case match function-1", False),
    ]
    assert "3 cases, 2 noise" in page.text
    assert [it for it in page.texts["b"] if it.isdigit()][:4] == ["3", "1", "1", "1"]


def test_a_case_shows_its_verdict_and_what_differs(tmp_path):
    """Path and both values, the call that they are in, and why noise is none."""
    page = Page(page_of(tmp_path, drift_with_calls()))
    rows = [row for row in page.texts["tr"] if row]
    assert "$.total700600" in rows
    assert "$.items[2]3nothing there" in rows
    assert '4 dynamodb PutItem$.Item.total.N"700""600"' in rows
    assert '$.id"a""b"entropy' in rows
    assert "$.at12signature" in rows
    assert "calls4 matched, 1 changed, 1 unused, 1 extra, 1 reordered" in rows
    assert "recordedreturned, 412 ms, 3,000 ms remaining at entry" in rows
    assert "replayedreturned, 801 us, 3,000 ms remaining at entry" in rows


def test_outcomes_stand_side_by_side_with_their_differing_lines_marked(tmp_path):
    """Only those; and one outcome where they are alike."""
    page = Page(page_of(tmp_path, drift_with_calls()))
    marked = [a["class"] for _, a in page.elements if a.get("class") in ("recorded", "replayed")]
    # Of the tables, 10 cells are of each of these classes, and of the changed call one line.
    assert (marked.count("recorded"), marked.count("replayed")) == (11 + 3, 11 + 2)
    assert "recorded and replayed" not in page.text
    assert "recorded and replayed" in Page(page_of(tmp_path, match_with_calls())).texts["h4"]


def test_the_stack_is_shown_and_not_compared(tmp_path):
    """Two that differ by their stacks alone are alike."""
    recorded = recording(outcome=Raised("KeyError", "'x'", ("  File a.py, line 1",)))
    page = Page(page_of(tmp_path, verdict_of(recorded, Raised("KeyError", "'x'", ("other",)))))
    assert "recorded and replayed" in page.texts["h4"]
    assert "stack, recorded (not compared)" in page.texts["summary"]
    assert "  File a.py, line 1" in page.texts["pre"]


def bars(page: Page) -> list[tuple[float, float, str]]:
    """Where the bars of a page begin and end, in percent, and the class of each."""
    found, style = [], ""
    for tag, attrs in page.elements:
        if tag == "g":
            style = attrs["class"] or ""
        if tag == "rect":
            start, width = (float(attrs[name].rstrip("%")) for name in ("x", "width"))
            found.append((start, start + width, style, attrs.get("class"), int(attrs["y"])))
    return found


def test_calls_are_drawn_over_time(tmp_path):
    """From when each was sent to when it was answered; at import apart; marks and failures seen."""
    page = Page(page_of(tmp_path, drift_with_calls()))
    at_import, handler, *calls = bars(page)
    assert at_import[:3] == (pytest.approx(100 / 81, abs=0.01), pytest.approx(100), "answered")
    assert handler[:3] == (0, pytest.approx(100), "handler")
    assert [(it[0], it[1]) for it in calls] == [
        (pytest.approx(start / 4.12, abs=0.01), pytest.approx(end / 4.12, abs=0.01))
        for start, end in [(12, 102), (15, 155), (18, 218), (230, 255), (260, 380), (385, 405)]
    ]
    assert [it[2] for it in calls] == [
        *("answered", "answered", "failed", "answered drift", "failed", "answered drift")
    ]
    labels = page.texts["text"]
    assert "4  dynamodb PutItem 200 changed reordered" in labels
    assert "6  POST https://mail.example.com/send 200 unused" in labels
    assert "3  GET https://tax.example.com/ ConnectTimeout" in labels
    marks = [
        text for text in page.texts["span"] if text in ("changed", "reordered", "unused", "extra")
    ]
    assert marks == ["changed", "reordered", "unused", "extra"]


def test_calls_at_one_time_are_drawn_in_lanes_of_their_own(tmp_path):
    """No two bars of a lane overlap."""
    _, _, *calls = bars(Page(page_of(tmp_path, drift_with_calls())))
    assert len({it[4] for it in calls[:3]}) == 3
    for one in calls:
        others = [it for it in calls if it is not one and it[4] == one[4]]
        assert all(it[1] <= one[0] or one[1] <= it[0] for it in others)


def test_a_call_that_was_never_answered_is_open_to_the_deadline(tmp_path):
    """So is the handler that was killed; the deadline is drawn."""
    page = Page(page_of(tmp_path, unfinished()))
    handler, first, waiting = bars(page)
    assert (handler[:2], handler[3]) == ((0, 100), "open")
    assert (first[1], first[3]) == (pytest.approx(27), None)
    assert (waiting[0], waiting[1]) == (pytest.approx(28.667), 100)
    assert waiting[2:4] == ("waiting", "open")
    assert page.with_class("deadline") == 1
    assert "was waiting, up to 2,140 ms to the deadline" in page.text


def test_a_case_that_could_not_be_replayed_marks_no_call(tmp_path):
    """Nothing was compared: that it is unused would be wrong."""
    page = Page(page_of(tmp_path, error()))
    assert "the handler tried to reach db.example.com:5432" in page.texts["pre"]
    assert "hint: --allow-network lets it" in page.texts["p"]
    assert "unused" not in page.text
    assert page.with_class("mark") == 0


def test_what_was_sent_and_what_came_back_is_there(tmp_path):
    """JSON indented, other text as it is, bytes that are none as base64."""
    raw = Response(200, "OK", (), b"\xff\x00")
    recorded = recording(
        answered(1, PAY, 1, 1), Interaction(2, MAIL, 1, raw, 1), outcome=returned(n=1)
    )
    page = Page(page_of(tmp_path, verdict_of(recorded, returned(n=1), (sent(PAY), sent(MAIL)))))
    assert {'{\n  "sum": 7\n}', "to=me", '{\n  "done": true\n}'} <= set(page.texts["pre"])
    assert "base64 /wA= of 2 bytes" in page.texts["pre"]
    assert "in the replay from app.py:12 in handler" in page.texts["p"]


def test_large_values_are_cut_and_say_how_large_they_are(tmp_path):
    """A page stays one that a browser opens."""
    large = "x" * 3_000_000
    call = Interaction(1, HttpCall("POST", "https://a.example", (), large.encode()), 1, None)
    asked = invocation({"large": large})
    recorded = Recording(
        ID, asked, returned(n=large), 1, outbound="handler", interactions=(call,) * 1
    )
    html = page_of(tmp_path, verdict_of(recorded, returned(n=large[1:])))
    assert len(html) < 400_000
    assert "cut: 65,536 of 3,000,017 characters" in html
    assert "cut: 16,384 of 3,000,000 characters" in html


@pytest.mark.slow
def test_many_differences_and_many_calls_are_counted_not_shown(tmp_path):
    """The first of them are."""
    calls = tuple(answered(n, GET, n, 1) for n in range(1, 2_001))
    recorded = recording(*calls, outcome=returned(n=[1] * 5_000))
    page = Page(page_of(tmp_path, verdict_of(recorded, returned(n=[2] * 5_000))))
    assert "4,800 more are not shown" in page.texts["p"]
    assert "1,700 more are not shown" in page.texts["p"]
    assert sum(name == "rect" for name, _ in page.elements) == 301


@pytest.mark.long
def test_memory_stays_flat_over_many_cases(tmp_path):
    """Each case goes to the file; beyond the first 500 of a kind it is one line."""
    verdict = drift_with_calls()

    def peak(path: str, count: int) -> int:
        tracemalloc.start()
        with ReportFile(tmp_path / path, PAGE) as page:
            stream = HtmlStream(page)
            for _ in range(count):
                stream.add(verdict)
            stream.close()
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak("warm.html", 1)
    few, many = peak("few.html", 5), peak("many.html", 300)
    assert many < few + 500_000
    sizes = [(tmp_path / name).stat().st_size for name in ("few.html", "many.html")]
    assert sizes[1] < sizes[0] * 60


@pytest.mark.slow
def test_cases_beyond_the_first_of_a_kind_are_one_line(tmp_path):
    """The page says so."""
    page = Page(
        page_of(tmp_path, *[verdict_of(recording(outcome=returned(n=1)), returned(n=1))] * 510)
    )
    assert "Of each kind the first 500 cases are shown whole, the others in a line." in page.text
    assert page.with_class("case") == 510
    assert (
        sum(name == "details" and "case-" in (a.get("id") or "") for name, a in page.elements)
        == 500
    )


def test_the_summary_says_what_a_reader_asks_first(tmp_path):
    """Counts, noise by its cause, how long; which are alike, with links to the first of them."""
    drifts = [drift() for _ in range(4)]
    page = Page(page_of(tmp_path, match_with_calls(), *drifts, drift_with_calls(), error()))
    assert "7 cases, 2 noise (1 entropy, 1 signature); handlers took 4.8 ms" in page.text
    rows = page.texts["tr"]
    assert "4 cases drift alike app.handler 7c1z4hq9 7c1z4hq9 7c1z4hq9 ...$.total700600" in [
        re.sub(ID[-8:], "7c1z4hq9", row) for row in rows
    ]
    said = "the handler tried to reach db.example.com:5432"
    assert any("1 case could not be replayed" in row and said in row for row in rows)
    links = [a["href"] for name, a in page.elements if name == "a"]
    assert links == ["#case-2", "#case-3", "#case-4", "#case-6", "#case-7"]


def test_what_is_checked_hides_the_others(tmp_path):
    """Each button has a label, is known to the stylesheet, and hides by a class of the cases."""
    verdicts = (match_with_calls(), drift(), named(drift(), "billing"), error())
    page = Page(page_of(tmp_path, *verdicts))
    inputs = [a for name, a in page.elements if name == "input"]
    assert [(a["name"], a["id"]) for a in inputs if "checked" in a] == [
        ("kind", "only-all"),
        ("function", "only-every-function"),
    ]
    labels = {a["for"] for name, a in page.elements if name == "label"}
    assert labels == {a["id"] for a in inputs}
    (sheet,) = page.texts["style"]
    for kind in ("match", "drift", "error"):
        assert f"#only-{kind}:checked ~ main > :not(.{kind})" in sheet
    for number in range(1, 9):
        assert f"#only-function-{number}:checked ~ main > .case:not(.function-{number})" in sheet
    # On cases, on rows of what is alike, and on the label.
    assert (page.with_class("function-1"), page.with_class("function-2")) == (3 + 2 + 1, 1 + 1 + 1)


def test_there_is_no_filter_where_there_is_nothing_to_choose(tmp_path):
    """Of one case none; of kinds those that occur; of functions none where they are many."""
    assert "input" not in Page(page_of(tmp_path, drift())).texts
    page = Page(page_of(tmp_path, drift(), drift()))
    for element, key in (("label", "for"), ("input", "id")):
        found = {a[key] for name, a in page.elements if name == element}
        assert found == {"only-all", "only-drift"}
    page = Page(page_of(tmp_path, *(named(drift(), f"orders-{n}") for n in range(9))))
    assert not any(a.get("name") == "function" for _, a in page.elements)
    assert "9 functions" in page.texts["p"]


@pytest.mark.long
def test_the_command_writes_a_page_beside_what_it_prints(project, replay):
    """Both outputs are as without it; a page of ours is replaced."""
    store(project, ECHO, [returned(n=0), returned(n=7)])
    plain = replay("run", "--once", "--json")
    done = replay("run", "--once", "--json", "--html", "page.html")
    assert (done.returncode, done.stderr) == (1, "")
    verdicts = [{**it, "duration_us": 0} for it in json.loads(plain.stdout)]
    assert verdicts == [{**it, "duration_us": 0} for it in json.loads(done.stdout)]
    page = Page((project / "page.html").read_text())
    assert "2 cases, 0 noise" in page.text
    done = replay("run", "@2", "--once", "--html", "page.html")
    assert done.stdout.startswith("match")
    assert "1 case, 0 noise" in Page((project / "page.html").read_text()).text
    assert [it.name for it in project.iterdir() if "page" in it.name] == ["page.html"]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("notes.html", "is there already, and is no page of replay's"),
        ("empty.html", "is there already"),
        ("absent/page.html", "No such file or directory"),
        ("folder", "is no file"),
        ("notes.html/page.html", "Not a directory"),
        ("-", "no page to stdout"),
    ],
)
def test_a_place_that_cannot_take_a_page_is_refused_before_anything_is_replayed(
    project, replay, place, words
):
    """Exit 2 with a hint; what is there stays as it is."""
    store(project, f"open({str(project / 'ran')!r}, 'w')\n{ECHO}", [returned(n=0)])
    (project / "notes.html").write_text("<!doctype html>\nmine")
    (project / "empty.html").write_text("")
    (project / "folder").mkdir()
    before = sorted(project.iterdir())
    done = replay("run", "--html", place)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "hint: " in done.stderr
    assert sorted(project.iterdir()) == before
    assert (project / "notes.html").read_text() == "<!doctype html>\nmine"


def test_there_is_no_page_where_the_run_fails(project, replay):
    """Nor a rest of one; a page from before stays."""
    store(project, ECHO, [returned(n=0)])
    assert replay("run", "zzzz", "--html", "page.html").returncode == 2
    assert list(project.glob("*page*")) + list(project.glob(".*page*")) == []
    (project / "page.html").write_text(f"{PAGE.first_line}\nfrom before")
    assert replay("run", "zzzz", "--html", "page.html").returncode == 2
    assert (project / "page.html").read_text() == f"{PAGE.first_line}\nfrom before"


def test_an_exception_leaves_what_was_there(tmp_path):
    """The page is put in place at the very end, and not over one that has come meanwhile."""
    path = tmp_path / "page.html"
    with suppress(KeyboardInterrupt), ReportFile(path, PAGE) as page:
        stream = HtmlStream(page)
        stream.add(drift_with_calls())
        stream.close()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    meanwhile = ReportFile(path, PAGE)
    path.write_text("somebody's")
    with pytest.raises(ReplayError, match="no page of replay's"), meanwhile as page:
        HtmlStream(page).close()
    assert [path] == list(tmp_path.iterdir())
    assert path.read_text() == "somebody's"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a disk that is full")
def test_a_full_disk_is_one_clear_line(tmp_path):
    """Not a bug of ours; what had been written is taken away."""
    path = tmp_path / "page.html"
    page = ReportFile(path, PAGE)
    with suppress(OSError), Path("/dev/full").open("w", buffering=1) as full:
        page._sections["drift"] = full
        with pytest.raises(ReplayError, match="No space left on device"), page:
            HtmlStream(page).add(drift_with_calls())
    assert list(tmp_path.iterdir()) == []
