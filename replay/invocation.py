"""One call of a Lambda function: its event, its context, and where and when it ran.

Frozen values without I/O. What the handler did is in `outcome.py`. The names of context attributes
are those of AWS's page "The Lambda context object in Python".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

ContextKind: TypeAlias = Literal["lambda", "durable", "object", "value"]
"""lambda: the runtime client's own class; durable: that class, found inside a durable function's
context; object: any other object with attributes; value: None, a dict or another plain value."""


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

    @property
    def earlier(self) -> int:
        """How many invocations it had seen before this one."""
        return self.sequence - 1


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
class Redaction:
    """How a recording was redacted, by which version of the known `rules`.

    `generation` counts how often it was redacted again. `environment` has the pseudonyms of the
    variables whose values are withheld, `pseudonyms` those in the recorded values, each with the
    name that its secret was found under.
    """

    mode: str
    rules: int
    generation: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    pseudonyms: Mapping[str, str] = field(default_factory=dict)
