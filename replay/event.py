"""Which service an event comes from, by its shape. Pure; knows the shapes that AWS documents."""

from collections.abc import Mapping
from typing import Any

_BY_KEYS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(keys.split()), source)
    for keys, source in (
        ("DurableExecutionArn InitialExecutionState", "aws:durable"),
        ("StackId ResponseURL RequestType", "aws:cloudformation"),
        ("awslogs", "aws:logs"),
        ("userPoolId triggerSource", "aws:cognito-idp"),
        ("identityPoolId datasetName", "aws:cognito-sync"),
        ("invokingEvent configRuleName", "aws:config"),
        ("CodePipeline.job", "aws:codepipeline"),
        ("bot sessionState", "aws:lex"),
        ("bot currentIntent", "aws:lex"),
        ("session request version", "alexa"),
        ("directive", "alexa"),
        ("agent actionGroup", "aws:bedrock-agent"),
        ("getObjectContext", "aws:s3-object-lambda"),
        ("invocationSchemaVersion tasks", "aws:s3-batch"),
        ("invocationId deliveryStreamArn records", "aws:firehose"),
        ("invocationId applicationArn records", "aws:kinesis-analytics"),
        ("eventSource bootstrapServers records", "aws:kafka"),
        ("eventSource rmqMessagesByQueue", "aws:rmq"),
        ("eventSource messages", "aws:mq"),
        ("eventSource events", "aws:docdb"),
        ("info arguments", "aws:appsync"),
        ("info outErrors", "aws:appsync"),
        ("methodArn type", "aws:apigateway-authorizer"),
        ("routeArn type", "aws:apigateway-authorizer"),
        ("Details Name", "aws:connect"),
        ("InvocationMetadata Items", "aws:connect-campaigns"),
        ("serverId username protocol", "aws:transfer"),
        ("raw_path is_base64_encoded method", "aws:vpc-lattice"),
        ("labelingJobArn version", "aws:sagemaker"),
        ("summaryVersion envelope flowDirection", "aws:workmail"),
        ("detail-type source detail", "aws:events"),
    )
)
_HTTP_CONTEXTS = (("elb", "aws:elb"), ("connectionId", "aws:apigateway-websocket"))


def source_of(event: object) -> str | None:
    """Return the event's source, such as `aws:sqs` or `aws:apigateway`; None if unknown."""
    if not isinstance(event, Mapping):
        return None
    records = event.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], Mapping):
        return _source_of_record(records[0])
    context = event.get("requestContext")
    source = _source_of_keys(event)  # first: an authorizer's event has a requestContext, too
    if source is None and isinstance(context, Mapping):
        return _source_of_request(event, context)
    return source


def _source_of_keys(event: Mapping[str, Any]) -> str | None:
    keys = event.keys()
    return next((source for needed, source in _BY_KEYS if needed <= keys), None)


def _source_of_record(record: Mapping[str, Any]) -> str | None:
    source = record.get("eventSource") or record.get("EventSource")
    if isinstance(source, str):
        return source
    return "aws:cloudfront" if "cf" in record else None


def _source_of_request(event: Mapping[str, Any], context: Mapping[str, Any]) -> str | None:
    for key, source in _HTTP_CONTEXTS:
        if key in context:
            return source
    if "serviceNetworkArn" in context:
        return "aws:vpc-lattice"
    if isinstance(context.get("http"), Mapping):
        is_url = ".lambda-url." in str(context.get("domainName", ""))
        return "aws:lambda-url" if is_url else "aws:apigateway-http"
    return "aws:apigateway" if "httpMethod" in event or "resourceId" in context else None
