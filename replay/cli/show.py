"""`replay show`: read one recording."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from replay.cli.command import (
    JsonOption,
    StoreOption,
    answering,
    opened,
    out,
    print_json,
    read_settings,
    say,
)
from replay.cli.completion import complete_id
from replay.entropy import EntropyTape
from replay.invocation import Redaction
from replay.recording import Recording
from replay.report.calls import timeline, unanswered
from replay.report.document import (
    context_document,
    environment_of,
    outcome_document,
    recording_document,
    replay_document,
)
from replay.report.jsonable import jsonable
from replay.report.pieces import escaped, json_text, milliseconds
from replay.report.text import outcome_text

IdArgument = Annotated[
    str,
    typer.Argument(
        help="Id, its last 4 or more characters, request id, @latest or @2.",
        autocompletion=complete_id,
    ),
]

_SHOWN_NAMES = 6


@answering
def show(id: IdArgument, *, store: StoreOption = None, as_json: JsonOption = False) -> int:
    """Show one recording: context, event, environment, outcome."""
    with opened(read_settings(store)) as found_store:
        ids = found_store.resolve(id)
        recording = found_store.get(ids[-1])
        tags = found_store.tags(ids[-1:]).get(recording.id, ())
    if len(ids) > 1:
        say(f"{len(ids)} attempts have this request id; the last is shown: {', '.join(ids)}")
    if as_json:
        print_json({**recording_document(recording), "tags": list(tags)})
    else:
        console = out()
        for line in _lines(recording, tags):
            console.print(line)
    return 0


def _lines(recording: Recording, tags: tuple[str, ...]) -> Iterator[Text]:
    invocation = recording.invocation
    sandbox = invocation.sandbox
    yield Text(recording.id, "bold")
    facts: dict[str, object] = {
        "function": invocation.function_name,
        "handler": invocation.handler + (" (awaited)" if invocation.awaited else ""),
        "captured": _moment(invocation.captured_at_us // 1000),
        "deadline": _moment(invocation.context.deadline_epoch_ms),
        "remaining": _remaining(recording),
        "duration": milliseconds(recording.duration_us),
        "outcome": outcome_text(recording.outcome),
        "sandbox": f"{sandbox.id[-8:]}, invocation {sandbox.sequence}"
        f" ({'cold' if sandbox.cold else 'warm'}), Python {sandbox.python_version},"
        f" runtime client {sandbox.runtime_client or 'none'}",
        "written by": f"replay {recording.replay_version}",
        "entropy": _entropy(recording.entropy),
        "outbound": _outbound(recording),
        "redaction": _redaction(recording.redaction),
        "tags": " ".join(tags) or "-",
    }
    for name, fact in facts.items():
        yield Text.assemble((f"{name:12}", "dim"), escaped(str(fact)))
    yield Text("\nreplay", "bold")
    for name, told in _prospect(recording).items():
        yield Text.assemble((f"{name:12}", "dim"), escaped(told))
    if recording.interactions:
        yield Text("\ncalls", "bold")
        for line in timeline(recording):
            yield Text.assemble(*line)
    yield from _section("context", context_document(recording))
    yield from _section("event", jsonable(invocation.event))
    yield from _section("environment", environment_of(recording))
    yield from _section("outcome", outcome_document(recording.outcome))


def _redaction(redaction: Redaction | None) -> str:
    if redaction is None:
        return "off"
    again = f", {redaction.generation} times again" if redaction.generation else ""
    names = sorted({*redaction.environment, *filter(None, redaction.pseudonyms.values())})
    told = f": {', '.join(names[:_SHOWN_NAMES])}" if names else ""
    more = f" and {len(names) - _SHOWN_NAMES:,} more" if len(names) > _SHOWN_NAMES else ""
    return f"{redaction.mode}{again}{told}{more}"


def _section(title: str, value: Any) -> Iterator[Text]:
    yield Text(f"\n{title}", "bold")
    yield Text(json_text(value))


def _moment(epoch_ms: int | None) -> str:
    if epoch_ms is None:
        return "-"
    try:
        moment = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{epoch_ms} ms since 1970"
    return moment.isoformat(timespec="milliseconds")


def _prospect(recording: Recording) -> dict[str, str]:
    """Return in words what a replay will find, and what of it is computed."""
    found: Any = replay_document(recording)
    reads, earlier = found["remaining_reads"], found["earlier_invocations"]
    entropy = {
        "seeded": "seeded from the id",
        "recorded": "as recorded, then seeded from the id",
        "partly recorded": "as recorded as far as it was kept, then seeded from the id",
    }
    compared = {
        "outcome": "what it returned or raised",
        "digest": "the digest of what it returned, which was too large to be kept",
        "end": "whether it again does not finish",
    }
    return {
        "clock": f"{found['clock']}, from {_moment(found['entry_epoch_ms'])}; times out after"
        f" {found['times_out_after_ms']:,} ms",
        "remaining": f"the {reads:,} recorded reads, then computed" if reads else "computed",
        "entropy": entropy[found["entropy"]],
        "network": "outbound calls are answered as recorded; what is not recorded is refused"
        if found["outbound_calls"] == "answered"
        else "outbound calls are refused: none was recorded",
        "sandbox": f"cold; --warm replays {earlier:,} earlier invocations first"
        if earlier
        else "cold, as it was",
        "compared": compared[found["compared"]],
    }


def _outbound(recording: Recording) -> str:
    if recording.outbound == "off":
        return "not captured"
    made = sum(not interaction.at_import for interaction in recording.interactions)
    at_import = len(recording.interactions) - made
    seen = f", {at_import:,} at import" if recording.outbound == "all" else ""
    unseen = "" if recording.outbound == "all" else "; those at import were not seen"
    waiting = unanswered(recording.interactions)
    hung = "" if waiting is None or recording.outcome else f"; was waiting for {waiting.call.name}"
    return f"{made:,} calls{seen}{unseen}{hung}"


def _entropy(tape: EntropyTape | None) -> str:
    if tape is None:
        return "not taped"
    state = ", the state of random at entry" if tape.generator is not None else ""
    partly = "" if tape.complete else "; not all of it could be kept"
    return f"{len(tape.drawn):,} bytes drawn{state}{partly}"


def _remaining(recording: Recording) -> str:
    remaining_ms = recording.invocation.remaining_ms
    if remaining_ms is None:
        return "unknown: the context had no deadline"
    reads = ", ".join(f"{value:,}" for value in recording.remaining_reads_ms[:10])
    more = ", ..." if len(recording.remaining_reads_ms) > 10 else ""
    seen = f"; the handler read {reads}{more}" if reads else ""
    partly = "" if recording.reads_complete else "; only the entry value could be kept"
    return f"{remaining_ms:,} ms at entry{seen}{partly}"
