"""The child process of a replay: enters the world, imports the handler, calls it, reports.

Started by `engine.py` with the number of a socket; a length and that many bytes in each direction.
Each request is answered with "entered" when the handler starts and "done" with the outcome, or
"failed" when the handler cannot be had. A second request finds the sandbox warm.
"""

import os
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from struct import Struct
from time import perf_counter_ns
from typing import Any

from replay.codec import decode, encode
from replay.invocation import Invocation
from replay.outcome import Outcome
from replay.part import BEGUN, outcome_document
from replay.payload import escapes_text, marshal
from replay.recorder.bootstrap import Observer, observe
from replay.recording import Part, Recording
from replay.replayer import runtime
from replay.replayer.context import LambdaContext, rebuild
from replay.replayer.guard import protect
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
    """Serve the socket `descriptor` until the other side closes it."""
    os.set_inheritable(descriptor, False)
    channel = Channel(socket.socket(fileno=descriptor))
    runtime_loop = _Loop(channel)
    while True:
        try:
            request = channel.receive()
        except EOFError:
            os._exit(0)  # what would run at exit does not run on Lambda either
        answer = _answer(runtime_loop, request)
        with suppress(OSError, ValueError):  # the handler may have closed them
            sys.stdout.flush()
            sys.stderr.flush()
        channel.send(answer)


def _answer(runtime_loop: "_Loop", request: dict[str, Any]) -> dict[str, object]:
    try:
        return runtime_loop.run(request)
    except runtime.ImportFailure as failure:
        return {"stage": "failed", "error_type": failure.error_type, "message": str(failure)}
    except Exception:  # noqa: BLE001 - a bug of ours; the parent reports it as one
        return {"stage": "bug", "traceback": traceback.format_exc()}


class _Loop:
    """One sandbox: its world and its import are made for the first request, and stay."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._function: Callable[..., Any] | None = None
        self._clock: WallClock | None = None
        self._log_filter = runtime.LambdaLogFilter()

    def run(self, request: dict[str, Any]) -> dict[str, object]:
        invocation = _invocation_of(request)
        world = World(**request["world"])
        function, clock = self._started(request, world, invocation)
        witness = _Witness(invocation.event)
        if not world.is_captured:
            observe(witness)
        self._log_filter.request_id = invocation.context.text("aws_request_id") or ""
        self._channel.send({"stage": "entered", "remaining_ms": invocation.remaining_ms})
        context = rebuild(invocation.context, clock.enter_handler(invocation))
        began_ns = perf_counter_ns()
        remaining_ms = _remaining_ms(context)
        outcome = runtime.invoke(function, invocation.event, context, awaited=invocation.awaited)
        return {
            "stage": "done",
            "duration_us": (perf_counter_ns() - began_ns) // 1000,
            "remaining_ms": remaining_ms,
            "outcome": outcome_document(outcome),
            "inside": witness.what_differs(outcome),
        }

    def _started(
        self, request: dict[str, Any], world: World, invocation: Invocation
    ) -> tuple[Callable[..., Any], WallClock]:
        if self._function is None or self._clock is None:
            enter(world, request["environment"])
            self._log_filter = runtime.set_up_logging()
            sys.path[:0] = request["folders"]
            if not world.is_captured:
                protect(Path(request["project"]), Path.cwd())
            self._clock = WallClock(world)
            self._clock.start_import(invocation)
            self._function = runtime.load(request["handler"])
        return self._function, self._clock


class _Witness(Observer):
    """Sees what passes the decorator, to tell whether another one stands outside of it."""

    def __init__(self, event: object) -> None:
        self._given = encode(event)
        self._event: bytes | None = None
        self._outcome: Outcome | None = None

    def called(self, event: object) -> None:
        self._event = self._event or encode(event)

    def returned(self, result: object) -> None:
        self._outcome = marshal(result, escaped=escapes_text(os.environ))

    def what_differs(self, outcome: Outcome) -> str | None:
        """Return what another decorator has changed; None where nothing was."""
        if self._event is not None and self._event != self._given:
            return "event"
        is_changed = self._outcome is not None and self._outcome != outcome
        return "result" if is_changed else None


def _invocation_of(request: dict[str, Any]) -> Invocation:
    begun = Part(request["id"], BEGUN, request["begun"])
    return Recording.from_parts(begun.id, [begun]).invocation


def _remaining_ms(context: object) -> int | None:
    return context.get_remaining_time_in_millis() if isinstance(context, LambdaContext) else None


if __name__ == "__main__":
    main(int(sys.argv[1]))
