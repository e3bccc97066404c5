"""The child process of the engine `ric`: AWS's runtime client, started as Lambda starts it.

Started by `ric.py` with the number of a socket, over which comes what to import and goes what a
decorator outside of capture has changed. What makes the world of a case comes with its invocation,
as the invocation id, which the client hands on unread.
"""

import json
import os
import socket
import sys
from collections.abc import Sequence
from typing import Any

from replay.codec import decode
from replay.entropy import EntropyTape, entropy_of
from replay.interaction import Interaction, interactions_of
from replay.outcome import JSON_TYPE, Outcome, Raised, Returned
from replay.replayer import namespace
from replay.replayer.channel import Channel, out_of_reach
from replay.replayer.clock import Entry
from replay.replayer.descendant import adopt_orphans, die_with_parent
from replay.replayer.finding import FindingWriter
from replay.replayer.network import Endpoint
from replay.replayer.surroundings import Surroundings, Witness
from replay.replayer.world import World

_API = "AWS_LAMBDA_RUNTIME_API"
_LOG = "_LAMBDA_TELEMETRY_LOG_FD"
"""Where the client writes what it logs, as on Lambda; it takes the variable away itself."""
_CAPTURING_ENTRY = "replay.recorder.handler.handler"


def main(descriptor: int, findings_descriptor: int) -> None:
    """Run the client's own loop; it ends with the process."""
    channel = Channel.inherited(descriptor)
    adopt_orphans()
    die_with_parent()
    start, _ = channel.receive()
    api, has_own_network = _listen(channel, is_closed=start["is_closed"])
    surroundings = Surroundings(
        start,
        FindingWriter(findings_descriptor),
        channel,
        runtime_api=api,
        has_own_network=has_own_network,
    )
    witness = Witness() if World(**start["world"]).is_replay else None
    os.environ[_API] = str(api)
    from awslambdaric import bootstrap  # reads the environment as it is imported

    surroundings.clock.read_remaining_of(bootstrap.LambdaContext)
    client = _client(channel, surroundings, witness)
    del os.environ[_API]
    os.environ[_LOG] = str(out_of_reach(1))
    channel.send({"stage": "client", "guard": surroundings.guard_kind})
    handler = start["handler"]
    if start["is_captured"]:
        os.environ["REPLAY_HANDLER"], handler = handler, _CAPTURING_ENTRY
    bootstrap.run(handler, client)


def _listen(channel: Channel, *, is_closed: bool) -> tuple[Endpoint, bool]:
    """Give the parent a listener for the Runtime API; return where it is, and if alone there.

    A socket belongs to the network that it was made in, so that it is made here.
    """
    has_own_network = is_closed and namespace.enter()
    try:
        listener = socket.create_server(("127.0.0.1", 0))
    except OSError as error:
        channel.send({"stage": "has_no_port", "why": str(error)})
        raise
    with listener:
        channel.send_descriptor({"stage": "listens"}, listener.fileno())
        return Endpoint(*listener.getsockname()), has_own_network


def _client(channel: Channel, surroundings: Surroundings, witness: Witness | None) -> Any:
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

    class Client(LambdaRuntimeClient):  # type: ignore[misc]
        """The client, which enters the world of a case between its request and its handler."""

        has_asked = False

        def wait_next_invocation(self) -> Any:
            if not self.has_asked:
                self.has_asked = True
                channel.send({"stage": "imported"})
            request = super().wait_next_invocation()
            self.marshaller = _enter_world(self, request, surroundings, channel)
            if witness is not None:
                witness.expect(self.marshaller.read_again)
            return request

        def post_invocation_result(self, invoke_id: str, result: Any, *rest: Any) -> None:
            surroundings.findings.add("took", us=surroundings.clock.leave_handler())
            surroundings.leave()
            payload = result if isinstance(result, bytes) else result.encode()
            _report(Returned(payload, rest[0] if rest else JSON_TYPE))
            super().post_invocation_result(invoke_id, result, *rest)

        def post_invocation_error(self, invoke_id: str, error: str, *rest: Any) -> None:
            surroundings.findings.add("took", us=surroundings.clock.leave_handler())
            surroundings.leave()
            if witness is not None and witness.outcome is not None:
                posted = json.loads(error)
                _report(Raised(posted["errorType"], posted["errorMessage"]))
            super().post_invocation_error(invoke_id, error, *rest)

    def _report(outcome: Outcome) -> None:
        inside = witness.what_differs(outcome) if witness is not None else None
        if inside is not None:
            channel.send({"inside": inside})

    return Client(os.environ[_API])


def _enter_world(
    client: Any, request: Any, surroundings: Surroundings, channel: Channel
) -> "_Unmarshalled":
    """Make the world of the case that a request is for; return what has read its event."""
    entry, request.invocation_id = json.loads(request.invocation_id), None
    tape = _tape(channel) if entry["is_taped"] else None
    calls = _calls(channel) if entry["has_calls"] else ()
    surroundings.enter(entry["seed"], entry["own"], tape, calls, entry["stand_ins"])
    # Not of the instance: a function may have set a marshaller of its own on the class.
    marshaller = _Unmarshalled(type(client).marshaller, request)
    request.deadline_time_in_ms = surroundings.clock.enter_handler(Entry(*entry["entry"]))
    return marshaller


def _tape(channel: Channel) -> EntropyTape | None:
    try:
        return entropy_of(channel.receive()[0])
    except (OSError, EOFError):  # an earlier case has closed it
        return None


def _calls(channel: Channel) -> Sequence[Interaction]:
    try:
        calls = channel.receive()[0]["calls"]
    except (OSError, EOFError):  # an earlier case has closed it
        return ()
    return interactions_of((kind, decode(payload)) for kind, payload in calls)


class _Unmarshalled:
    """A marshaller that has read its event before the clock of the handler is set.

    Reading 6 MB takes some of the remaining time that the handler is to find.
    """

    def __init__(self, marshaller: Any, request: Any) -> None:
        self._marshaller = marshaller
        self._request = request
        self._error: Exception | None = None
        try:
            self._event = self.read_again()
        except Exception as error:  # noqa: BLE001 - the client reports it, where it asks
            self._error = error

    def read_again(self) -> Any:
        return self._marshaller.unmarshal_request(
            self._request.event_body, self._request.content_type
        )

    def unmarshal_request(self, _body: bytes, _content_type: str) -> Any:
        if self._error is not None:
            raise self._error
        return self._event

    def marshal_response(self, response: Any) -> Any:
        return self._marshaller.marshal_response(response)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
