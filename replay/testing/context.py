"""A Lambda context for tests that have no recording."""

import time
import uuid
from collections.abc import Mapping
from typing import Any

from replay.invocation import ContextSnapshot
from replay.replayer import context
from replay.replayer.local import LATEST

_ACCOUNT, _REGION = "123456789012", "us-east-1"


class LambdaContext(context.LambdaContext):
    """What AWS Lambda passes as the second argument, of a function as it is described.

    `remaining_ms` runs out by the wall clock from now on. `client_context` and `identity` are
    mappings of the fields that AWS documents, None where the invoker gives none. Source: the page
    "Using the Lambda context object to retrieve Python function information".
    """

    def __init__(
        self,
        function_name: str = "function",
        *,
        remaining_ms: int = 3_000,
        function_version: str = LATEST,
        alias: str | None = None,
        memory_limit_in_mb: int = 128,
        aws_request_id: str | None = None,
        client_context: Mapping[str, Any] | None = None,
        identity: Mapping[str, Any] | None = None,
        tenant_id: str | None = None,
    ) -> None:
        qualifier = f":{alias}" if alias else ""
        arn = f"arn:aws:lambda:{_REGION}:{_ACCOUNT}:function:{function_name}{qualifier}"
        nobody = {"cognito_identity_id": None, "cognito_identity_pool_id": None}
        attributes = {
            "aws_request_id": aws_request_id or str(uuid.uuid4()),
            "log_group_name": f"/aws/lambda/{function_name}",
            "log_stream_name": f"2026/01/01/[{function_version}]{uuid.uuid4().hex}",
            "function_name": function_name,
            "memory_limit_in_mb": str(memory_limit_in_mb),
            "function_version": function_version,
            "invoked_function_arn": arn,
            "client_context": None if client_context is None else dict(client_context),
            "identity": {**nobody, **(identity or {})},
            "tenant_id": tenant_id,
        }
        deadline_ms = int(time.time() * 1000) + remaining_ms
        snapshot = ContextSnapshot(
            kind="lambda",
            type_name="LambdaContext",
            attributes=attributes,
            w3c={},
            deadline_epoch_ms=deadline_ms,
        )
        super().__init__(snapshot, deadline_ms)
