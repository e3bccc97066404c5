"""What a replayed handler cannot reach: the network, and the files of the project.

On Linux the kernel keeps every process of the replay from making sockets; an audit hook sees
Python's own calls, says which address and from where, and is all there is elsewhere. Both are set
up before the handler is imported, and hold until the process ends.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from socket import AF_INET, AF_INET6
from typing import Any

from replay.replayer import seccomp, stand_in
from replay.replayer.channel import Channel
from replay.replayer.file_guard import Check, FileGuard
from replay.replayer.finding import FindingWriter
from replay.replayer.network import Endpoint, GuardKind, Network
from replay.replayer.network_guard import NetworkGuard


class Guard:
    """This process's guard, set up as it is made; `kind` says how strong the network's is.

    `runtime_api` is where AWS's client finds its invocations, None where there is none;
    `has_own_network` says that nothing else can be reached from here.
    """

    def __init__(
        self,
        start: Mapping[str, Any],
        findings: FindingWriter,
        channel: Channel,
        *,
        runtime_api: Endpoint | None,
        has_own_network: bool,
    ) -> None:
        project = Path(start["project"])
        self._files = FileGuard(
            project,
            Path(start["task_root"]).parent,
            temporary=start["temporary"],
            findings=findings,
        )
        network = Network.of_fields(start["network"])
        own = () if runtime_api is None else (runtime_api,)
        self._network = NetworkGuard(
            network, findings, own=own, project=project, variables=start["environment"]
        )
        self.kind: GuardKind = network.guard or _deny(channel, own, is_alone=has_own_network)
        checks = [self._files.checks()]
        if self.kind != "open":
            checks.append(self._network.checks())
            stand_in.check_addresses(self._network)
        if not network.allowed and not network.is_open and not own:
            stand_in.stand_in(self._network)
        _hook(checks)

    def forget(self) -> None:
        """Tell everything anew, for the next case."""
        self._files.forget()
        self._network.forget()

    def take_away(self) -> None:
        """Remove the files that this case has made."""
        self._files.take_away()


def _deny(channel: Channel, own: Sequence[Endpoint], *, is_alone: bool) -> GuardKind:
    """Have the kernel deny sockets, prove that it does, and return what that is worth."""
    if not seccomp.is_known() or (own and not is_alone):
        return "best effort"
    try:
        listener = seccomp.deny_sockets((AF_INET, AF_INET6) if own else ())
    except OSError:
        return "best effort"
    if listener is not None:
        reachable = str(own[0]) if own else None
        channel.send_descriptor({"stage": "denies_sockets", "own": reachable}, listener)
        os.close(listener)  # the parent's alone: where that ends, nobody waits for ever
    if not seccomp.holds():
        return "best effort"
    return "namespace" if own else "seccomp"


def _hook(checks: Sequence[Mapping[str, Check]]) -> None:
    by_event = {event: check for some in checks for event, check in some.items()}

    def check(event: str, args: tuple[object, ...]) -> None:
        found = by_event.get(event)
        if found is not None:
            found(args)

    sys.addaudithook(check)
