"""A replay that tried to get out is an error, whatever its handler has made of the failure.

So is one that asked what nothing recorded answers. A write that is new is none: it is what the
replay is there to find, and the contract says so.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from replay.errors import ReplayError
from replay.replayer.case import Case
from replay.replayer.finding import Finding
from replay.replayer.network import Endpoint
from replay.replayer.outbound.contract import Sent, name_of
from replay.replayer.outbound.match import Matcher


def refuse_outbound(case: Case, findings: Iterable[Finding]) -> None:
    """Raise ReplayError where a handler tried to reach the network, naming the first it tried."""
    findings = tuple(findings)
    for finding in findings:
        if finding.kind == "called" and not _is_answered(finding):
            _refuse_unanswered(case, Sent.of_facts(finding.facts))
    refused = [it.facts for it in findings if it.kind == "refused"]
    if not refused:
        return
    # One that names its address says more than the program that tried.
    first = next((facts for facts in refused if "host" in facts), refused[0])
    hint = _ways_on(first)
    if case.recording.outbound == "off":
        hint = f"no outbound call was captured (REPLAY_OUTBOUND=off, or an older version); {hint}"
    raise ReplayError(f"recording {case.recording.id}: {_attempt(first)}", hint)


def _is_answered(finding: Finding) -> bool:
    return finding.facts["answered_by"] is not None and bool(finding.facts["is_kept"])


def _refuse_unanswered(case: Case, sent: Sent) -> None:
    """Raise ReplayError for a call that could not be answered, and is no new write."""
    is_answered = sent.answered_by is not None
    if not is_answered and _is_new_write(sent):
        return
    where = f", from {sent.where}" if sent.where else ""
    what = f"recording {case.recording.id}: the handler called {sent.call.name}{where}"
    if is_answered:
        raise ReplayError(
            f"{what}: the recorded answer was too large to be kept, or could not be read again",
            "capture it again with a larger REPLAY_MAX_BYTES",
        )
    raise ReplayError(f"{what}, {_unrecorded(case, sent)}", _ways_to_answer(case, sent))


def _is_new_write(sent: Sent) -> bool:
    return not (sent.at_import or sent.call.is_read)


def _unrecorded(case: Case, sent: Sent) -> str:
    """Return in words that nothing answers a call, and what comes nearest to it."""
    nearest = Matcher(case.recording.interactions).nearest(sent.call)
    if not nearest:
        return "which is not recorded, nor is any call like it"
    told = "; ".join(
        f"{name_of(interaction)} differs at {', '.join(d.path for d in differences[:4]) or '$'}"
        for interaction, differences in nearest
    )
    return f"which is not recorded; the nearest recorded: {told}"


def _ways_to_answer(case: Case, sent: Sent) -> str:
    live = "--unsafe-network --on-miss live makes the call for real"
    if case.earlier is None and case.recording.invocation.sandbox.earlier:
        return f"its sandbox was warm: --warm replays what that had seen before; or {live}"
    if case.recording.outbound == "handler":
        where = "while its module was imported" if sent.at_import else "perhaps at import"
        return (
            f"it was made {where}, which @capture alone does not see: set the function's handler to"
            f" replay.recorder.handler.handler and capture again; or {live}"
        )
    return f"capture it again; or {live}"


def _attempt(facts: Mapping[str, Any]) -> str:
    who = _who(facts)
    if "host" not in facts:
        return f"{who} tried to open a network socket, which a replay refuses"
    where = f", from {facts['where']}" if facts["where"] else ""
    return f"{who} tried to reach {_address(facts)}, which a replay refuses{where}"


def _who(facts: Mapping[str, Any]) -> str:
    if "program" not in facts:
        return "the handler"
    return f"the program {facts['program']!r}" if facts["program"] else "native code of the handler"


def _address(facts: Mapping[str, Any]) -> str:
    host, port = facts["host"], facts["port"]
    return str(Endpoint(host, port)) if port is not None else str(host)


def _ways_on(facts: Mapping[str, Any]) -> str:
    all_of_it = "--unsafe-network lets everything through"
    host, port = str(facts.get("host", "HOST")), str(facts.get("port") or "")
    if host.startswith("\0") or "/" in host:  # of a Unix socket
        return all_of_it
    endpoint = _address({"host": host, "port": int(port) if port.isdigit() else "PORT"})
    return f"--allow-network {endpoint} lets it through, {all_of_it}"
