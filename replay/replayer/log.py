"""What AWS's runtime client writes to a function's log, for the builtin engine.

Text or JSON, by `AWS_LAMBDA_LOG_FORMAT`; fields and their order as in awslambdaric 4.2.2.
Source: the Lambda page "Log and monitor Python Lambda functions".
"""

import json
import logging
import os
import sys
import time
import traceback
from contextlib import suppress

from replay.outcome import Raised

_TEXT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
_NO_BREAK = "\N{NO-BREAK SPACE}"
_OWN_FIELDS = {*vars(logging.makeLogRecord({})), "aws_request_id", "tenant_id", "message"}


class Log:
    """The log of this process; its lines carry the ids of the invocation that is running."""

    def __init__(self) -> None:
        self._filter = _InvocationFilter()
        self._is_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
        logging.Formatter.converter = time.gmtime
        handler = logging.StreamHandler(sys.stdout)
        handler.terminator = ""
        handler.setFormatter(_JsonFormatter() if self._is_json else _TextFormatter())
        handler.addFilter(self._filter)
        logger = logging.getLogger()
        logger.addHandler(handler)
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper().replace("TRACE", "DEBUG")
        if level in logging.getLevelNamesMapping():
            logger.setLevel(level)

    def begin(self, request_id: str, tenant_id: str | None) -> None:
        """Have the lines that follow name this invocation."""
        self._filter.request_id, self._filter.tenant_id = request_id, tenant_id

    def write_error(self, error: Raised) -> None:
        """Write what the client writes of a handler's error."""
        line = self._json_error(error) if self._is_json else _text_error(error)
        with suppress(OSError, ValueError, AttributeError):  # the handler may have closed it
            sys.stdout.write(f"{line}\n")

    def _json_error(self, error: Raised) -> str:
        return _json(
            timestamp=time.strftime(_JsonFormatter.default_time_format, time.gmtime()),
            level="ERROR",
            errorMessage=error.message,
            errorType=error.error_type,
            requestId=self._filter.request_id,
            stackTrace=list(error.stack),
        )


class _InvocationFilter(logging.Filter):
    """Gives each record the ids of the invocation that is running."""

    request_id = ""
    tenant_id: str | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Set what the formats name."""
        record.aws_request_id = self.request_id
        record.tenant_id = self.tenant_id
        return True


class _TextFormatter(logging.Formatter):
    """Lines as the client writes them; a traceback ends its line, too, as each message does."""

    def __init__(self) -> None:
        super().__init__(_TEXT, "%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines."""
        return super().format(record).removesuffix("\n") + "\n"


class _JsonFormatter(logging.Formatter):
    """One JSON object a record; what the record was given besides comes last."""

    default_time_format = "%Y-%m-%dT%H:%M:%SZ"
    default_msec_format = ""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        is_plain = isinstance(record.msg, dict) and not record.args
        fields = {
            "timestamp": self.formatTime(record),
            "level": record.levelname,
            "message": record.msg if is_plain else record.getMessage(),
            "logger": record.name,
            **_exception_fields(record),
            "requestId": getattr(record, "aws_request_id", None),
            **_location_field(record),
            "tenantId": getattr(record, "tenant_id", None),
        }
        given = {k: v for k, v in vars(record).items() if k not in _OWN_FIELDS | fields.keys()}
        known = {name: value for name, value in fields.items() if value is not None}
        return _json(**known, **given) + "\n"


def _exception_fields(record: logging.LogRecord) -> dict[str, object]:
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    kind, error, stack = record.exc_info
    return {
        "stackTrace": traceback.format_tb(stack),
        "errorType": kind.__name__,
        "errorMessage": str(error),
    }


def _location_field(record: logging.LogRecord) -> dict[str, object]:
    where = f"{record.pathname}:{record.funcName}:{record.lineno}"
    return {"location": where} if record.exc_info else {}


def _json(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False, default=str)


def _text_error(error: Raised) -> str:
    lines = [f"[ERROR] {error.error_type}" + (f": {error.message}" if error.message else "")]
    lines.append("Traceback (most recent call last):")
    for frame in error.stack:
        lines += [_indented(line) for line in frame.splitlines()]
    return "\n".join(lines)


def _indented(line: str) -> str:
    text = line.lstrip(" ")
    return _NO_BREAK * (len(line) - len(text)) + text
