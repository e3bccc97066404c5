"""The child process of a replay: enters the world, imports the handler, calls it, reports.

Started by `engine.py` with the number of a socket; a length and that many bytes in each direction.
It is told what to do in one message and answers with "entered" when the handler starts and "done"
with the outcome, or "failed" when the handler cannot be had.
"""

import os
import socket
import sys
import traceback
from contextlib import suppress
from struct import Struct
from time import perf_counter_ns
from typing import Any

from replay.codec import decode, encode
from replay.invocation import Invocation
from replay.recorder.decorator import observe
from replay.recording import BEGUN, Part, Recording, outcome_document
from replay.replayer import runtime
from replay.replayer.context import LambdaContext, rebuild
from replay.replayer.world import WallClock, World, enter

LENGTH = Struct(">I")


class Channel:
    """Messages over a socket, each a codec document behind its length."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, message: dict[str, object]) -> None:
        """Send one message whole."""
        body = encode(message)
        self._connection.sendall(LENGTH.pack(len(body)) + body)

    def receive(self) -> dict[str, Any]:
        """Return the next message; raises EOFError where the other side is gone."""
        (size,) = LENGTH.unpack(self._read(LENGTH.size))
        message: dict[str, Any] = decode(self._read(size))
        return message

    def _read(self, size: int) -> bytes:
        chunks = bytearray()
        while len(chunks) < size:
            chunk = self._connection.recv(min(size - len(chunks), 1 << 20))
            if not chunk:
                raise EOFError
            chunks += chunk
        return bytes(chunks)


def main(descriptor: int) -> None:
    """Serve one replay on the socket `descriptor`."""
    os.set_inheritable(descriptor, False)
    channel = Channel(socket.socket(fileno=descriptor))
    try:
        answer = _replay(channel.receive(), channel)
    except runtime.ImportFailure as failure:
        answer = {"stage": "failed", "error_type": failure.error_type, "message": str(failure)}
    except Exception:
        answer = {"stage": "bug", "traceback": traceback.format_exc()}
    with suppress(OSError, ValueError):  # the handler may have closed them
        sys.stdout.flush()
        sys.stderr.flush()
    channel.send(answer)
    os._exit(0)  # what would run at exit does not run on Lambda either


def _replay(request: dict[str, Any], channel: Channel) -> dict[str, object]:
    invocation = _invocation_of(request)
    world = World(**request["world"])
    enter(world, request["environment"])
    sys.path[:0] = request["folders"]
    clock = WallClock(world)
    clock.start_import(invocation)
    function = runtime.load(request["handler"])
    given = encode(invocation.event)
    seen: list[bytes] = []
    observe(lambda event: seen.append(encode(event)))
    channel.send({"stage": "entered"})
    context = rebuild(invocation.context, clock.enter_handler(invocation))
    began_ns = perf_counter_ns()
    remaining_ms = _remaining_ms(context)
    outcome = runtime.invoke(function, invocation.event, context, awaited=invocation.awaited)
    return {
        "stage": "done",
        "duration_us": (perf_counter_ns() - began_ns) // 1000,
        "remaining_ms": remaining_ms,
        "outcome": outcome_document(outcome),
        "outermost": not seen or seen[0] == given,
    }


def _invocation_of(request: dict[str, Any]) -> Invocation:
    begun = Part(request["id"], BEGUN, request["begun"])
    return Recording.from_parts(begun.id, [begun]).invocation


def _remaining_ms(context: object) -> int | None:
    return context.get_remaining_time_in_millis() if isinstance(context, LambdaContext) else None


if __name__ == "__main__":
    main(int(sys.argv[1]))
