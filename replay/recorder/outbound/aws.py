"""Calls of AWS services through botocore, each attempt as one call.

Hooks `URLLib3Session.send`, where attempts go out, and on the way there takes the operation and its
parameters from the client, since the request that is sent is already in the protocol's own form.
What botocore sends by itself, to find credentials, is left alone. Standard library and orjson only.
"""

import re
import sys
from _thread import _local
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from io import BytesIO
from typing import Any

from replay.interaction import Answer, AwsCall, Failure, Header, Response
from replay.recorder.guard import guarded
from replay.recorder.outbound.answer_socket import AnswerSocket
from replay.recorder.outbound.body import body_of, capped
from replay.recorder.outbound.hook import hook
from replay.recorder.outbound.http_client import Exchange
from replay.recorder.outbound.message import exception_of
from replay.recorder.outbound.outlet import Inside, Unanswered, open_call
from replay.recorder.outbound.withheld import is_credential, kept_headers, kept_text
from replay.redaction.stand_in import WITHHELD

_CREDENTIALS = re.compile(
    rb'(<(SecretAccessKey|SessionToken)>|"(?:secretAccessKey|SecretAccessKey|sessionToken'
    rb'|SessionToken|SecretKey)"\s*:\s*")([^<"]+)'
)
"""Temporary credentials in an answer: whoever gets them signs with them, and nothing else."""
_MAX_BODY_BYTES = 1 << 20
"""Of what is sent more is kept as a digest: it is compared, and never sent again."""
_SENT_AT_ONCE_BYTES = 16_384
"""What `http.client` reads of a file at a time."""


class _Operation:
    """An operation that a client is carrying out: what it is, and with which parameters."""

    __slots__ = ("model", "parameters", "region")

    def __init__(self, region: str | None) -> None:
        self.region = region
        self.model: Any = None
        self.parameters: Mapping[str, Any] = {}


class _Operations(_local):
    def __init__(self) -> None:
        self.under_way: list[_Operation] = []


_operations = _Operations()


def install(library: Any) -> None:
    """Put our hooks into `botocore.client` or `botocore.httpsession`."""
    if library.__name__ == "botocore.client":
        _install_client(library.BaseClient)
    else:
        hook(library.URLLib3Session, "send", _send)


def _install_client(client_class: Any) -> None:
    hook(client_class, "_make_api_call", _make_api_call)
    hook(client_class, "_convert_to_request_dict", _convert)


def _make_api_call(original: Callable[..., Any]) -> Callable[..., Any]:
    def carry_out(self: Any, *args: Any, **kwargs: Any) -> Any:
        _operations.under_way.append(_Operation(guarded(_region_of, self)))
        try:
            return original(self, *args, **kwargs)
        finally:
            _operations.under_way.pop()

    return carry_out


def _convert(original: Callable[..., Any]) -> Callable[..., Any]:
    def take_note(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _operations.under_way:  # else somebody wants a signed URL, and sends nothing
            parameters, model = (*args, *kwargs.values())[:2]
            operation = _operations.under_way[-1]
            operation.parameters = kwargs.get("api_params", parameters)
            operation.model = kwargs.get("operation_model", model)
        return original(self, *args, **kwargs)

    return take_note


def _region_of(client: Any) -> str | None:
    region = client.meta.region_name
    return region if isinstance(region, str) else None


def _send(original: Callable[..., Any]) -> Callable[..., Any]:
    def send_attempt(self: Any, request: Any) -> Any:
        operation = _operations.under_way[-1] if _operations.under_way else None
        unanswered = open_call(lambda: _call_of(operation, request)) if operation else None
        if unanswered is None:
            with Inside():
                return original(self, request)
        if unanswered.answer is not None:
            return _answered(request, unanswered, unanswered.answer)
        try:
            with Inside():
                response = original(self, request)
        except BaseException as error:
            guarded(_fail, unanswered, error)
            raise
        guarded(_keep, request, response, unanswered)
        return response

    return send_attempt


def _call_of(operation: _Operation, request: Any) -> AwsCall | None:
    from replay.recorder.outbound.reads import is_read

    model = operation.model
    if model is None:
        return None
    service, name = model.service_model.service_name, model.name
    method = model.http.get("method")
    parameters = _kept(dict(operation.parameters), model.input_shape)
    reads = is_read(service, name, method, model._operation_model)
    endpoint = "/".join(request.url.split("/", 3)[:3])
    return AwsCall(service, name, operation.region, parameters, reads, endpoint)


def _kept(value: Any, shape: Any) -> Any:
    """Return a parameter as data: a date as text, a file as its bytes, credentials withheld.

    `shape` is botocore's model of it, which says what is sensitive; the names below a map, and in
    JSON that is sent as text, are the program's own.
    """
    kind = getattr(shape, "type_name", None)
    if shape is not None and shape.metadata.get("sensitive"):
        return _withheld(value)
    if isinstance(value, dict):
        return {key: _kept_member(key, item, shape, kind) for key, item in value.items()}
    if isinstance(value, list | tuple):
        member = shape.member if kind == "list" else None
        return [_kept(item, member) for item in value]
    return _kept_leaf(value)


def _kept_member(name: Any, value: Any, shape: Any, kind: str | None) -> Any:
    if kind == "structure":
        return _kept(value, shape.members.get(name))
    if kind == "map":
        is_secret = isinstance(name, str) and is_credential(name)
        return _withheld(value) if is_secret else _kept(value, shape.value)
    return _kept(value, None)


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


def _fail(unanswered: Unanswered, error: BaseException) -> None:
    unanswered.settle(_failure_of(error))


def _failure_of(error: BaseException) -> Failure:
    keywords = getattr(error, "kwargs", {})
    cause = keywords.get("error") or error.__cause__
    plain = {name: str(value) for name, value in keywords.items() if name != "request"}
    return Failure(
        type(error).__name__,
        type(error).__module__,
        str(error),
        keywords=plain,
        cause=_failure_of(cause) if isinstance(cause, BaseException) else None,
    )


def _keep(request: Any, response: Any, unanswered: Unanswered) -> None:
    if request.stream_output:
        Exchange(unanswered).watch(response.raw._original_response)
        return
    headers = kept_headers(response.headers.items(), of_request=False)
    reason = getattr(response.raw, "reason", None) or ""
    body = capped(without_credentials(response.content), unanswered.max_bytes)
    unanswered.settle(Response(response.status_code, reason, headers, body))


def without_credentials(body: bytes) -> bytes:
    """Return the body of an answer with the temporary credentials in it withheld."""
    if b"ecretAccessKey" not in body and b"essionToken" not in body:
        return body
    return _CREDENTIALS.sub(rb"\1" + WITHHELD.encode(), body)


def _answered(request: Any, unanswered: Unanswered, answer: Answer) -> Any:
    """Return what botocore would make of a recorded answer, or raise what it would raise."""
    _drain(request.body)
    failed_early = isinstance(answer, Failure) and answer.stage == "request"
    if request.stream_output and not failed_early:
        return _streamed(request, unanswered)
    unanswered.wait()
    if isinstance(answer, Failure):
        raise _raised(answer)
    body = BytesIO(answer.body if isinstance(answer.body, bytes) else b"")
    response = _response(request, answer.status, answer.reason, answer.headers, body)
    response.content  # noqa: B018 - botocore itself reads it here
    return response


def _streamed(request: Any, unanswered: Unanswered) -> Any:
    """Return an answer whose body is read by the libraries themselves, and may end in a failure."""
    received = sys.modules["http.client"].HTTPResponse(
        AnswerSocket(unanswered, request.method), method=request.method
    )
    received.begin()
    headers = received.headers.items()
    return _response(request, received.status, received.reason, headers, received)


def _response(request: Any, status: int, reason: str, headers: Iterable[Header], body: Any) -> Any:
    """Return what botocore makes of an answer; `body` is a file, or what `http.client` gives."""
    raw = sys.modules["urllib3.response"].HTTPResponse(
        body=body,
        headers=dict(headers),
        status=status,
        reason=reason,
        preload_content=False,
        decode_content=False,
        enforce_content_length=False,  # as botocore has it: of HEAD it says what GET would have
        original_response=body if hasattr(body, "msg") else None,
    )
    return sys.modules["botocore.awsrequest"].AWSResponse(request.url, status, raw.headers, raw)


def _drain(body: Any) -> None:
    """Read what would be sent: whoever watches the progress of an upload is told of it then."""
    while hasattr(body, "read") and body.read(_SENT_AT_ONCE_BYTES):
        pass


def _raised(failure: Failure) -> Exception:
    exceptions = sys.modules["botocore.exceptions"]
    kind = getattr(exceptions, failure.error_type, None)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        kind = exceptions.HTTPClientError
    error: Exception = kind(**(failure.keywords or {"error": failure.message}))
    if failure.cause is not None:
        error.__context__ = exception_of(failure.cause)
    return error
