"""Outbound calls for reading and as JSON: what was sent, when, how long it took, what came back."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from replay.interaction import (
    Answer,
    AwsCall,
    Call,
    Failure,
    Interaction,
    Response,
    answer_document,
    call_document,
)
from replay.recording import Recording
from replay.replayer.compare import plain
from replay.replayer.outbound.contract import Contract
from replay.replayer.outbound.form import form_of
from replay.report.jsonable import jsonable_mapping
from replay.report.pieces import Piece, escaped, milliseconds

_MAX_SUBJECT = 60
_COUNTS = ("matched", "changed", "unused", "extra", "reordered")


def counts_document(contract: Contract) -> dict[str, int]:
    """Return how many calls matched, and how many did not, by how."""
    return {name: getattr(contract, name) for name in _COUNTS}


def counts_text(contract: Contract) -> str:
    """Return the counts in words, without those that are none."""
    counts = counts_document(contract).items()
    return ", ".join(f"{count:,} {name}" for name, count in counts if count)


def interaction_document(interaction: Interaction) -> dict[str, object]:
    """Return an interaction as `replay show --json` prints it."""
    return {
        "sequence": interaction.sequence,
        "at_import": interaction.at_import,
        "lane": interaction.lane,
        "name": interaction.call.name,
        "is_read": interaction.call.is_read,
        "at_us": interaction.at_us,
        "duration_us": interaction.duration_us,
        "call": {**jsonable_mapping(call_document(interaction.call)), **_sent(interaction.call)},
        "answer": None if interaction.answer is None else _answer_document(interaction.answer),
    }


def timeline(recording: Recording) -> Iterator[tuple[Piece, ...]]:
    """Yield a line for each call of a recording, in the order in which they were sent."""
    for interaction in recording.interactions:
        yield from _line(interaction, recording)


def _line(interaction: Interaction, recording: Recording) -> Iterator[tuple[Piece, ...]]:
    when = "import" if interaction.at_import else f"+{milliseconds(interaction.at_us)}"
    took = "-" if interaction.answer is None else milliseconds(interaction.duration_us)
    came, style = came_text(interaction, recording)
    yield (
        (f"{interaction.sequence:>4}  ", "dim"),
        (f"{when:>10}  {took:>9}  ", "dim"),
        (escaped(interaction.call.name), "bold"),
        (f"  {escaped(subject_text(interaction.call))}", ""),
        (f"  {escaped(came)}", style),
    )


def came_text(interaction: Interaction, recording: Recording) -> Piece:
    """Return what came back in a few words, not escaped yet, and their style."""
    match interaction.answer:
        case None:
            return waiting_text(interaction, recording), "bold magenta"
        case Response(status=status, is_complete=is_complete):
            partly = "" if is_complete else ", not read to its end"
            return f"{status}{partly}", "green" if status < 400 else "red"
        case Failure(error_type=error_type, message=message):
            return f"{error_type}: {message[:_MAX_SUBJECT]}", "red"


def waiting_text(interaction: Interaction, recording: Recording) -> str:
    """Return that a call was never answered, and how long it could have waited if it was killed."""
    remaining_ms = recording.invocation.remaining_ms
    if recording.outcome is not None or remaining_ms is None:
        return "never answered"
    left_ms = max(0, remaining_ms - interaction.at_us // 1000)
    return f"never answered: was waiting, up to {left_ms:,} ms to the deadline"


def subject_text(call: Call) -> str:
    """Return what a call is about, short and not escaped yet: its first parameters."""
    if not isinstance(call, AwsCall):
        query = call.url.partition("?")[2]
        return _cut(f"?{query}" if query else "")
    named = (f"{name}={_value(value)}" for name, value in plain(form_of(call)).items())
    return _cut(" ".join(named))


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SUBJECT else f"{text[: _MAX_SUBJECT - 3]}..."


def _sent(call: Call) -> dict[str, object]:
    """Return what is compared of a call, under the name that it has there."""
    if isinstance(call, AwsCall):
        return {"parameters": plain(form_of(call))}
    return {"form": plain(form_of(call))}


def _answer_document(answer: Answer) -> dict[str, object]:
    return jsonable_mapping(answer_document(answer))


def unanswered(interactions: Sequence[Interaction]) -> Interaction | None:
    """Return the call that a killed invocation was waiting for, None where there is none."""
    return next((it for it in reversed(interactions) if it.answer is None), None)
