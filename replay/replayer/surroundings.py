"""The world from inside: what a sandbox's process sets up for the import, and for each case.

Used by the child processes of both engines, before AWS's code or ours imports the handler.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replay.codec import decode, encode
from replay.entropy import EntropyTape
from replay.interaction import Interaction, interactions_of
from replay.outcome import Outcome
from replay.payload import escapes_text, marshal
from replay.recorder.bootstrap import Observer, observe
from replay.replayer.channel import Channel
from replay.replayer.clock import clock_of
from replay.replayer.entropy import Entropy
from replay.replayer.finding import FindingWriter
from replay.replayer.guard import Guard
from replay.replayer.machine import Machine
from replay.replayer.network import Endpoint, GuardKind, Network
from replay.replayer.proof import Proofs
from replay.replayer.world import OWN_VARIABLES, World

if TYPE_CHECKING:
    from replay.replayer.outbound.responder import Responder


class Surroundings:
    """This process's environment, clock, randomness and guard, made of the parent's first message.

    `start` holds the `world`, its `environment`, `project` and `task_root`, the `temporary` folders
    of the system, the `network` that may be reached, the `folders` where the handler's module is
    looked for, and `entry_ms`, the instant of the first case. `runtime_api` and `has_own_network`
    are those of AWS's client.
    """

    def __init__(
        self,
        start: Mapping[str, Any],
        findings: FindingWriter,
        channel: Channel,
        *,
        runtime_api: Endpoint | None = None,
        has_own_network: bool = False,
    ) -> None:
        self.findings = findings
        world = World(**start["world"])
        os.chdir(start["task_root"])
        os.environ.clear()
        os.environ.update(start["environment"])
        time.tzset()
        sys.argv[:] = ["bootstrap"]
        sys.path[:0] = start["folders"]
        self._entropy: Entropy | None = None
        self._machine = Machine() if world.clock == "virtual" else None
        self.clock = clock_of(world, findings.add)
        self._guard: Guard | None = None
        self._is_shared = start["is_shared"]
        self._proofs: Proofs | None = None
        if world.is_replay:
            self._guard = Guard(
                start, findings, channel, runtime_api=runtime_api, has_own_network=has_own_network
            )
            self._proofs = Proofs(findings)
            self._entropy = Entropy(world.import_seed or f"{world.seed}/import")
        self.clock.start_import(start["entry_ms"])
        self._responder = self._answer_calls(start, runtime_api) if world.is_replay else None

    @property
    def guard_kind(self) -> GuardKind | None:
        """What keeps the handler from the network; None in what is no replay."""
        return None if self._guard is None else self._guard.kind

    def take_place(self) -> None:
        """Have a fork of the process take its place: its id, and its deadline."""
        if self._machine is not None:
            self._machine.become()
        self.clock.take_place()

    def _answer_calls(
        self, start: Mapping[str, Any], runtime_api: Endpoint | None
    ) -> "Responder | None":
        """Have outbound calls answered from the recording, where they were watched for."""
        if start["calls"] is None:
            return None
        # 10 ms that a recording without calls does not pay.
        from replay.recorder.library import watch_libraries
        from replay.replayer.origin import Origin
        from replay.replayer.outbound.responder import Responder

        network = Network.of_fields(start["network"])
        responder = Responder(
            interactions_of((kind, decode(payload)) for kind, payload in start["calls"]),
            self.clock,
            self.findings,
            (*network.allowed, *((runtime_api,) if runtime_api else ())),
            misses=start["misses"],
            origin=Origin(Path(start["project"])).of_caller,
        )
        watch_libraries(lambda: responder)
        return responder

    def enter(
        self,
        seed: str | None,
        own: Mapping[str, str],
        tape: EntropyTape | None,
        interactions: Sequence[Interaction] = (),
        stand_ins: Mapping[str, str] | None = None,
    ) -> None:
        """Set up what is the case's own: variables, calls, and randomness: `tape`, then the seed's.

        `stand_ins` are the pseudonyms in it, each with the name of its secret.
        """
        if any(os.environ.get(name) != own.get(name) for name in OWN_VARIABLES):
            for name in OWN_VARIABLES:
                os.environ.pop(name, None)
            os.environ.update(own)
        if self._guard is not None:
            self._guard.forget()
        if self._proofs is not None:
            self._proofs.expect(stand_ins or {})
        if self._responder is not None:
            self._responder.enter(interactions)
        if self._entropy is not None and seed is not None:
            self._entropy.restart(seed, tape)

    def leave(self) -> None:
        """Note what only the end of a case tells, and leave nothing to those that follow here."""
        if self._proofs is not None:
            self._proofs.end()
        if self._guard is not None and self._is_shared:
            self._guard.take_away()


class Witness(Observer):
    """Sees what passes the decorator, to tell whether another one stands outside of it."""

    def __init__(self) -> None:
        self._read_event: Callable[[], object] = lambda: None
        self.event_differs = False
        self.outcome: Outcome | None = None
        observe(self)

    def expect(self, read_event: Callable[[], object]) -> None:
        """Make ready for the next case; `read_event` returns what the runtime was given."""
        self._read_event, self.event_differs, self.outcome = read_event, False, None

    def called(self, event: object) -> None:
        """Compare the event that reaches the decorator with the one that was given."""
        if not self.event_differs:
            self.event_differs = encode(event) != encode(self._read_event())

    def returned(self, result: object) -> None:
        """Keep what Lambda would make of the decorator's result."""
        self.outcome = marshal(result, escaped=escapes_text(os.environ))

    def what_differs(self, outcome: Outcome) -> str | None:
        """Return what a decorator outside of ours has changed; None where nothing was."""
        if self.event_differs:
            return "event"
        return "result" if self.outcome is not None and self.outcome != outcome else None
