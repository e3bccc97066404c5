"""What the invoker of a function gets for an outcome: the runtime's payload, or Lambda's own.

Lambda's payloads for what the runtime could not report are as the service sends them (messages of
late 2025). Pure.
"""

import json
from signal import strsignal

from replay.outcome import Exited, Outcome, Raised, Returned, TimedOut

MAX_RESPONSE_BYTES = 6_291_556
"""Lambda's limit of a synchronous response."""


def response_of(outcome: Outcome, request_id: str) -> bytes:
    """Return the payload of a synchronous invocation."""
    match outcome:
        case Returned(payload=payload) if len(payload or b"") <= MAX_RESPONSE_BYTES:
            return payload or b""
        case Raised():
            return _json(
                errorMessage=outcome.message,
                errorType=outcome.error_type,
                requestId=request_id,
                stackTrace=list(outcome.stack),
            )
    return _json(errorType=_error_type(outcome), errorMessage=_message(outcome, request_id))


def is_failure(outcome: Outcome) -> bool:
    """Whether Lambda counts the invocation as an error of the function."""
    return not isinstance(outcome, Returned) or len(outcome.payload or b"") > MAX_RESPONSE_BYTES


def _error_type(outcome: Outcome) -> str:
    if isinstance(outcome, TimedOut):
        return "Sandbox.Timedout"
    return "Runtime.ExitError" if isinstance(outcome, Exited) else "Function.ResponseSizeTooLarge"


def _message(outcome: Outcome, request_id: str) -> str:
    prefix = f"RequestId: {request_id} Error:"
    match outcome:
        case TimedOut(limit_ms):
            return f"{prefix} Task timed out after {limit_ms / 1000:.2f} seconds"
        case Exited(0):
            return f"{prefix} Runtime exited without providing a reason"
        case Exited(status):
            name = (strsignal(-status) if status < 0 else None) or f"{-status}"
            how = f"exit status {status}" if status > 0 else f"signal: {name.lower()}"
            return f"{prefix} Runtime exited with error: {how}"
    return (
        f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
    )


def _json(**fields: object) -> bytes:
    return json.dumps(fields).encode()
