"""A replay that tried to get out is an error, whatever its handler has made of the failure."""

from collections.abc import Iterable, Mapping
from typing import Any

from replay.errors import ReplayError
from replay.replayer.case import Case
from replay.replayer.finding import Finding
from replay.replayer.network import Endpoint


def refuse_outbound(case: Case, findings: Iterable[Finding]) -> None:
    """Raise ReplayError where a handler tried to reach the network, naming the first it tried."""
    refused = [it.facts for it in findings if it.kind == "refused"]
    if not refused:
        return
    # One that names its address says more than the program that tried.
    first = next((facts for facts in refused if "host" in facts), refused[0])
    raise ReplayError(f"recording {case.recording.id}: {_attempt(first)}", _ways_on(first))


def _attempt(facts: Mapping[str, Any]) -> str:
    if "host" not in facts:
        program = facts["program"]
        who = f"the program {program!r}" if program else "native code of the handler"
        return f"{who} tried to open a network socket, which a replay refuses"
    where = f", from {facts['where']}" if facts["where"] else ""
    return f"the handler tried to reach {_address(facts)}, which a replay refuses{where}"


def _address(facts: Mapping[str, Any]) -> str:
    host, port = facts["host"], facts["port"]
    return str(Endpoint(host, port)) if port is not None else str(host)


def _ways_on(facts: Mapping[str, Any]) -> str:
    is_endpoint = isinstance(facts.get("port"), int) and facts["port"] > 0
    endpoint = _address(facts) if is_endpoint else "HOST:PORT"
    return f"--allow-network {endpoint} lets it through, --unsafe-network lets everything through"
