"""Recordings and verdicts as JSON documents; the keys are the words of the documentation. Pure."""

from replay.entropy import EntropyTape
from replay.event import source_of
from replay.invocation import Redaction
from replay.outcome import Outcome, Returned
from replay.part import FORMAT
from replay.recording import Recording, digest
from replay.replayer.case import Case, Change
from replay.replayer.clock import entry_epoch_ms
from replay.replayer.compare import ABSENT, UNFINISHED, Difference, summary
from replay.replayer.finding import Finding
from replay.replayer.noise import Noise
from replay.replayer.replay import Replay
from replay.replayer.verdict import Verdict
from replay.replayer.world import World
from replay.report.batch import batch_document
from replay.report.calls import counts_document, interaction_document
from replay.report.jsonable import jsonable, jsonable_mapping


def recording_document(recording: Recording) -> dict[str, object]:
    """Return what `replay show --json` prints of a recording."""
    invocation = recording.invocation
    context = invocation.context
    sandbox = invocation.sandbox
    return {
        "id": recording.id,
        "format": FORMAT,
        "digest": digest(recording.parts()),
        "replay_version": recording.replay_version,
        "function_name": invocation.function_name,
        "handler": invocation.handler,
        "source": source_of(invocation.event),
        "captured_at": invocation.captured_at_us,
        "deadline_epoch_ms": context.deadline_epoch_ms,
        "remaining_ms": invocation.remaining_ms,
        "remaining_reads_ms": list(recording.remaining_reads_ms),
        "reads_complete": recording.reads_complete,
        "duration_us": recording.duration_us,
        "awaited": invocation.awaited,
        "context": context_document(recording),
        "event": jsonable(invocation.event),
        "environment": environment_of(recording),
        "outcome": outcome_document(recording.outcome),
        "outbound": recording.outbound,
        "interactions": [interaction_document(it) for it in recording.interactions],
        "entropy": _entropy_document(recording.entropy),
        "redaction": _redaction_document(recording.redaction),
        "replay": replay_document(recording),
        "sandbox": {name: getattr(sandbox, name) for name in sandbox.__slots__}
        | {"cold": sandbox.cold},
    }


def _entropy_document(tape: EntropyTape | None) -> dict[str, object] | None:
    """Return how much was taped, and nothing that a secret could be computed from."""
    if tape is None:
        return None
    return {
        "drawn_bytes": len(tape.drawn),
        "generator": tape.generator is not None,
        "complete": tape.complete,
    }


def _redaction_document(redaction: Redaction | None) -> dict[str, object] | None:
    """Return how a recording was redacted: its pseudonyms, each with the name of its secret."""
    if redaction is None:
        return None
    return {
        **{name: getattr(redaction, name) for name in ("mode", "rules", "generation")},
        "environment": dict(redaction.environment),
        "pseudonyms": dict(redaction.pseudonyms),
    }


def replay_document(recording: Recording) -> dict[str, object]:
    """Return what a replay of a recording will find, and what of it is recorded."""
    case = Case(recording, recording.invocation.handler, ())
    tape = recording.entropy
    outcome = recording.outcome
    return {
        "clock": case.clock,
        "entry_epoch_ms": entry_epoch_ms(World.of(case), recording.invocation),
        "times_out_after_ms": case.deadline_ms,
        "remaining_reads": len(recording.remaining_reads_ms),
        "entropy": "seeded" if tape is None else "recorded" if tape.complete else "partly recorded",
        "outbound_calls": "refused" if recording.outbound == "off" else "answered",
        "earlier_invocations": recording.invocation.sandbox.earlier,
        "compared": "end"
        if outcome is None
        else "digest"
        if isinstance(outcome, Returned) and outcome.payload is None
        else "outcome",
    }


def context_document(recording: Recording) -> object:
    """Return a recorded context under the attribute names of AWS's documentation."""
    context = recording.invocation.context
    if context.kind == "value":
        return jsonable(context.value)
    return {
        **jsonable_mapping(context.attributes),
        **jsonable_mapping(context.extra),
        "w3c": dict(context.w3c),
        "kind": context.kind,
        "type_name": context.type_name,
    }


def environment_of(recording: Recording) -> dict[str, str]:
    """Return the recorded variables, with the trace id of the invocation among them."""
    trace_id = recording.invocation.trace_id
    own = {} if trace_id is None else {"_X_AMZN_TRACE_ID": trace_id}
    return {**recording.invocation.environment, **own}


def outcome_document(outcome: Outcome | None) -> dict[str, object]:
    """Return an outcome by its kind; None is an unfinished recording."""
    if outcome is None:
        return dict(UNFINISHED)
    document = summary(outcome)
    if isinstance(outcome, Returned):
        document["content_type"] = outcome.content_type
    return document


def verdict_document(verdict: Verdict) -> dict[str, object]:
    """Return what `replay run --json` prints of one case."""
    recording = verdict.recording
    replay = verdict.replay
    document: dict[str, object] = {
        "id": recording.id,
        "function_name": recording.invocation.function_name,
        "verdict": verdict.kind,
        "outcome": outcome_document(replay.outcome) if replay else None,
        "recorded_outcome": outcome_document(recording.outcome),
        "differences": [_difference_document(difference) for difference in verdict.differences],
        "noise": [
            {**_difference_document(noise), **_excuse_document(noise)} for noise in verdict.noise
        ],
        "interactions": counts_document(verdict.contract),
        "duration_us": replay.duration_us if replay else None,
        "remaining_ms": replay.remaining_ms if replay else None,
        "output": replay.output if replay else None,
        "network": {"guard": verdict.guard, "allowed": [str(it) for it in verdict.network.allowed]},
        "wrote": list(replay.wrote) if replay else [],
    }
    if replay is not None:
        document |= _findings_document(replay.findings)
        document |= _warmth_document(replay, recording)
    document |= batch_document(verdict)
    if verdict.dependences:
        document["depends"] = [
            {"path": dependence.path, "factor": dependence.factor}
            | ({} if dependence.call is None else {"call": dependence.call})
            for dependence in verdict.dependences
        ]
    if verdict.changes:
        document["changed_input"] = [_difference_document(change) for change in verdict.changes]
    if verdict.error is not None:
        document["error"] = {"message": verdict.error.message, "hint": verdict.error.hint}
    return document


def _warmth_document(replay: Replay, recording: Recording) -> dict[str, object]:
    if replay.warmed_with is None:
        return {}
    earlier = recording.invocation.sandbox.earlier
    return {"warmed_with": replay.warmed_with, "earlier_invocations": earlier}


def _findings_document(findings: tuple[Finding, ...]) -> dict[str, object]:
    computed = [f.facts["read"] for f in findings if f.kind == "computed"]
    return {
        "remaining_computed_from_read": computed[0] if computed else None,
        "threads_raced": any(finding.kind == "raced" for finding in findings),
    }


def _excuse_document(noise: Noise) -> dict[str, object]:
    return {"factor": noise.factor} if noise.rule is None else {"rule": noise.rule}


def _difference_document(difference: Difference | Noise | Change) -> dict[str, object]:
    # A side that has nothing at the path has no key: null is a value.
    sides = {"recorded": difference.recorded, "replayed": difference.replayed}
    present = {name: jsonable(value) for name, value in sides.items() if value is not ABSENT}
    call = getattr(difference, "call", None)
    where = {} if call is None else {"call": call}
    return {"path": difference.path, **where, **present}
