"""Verdicts and captured values as text for a terminal.

Lines are made of pieces, each a text and a style, and never of markup; control characters are
escaped, so that nothing captured is taken for an instruction by the terminal or by rich.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, get_args

from replay.outcome import Exited, Outcome, Raised, Returned, TimedOut
from replay.recording import Recording
from replay.replayer.compare import ABSENT
from replay.replayer.finding import Finding
from replay.replayer.verdict import Verdict, VerdictKind
from replay.report.batch import batch_remarks

Piece: TypeAlias = tuple[str, str]
"""A text, and its style in rich's words; "" is plain."""
STYLES = {
    "match": "bold green",
    "drift": "bold red",
    "error": "bold yellow",
    "returned": "green",
    "raised": "red",
    "unfinished": "bold magenta",
    "timed_out": "magenta",
    "exited": "magenta",
    "damaged": "bold yellow",
}
_MAX_VALUE = 300
_BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def escaped(text: str, *, keep_lines: bool = False) -> str:
    """Return `text` with control, bidirectional and lone surrogate characters as escapes."""
    kept = "\n\t" if keep_lines else ""
    return "".join([c if c in kept or not _is_control(ord(c)) else _escape(ord(c)) for c in text])


def _is_control(code: int) -> bool:
    return code < 32 or 127 <= code < 160 or code in _BIDI or 0xD800 <= code < 0xE000


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def milliseconds(duration_us: int | None) -> str:
    """Return a duration for reading: microseconds below a millisecond, seconds above ten."""
    if duration_us is None:
        return "-"
    if duration_us < 1000:
        return f"{duration_us} us"
    if duration_us < 10_000_000:
        return f"{duration_us / 1000:,.{1 if duration_us < 100_000 else 0}f} ms"
    return f"{duration_us / 1_000_000:,.1f} s"


def outcome_text(outcome: Outcome | None) -> str:
    """Return an outcome in a few words."""
    match outcome:
        case None:
            return "unfinished"
        case Returned(content_type=content_type):
            return "returned" if content_type == "application/json" else "returned bytes"
        case Raised(error_type=error_type):
            return f"raised {escaped(error_type)}"
        case TimedOut(limit_ms):
            return f"timed out after {limit_ms:,} ms"
        case Exited(status):
            return f"exited by signal {-status}" if status < 0 else f"exited with status {status}"


def verdict_pieces(verdict: Verdict, *, show_output: bool) -> Iterator[Piece]:
    """Yield the lines that `replay run` prints of one case, without the last line's end."""
    recording, replay = verdict.recording, verdict.replay
    yield f"{verdict.kind:5}", STYLES[verdict.kind]
    yield f"  {recording.id[-8:]}  {escaped(recording.invocation.function_name)}  ", ""
    if replay is not None:
        yield outcome_text(replay.outcome), ""
        yield f"  {milliseconds(replay.duration_us)}", "dim"
        if replay.remaining_ms is not None:
            yield f"  {replay.remaining_ms:,} ms remaining at entry", "dim"
    for line in _details(verdict):
        yield "\n       ", ""
        yield from line
    output = replay.output if replay else ""
    if output and (show_output or verdict.kind == "drift"):
        yield "\n       output of the handler:\n", "dim"
        yield _indented(escaped(output.rstrip("\n"), keep_lines=True)), ""


def _details(verdict: Verdict) -> Iterator[tuple[Piece, ...]]:
    if verdict.error is not None:
        yield ((escaped(verdict.error.message, keep_lines=True), ""),)
        if verdict.error.hint:
            yield ((f"hint: {escaped(verdict.error.hint)}", "dim"),)
    if verdict.replay is not None and verdict.replay.warmed_with is not None:
        yield ((_warmth(verdict.replay.warmed_with, verdict.recording), "dim"),)
    if verdict.guard in ("best effort", "open"):
        yield ("network  ", ""), (_network_text(verdict), "bold yellow")
    for written in verdict.replay.wrote if verdict.replay else ():
        yield ("wrote outside  ", ""), (escaped(written), "bold yellow")
    for change in verdict.changes:
        values = f"  {value_text(change.recorded)} -> {value_text(change.replayed)}"
        yield ("changed input  ", ""), (escaped(change.path), "bold"), (values, "")
    for difference in verdict.differences:
        yield ((escaped(difference.path), "bold"),)
        yield ("  recorded  ", ""), (value_text(difference.recorded), "green")
        yield ("  replayed  ", ""), (value_text(difference.replayed), "red")
    for noise in verdict.noise:
        values = f"  {value_text(noise.recorded)} -> {value_text(noise.replayed)}"
        path, factor = (escaped(noise.path), ""), (f"  [{noise.factor}]", "")
        yield ("noise  ", "dim"), path, (values, "dim"), factor
    for label, text in _remarks(verdict):
        yield (f"{label}  ", "dim"), (escaped(text), "")


def _remarks(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield what a reader is to know besides what differs: a label and a text."""
    for dependence in verdict.dependences:
        yield "depends", f"{dependence.path}  [{dependence.factor or 'what no replay fixes'}]"
    if verdict.replay is not None:
        yield from _findings_text(verdict.replay.findings)
    yield from batch_remarks(verdict)


def _findings_text(findings: tuple[Finding, ...]) -> Iterator[tuple[str, str]]:
    for finding in findings:
        match finding.kind:
            case "computed":
                number = finding.facts["read"]
                yield "remaining", f"computed from read {number} on: time does not run back"
            case "raced":
                yield "threads", "ran at the same time: what they did is in no fixed order"


def _warmth(warmed_with: int, recording: Recording) -> str:
    earlier = recording.invocation.sandbox.sequence - 1
    if not earlier:
        return "the first invocation of its sandbox: nothing to warm it with"
    return f"warmed with {warmed_with:,} of {earlier:,} earlier invocations"


def _network_text(verdict: Verdict) -> str:
    """Return what is not as closed as a replay's network should be."""
    allowed = ", ".join(escaped(str(endpoint)) for endpoint in verdict.network.allowed)
    if verdict.guard == "open" or not allowed:
        return str(verdict.guard)
    return f"allowed {allowed} (best effort)"


def value_text(value: Any) -> str:
    """Return a compared value on one line, cut where it is long."""
    if value is ABSENT:
        return "(nothing there)"
    text = escaped(json.dumps(value, ensure_ascii=False))
    return (
        text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]} ... ({len(text):,} characters)"
    )


def _indented(text: str) -> str:
    return "\n".join(f"         {line}" for line in text.split("\n"))


def totals_pieces(kinds: Mapping[VerdictKind, int], noise: int) -> Iterator[Piece]:
    """Yield the closing line: how many of each verdict, and how much noise."""
    for kind in get_args(VerdictKind):
        yield f"{kinds.get(kind, 0)} {kind}  ", STYLES[kind] if kinds.get(kind) else "dim"
    yield f"{noise} noise", "dim"


def json_text(value: Any) -> str:
    """Return a value as indented JSON, escaped for a terminal."""
    return escaped(json.dumps(value, indent=2, ensure_ascii=False), keep_lines=True)
