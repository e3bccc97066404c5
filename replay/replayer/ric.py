"""The engine `ric`: AWS's own runtime client replays a recording, over a loopback Runtime API.

What the client is given on the wire - headers, event, environment - is rebuilt from the recording;
what it posts is the outcome. The process, `ric_worker.py`, adds the case's world and nothing else.
The client is the extra `ric`, for Linux alone.
"""

import json
import re
import socket
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from math import isinf
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import orjson

from replay.codec import is_plain
from replay.entropy import entropy_document
from replay.errors import ReplayError
from replay.invocation import ContextSnapshot, Invocation
from replay.outcome import BINARY_TYPE, JSON_TYPE, Outcome, Raised, Returned
from replay.part import IDENTITY_ON_THE_WIRE
from replay.replayer.case import Case
from replay.replayer.clock import entry_of
from replay.replayer.engine import IMPORT_LIMIT_S, Sandbox, not_outermost
from replay.replayer.replay import Replay
from replay.replayer.secret import stand_ins
from replay.replayer.world import World, own_variables

if TYPE_CHECKING:
    from replay.replayer.runtime_api import Request

_ENTRY_HEADER = "Lambda_Runtime_Invocation_Id"
"""What the client hands on to `ric_worker.py` unread: there, what makes the case's world."""
_IMPORT_ERRORS = ("init/error", "restore/error")
_REQUEST_ID = re.compile(r"[\w.~-]+", re.ASCII)
_IDLE_LIMIT_S = 2.0
"""How long a client may take from its answer to its next request."""
_EXTRA = ("awslambdaric", "httptools")


class RicSandbox(Sandbox):
    """A process of the runtime client; it asks for one case after the other."""

    module = "replay.replayer.ric_worker"

    _is_asking = False
    _no_port: str | None = None

    @classmethod
    def refuse(cls, case: Case) -> None:
        """Raise ReplayError where the client is missing, or cannot be given the invocation."""
        super().refuse(case)
        _refuse_absent_client()
        _refuse_what_cannot_be_rebuilt(case)

    def _import(self) -> None:
        from replay.replayer.runtime_api import RuntimeApi  # of the extra `ric`

        with suppress(ConnectionError):  # what it does not say tells it
            is_closed = self._world.is_replay and self._case.network.guard is None
            self._process.channel.send({**self._start_message(), "is_closed": is_closed})
        if not self._has_said("listens"):
            raise self._ill_client() if self._no_port is None else _no_port(self._no_port)
        listener = socket.socket(fileno=self._process.channel.take_descriptor())
        self._api = RuntimeApi(self._process, listener)
        self._stack.callback(self._api.close)
        if not self._has_said("client"):
            raise self._ill_client()
        try:
            if not self._is_asking_within(IMPORT_LIMIT_S):
                raise self._not_imported()
        except (EOFError, ConnectionError):
            # Once it has the handler, it is asking for an invocation that it dies of.
            is_ill = self._has_said("imported")
            raise (self._ill_client() if is_ill else self._ended_in_import()) from None
        self._has_said("imported")

    def _has_said(self, stage: str) -> bool:
        """Wait for the child's next message; return whether it is this one, and not its end."""
        try:
            message = self._process.receive(IMPORT_LIMIT_S)
        except (EOFError, ConnectionError):
            return False
        if message is None:
            raise self._not_imported()
        self._guard = message[0].get("guard", self._guard)
        self._no_port = message[0].get("why")
        return bool(message[0]["stage"] == stage)

    def _ill_client(self) -> ReplayError:
        self._process.end()
        return ReplayError(
            "AWS's runtime client does not run here: it ended with status"
            f" {self._process.status()}\n{self._process.output.text()[-2000:]}".rstrip(),
            "pip install --force-reinstall 'lambda-replay[ric]'; or replay with --runtime builtin",
        )

    def _is_asking_within(self, limit_s: float) -> bool:
        """Wait for the client to ask for an invocation; return whether it does in that time.

        Raises ReplayError where it says that the handler cannot be had.
        """
        while not self._is_asking:
            request = self._api.receive(limit_s)
            if request is None:
                return False
            self._is_asking = request.endpoint == "next"
            if not self._is_asking:
                self._api.answer(200 if request.endpoint == "restore/next" else 202)
            if request.endpoint in _IMPORT_ERRORS:
                raise self._refused(_error(request))
        return True

    def replay(self, case: Case, world: World) -> Replay:
        """Run one case and return what it did; raises ReplayError where it cannot be had."""
        began_ns = perf_counter_ns()
        try:
            if not self._is_asking_within(_IDLE_LIMIT_S):
                # It has answered the last case and asks for no more: its descriptors are closed.
                self._process.end()
                return self._exited(case, 0)
            self._give(case, world)
            request = self._await_outcome(case)
        except (EOFError, ConnectionError):
            return self._exited(case, (perf_counter_ns() - began_ns) // 1000)
        if request is None:
            return self._timed_out(case)
        duration_us = (perf_counter_ns() - began_ns) // 1000
        replayed = self._replay(
            case, _outcome(request), duration_us, case.recording.invocation.remaining_ms
        )
        self._refuse_other_decorator(case)
        return replayed

    def _give(self, case: Case, world: World) -> None:
        invocation = case.recording.invocation
        tape = world.tape_of(case.recording)
        entry = {
            "seed": world.seed,
            "is_taped": tape is not None,
            "has_calls": bool(case.recording.interactions),
            "own": own_variables(invocation),
            "stand_ins": stand_ins(case.recording),
            "entry": entry_of(case, world).values(),
        }
        headers = _headers(invocation) | {_ENTRY_HEADER: json.dumps(entry)}
        self._is_asking = False
        self._api.answer(200, _event_body(invocation.event), **headers)
        if tape is not None:  # too much for a header
            with suppress(ConnectionError):
                self._process.channel.send(entropy_document(tape))
        if entry["has_calls"]:
            calls = [(p.kind, p.payload) for p in case.recording.call_parts(at_import=False)]
            with suppress(ConnectionError):
                self._process.channel.send({"calls": calls})

    def _await_outcome(self, case: Case) -> "Request | None":
        limit_s, id = case.limit_s, case.recording.invocation.context.text("aws_request_id")
        while True:
            request = self._api.receive(limit_s)
            if request is None:
                return None
            self._api.answer(202)
            # A fork of the handler's that came back as well posts for an earlier invocation.
            if request.endpoint in ("response", "error") and request.invocation_id == id:
                return request

    def _refuse_other_decorator(self, case: Case) -> None:
        try:
            message = self._process.receive(0)
        except (EOFError, ConnectionError):  # the handler has closed it
            self._process.end()
            return
        if message is not None:
            raise not_outermost(case, f"the {message[0]['inside']} is changed outside of it")


def _no_port(why: str) -> ReplayError:
    return ReplayError(
        f"no port on 127.0.0.1 for the runtime client: {why}",
        "replay with --runtime builtin, which needs none",
    )


@cache
def _is_installed() -> bool:
    return all(find_spec(name) for name in _EXTRA)


def _refuse_absent_client() -> None:
    if not _is_installed():
        raise ReplayError(
            "AWS's runtime client is not installed",
            "on Linux: pip install 'lambda-replay[ric]'; or replay with --runtime builtin",
        )


def _refuse_what_cannot_be_rebuilt(case: Case) -> None:
    context = case.recording.invocation.context
    if context.kind != "lambda":
        lacks = f"was a {context.type_name}, which AWS's runtime client does not make"
    elif not _REQUEST_ID.fullmatch(context.text("aws_request_id") or ""):
        lacks = "had no request id that AWS's runtime client could put into an address"
    else:
        return
    raise ReplayError(
        f"recording {case.recording.id}: its context {lacks}", "replay it with --runtime builtin"
    )


def _headers(invocation: Invocation) -> dict[str, str]:
    context = invocation.context
    headers = {
        "Content_Type": BINARY_TYPE if isinstance(invocation.event, bytes) else JSON_TYPE,
        "Lambda_Runtime_Aws_Request_Id": context.text("aws_request_id"),
        "Lambda_Runtime_Invoked_Function_Arn": context.text("invoked_function_arn"),
        "Lambda_Runtime_Aws_Tenant_Id": context.text("tenant_id"),
        "Lambda_Runtime_Trace_Id": invocation.trace_id,
        "Lambda_Runtime_Client_Context": _client_context(context),
        "Lambda_Runtime_Cognito_Identity": _identity(context),
    }
    return {name: _header(name, value) for name, value in headers.items() if value}


def _header(name: str, value: str) -> str:
    if value.isprintable():
        return value
    raise ReplayError(
        f"{name.replace('_', '-')} cannot be {value!r}: no header can hold that",
        "replay it with --runtime builtin",
    )


def _client_context(context: ContextSnapshot) -> str | None:
    fields: Any = context.attributes.get("client_context")
    if fields is None and not context.w3c:
        return None
    # The client takes w3c out of it again; ASCII alone may stand in a header.
    return json.dumps({**(fields or {}), **({"w3c": dict(context.w3c)} if context.w3c else {})})


def _identity(context: ContextSnapshot) -> str | None:
    fields: Any = context.attributes.get("identity")
    if not isinstance(fields, dict) or not any(fields.values()):
        return None
    names = IDENTITY_ON_THE_WIRE.items()
    return json.dumps({on_the_wire: fields.get(name) for name, on_the_wire in names})


def _event_body(event: object) -> bytes:
    if isinstance(event, bytes):
        return event
    try:
        if is_plain(event):
            return orjson.dumps(event)
    except TypeError:  # integers over 64 bits, lone surrogates, deep nesting
        pass
    from simplejson import dumps  # what the client itself reads with

    return str(dumps(_as_it_came(event))).encode()


def _as_it_came(value: Any) -> Any:
    """Return an event with each infinity as the number, too large for a float, that it came from.

    The client refuses the word `Infinity`.
    """
    from simplejson import RawJSON

    if isinstance(value, dict):
        return {key: _as_it_came(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_it_came(item) for item in value]
    is_infinite = isinstance(value, float) and isinf(value)
    return RawJSON("1e999" if value > 0 else "-1e999") if is_infinite else value


def _outcome(request: "Request") -> Outcome:
    if request.endpoint == "response":
        return Returned(request.body, request.headers.get("content-type", JSON_TYPE))
    return _error(request)


def _error(request: "Request") -> Raised:
    error = json.loads(request.body)
    return Raised(error["errorType"], error["errorMessage"], tuple(error["stackTrace"]))
