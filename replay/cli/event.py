"""What is given to `replay invoke`: event, client context, variables; each checked when read."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from replay.document import is_json, open_given
from replay.errors import ReplayError

MAX_EVENT_BYTES = 6 * 2**20
"""Lambda's limit of a synchronous invocation."""
_HINT = "name a JSON file, write JSON itself such as '{\"key\": 1}', or - for stdin"


def read_event(text: str) -> Any:
    """Return the event that a file, `-` or inline JSON gives; raises ReplayError."""
    where, encoded = _read(text, "the event")
    if len(encoded) > MAX_EVENT_BYTES:
        raise ReplayError(
            f"{where} has more than {MAX_EVENT_BYTES:,} bytes, which is what Lambda takes",
            "put the data where the function can fetch it, for example into S3",
        )
    return _parse(encoded, where)


def read_json_object(text: str | None, option: str) -> dict[str, Any] | None:
    """Return the JSON object that an option gives, inline or as a file; raises ReplayError."""
    if text is None:
        return None
    where, encoded = _read(text, option)
    value = _parse(encoded, where)
    if not isinstance(value, dict):
        raise ReplayError(f"{where} is no JSON object but {type(value).__name__}", _HINT)
    return value


def read_variables(env_file: Path | None) -> dict[str, str]:
    """Return the variables of a file of NAME=VALUE lines; a bare NAME takes this process's own."""
    if env_file is None:
        return {}
    from dotenv.parser import parse_stream

    try:
        with env_file.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise ReplayError(f"cannot read {env_file}: {error}", "write NAME=VALUE lines") from error
    for binding in bindings:
        if binding.error:
            where = f"{env_file} line {binding.original.line}"
            raise ReplayError(
                f"{where} is no NAME=VALUE: {binding.original.string.strip()!r}",
                "quote a value that holds spaces or #",
            )
    values = {
        b.key: os.environ.get(b.key) if b.value is None else b.value for b in bindings if b.key
    }
    return {name: value for name, value in values.items() if value is not None}


def _read(text: str, what: str) -> tuple[str, bytes]:
    """Return what an argument is called in messages, and its bytes."""
    if text == "-":
        return f"{what} on stdin", sys.stdin.buffer.read(MAX_EVENT_BYTES + 1)
    if text.lstrip()[:1] in ("{", "[", '"'):
        return what, text.encode(errors="surrogateescape")
    path = Path(text)
    if not os.path.exists(text) and is_json(text):  # noqa: PTH110 - of any text at all
        return what, text.encode()
    try:
        with open_given(path) as file:
            return str(path), file.read(MAX_EVENT_BYTES + 1)
    except OSError as error:
        raise ReplayError(f"cannot read {what} from {text}: {error.strerror}", _HINT) from error


def _parse(encoded: bytes, where: str) -> Any:
    if not encoded.strip():
        raise ReplayError(f"{where} is empty", "an event without content is written {} or null")
    try:
        return json.loads(encoded, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ReplayError(f"{where} is not JSON: {error}", _HINT) from error


def _refuse_constant(name: str) -> Mapping[str, Any]:
    raise ValueError(f"{name} is no JSON")
