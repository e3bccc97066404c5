"""SNS notifications, direct and within SQS."""

from __future__ import annotations

from .codec import text
from .record import Planted, Sheet, call, error, request
from .vendor import aws_secret, card, google, hexes, jwt, slack, stripe, uuid


def direct() -> Planted:
    m = Sheet("sns-notification", "SNS")
    message = {
        "alert": m.keep("disk_usage_high", "SNS message", "alert"),
        "severity": m.keep("major", "SNS message", "severity"),
        "sigma": m.alike("2.75-dev", "SNS message", "sigma"),
        "runbookUrl": m.keep("https://wiki.example.com/runbooks/disk", "SNS message", "runbookUrl"),
        "host": {
            "name": m.keep("web-17.internal", "SNS message", "name"),
            "sshPassphrase": m.named(
                "seven samurai sing", "SNS message", "sshPassphrase", "password"
            ),
        },
        "links": [
            "https://graph.example.com/d/1?token="
            + m.named("grafana-view-pear", "SNS message", "token", "access token")
        ],
        "origin": m.shaped(google("sns3"), "SNS message", "origin", "vendor token"),
        "dump": "AKIA"
        + "Q7RSTUVWXYZ23456 / "
        + m.shaped(aws_secret("sns4"), "SNS message", "dump", "AWS secret key"),
        "extra": m.shaped(slack("sns1"), "SNS message", "extra", "vendor token"),
    }
    event = {
        "Records": [
            {
                "EventSource": m.keep("aws:sns", "event field", "EventSource"),
                "EventVersion": "1.0",
                "EventSubscriptionArn": m.keep(
                    "arn:aws:sns:eu-west-1:123456789012:alerts:21be56ed",
                    "event field",
                    "EventSubscriptionArn",
                ),
                "Sns": {
                    "Type": "Notification",
                    "MessageId": m.keep(uuid("sns"), "event field", "MessageId"),
                    "Subject": m.keep("ALARM disk on web", "event field", "Subject"),
                    "Message": text(message),
                    "Timestamp": m.keep("2019-01-02T12:45:07.000Z", "event field", "Timestamp"),
                    "MessageAttributes": {
                        "apiSecret": {
                            "Type": "String",
                            "Value": m.named(
                                "attribute-apricot",
                                "message attribute",
                                "apiSecret",
                                "client secret",
                            ),
                        },
                        "route": {
                            "Type": "String",
                            "Value": m.keep("ops-europe", "message attribute", "route"),
                        },
                    },
                },
            }
        ]
    }
    text_out = request(
        "POST",
        "https://api.twilio.example/2010-04-01/Messages.json",
        [
            (
                "Authorization",
                "Basic "
                + m.both(
                    "QUM5OmZlbmNlLXBvc3QtMTI=",
                    "outbound header",
                    "Authorization",
                    "basic credentials",
                ),
            )
        ],
        "Body=disk&Ref=" + m.shaped(stripe("sns2"), "outbound body", "Ref", "vendor token"),
        status=201,
        answer_body=text(
            {
                "sid": m.keep("SMaa0190", "answer body", "sid"),
                "status": m.keep("queued-for-send", "answer body", "status"),
            }
        ),
    )
    publish = call(
        "sns",
        "Publish",
        {
            "TopicArn": m.keep(
                "arn:aws:sns:eu-west-1:123456789012:escalation", "AWS parameter", "TopicArn"
            ),
            "Message": text(
                {"kennwort": m.named("apfelkuchen-6", "AWS parameter", "kennwort", "password")}
            ),
        },
        {"MessageId": m.keep(uuid("pub"), "AWS answer", "MessageId")},
    )
    return m.planted(
        event,
        environment={
            "TWILIO_AUTH_TOKEN": m.both(
                hexes("twilio", 32), "environment", "TWILIO_AUTH_TOKEN", "vendor token"
            ),
            "TOPIC_ARN": m.keep(
                "arn:aws:sns:eu-west-1:123456789012:fallback", "environment", "TOPIC_ARN"
            ),
        },
        requests=[text_out],
        aws=[publish],
        returned=m.keep("notified on-call", "result", ""),
    )


def nested() -> Planted:
    m = Sheet("sns-in-sqs", "SNS-in-SQS")
    inner = {
        "accountRef": m.keep("acc-7781", "SNS in SQS", "accountRef"),
        "password": m.named("nested-dolls-5", "SNS in SQS", "password", "password"),
        "pan": m.both(card("37451298763014"), "SNS in SQS", "pan", "card number"),
        "detail": m.shaped(jwt("nest1"), "SNS in SQS", "detail", "JWT"),
        "amount": m.keep(4599, "SNS in SQS", "amount"),
        "secretary": m.alike("front-desk", "SNS in SQS", "secretary"),
        "sortKey": m.alike("2024#06#invoice", "SNS in SQS", "sortKey"),
        "apiKeys": [
            m.named("first-fig", "SNS in SQS", "apiKeys", "api key"),
            m.named("second-fig", "SNS in SQS", "apiKeys", "api key"),
        ],
        "headers": [
            ["X-Api-Key", m.both(google("nest2"), "SNS in SQS", "X-Api-Key", "vendor token")]
        ],
    }
    notice = {
        "Type": m.keep("Notification", "SNS in SQS", "Type"),
        "MessageId": m.keep(uuid("nest"), "SNS in SQS", "MessageId"),
        "TopicArn": m.keep("arn:aws:sns:us-east-1:123456789012:billing", "SNS in SQS", "TopicArn"),
        "Message": text(inner),
        "Timestamp": m.keep("2023-03-31T08:01:12.345Z", "SNS in SQS", "Timestamp"),
    }
    event = {
        "Records": [
            {
                "messageId": uuid("outer"),
                "body": text(notice),
                "eventSource": "aws:sqs",
                "md5OfBody": m.alike(hexes("md5n", 32), "event field", "md5OfBody"),
                "awsRegion": m.keep("us-east-1", "event field", "awsRegion"),
            }
        ]
    }
    return m.planted(
        event,
        raised=error(
            "ValueError",
            "bad payload: {'apiToken': '"
            + m.named("raisin-bread-2", "error text", "apiToken", "api key")
            + "', 'invoice': '"
            + m.keep("INV-00817", "error text", "invoice")
            + "'}",
            'invoice.pay(card="'
            + m.shaped(card("601100099013942"), "traceback", "card", "card number")
            + '")',
        ),
    )


def build() -> list[Planted]:
    return [direct(), nested()]
