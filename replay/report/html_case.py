"""One case in a page: its verdict in a line, and below it all that a reader may want to look at."""

from collections.abc import Iterator, Sequence

from replay.outcome import Outcome, Raised
from replay.replayer.case import Change
from replay.replayer.compare import Difference
from replay.replayer.noise import Noise
from replay.replayer.verdict import Verdict
from replay.report.calls import counts_text
from replay.report.document import context_document, environment_of, outcome_document
from replay.report.html_calls import calls_list, extra_calls, marked_calls
from replay.report.html_markup import Markup, cut, join, section, tag
from replay.report.html_timeline import timeline_drawings
from replay.report.html_values import MAX_TEXT, compared, document, sides
from replay.report.pieces import milliseconds
from replay.report.text import network_text, outcome_text, remarks, warmth_text

_MAX_ROWS = 200
_MAX_NAME = 200


def case_markup(verdict: Verdict, *, anchor: str, style: str, is_open: bool) -> Markup:
    """Return one case; its anchor and its classes hold nothing captured."""
    return tag(
        "details",
        tag("summary", *_line(verdict)),
        *_error(verdict),
        *_facts(verdict),
        *_tables(verdict),
        *_outcome(verdict),
        *_calls(verdict),
        *_input(verdict),
        id=anchor,
        class_=style,
        open=is_open,
    )


def case_line(verdict: Verdict, *, anchor: str, style: str) -> Markup:
    """Return one case in a line that unfolds to nothing."""
    return tag("p", *_line(verdict), id=anchor, class_=style)


def _line(verdict: Verdict) -> Iterator[Markup]:
    recording, replay = verdict.recording, verdict.replay
    yield tag("span", verdict.kind, class_="badge")
    yield tag("code", recording.id[-8:])
    yield tag("b", cut(recording.invocation.function_name, _MAX_NAME))
    yield _outcomes(verdict)
    if replay is not None:
        yield tag("span", milliseconds(replay.duration_us), class_="dim")
        if replay.remaining_ms is not None:
            yield tag("span", f"{replay.remaining_ms:,} ms remaining at entry", class_="dim")


def _outcomes(verdict: Verdict) -> Markup:
    then = cut(outcome_text(verdict.recording.outcome), _MAX_NAME)
    if verdict.replay is None:
        return tag("span", "recorded: ", then)
    now = cut(outcome_text(verdict.replay.outcome), _MAX_NAME)
    return tag("span", now) if then == now else tag("span", then, " \u2192 ", now)


def _error(verdict: Verdict) -> Iterator[Markup]:
    if verdict.error is not None:
        yield tag("pre", cut(verdict.error.message, MAX_TEXT), class_="why")
        if verdict.error.hint:
            yield tag("p", "hint: ", cut(verdict.error.hint, MAX_TEXT))


def _facts(verdict: Verdict) -> Iterator[Markup]:
    rows = [
        tag("tr", tag("th", label), tag("td", cut(fact, MAX_TEXT)))
        for label, fact in (*_identity(verdict), *_remarks(verdict))
    ]
    yield tag("div", tag("table", *rows, class_="facts"), class_="scroll")


def _identity(verdict: Verdict) -> Iterator[tuple[str, str]]:
    recording, replay = verdict.recording, verdict.replay
    invocation = recording.invocation
    yield "id", recording.id
    yield "function", invocation.function_name
    yield "handler", invocation.handler
    yield "recorded", _what(recording.outcome, recording.duration_us, invocation.remaining_ms)
    if replay is not None:
        yield "replayed", _what(replay.outcome, replay.duration_us, replay.remaining_ms)


def _what(outcome: Outcome | None, duration_us: int | None, remaining_ms: int | None) -> str:
    took = "" if duration_us is None else f", {milliseconds(duration_us)}"
    left = "" if remaining_ms is None else f", {remaining_ms:,} ms remaining at entry"
    return f"{outcome_text(outcome)}{took}{left}"


def _remarks(verdict: Verdict) -> Iterator[tuple[str, str]]:
    replay = verdict.replay
    if counts := counts_text(verdict.contract):
        yield "calls", counts
    if replay is not None and replay.warmed_with is not None:
        yield "sandbox", warmth_text(replay.warmed_with, verdict.recording)
    if verdict.guard in ("best effort", "open"):
        yield "network", network_text(verdict)
    for path in replay.wrote if replay else ():
        yield "wrote outside", path
    yield from remarks(verdict)


def _tables(verdict: Verdict) -> Iterator[Markup]:
    if verdict.changes:
        yield tag("h3", "changed input")
        yield _table([(change, "") for change in verdict.changes], ("path", "recorded", "set"))
    if verdict.differences:
        yield tag("h3", "differences")
        yield _table([(it, "") for it in verdict.differences], ("path", "recorded", "replayed"))
    if verdict.noise:
        yield tag("h3", "noise")
        rows = [(it, it.factor or it.rule or "") for it in verdict.noise]
        yield _table(rows, ("path", "recorded", "replayed", "because of"))


def _table(
    rows: Sequence[tuple[Difference | Noise | Change, str]], titles: Sequence[str]
) -> Markup:
    head = tag("tr", *(tag("th", title) for title in titles))
    body = (_row(it, reason) for it, reason in rows[:_MAX_ROWS])
    left = len(rows) - _MAX_ROWS
    said = tag("p", f"{left:,} more are not shown", class_="cut") if left > 0 else ""
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="differences")
    return join(tag("div", table, class_="scroll"), said)


def _row(it: Difference | Noise | Change, reason: str) -> Markup:
    name = getattr(it, "call", None)
    call = "" if name is None else tag("span", cut(name, _MAX_NAME), class_="in-call")
    return tag(
        "tr",
        tag("td", call, tag("code", cut(it.path, _MAX_NAME * 5))),
        tag("td", compared(it.recorded), class_="recorded"),
        tag("td", compared(it.replayed), class_="replayed"),
        tag("td", reason) if reason else "",
    )


def _outcome(verdict: Verdict) -> Iterator[Markup]:
    recorded, replay = verdict.recording.outcome, verdict.replay
    then = _judged(recorded)
    content = document(then) if replay is None else sides(then, _judged(replay.outcome))
    yield section("outcome", content, *_stacks(verdict), is_open=verdict.kind != "match")
    if replay is not None and replay.output:
        yield section("output of the handler", tag("pre", cut(replay.output, MAX_TEXT)))


def _judged(outcome: Outcome | None) -> dict[str, object]:
    """Return an outcome without the stack, which is not compared."""
    return {k: v for k, v in outcome_document(outcome).items() if k != "stack"}


def _stacks(verdict: Verdict) -> Iterator[Markup]:
    replayed = verdict.replay.outcome if verdict.replay else None
    for title, outcome in (("recorded", verdict.recording.outcome), ("replayed", replayed)):
        if isinstance(outcome, Raised) and outcome.stack:
            stack = tag("pre", cut("".join(outcome.stack), MAX_TEXT))
            yield section(f"stack, {title} (not compared)", stack)


def _calls(verdict: Verdict) -> Iterator[Markup]:
    calls = marked_calls(verdict)
    if not calls and not extra_calls(verdict.contract):
        return
    content = timeline_drawings(calls, verdict.recording), calls_list(calls, verdict)
    title = f"outbound calls ({len(calls):,} recorded)"
    yield section(title, *content, is_open=verdict.kind != "match")


def _input(verdict: Verdict) -> Iterator[Markup]:
    recording = verdict.recording
    yield section("event", document(recording.invocation.event))
    yield section("context", document(context_document(recording)))
    yield section("environment", document(environment_of(recording)))
