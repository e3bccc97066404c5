"""Events as AWS sends them, for tests that have no recording; what is not given is plausible.

Source: the Lambda developer guide's pages "Using AWS Lambda with" each service. A function's event
is plain JSON: change what is returned where a test needs something else in it.
"""

import hashlib
import json
import uuid
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

_ACCOUNT, _REGION = "123456789012", "us-east-1"
_SNS = f"https://sns.{_REGION}.amazonaws.com"
_ETAG = "d41d8cd98f00b204e9800998ecf8427e"
_INSTANT = "2026-01-01T12:00:00"
_EPOCH_MS = 1_767_268_800_000


def api_gateway_event(
    method: str = "GET",
    path: str = "/",
    *,
    resource: str | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    path_parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return an event of a REST API (payload format 1.0); a body that is no text goes as JSON."""
    headers = {
        "Accept": "*/*",
        "Host": f"api.execute-api.{_REGION}.amazonaws.com",
        **(headers or {}),
    }
    text, is_base64 = _body(body)
    resource = resource or path
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(query) if query else None,
        "multiValueQueryStringParameters": {k: [v] for k, v in query.items()} if query else None,
        "pathParameters": dict(path_parameters) if path_parameters else None,
        "stageVariables": None,
        "requestContext": _rest_context(method, path, resource),
        "body": text,
        "isBase64Encoded": is_base64,
    }


def _rest_context(method: str, path: str, resource: str) -> dict[str, Any]:
    return {
        "accountId": _ACCOUNT,
        "apiId": "api",
        "httpMethod": method,
        "identity": {"sourceIp": "192.0.2.1", "userAgent": "tests"},
        "path": f"/test{path}",
        "protocol": "HTTP/1.1",
        "requestId": str(uuid.uuid4()),
        "requestTime": "01/Jan/2026:12:00:00 +0000",
        "requestTimeEpoch": _EPOCH_MS,
        "resourcePath": resource,
        "stage": "test",
    }


def http_api_event(
    method: str = "GET",
    path: str = "/",
    *,
    route: str | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    path_parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return an event of an HTTP API or a function URL (payload format 2.0)."""
    text, is_base64 = _body(body)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {route or path}",
        "rawPath": path,
        "rawQueryString": urlencode(query or {}),
        "headers": {name.lower(): value for name, value in (headers or {}).items()},
        "requestContext": {
            "accountId": _ACCOUNT,
            "apiId": "api",
            "domainName": f"api.execute-api.{_REGION}.amazonaws.com",
            "domainPrefix": "api",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "tests",
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": f"{method} {route or path}",
            "stage": "$default",
            "time": "01/Jan/2026:12:00:00 +0000",
            "timeEpoch": _EPOCH_MS,
        },
        "isBase64Encoded": is_base64,
    }
    given = {"queryStringParameters": query, "pathParameters": path_parameters, "body": text}
    return {**event, **{name: value for name, value in given.items() if value}}


def sqs_event(*bodies: Any, queue: str = "queue", group: str | None = None) -> dict[str, Any]:
    """Return an event of an SQS queue, a message a body; a `group` makes it a FIFO queue."""
    return {"Records": [_sqs_record(body, queue, group, n) for n, body in enumerate(bodies)]}


def _sqs_record(body: Any, queue: str, group: str | None, number: int) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": str(_EPOCH_MS),
        "SenderId": "AIDAEXAMPLE",
        "ApproximateFirstReceiveTimestamp": str(_EPOCH_MS + 1),
    }
    if group is not None:
        attributes |= {"MessageGroupId": group, "SequenceNumber": f"{number + 1:020d}"}
        queue = queue if queue.endswith(".fifo") else f"{queue}.fifo"
    return {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": "handle",
        "body": text,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(text.encode(errors="replace"), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:{queue}",
        "awsRegion": _REGION,
    }


def sns_event(*messages: Any, topic: str = "topic", subject: str | None = None) -> dict[str, Any]:
    """Return an event of an SNS topic, a record a message."""
    arn = f"arn:aws:sns:{_REGION}:{_ACCOUNT}:{topic}"
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": f"{arn}:{uuid.uuid4()}",
                "Sns": {
                    "Type": "Notification",
                    "MessageId": str(uuid.uuid4()),
                    "TopicArn": arn,
                    "Subject": subject,
                    "Message": message if isinstance(message, str) else json.dumps(message),
                    "Timestamp": f"{_INSTANT}.000Z",
                    "SignatureVersion": "1",
                    "Signature": "EXAMPLE",
                    "SigningCertUrl": f"{_SNS}/SimpleNotificationService.pem",
                    "UnsubscribeUrl": f"{_SNS}/?Action=Unsubscribe&SubscriptionArn={arn}",
                    "MessageAttributes": {},
                },
            }
            for message in messages
        ]
    }


def s3_event(
    key: str, *, bucket: str = "bucket", name: str = "ObjectCreated:Put", size_bytes: int = 1024
) -> dict[str, Any]:
    """Return an event of an S3 bucket; the key is quoted as S3 quotes it."""
    from urllib.parse import quote_plus

    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": _REGION,
                "eventTime": f"{_INSTANT}.000Z",
                "eventName": name,
                "userIdentity": {"principalId": "EXAMPLE"},
                "requestParameters": {"sourceIPAddress": "192.0.2.1"},
                "responseElements": {"x-amz-request-id": "EXAMPLE", "x-amz-id-2": "EXAMPLE"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "all",
                    "bucket": {
                        "name": bucket,
                        "ownerIdentity": {"principalId": "EXAMPLE"},
                        "arn": f"arn:aws:s3:::{bucket}",
                    },
                    "object": {
                        "key": quote_plus(key, safe="/"),
                        "size": size_bytes,
                        "eTag": _ETAG,
                        "sequencer": "0055AED6DCD90281E5",
                    },
                },
            }
        ]
    }


def eventbridge_event(
    detail_type: str = "Scheduled Event",
    detail: Mapping[str, Any] | None = None,
    *,
    source: str = "aws.events",
    resources: Sequence[str] = (),
) -> dict[str, Any]:
    """Return an event of EventBridge: without arguments that of a schedule."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": _ACCOUNT,
        "time": f"{_INSTANT}Z",
        "region": _REGION,
        "resources": list(resources),
        "detail": dict(detail or {}),
    }


def _body(body: Any) -> tuple[str | None, bool]:
    if isinstance(body, bytes):
        return b64encode(body).decode(), True
    return (body if body is None or isinstance(body, str) else json.dumps(body)), False
