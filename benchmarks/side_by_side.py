"""What the benchmarks share: interleaved timing, percentiles, and a realistic invocation."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Step = Callable[[], object]

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_NAME": "orders",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_FORMAT": "Text",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/orders",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/22/[$LATEST]0123456789abcdef0123456789abcdef",
    "AWS_REGION": "eu-central-1",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LANG": "en_US.UTF-8",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "PYTHONPATH": "/var/runtime",
    "STAGE": "staging",
    "TABLE_NAME": "orders-staging",
    "TZ": ":UTC",
    "_HANDLER": "app.handler",
}
"""The variables of a function, as Lambda sets them, with two of its own."""


def interleaved(
    steps: Mapping[str, Step], rounds: int, warm_up: int = 20
) -> dict[str, list[float]]:
    """Return the microseconds of each step, run one after the other in each round."""
    timings: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + warm_up):
        for name, step in steps.items():
            began = time.perf_counter_ns()
            step()
            spent = (time.perf_counter_ns() - began) / 1000
            if number >= warm_up:
                timings[name].append(spent)
    return timings


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def event_of(size_bytes: int) -> dict[str, Any]:
    """Return an SQS batch of about `size_bytes` of JSON; messages carry JSON of up to 2 KB."""
    records: list[dict[str, Any]] = []
    while (missing := size_bytes - len(json.dumps({"Records": records}))) > 500:
        records.append(_message(min(missing - 620, 2048)))
    return {"Records": records}


def _message(body_bytes: int) -> dict[str, Any]:
    items = [{"sku": f"tea-{number:04}", "count": 2} for number in range(max(1, body_bytes // 42))]
    return {
        "messageId": "19dd0b57-b21e-4ac1-bd88-01bbb068cb78",
        "receiptHandle": "MessageReceiptHandle" * 4,
        "body": json.dumps({"order": "o-1001", "express": None, "items": items}),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1523232000000",
            "SenderId": "123456789012",
            "ApproximateFirstReceiveTimestamp": "1523232000001",
        },
        "messageAttributes": {},
        "md5OfBody": "7b270e59b47ff90a553787216d55d91d",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
        "awsRegion": "eu-central-1",
    }


class LambdaContext:
    """The runtime client's context, where that is not installed."""

    def __init__(self) -> None:
        self.aws_request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
        self.log_group_name = "/aws/lambda/orders"
        self.log_stream_name = "2026/11/22/[$LATEST]0123456789abcdef0123456789abcdef"
        self.function_name = "orders"
        self.memory_limit_in_mb = "512"
        self.function_version = "$LATEST"
        self.invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:orders"
        self.tenant_id = None
        self.client_context = None
        self.identity = None
        self._w3c_fields: dict[str, str] = {}
        self._epoch_deadline_time_in_ms = int(time.time() * 1000) + 900_000

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the deadline."""
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))


def machine() -> str:
    """Return what the figures were measured on."""
    import platform
    import sqlite3

    python, sqlite = platform.python_version(), sqlite3.sqlite_version
    return f"{platform.platform()}, Python {python}, SQLite {sqlite}"
