"""Verdicts and captured values as text for a terminal.

Lines are made of the pieces of `pieces.py`.
"""

from collections.abc import Iterator

from replay.outcome import Exited, Outcome, Raised, Returned, TimedOut
from replay.recording import Recording
from replay.replayer.compare import Difference
from replay.replayer.finding import Finding
from replay.replayer.noise import Noise
from replay.replayer.verdict import Verdict
from replay.report.batch import batch_remarks
from replay.report.calls import counts_text, timeline
from replay.report.pieces import STYLES, Piece, escaped, milliseconds, plain_text, value_text


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
    yield from judged_pieces(verdict)
    output = verdict.replay.output if verdict.replay else ""
    if output and (show_output or verdict.kind == "drift"):
        yield "\n       output of the handler:\n", "dim"
        yield _indented(escaped(output.rstrip("\n"), keep_lines=True)), ""


def failure_text(verdict: Verdict, command: str | None) -> str:
    """Return what a test says of a case that does not match: plain text of several lines.

    `command` is what replays the case alone, None where nothing does.
    """
    text = plain_text(verdict_pieces(verdict, show_output=True))
    return text if command is None else f"{text}\n       to replay it alone: {escaped(command)}"


def judged_pieces(verdict: Verdict) -> Iterator[Piece]:
    """Yield the lines of one case without what its handler has written."""
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


def _details(verdict: Verdict) -> Iterator[tuple[Piece, ...]]:
    if verdict.error is not None:
        yield ((escaped(verdict.error.message, keep_lines=True), ""),)
        if verdict.error.hint:
            yield ((f"hint: {escaped(verdict.error.hint)}", "dim"),)
    if verdict.replay is not None and verdict.replay.warmed_with is not None:
        yield ((warmth_text(verdict.replay.warmed_with, verdict.recording), "dim"),)
    if verdict.guard in ("best effort", "open"):
        yield ("network  ", ""), (network_text(verdict), "bold yellow")
    for written in verdict.replay.wrote if verdict.replay else ():
        yield ("wrote outside  ", ""), (escaped(written), "bold yellow")
    for change in verdict.changes:
        values = f"  {value_text(change.recorded)} -> {value_text(change.replayed)}"
        yield ("changed input  ", ""), (escaped(change.path), "bold"), (values, "")
    for difference in verdict.differences:
        yield _place(difference)
        yield ("  recorded  ", ""), (value_text(difference.recorded), "green")
        yield ("  replayed  ", ""), (value_text(difference.replayed), "red")
    for noise in verdict.noise:
        values = f"  {value_text(noise.recorded)} -> {value_text(noise.replayed)}"
        reason = f"  [{escaped(noise.factor or noise.rule or '')}]"
        yield ("noise  ", "dim"), *_place(noise), (values, "dim"), (reason, "")
    yield from _calls(verdict)
    for label, text in remarks(verdict):
        yield (f"{label}  ", "dim"), (escaped(text), "")


def _place(difference: Difference | Noise) -> tuple[Piece, ...]:
    """Return where something differs: the call, if it is in one, and the path."""
    path = escaped(difference.path), "bold" if isinstance(difference, Difference) else ""
    return (path,) if difference.call is None else ((f"{escaped(difference.call)}  ", ""), path)


def _calls(verdict: Verdict) -> Iterator[tuple[Piece, ...]]:
    """Yield how the calls compare, where they do not all match; of a drift the timeline as well."""
    contract = verdict.contract
    if verdict.kind != "drift" and contract.is_kept:
        return
    if counts := counts_text(contract):
        yield ("calls  ", "dim"), (counts, "")
    if verdict.kind == "drift":
        yield from timeline(verdict.recording)


def remarks(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield what a reader is to know besides what differs: a label and a text."""
    for dependence in verdict.dependences:
        call = "" if dependence.call is None else f"{dependence.call}  "
        why = dependence.factor or "what no replay fixes"
        yield "depends", f"{call}{dependence.path}  [{why}]"
    if verdict.replay is not None:
        yield from _findings_text(verdict.replay.findings)
    earlier = verdict.recording.invocation.sandbox.earlier
    is_cold = verdict.replay is not None and verdict.replay.warmed_with is None
    if verdict.kind == "drift" and is_cold and earlier > 0:
        yield "sandbox", f"was warm: --warm replays its {earlier:,} earlier invocations first"
    yield from batch_remarks(verdict)


def _findings_text(findings: tuple[Finding, ...]) -> Iterator[tuple[str, str]]:
    for finding in findings:
        match finding.kind:
            case "computed":
                number = finding.facts["read"]
                yield "remaining", f"computed from read {number} on: time does not run back"
            case "raced":
                yield "threads", "ran at the same time: what they did is in no fixed order"


def warmth_text(warmed_with: int, recording: Recording) -> str:
    """Return how much of what its sandbox had seen before was replayed first."""
    earlier = recording.invocation.sandbox.earlier
    if not earlier:
        return "the first invocation of its sandbox: nothing to warm it with"
    return f"warmed with {warmed_with:,} of {earlier:,} earlier invocations"


def network_text(verdict: Verdict) -> str:
    """Return what is not as closed as a replay's network should be."""
    allowed = ", ".join(escaped(str(endpoint)) for endpoint in verdict.network.allowed)
    if verdict.guard == "open" or not allowed:
        return str(verdict.guard)
    return f"allowed {allowed} (best effort)"


def _indented(text: str) -> str:
    return "\n".join(f"         {line}" for line in text.split("\n"))
