"""What the handler did with an invocation: returned, raised, timed out or exited.

Frozen values without I/O; apart from `invocation.py` because the recorder loads this half alone.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

JSON_TYPE = "application/json"
BINARY_TYPE = "application/unknown"
"""The content types that AWS's runtime client gives a JSON result, and a result of bytes."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The handler returned; `payload` is what Lambda sends to the invoker, byte for byte.

    A payload over the size cap is None, with `digest` and `size_bytes` of the whole.
    """

    payload: bytes | None
    content_type: str = JSON_TYPE
    digest: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ErrorLink:
    """One exception of a chain: its class, message, and how it hangs on the one before."""

    link: Literal["cause", "context"]
    error_type: str
    module: str
    message: str
    stack: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Raised:
    """The handler raised, or the runtime refused its result (`Runtime.MarshalError`).

    `error_type` is the bare class name, as the invoker sees it; `stack` holds the frames below the
    runtime as `traceback.format_list` writes them; `arguments` the exception's args.
    """

    error_type: str
    message: str
    stack: tuple[str, ...] = ()
    module: str = ""
    arguments: tuple[object, ...] = ()
    chain: tuple[ErrorLink, ...] = ()


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The deadline passed and the process was killed, `limit_ms` after entry."""

    limit_ms: int


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended inside the handler: exit status, negative for the number of a signal."""

    status: int


Outcome: TypeAlias = Returned | Raised | TimedOut | Exited
