"""The values of the product: one call of a Lambda function, and what the handler did with it.

Frozen values without I/O; they import nothing of the project. The names of context attributes are
those of AWS's page "The Lambda context object in Python".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

JSON_TYPE = "application/json"
BINARY_TYPE = "application/unknown"
"""The content types that AWS's runtime client gives a JSON result, and a result of bytes."""

ContextKind: TypeAlias = Literal["lambda", "durable", "object", "value"]
"""lambda: the runtime client's own class; durable: that class, found inside a durable function's
context; object: any other object with attributes; value: None, a dict or another plain value."""

ATTRIBUTES = (
    "aws_request_id",
    "log_group_name",
    "log_stream_name",
    "function_name",
    "memory_limit_in_mb",
    "function_version",
    "invoked_function_arn",
    "tenant_id",
    "client_context",
    "identity",
)
"""The documented attributes of a context and `tenant_id`, in the order the runtime sets them."""
CLIENT_CONTEXT_FIELDS = ("custom", "env", "client")
CLIENT_FIELDS = (
    "installation_id",
    "app_title",
    "app_version_name",
    "app_version_code",
    "app_package_name",
)
IDENTITY_FIELDS = ("cognito_identity_id", "cognito_identity_pool_id")


@dataclass(frozen=True, slots=True)
class ContextSnapshot:
    """The second argument of one invocation, as plain data.

    `attributes` maps each name of `ATTRIBUTES` that was there to its value (`client_context` and
    `identity` as mappings); `extra` maps the other attributes that are plain data. `value` is the
    argument itself where `kind` is "value".
    """

    kind: ContextKind
    type_name: str
    attributes: Mapping[str, object] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)
    w3c: Mapping[str, str] = field(default_factory=dict)
    deadline_epoch_ms: int | None = None
    value: object = None

    def text(self, name: str) -> str | None:
        """Return the attribute `name` where it is a non-empty str, else None."""
        value = self.attributes.get(name)
        return value if isinstance(value, str) and value else None

    @property
    def alias(self) -> str | None:
        """The alias or version that qualifies the invoked ARN: its eighth field."""
        fields = (self.text("invoked_function_arn") or "").split(":")
        return fields[7] if len(fields) == 8 else None


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The execution environment an invocation ran in, and its place there, counted from 1."""

    id: str
    sequence: int
    python_version: str
    runtime_client: str | None

    @property
    def cold(self) -> bool:
        """Whether this was the sandbox's first invocation."""
        return self.sequence == 1


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a Lambda function.

    `handler` is dotted as in `_HANDLER`; `awaited` says that the caller awaited a coroutine
    handler; `remaining_ms` is what the context said at entry.
    """

    handler: str
    event: object
    context: ContextSnapshot
    environment: Mapping[str, str]
    captured_at_us: int
    remaining_ms: int | None
    trace_id: str | None
    sandbox: Sandbox
    awaited: bool = False

    @property
    def function_name(self) -> str:
        """The function's name; outside Lambda, where there is none, the handler's."""
        return self.context.text("function_name") or self.handler


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
