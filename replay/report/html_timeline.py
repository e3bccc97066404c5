"""The outbound calls of a recording drawn as bars over time, in SVG that needs no style attribute.

Places along the time are percentages, so that a drawing is as wide as its page; the stylesheet
keeps it from becoming too narrow for its labels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from replay.interaction import Failure, Interaction, Response
from replay.outcome import TimedOut
from replay.recording import Recording
from replay.report.html_calls import MAX_CALLS, Marked, status_style
from replay.report.html_markup import Markup, join, tag
from replay.report.pieces import milliseconds
from replay.report.text import outcome_text

_LANE = 24
"""Pixels from one lane to the next."""
_TOP = 22
"""Pixels above the first lane, for the scale."""
_CHARACTER = 0.88
"""Percent that a character of a label takes up where the drawing is at its narrowest."""
_MAX_LABEL = 56
_THINNEST = 0.3
"""Percent of the shortest bar, which would else not be seen."""


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar: `end_us` None is open, to the end of the scale."""

    start_us: int
    end_us: int | None
    label: str
    title: str
    style: str


@dataclass(frozen=True, slots=True)
class _Scale:
    """What the width of a drawing stands for."""

    span_us: int

    def at(self, moment_us: float) -> float:
        """Return where a moment is, in percent."""
        return min(max(100 * moment_us / self.span_us, 0.0), 100.0)


def timeline_drawings(calls: Sequence[Marked], recording: Recording) -> Markup:
    """Return the calls of the handler drawn in the time after entry, those at import apart."""
    drawn = calls[:MAX_CALLS]
    own = [marked for marked in drawn if not marked.interaction.at_import]
    others = [_bar(marked) for marked in drawn if marked.interaction.at_import]
    title = tag("h4", "at import, before entry")
    imported = (title, _drawing(others, _Scale(_span_us(others)))) if others else ()
    return join(*imported, *_of_handler(own, recording))


def _of_handler(calls: Sequence[Marked], recording: Recording) -> Iterator[Markup]:
    deadline_us = (recording.invocation.remaining_ms or 0) * 1000
    is_cut_off = recording.outcome is None or isinstance(recording.outcome, TimedOut)
    end_us = deadline_us if is_cut_off and deadline_us else recording.duration_us
    handler = _Bar(
        0,
        None if recording.outcome is None else end_us or 0,
        f"handler: {outcome_text(recording.outcome)}",
        "the handler, from entry to its end",
        "handler",
    )
    bars = [handler, *sorted(map(_bar, calls), key=lambda bar: bar.start_us)]
    span_us = max(_span_us(bars), end_us or 0)
    if span_us > (end_us or 0) and any(bar.end_us is None for bar in bars):
        span_us = span_us * 5 // 4  # what is open is seen to go on
    deadline = deadline_us if is_cut_off or deadline_us <= span_us else 0
    yield tag("h4", "after entry")
    yield _drawing(bars, _Scale(max(span_us, 1)), deadline_us=deadline)


def _span_us(bars: Sequence[_Bar]) -> int:
    return max(1, *(max(bar.start_us, bar.end_us or 0) for bar in bars))


def _bar(marked: Marked) -> _Bar:
    interaction = marked.interaction
    name, came = interaction.call.name, _came(interaction)
    short = name if len(name) <= _MAX_LABEL else f"{name[: _MAX_LABEL - 3]}..."
    words = " ".join((short, came, *marked.marks))
    took = milliseconds(interaction.duration_us) if interaction.answer else "never answered"
    end_us = interaction.at_us + (interaction.duration_us or 0) if interaction.answer else None
    return _Bar(
        interaction.at_us,
        end_us,
        f"{interaction.sequence}  {words}",
        f"{name[:200]}  {came}, at +{milliseconds(interaction.at_us)}, {took}",
        " ".join(filter(None, (status_style(interaction), marked.style))),
    )


def _came(interaction: Interaction) -> str:
    match interaction.answer:
        case None:
            return "never answered"
        case Response(status=status):
            return str(status)
        case Failure(error_type=error_type):
            return error_type[:_MAX_LABEL]


def _drawing(bars: Sequence[_Bar], scale: _Scale, *, deadline_us: int = 0) -> Markup:
    lanes = _lanes(bars, scale)
    height = _TOP + _LANE * (max(lanes) + 1)
    deadline = _deadline(scale.at(deadline_us), height) if deadline_us else ()
    return tag(
        "div",
        tag(
            "svg",
            *_ticks(scale, height),
            *(_drawn(bar, lane, scale) for bar, lane in zip(bars, lanes, strict=True)),
            *deadline,
            width="100%",
            height=height,
            role="img",
            aria_label="outbound calls over time; the list below says the same in words",
        ),
        class_="timeline scroll",
    )


def _lanes(bars: Sequence[_Bar], scale: _Scale) -> list[int]:
    """Return for each bar the first lane in which neither it nor its label covers another."""
    taken: list[list[tuple[float, float]]] = []
    lanes = []
    for bar in bars:
        low, high = _extent(bar, scale)
        lane = next(
            (n for n, lane in enumerate(taken) if all(high <= a or b <= low for a, b in lane)),
            len(taken),
        )
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        lanes.append(lane)
    return lanes


def _extent(bar: _Bar, scale: _Scale) -> tuple[float, float]:
    """Return from where to where a bar and its label reach, in percent."""
    if bar.style == "handler":
        return 0, 100
    (start, end), (x, is_before) = _ends(bar, scale), _place(bar, scale)
    width = _label_width(bar)
    return min(start, x - width if is_before else x), max(end, x if is_before else x + width)


def _place(bar: _Bar, scale: _Scale) -> tuple[float, bool]:
    """Return where a label begins, or ends: in its bar, after it, before it, or across it."""
    start, end = _ends(bar, scale)
    width = _label_width(bar)
    if end - start >= width:
        return start, False
    if end + width <= 100:
        return end, False
    if start - width >= 0:
        return start, True
    return (start, False) if start + width <= 100 else (end, True)


def _label_width(bar: _Bar) -> float:
    return len(bar.label) * _CHARACTER + 1.5


def _ends(bar: _Bar, scale: _Scale) -> tuple[float, float]:
    """Return where a bar begins and ends, in percent."""
    end = 100.0 if bar.end_us is None else scale.at(bar.end_us)
    start = min(scale.at(bar.start_us), 100 - _THINNEST)
    return start, max(end, start + _THINNEST)


def _drawn(bar: _Bar, lane: int, scale: _Scale) -> Markup:
    start, end = _ends(bar, scale)
    x, is_before = _place(bar, scale)
    top = _TOP + lane * _LANE
    return tag(
        "g",
        tag("title", bar.title),
        tag(
            "rect",
            x=_percent(start),
            y=top,
            width=_percent(end - start),
            height=_LANE - 4,
            rx=3,
            class_="open" if bar.end_us is None else None,
        ),
        tag(
            "text",
            bar.label,
            x=_percent(x),
            dx=-4 if is_before else 4,
            y=top + 14,
            text_anchor="end" if is_before else None,
        ),
        class_=bar.style,
    )


def _ticks(scale: _Scale, height: int) -> Iterator[Markup]:
    step = _step_us(scale.span_us)
    for moment_us in range(0, scale.span_us + 1, step):
        x = scale.at(moment_us)
        anchor = "end" if x > 95 else None
        yield tag("line", x1=_percent(x), x2=_percent(x), y1=16, y2=height, class_="tick")
        label = "0" if not moment_us else milliseconds(moment_us)
        yield tag("text", label, x=_percent(x), y=11, text_anchor=anchor, class_="tick")


def _step_us(span_us: int) -> int:
    """Return a round number of microseconds, of which three to seven fit into a span."""
    power = int(10 ** (len(str(max(span_us // 3, 1))) - 1))
    return next(power * n for n in (5, 2, 1) if power * n <= max(span_us // 3, 1))


def _deadline(x: float, height: int) -> Iterator[Markup]:
    place = _percent(x)
    yield tag("line", x1=place, x2=place, y1=0, y2=height, class_="deadline")
    yield tag("title", "the deadline")


def _percent(value: float) -> str:
    return f"{value:.3f}%"
