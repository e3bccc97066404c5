"""The outbound calls of a case in its page: how each compares, what it sent and what came back."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from replay.interaction import AwsCall, Call, Failure, Header, HttpCall, Interaction, Response
from replay.recording import Recording
from replay.replayer.compare import ABSENT, ROOT, Difference, plain
from replay.replayer.outbound.contract import NO_CALLS, Contract, Pair, name_of
from replay.replayer.outbound.form import form_of
from replay.replayer.verdict import Verdict
from replay.report.calls import came_text, subject_text, waiting_text
from replay.report.html_markup import Markup, cut, join, section, tag
from replay.report.html_values import MAX_BODY, body, document, pretty, sides
from replay.report.pieces import milliseconds

MAX_CALLS = 300
"""How many of a case are drawn and listed."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A recorded call, with how it compares: `marks` such as changed; `is_drift`, or excused."""

    interaction: Interaction
    marks: tuple[str, ...] = ()
    is_drift: bool = False
    pair: Pair | None = None

    @property
    def style(self) -> str | None:
        """What a mark looks like; None where there is none."""
        return ("drift" if self.is_drift else "noise") if self.marks else None


def marked_calls(verdict: Verdict) -> tuple[Marked, ...]:
    """Return the recorded calls in their order; without marks where nothing was compared."""
    interactions = verdict.recording.interactions
    if verdict.contract == NO_CALLS:
        return tuple(Marked(it) for it in interactions)
    pairs = {pair.recorded.sequence: pair for pair in verdict.contract.pairs}
    moved = {d.call for d in _found(verdict.contract) if _is_moved(d)}
    drift = {difference.call for difference in verdict.differences}
    return tuple(
        Marked(it)
        if it.at_import
        else _marked(it, pairs.get(it.sequence), moved=moved, drift=drift)
        for it in interactions
    )


def _marked(
    interaction: Interaction, pair: Pair | None, *, moved: set[str | None], drift: set[str | None]
) -> Marked:
    name = name_of(interaction)
    marks = {
        "unused": pair is None,
        "changed": pair is not None and bool(pair.differences),
        "reordered": name in moved,
    }
    kept = tuple(mark for mark, applies in marks.items() if applies)
    return Marked(interaction, kept, name in drift, pair)


def _is_moved(difference: Difference) -> bool:
    # The form of a call is an object on both sides, and differs below its root.
    is_on_both = ABSENT not in (difference.recorded, difference.replayed)
    return difference.path == ROOT and is_on_both


def _found(contract: Contract) -> tuple[Difference, ...]:
    return (*contract.differences, *(it.difference for it in contract.excused))


def extra_calls(contract: Contract) -> tuple[Difference, ...]:
    """Return the calls that only the replay has made, each with its name and what it has sent."""
    return tuple(d for d in _found(contract) if d.path == ROOT and d.recorded is ABSENT)


def calls_list(calls: Sequence[Marked], verdict: Verdict) -> Markup:
    """Return a line for each call, which unfolds to what it sent and what came back."""
    lines = [_call(marked, verdict.recording) for marked in calls[:MAX_CALLS]]
    extra = extra_calls(verdict.contract)
    lines += [_extra(it, is_drift=it in verdict.differences) for it in extra[:MAX_CALLS]]
    left = max(0, len(calls) - MAX_CALLS) + max(0, len(extra) - MAX_CALLS)
    said = [tag("p", f"{left:,} more are not shown", class_="cut")] if left else []
    return join(*lines, *said)


def _call(marked: Marked, recording: Recording) -> Markup:
    interaction = marked.interaction
    when = "import" if interaction.at_import else f"+{milliseconds(interaction.at_us)}"
    took = "-" if interaction.answer is None else milliseconds(interaction.duration_us)
    came, _ = came_text(interaction, recording)
    line = tag(
        "summary",
        tag("span", str(interaction.sequence), class_="number"),
        tag("span", when, class_="time"),
        tag("span", took, class_="time"),
        tag("b", cut(interaction.call.name, 200)),
        tag("span", subject_text(interaction.call), class_="dim"),
        tag("span", came, class_=status_style(interaction)),
        *(tag("span", mark, class_=f"mark {marked.style}") for mark in marked.marks),
    )
    came_back = tag("div", tag("h4", "came back"), _answer(interaction, recording))
    return tag("details", line, *_sent(marked), came_back, class_="call")


def status_style(interaction: Interaction) -> str:
    """Return what kind of an answer a call has had, for its colour."""
    match interaction.answer:
        case None:
            return "waiting"
        case Response(status=status):
            return "answered" if status < 400 else "failed"
        case Failure():
            return "failed"


def _sent(marked: Marked) -> Iterator[Markup]:
    call = marked.interaction.call
    yield tag("h4", "sent")
    yield from _call_facts(call)
    if marked.pair is not None and marked.pair.differences:
        yield tag("h4", "as it is compared")
        yield sides(plain(form_of(call)), plain(form_of(marked.pair.replayed.call)))
    if marked.pair is not None and marked.pair.replayed.where is not None:
        yield tag("p", f"in the replay from {marked.pair.replayed.where}", class_="dim")


def _call_facts(call: Call) -> Iterator[Markup]:
    match call:
        case AwsCall(region=region, endpoint=endpoint, parameters=parameters):
            yield _facts({"region": region or "-", "endpoint": endpoint or "-"}.items())
            yield tag("pre", cut(pretty(parameters), MAX_BODY))
        case HttpCall(method=method, url=url, headers=headers):
            yield tag("p", tag("code", cut(f"{method} {url}", MAX_BODY)))
            yield _headers(headers)
            yield body(call.body)


def _answer(interaction: Interaction, recording: Recording) -> Markup:
    match interaction.answer:
        case None:
            return tag("p", waiting_text(interaction, recording), class_="waiting")
        case Response() as response:
            return join(*_response(response))
        case Failure() as failure:
            return join(*_failure(failure))


def _response(response: Response) -> Iterator[Markup]:
    partly = "" if response.is_complete else ", not read to its end"
    yield tag("p", f"{response.status} {response.reason}{partly}")
    yield _headers(response.headers)
    yield body(response.body)


def _failure(failure: Failure) -> Iterator[Markup]:
    name = f"{failure.module}.{failure.error_type}" if failure.module else failure.error_type
    yield tag("p", tag("b", cut(name, 200)), " ", cut(failure.message, MAX_BODY))
    if failure.arguments:
        yield tag("pre", cut(pretty(failure.arguments), MAX_BODY))
    if failure.cause is not None:
        yield tag("h4", "which stands for")
        yield from _failure(failure.cause)


def _headers(headers: Sequence[Header]) -> Markup:
    return section(f"headers ({len(headers)})", _facts(islice(headers, 200))) if headers else join()


def _facts(facts: Iterable[Header]) -> Markup:
    rows = (tag("tr", tag("th", cut(k, 200)), tag("td", cut(v, MAX_BODY))) for k, v in facts)
    return tag("div", tag("table", *rows, class_="facts"), class_="scroll")


def _extra(difference: Difference, *, is_drift: bool) -> Markup:
    name = (difference.call or "").removeprefix("extra ")
    mark = tag("span", "extra", class_="mark drift" if is_drift else "mark noise")
    only = tag("span", "-", class_="number"), tag("span", "in the replay alone", class_="times")
    line = tag("summary", *only, tag("b", cut(name, 200)), mark)
    return tag("details", line, tag("h4", "sent"), document(difference.replayed), class_="call")
