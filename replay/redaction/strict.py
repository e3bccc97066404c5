"""Strict redaction: whatever is not known to be harmless is replaced.

Harmless are the fields that AWS fills in itself, in the envelope of an event whose source is known,
and what tells how a recording is laid out; nothing is inside of what a user sends. A text keeps its
form, a number its digits' count.
"""

from collections.abc import Set
from typing import Any

from replay.redaction.look import Seen
from replay.redaction.name import Secrecies, Secrecy
from replay.redaction.stand_in import StandIns
from replay.redaction.walk import Walk
from replay.redaction.word import listed
from replay.redaction.wrapped import redact_base64, redact_json

ENVELOPE = frozenset(
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
        " subscriptionFilters owner dataType md5OfBody stateMachineArn statusCode status"
    )
)
"""Fields that AWS fills in: of the documented events, whatever the source."""
LAYOUT = frozenset(
    listed(
        "kind type_name deadline_epoch_ms service operation region is_read endpoint reason chunks"
        " is_complete content_type digest size_bytes error_type module stage limit_ms link"
    )
)
"""Fields of a recording's own."""
_SENT = frozenset(
    listed(
        "detail arguments body dynamodb Message MessageAttributes messageAttributes data input"
        " claims authorizer queryStringParameters pathParameters multiValueQueryStringParameters"
        " stageVariables request response awslogs ResourceProperties OldResourceProperties jobData"
        " requestParameters userIdentity identity prev stash headers multiValueHeaders mail"
        " parameters keywords value cookies content userMetadata bot sessionState"
    )
)
"""What holds values that a user, a client or a program has sent: no name in it is harmless."""


class StrictWalk(Walk):
    """Replaces every leaf but those under harmless names, which is none before `allow`."""

    __slots__ = ("_harmless", "_sent")
    looks_at_all = True

    def __init__(self, stand_ins: StandIns, secrecies: Secrecies, seen: Seen) -> None:
        super().__init__(stand_ins, secrecies, seen)
        self._harmless: Set[str] = frozenset()
        self._sent = 0

    def allow(self, harmless: Set[str]) -> None:
        """Leave what stands under these names, outside of what is sent."""
        self._harmless = harmless

    def value(self, value: Any, secrecy: Secrecy = Secrecy.ORDINARY, name: str = "") -> Any:
        """Return a value redacted."""
        is_sent = name in _SENT and type(value) in (dict, list)
        self._sent += is_sent
        try:
            return super().value(value, secrecy, name)
        finally:
            self._sent -= is_sent

    def leaf(self, value: Any, secrecy: Secrecy, name: str) -> Any:
        """Return what stands in the place of a leaf."""
        if value is None or isinstance(value, bool):
            return value
        if self._is_harmless(name):
            return super().leaf(value, secrecy, name)
        if not isinstance(value, str):
            return self.stand_ins.of_number(value, name)
        return self.text(value, name)

    def text(self, text: str, name: str = "") -> str:
        """Return a text with all that it holds replaced."""
        nested = self.nested(redact_json, text, self._sent_value)
        if nested is None and not self._is_harmless(name):
            nested = self.nested(redact_base64, text, self.text)
        if nested is not None:
            return nested
        if name == "stack":
            place, line_end, source = text.partition("\n")
            return place + line_end + self.stand_ins.of(source, name)
        if self._is_harmless(name):
            return super().text(text, name)
        return self.stand_ins.of(text, name)

    def _sent_value(self, value: Any) -> Any:
        self._sent += 1
        try:
            return self.value(value)
        finally:
            self._sent -= 1

    def _is_harmless(self, name: str) -> bool:
        return name in self._harmless and not self._sent
