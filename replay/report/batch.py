"""What AWS does next with a batch, recorded and replayed, for the reports of a verdict. Pure."""

from collections.abc import Iterator

from replay.replayer.batch import Batch, batch_of
from replay.replayer.verdict import Verdict


def batch_document(verdict: Verdict) -> dict[str, object]:
    """Return the key `batch` of a verdict's document; nothing where the event is no batch.

    A side is null where it cannot be told.
    """
    recorded, replayed = _sides(verdict)
    if recorded is None and replayed is None:
        return {}
    return {"batch": {"recorded": _document(recorded), "replayed": _document(replayed)}}


def batch_remarks(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield both sides where they differ, else the replayed one if it is no plain success."""
    recorded, replayed = _sides(verdict)
    if replayed is None:
        return
    if recorded is not None and recorded.differs(replayed):
        yield "batch", f"recorded: {recorded.text}"
        yield "batch", f"replayed: {replayed.text}"
    elif replayed.is_remarkable:
        yield "batch", replayed.text


def _sides(verdict: Verdict) -> tuple[Batch | None, Batch | None]:
    recording, replay = verdict.recording, verdict.replay
    event = recording.invocation.event
    replayed = None if replay is None else batch_of(event, replay.outcome)
    if verdict.changes:  # the recorded outcome is that of another event, maybe of other ids
        return None, replayed
    if replay is not None and replay.outcome == recording.outcome:
        return replayed, replayed
    return batch_of(event, recording.outcome), replayed


def _document(batch: Batch | None) -> dict[str, object] | None:
    if batch is None:
        return None
    return {
        "source": batch.source,
        "size": batch.size,
        "retried": list(batch.retried),
        "whole": batch.is_whole,
        "reported": batch.is_reported,
        "malformed": batch.is_malformed,
        "out_of_order": list(batch.out_of_order),
        "reason": batch.reason,
        "text": batch.text,
    }
