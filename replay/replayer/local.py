"""An invocation that no recording holds: what Lambda would hand to a function for a given event.

The values are Lambda's own where nothing else is said: memory 128 MB, timeout 3 s, `$LATEST`.
Source: the Lambda pages "Configure memory", "Configure timeout" and "Using environment variables".
"""

import json
import sys
import uuid
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import time_ns
from typing import Any

from replay.errors import ReplayError
from replay.invocation import ContextSnapshot, Invocation, Sandbox
from replay.part import CLIENT_CONTEXT_FIELDS, CLIENT_FIELDS, IDENTITY_ON_THE_WIRE
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.world import World

WORLD = World(clock="live", entropy_seed=None)
"""Nothing is fixed: the real clock, real randomness, the real network."""
LATEST = "$LATEST"
_ACCOUNT = "123456789012"
_REGIONS = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
_CLIENT_HINT = 'write {"client": {"app_title": "..."}, "custom": {...}, "env": {...}}'
_W3C_FIELDS = ("traceparent", "tracestate", "baggage")
_MAX_CLIENT_CONTEXT_BYTES = 3583
"""Lambda's limit of a client context, in base64."""


@dataclass(frozen=True, slots=True)
class LocalFunction:
    """A function as it would be configured.

    `environment` is what the machine gives it besides Lambda's variables, `variables` what it is
    configured with, which outranks both.
    """

    handler: str
    folders: tuple[Path, ...]
    name: str
    version: str = LATEST
    alias: str | None = None
    memory_mb: int = 128
    timeout_ms: int = 3_000
    environment: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    is_captured: bool = False
    sandbox_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def case(
        self,
        event: object,
        *,
        client_context: Mapping[str, Any] | None = None,
        identity: Mapping[str, Any] | None = None,
        tenant_id: str | None = None,
    ) -> Case:
        """Return the invocation of `event`, now, as a case to run in `WORLD`.

        `client_context` and `identity` are laid out as Lambda's headers lay them out. Raises
        ReplayError where Lambda would not take them.
        """
        environment = self._variables()
        now_us = time_ns() // 1000
        context = ContextSnapshot(
            kind="lambda",
            type_name="LambdaContext",
            attributes={
                **self._attributes(environment),
                "tenant_id": tenant_id,
                "client_context": _client_context(client_context),
                "identity": _identity(identity or {}),
            },
            w3c=_w3c(client_context),
            deadline_epoch_ms=now_us // 1000 + self.timeout_ms,
        )
        invocation = Invocation(
            handler=self.handler,
            event=event,
            context=context,
            environment=environment,
            captured_at_us=now_us,
            remaining_ms=self.timeout_ms,
            trace_id=_trace_id(),
            sandbox=Sandbox(self.sandbox_id, 1, "", None),
        )
        recording = Recording(new_ulid(), invocation)
        how: dict[str, Any] = {"is_captured": self.is_captured, "is_named": True}
        return Case(recording, self.handler, self.folders, clock="live", **how)

    def _attributes(self, environment: Mapping[str, str]) -> dict[str, str]:
        return {
            "aws_request_id": str(uuid.uuid4()),
            "log_group_name": environment["AWS_LAMBDA_LOG_GROUP_NAME"],
            "log_stream_name": environment["AWS_LAMBDA_LOG_STREAM_NAME"],
            "function_name": environment["AWS_LAMBDA_FUNCTION_NAME"],
            "memory_limit_in_mb": environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
            "function_version": environment["AWS_LAMBDA_FUNCTION_VERSION"],
            "invoked_function_arn": self._arn(environment["AWS_REGION"]),
        }

    def _arn(self, region: str) -> str:
        arn = f"arn:aws:lambda:{region}:{_ACCOUNT}:function:{self.name}"
        qualifier = self.alias or (self.version if self.version != LATEST else None)
        return f"{arn}:{qualifier}" if qualifier else arn

    def _variables(self) -> dict[str, str]:
        today = datetime.now(UTC).strftime("%Y/%m/%d")
        return {
            **_REGIONS,
            **self.environment,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python3.{sys.version_info.minor}",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": self.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{today}/[{self.version}]{self.sandbox_id}",
            "TZ": ":UTC",
            "_HANDLER": self.handler,
            **self.variables,
        }


def _client_context(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what the runtime client keeps of a client context; raises ReplayError."""
    if given is None:
        return None
    encoded = b64encode(json.dumps(given).encode())
    if len(encoded) > _MAX_CLIENT_CONTEXT_BYTES:
        raise ReplayError(
            f"the client context has {len(encoded):,} bytes in base64; Lambda takes"
            f" {_MAX_CLIENT_CONTEXT_BYTES:,}",
            "leave something out of it",
        )
    fields = {name: given.get(name) for name in CLIENT_CONTEXT_FIELDS}
    client = fields["client"]
    if client is not None:
        if not isinstance(client, Mapping):
            raise ReplayError("the client of the client context is no JSON object", _CLIENT_HINT)
        fields["client"] = {name: client.get(name) for name in CLIENT_FIELDS}
    return fields


def _w3c(given: Mapping[str, Any] | None) -> dict[str, str]:
    found = given.get("w3c") if given else None
    if not isinstance(found, Mapping):
        return {}
    return {name: found[name] for name in _W3C_FIELDS if isinstance(found.get(name), str)}


def _identity(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given.get(on_the_wire) for name, on_the_wire in IDENTITY_ON_THE_WIRE.items()}


def _trace_id() -> str:
    """Return the header that X-Ray would give an invocation which is not sampled."""
    token = uuid.uuid4().hex
    return f"Root=1-{time_ns() // 10**9:08x}-{token[:24]};Parent={token[:16]};Sampled=0"
