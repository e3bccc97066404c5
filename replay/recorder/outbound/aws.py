"""Calls of AWS services through botocore, each attempt as one call.

Hooks `URLLib3Session.send`, where attempts go out, and on the way there takes the operation and its
parameters from the client, since the request that is sent is already in the protocol's own form.
What botocore sends by itself, to find credentials, is left alone. Standard library and orjson only.
"""

import re
import sys
from _thread import _local
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any

from replay.interaction import Answer, AwsCall, Failure, Header, Response
from replay.recorder.guard import guarded
from replay.recorder.outbound.answer_socket import AnswerSocket
from replay.recorder.outbound.body import capped
from replay.recorder.outbound.hook import hook
from replay.recorder.outbound.http_client import Exchange
from replay.recorder.outbound.message import exception_of
from replay.recorder.outbound.outlet import Inside, Unanswered, open_call
from replay.recorder.outbound.parameter import kept_parameters, tells
from replay.recorder.outbound.withheld import kept_headers
from replay.redaction.stand_in import WITHHELD

_CREDENTIALS = re.compile(
    rb'(<(SecretAccessKey|SessionToken)>|"(?:secretAccessKey|SecretAccessKey|sessionToken'
    rb'|SessionToken|SecretKey)"\s*:\s*")([^<"]+)'
)
"""Temporary credentials in an answer: whoever gets them signs with them, and nothing else."""
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
    is_told = tells(service, name, operation.parameters)
    parameters = kept_parameters(dict(operation.parameters), model.input_shape, is_told=is_told)
    reads = is_read(service, name, method, model._operation_model)
    endpoint = "/".join(request.url.split("/", 3)[:3])
    return AwsCall(service, name, operation.region, parameters, reads, endpoint)


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
