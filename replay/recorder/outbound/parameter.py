"""What an AWS call is asked with, as data, without the credentials in it.

Imports what bodies are kept by, and no botocore: its models are passed in.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from replay.recorder.outbound.body import body_of, capped
from replay.recorder.outbound.withheld import is_credential, kept_body, kept_text
from replay.redaction.stand_in import WITHHELD

_MAX_BODY_BYTES = 1 << 20
"""Of what is sent more is kept as a digest: it is compared, and never sent again."""
_TELLING: Mapping[str, frozenset[str] | None] = {
    "lambda": frozenset({"Invoke", "InvokeWithResponseStream"}),
    "stepfunctions": frozenset(
        {
            *("StartExecution", "StartSyncExecution", "StopExecution"),
            *("SendTaskSuccess", "SendTaskFailure"),
        }
    ),
    **dict.fromkeys(("bedrock-runtime", "bedrock-agent-runtime", "comprehend", "translate")),
    **dict.fromkeys(("comprehendmedical", "personalize-events", "polly")),
}
"""Services, and operations of them or None for all, to which a program tells what it has to say."""
_OPEN_PARAMETERS = ("String", "StringList")


def tells(service: str, operation: str, parameters: Mapping[str, object]) -> bool:
    """Whether what botocore calls sensitive there is a message, judged and redacted as any body.

    It calls so what may be personal, as the payload of an invocation, and what lets somebody in.
    """
    if (service, operation) == ("ssm", "PutParameter"):
        return parameters.get("Type") in _OPEN_PARAMETERS
    operations = _TELLING.get(service, frozenset())
    return operations is None or operation in operations


def kept_parameters(value: Any, shape: Any, *, is_told: bool) -> Any:
    """Return parameters, or one of them, as data: a date as text, a file as its bytes.

    Credentials are withheld. `shape` is botocore's model, which says what is sensitive: withheld
    as well, unless it `is_told`, which is what `tells` says. The names below a map, and in JSON
    that is sent as text, are the program's own.
    """
    kind = getattr(shape, "type_name", None)
    is_sensitive = shape is not None and shape.metadata.get("sensitive")
    if is_sensitive and not is_told:
        return _withheld(value)
    if isinstance(value, dict):
        return {
            key: _kept_member(key, item, shape, kind, is_told=is_told)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        member = shape.member if kind == "list" else None
        return [kept_parameters(item, member, is_told=is_told) for item in value]
    kept = _kept_leaf(value)
    is_message = is_sensitive and isinstance(kept, bytes)
    return kept_body(kept, "application/json") if is_message else kept


def _kept_member(name: Any, value: Any, shape: Any, kind: str | None, *, is_told: bool) -> Any:
    member = shape.members.get(name) if kind == "structure" else None
    if kind == "map":
        member = shape.value
    is_own_name = kind == "map" or (member is not None and member.metadata.get("sensitive"))
    if is_own_name and isinstance(name, str) and is_credential(name):
        return _withheld(value)
    return kept_parameters(value, member, is_told=is_told)


def _withheld(value: Any) -> Any:
    """Return a value with each of its leaves withheld; how it is laid out stays."""
    if isinstance(value, dict):
        return {name: _withheld(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_withheld(item) for item in value]
    return WITHHELD if isinstance(value, str | bytes | bytearray) else value


def _kept_leaf(value: Any) -> Any:
    if isinstance(value, str):
        return kept_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return capped(bytes(value), _MAX_BODY_BYTES)
    if hasattr(value, "read"):
        with _Silent(value):
            return body_of(value, _MAX_BODY_BYTES)
    return value


class _Silent:
    """While it is entered, s3transfer's files do not tell of progress: nothing is being sent."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> None:
        if hasattr(self._file, "signal_not_transferring"):
            self._file.signal_not_transferring()

    def __exit__(self, *_: object) -> None:
        if hasattr(self._file, "signal_transferring"):
            self._file.signal_transferring()
