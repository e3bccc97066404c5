"""The child process of the builtin engine: imports the handler, calls it for each case, reports.

Started by `builtin.py` with the number of a socket. The first message says what to import and is
answered with "ready" or "failed"; each further one is a case, with its begun part as the body, and
is answered with "done" and the payload. Later cases find the sandbox warm; where `forks` was asked
for, each runs in a fork of its own that knows nothing of the others.
"""

import mmap
import os
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from replay.codec import decode
from replay.entropy import entropy_of
from replay.interaction import interactions_of
from replay.invocation import Invocation
from replay.outcome import Outcome, Raised, Returned
from replay.part import outcome_document
from replay.recorder.decorator import capture
from replay.recording import invocation_of
from replay.replayer import runtime
from replay.replayer.channel import Channel, out_of_reach
from replay.replayer.clock import Entry, prepare
from replay.replayer.context import LambdaContext, rebuild
from replay.replayer.descendant import adopt_orphans, children, die_with_parent, end_children
from replay.replayer.finding import FindingWriter
from replay.replayer.log import Log
from replay.replayer.surroundings import Surroundings, Witness
from replay.replayer.virtual import real
from replay.replayer.world import World, own_variables

if TYPE_CHECKING:
    from replay.replayer.tracing.tracer import Tracer


def main(descriptor: int, findings_descriptor: int) -> None:
    """Serve the socket `descriptor` until the other side closes it."""
    channel = Channel.inherited(descriptor)
    findings = FindingWriter(findings_descriptor)
    adopt_orphans()
    die_with_parent()
    prepare()  # while the parent may still be reading its store
    start, _ = channel.receive()
    try:
        sandbox = _Sandbox(channel, findings, start)
    except runtime.ImportFailure as failure:
        error = outcome_document(Raised(failure.error_type, str(failure), tuple(failure.stack)))
        channel.send({"stage": "failed", "error": error})
        return
    channel.send(
        {
            "stage": "ready",
            "is_threaded": threading.active_count() > 1,
            "guard": sandbox.guard_kind,
        }
    )
    serve = sandbox.serve_in_fork if start["forks"] else sandbox.serve
    while True:
        try:
            request, begun = channel.receive()
        except EOFError:
            os._exit(0)  # what would run at exit does not run on Lambda either
        serve(request, begun)


class _Sandbox:
    """The imported handler, in its surroundings."""

    def __init__(self, channel: Channel, findings: FindingWriter, start: dict[str, Any]) -> None:
        self._channel = channel
        self._findings = findings
        self._output = out_of_reach(1)
        self._breaks_at: str | None = None
        self._surroundings = Surroundings(start, findings, channel)
        self._surroundings.clock.read_remaining_of(LambdaContext)
        self.guard_kind = self._surroundings.guard_kind
        self._log = Log()
        self._witness = Witness() if World(**start["world"]).is_replay else None
        self._tracer = _tracer(start, findings)
        with self._tracer.importing() if self._tracer else nullcontext():
            function = runtime.load(start["handler"], is_named=start["is_named"])
            runtime.restore()
        self._function = capture(function) if start["is_captured"] else function

    def serve(self, request: dict[str, Any], begun: bytes) -> None:
        """Run one case and answer it."""
        pid = real.getpid()
        self._breaks_at = request["breaks_at"]
        try:
            answer, payload = self._run(request, begun)
        except Exception:  # noqa: BLE001 - a bug of ours; the parent reports it as one
            answer, payload = {"stage": "bug", "traceback": traceback.format_exc()}, b""
        with suppress(Exception):  # the handler may have closed them, or put anything there
            sys.stdout.flush()
            sys.stderr.flush()
        if real.getpid() != pid:
            os._exit(0)  # a fork of the handler's own that came back as well
        answer |= {"number": request["number"], **self._written()}
        self._channel.send(answer, payload)

    def serve_in_fork(self, request: dict[str, Any], begun: bytes) -> None:
        """Run one case in a fork of this process, and wait for its end."""
        with mmap.mmap(-1, 1) as answered:
            of_the_import = children()
            began_ns = perf_counter_ns()
            pid = real.fork()
            if pid == 0:
                die_with_parent()
                self._surroundings.take_place()
                self.serve(request, begun)
                answered[0] = 1
                os._exit(0)
            _, status = real.waitpid(pid, 0)
            end_children(besides=of_the_import)
            if not answered[0]:
                exited = {
                    "stage": "exited",
                    "number": request["number"],
                    "status": os.waitstatus_to_exitcode(status),
                    "duration_us": (perf_counter_ns() - began_ns) // 1000,
                }
                self._channel.send({**exited, **self._written()})

    def _written(self) -> dict[str, int]:
        """Return how far the parent may read of the output and of the findings."""
        return {
            "output_size": real.fstat(self._output).st_size,
            "findings_size": self._findings.size_bytes(),
        }

    def _run(self, request: dict[str, Any], begun: bytes) -> tuple[dict[str, Any], bytes]:
        begun, calls = _split(begun, request["calls"])
        invocation = invocation_of(request["id"], begun)
        ids = [invocation.context.text(name) for name in ("aws_request_id", "tenant_id")]
        self._log.begin(ids[0] or "", ids[1])
        if self._witness is not None:
            self._witness.expect(lambda: invocation_of(request["id"], begun).event)
        tape = entropy_of(request["tape"]) if request["tape"] else None
        own = own_variables(invocation)
        interactions = interactions_of(calls)
        self._surroundings.enter(request["seed"], own, tape, interactions, request["stand_ins"])
        entry = Entry(*request["entry"])
        context = rebuild(invocation.context, self._surroundings.clock.enter_handler(entry))
        remaining_ms = entry.remaining_ms if isinstance(context, LambdaContext) else None
        outcome = self._invoke(invocation, context)
        duration_us = self._surroundings.clock.leave_handler()
        self._surroundings.leave()
        answer = {
            "stage": "done",
            "duration_us": duration_us,
            "remaining_ms": remaining_ms,
            "inside": self._witness.what_differs(outcome) if self._witness else None,
        }
        if self._tracer is not None:
            answer["coverage"] = self._tracer.coverage()
        if isinstance(outcome, Raised):
            self._log.write_error(outcome)
            if self._breaks_at and outcome.error_type == "BdbQuit":
                answer["stage"] = "quit"
        # A payload of megabytes goes as it is.
        payload = outcome.payload or b"" if isinstance(outcome, Returned) else b""
        bare = replace(outcome, payload=None) if isinstance(outcome, Returned) else outcome
        return {**answer, "outcome": outcome_document(bare)}, payload

    def _invoke(self, invocation: Invocation, context: object) -> Outcome:
        arguments = self._function, invocation.event, context
        if self._breaks_at is None:
            running = self._tracer.running() if self._tracer else nullcontext()
            return runtime.invoke(*arguments, awaited=invocation.awaited, running=running)
        from replay.replayer import debugger

        at_entry = self._breaks_at == "entry"
        with debugger.breaking_at_entry(self._function) if at_entry else nullcontext():
            look_at = None if at_entry else debugger.look_at
            return runtime.invoke(*arguments, awaited=invocation.awaited, look_at=look_at)


def _tracer(start: Mapping[str, Any], findings: FindingWriter) -> "Tracer | None":
    if not start["measures"]:
        return None
    from replay.replayer.tracing.tracer import Tracer  # what a mere replay need not pay

    return Tracer(start, findings)


def _split(
    body: bytes, sizes: Sequence[tuple[str, int]]
) -> tuple[bytes, list[tuple[str, dict[str, Any]]]]:
    """Return the begun part at the beginning of a body, and the calls behind it, decoded."""
    end = len(body) - sum(size for _, size in sizes)
    begun, calls = body[:end], []
    for kind, size in sizes:
        calls.append((kind, decode(body[end : end + size])))
        end += size
    return begun, calls


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
