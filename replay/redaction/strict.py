"""Strict redaction: whatever is not known to be harmless is replaced.

Harmless are the fields that AWS fills in itself - of the event's envelope and of the request - and
what tells how a recording is laid out. A text keeps its form, a number its digits' count.
"""

from typing import Any

from replay.redaction.name import Secrecy, listed
from replay.redaction.walk import Walk
from replay.redaction.wrapped import redact_base64, redact_json

_ENVELOPE = frozenset(
    listed(
        "version eventSource eventVersion eventName eventType awsRegion eventTime eventSourceARN"
        " EventSource EventVersion EventSubscriptionArn httpMethod method stage resource"
        " resourcePath resourceId apiId accountId requestId extendedRequestId messageId MessageId"
        " Type Timestamp TopicArn SignatureVersion protocol domainName domainPrefix isBase64Encoded"
        " routeKey region account time source detail-type resources requestTimeEpoch timeEpoch"
        " requestTime eventID eventId sequenceNumber SequenceNumber shardId kinesisSchemaVersion"
        " StreamViewType SizeBytes ApproximateArrivalTimestamp approximateArrivalTimestamp"
        " ApproximateCreationDateTime SentTimestamp ApproximateFirstReceiveTimestamp"
        " ApproximateReceiveCount s3SchemaVersion configurationId eTag size sequencer arn"
        " triggerSource userPoolId awsSdkVersion fieldName parentTypeName targetGroupArn elb"
        " invocationId deliveryStreamArn methodArn routeArn messageType logGroup logStream"
        " subscriptionFilters owner dataType md5OfBody stateMachineArn statusCode status x-amzn-"
        " trace-id X-Amzn-Trace-Id content-type Content-Type host Host"
    )
)
"""Fields that AWS fills in: of the documented events, whatever the source."""
_LAYOUT = frozenset(
    listed(
        "kind type_name deadline_epoch_ms service operation region is_read endpoint reason chunks"
        " is_complete content_type digest size_bytes error_type module stage limit_ms link"
    )
)
"""Fields of a recording's own."""


class StrictWalk(Walk):
    """Replaces every leaf but those under harmless names."""

    __slots__ = ()

    def leaf(self, value: Any, secrecy: Secrecy, name: str) -> Any:
        """Return what stands in the place of a leaf."""
        if name in _ENVELOPE or name in _LAYOUT or value is None or isinstance(value, bool):
            return super().leaf(value, secrecy, name)
        if not isinstance(value, str):
            return self.stand_ins.of_number(value, name)
        return self.text(value, name)

    def text(self, text: str, name: str = "") -> str:
        """Return a text with all that it holds replaced."""
        nested = self.nested(redact_json, text, self.value)
        if nested is None and name not in _ENVELOPE:
            nested = self.nested(redact_base64, text, self.text)
        if nested is not None:
            return nested
        if name == "stack":
            place, line_end, source = text.partition("\n")
            return place + line_end + self.stand_ins.of(source, name)
        if name in _ENVELOPE or name in _LAYOUT:
            return super().text(text, name)
        return self.stand_ins.of(text, name)
