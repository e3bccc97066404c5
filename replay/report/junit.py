"""Verdicts as JUnit XML, for CI systems: drift is a failure, what cannot be replayed an error.

One suite, a case each. Elements and attributes are those that Jenkins's schema and pytest's own
reports have in common. Cases are written as they come, the head with its counts at the end; only
the totals are kept.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from replay.event import source_of
from replay.replayer.verdict import Verdict
from replay.report.file import Form, ReportFile
from replay.report.pieces import escaped, plain_text, value_text
from replay.report.text import judged_pieces, outcome_text
from replay.report.totals import Totals
from replay.version import __version__

JUNIT = Form(
    name="JUnit report",
    option="--junit",
    first_line='<?xml version="1.0" encoding="utf-8"?><!-- replay run of lambda-replay -->',
    sections=("head", "cases", "tail"),
)
_MAX_TEXT = 64 * 1024
_MAX_MESSAGE = 1_000
_MAX_NAME = 200
# What XML 1.0 forbids (section 2.2) besides the control characters, which are escaped everywhere.
_FORBIDDEN = re.compile("[\ufffe\uffff]")


class JUnitStream:
    """Cases in a report file, and the suite with its counts around them."""

    def __init__(self, file: ReportFile) -> None:
        self._file = file
        self._totals = Totals()
        self._began = datetime.now(UTC)

    def add(self, verdict: Verdict) -> None:
        """Write one."""
        self._totals.add(verdict)
        self._file.write("cases", "".join(_case(verdict)))

    def close(self) -> None:
        """Write what stands around them."""
        began = self._began.isoformat(timespec="seconds").partition("+")[0]
        lines = JUNIT.first_line, *_head(self._totals, began), *_properties(self._totals)
        self._file.write("head", "\n".join(lines) + "\n")
        self._file.write("tail", "</testsuite>\n</testsuites>\n")


def _head(totals: Totals, began: str) -> Iterator[str]:
    counts = {
        "tests": str(totals.count),
        "failures": str(totals.kinds["drift"]),
        "errors": str(totals.kinds["error"]),
        "time": _seconds(totals.duration_us),
    }
    yield _tag("testsuites", name="replay run", **counts)
    # A host name is required by Ant's schema; the machine's own would tell where it was made.
    more = {"skipped": "0", "timestamp": began, "hostname": "localhost"}
    yield _tag("testsuite", name="replay run", **counts, **more)


def _properties(totals: Totals) -> Iterator[str]:
    properties = {"replay": __version__, "noise": str(totals.noise)}
    properties |= {f"noise.{cause}": str(count) for cause, count in totals.causes.most_common()}
    yield "<properties>"
    for name, value in properties.items():
        yield _tag("property", name=name, value=value).removesuffix(">") + "/>"
    yield "</properties>"


def _case(verdict: Verdict) -> Iterator[str]:
    replay = verdict.replay
    name = verdict.recording.invocation.function_name
    duration = _seconds(replay.duration_us if replay else 0)
    yield _tag("testcase", classname=_cut(name, _MAX_NAME), name=_name(verdict), time=duration)
    if verdict.kind != "match":
        yield "\n" + _failure(verdict)
    if said := _system_out(verdict):
        yield f"\n<system-out>{_text(said)}</system-out>"
    yield "\n</testcase>\n"


def _name(verdict: Verdict) -> str:
    """Return what a case is, by its recording alone: CI systems follow it by this name."""
    recording = verdict.recording
    source = source_of(recording.invocation.event)
    words = recording.id[-8:], source or "", outcome_text(recording.outcome)
    return _cut(" ".join(filter(None, words)), _MAX_NAME)


def _failure(verdict: Verdict) -> str:
    name = "error" if verdict.kind == "error" else "failure"
    opening = _tag(name, message=_cut(_message(verdict), _MAX_MESSAGE), type=verdict.kind)
    text = _cut(plain_text(judged_pieces(verdict)), _MAX_TEXT)
    return f"{opening}{_text(text)}</{name}>"


def _message(verdict: Verdict) -> str:
    if verdict.error is not None:
        hint = f" (hint: {verdict.error.hint})" if verdict.error.hint else ""
        return f"{verdict.error.message}{hint}"
    first, *others = verdict.differences
    place = f"{first.call} {first.path}" if first.call else first.path
    more = f", and {len(others):,} more" if others else ""
    return f"{place}: {value_text(first.recorded)} -> {value_text(first.replayed)}{more}"


def _system_out(verdict: Verdict) -> str:
    count = len(verdict.noise)
    noise = f"replay: {count:,} noise\n" if count else ""
    return noise + _cut(verdict.replay.output if verdict.replay else "", _MAX_TEXT)


def _seconds(duration_us: int) -> str:
    return f"{duration_us / 1_000_000:.6f}"


def _cut(text: str, max_characters: int) -> str:
    if len(text) <= max_characters:
        return text
    return f"{text[:max_characters]} ... cut: {max_characters:,} of {len(text):,} characters"


def _tag(name: str, /, **attributes: str) -> str:
    written = "".join(f" {key}={quoteattr(_shown(it))}" for key, it in attributes.items())
    return f"<{name}{written}>"


def _text(text: str) -> str:
    return escape(_shown(text))


def _shown(text: str) -> str:
    """Return text with what XML 1.0 forbids, and what a terminal obeys, as escapes."""
    kept = escaped(text, keep_lines=True)
    return _FORBIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", kept)
