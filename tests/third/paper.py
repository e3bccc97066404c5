"""The Harrow Gazette: a newspaper; paywall, newsletters, subscriptions."""

from __future__ import annotations

from typing import List

from .forge import UPPER, b64, digits, dumps, hexed, jwt, noise, pan, uuid
from .sheet import Planted, Sheet, boto, http


def build() -> list[Planted]:
    return [renewals(), paywall(), tips()]


def renewals() -> Planted:
    """Subscriptions which were renewed, sent over a topic to a queue."""
    s = Sheet("paper-renewals", "SNS-in-SQS")
    message = {
        "subscription": s.alike("sub_" + noise("paper/sub", 24), "SNS in SQS", "subscription"),
        "plan": s.keep("Weekend Print + Digital", "SNS in SQS", "plan"),
        "price": s.keep("21.00 GBP", "SNS in SQS", "price"),
        "card": {
            "pan": s.both(pan("paper/visa", "4462"), "SNS in SQS", "card.pan", "card number"),
            "last4": s.keep("5518", "SNS in SQS", "card.last4"),
            "fingerprint": s.alike(noise("paper/fp", 16), "SNS in SQS", "card.fingerprint"),
        },
        "login": {
            "readerPassword": s.name("crossword", "SNS in SQS", "login.readerPassword", "password"),
            "magic_link_token": s.both(
                noise("paper/magic", 36), "SNS in SQS", "login.magic_link_token", "reset token"
            ),
        },
        "trace": s.shape(
            "sk_" + "live_" + noise("paper/sk", 24), "SNS in SQS", "trace", "vendor token"
        ),
        "edition": s.keep("north-west", "SNS in SQS", "edition"),
        "partner": "https://feeds.harrow.example/rss?u=7&auth_key="
        + s.name(hexed("paper/feed", 24), "SNS in SQS", "partner auth_key", "api key"),
    }
    body = {
        "Type": "Notification",
        "MessageId": s.alike(uuid("paper/mid"), "SNS in SQS", "MessageId"),
        "TopicArn": s.keep("arn:aws:sns:eu-west-1:228819004417:renewals", "SNS in SQS", "TopicArn"),
        "Message": dumps(message),
        "Timestamp": "2025-11-01T00:04:10Z",
        "SignatureVersion": "1",
        "Signature": noise("paper/sig", 170) + "==",
        "MessageAttributes": {
            "origin": {
                "Type": "String",
                "Value": s.keep("billing-cron", "SNS in SQS", "MessageAttributes.origin"),
            },
            "reader": {
                "Type": "String",
                "Value": s.shape(
                    jwt("paper/mat", {"reader": 5518, "plan": "weekend"}),
                    "SNS in SQS",
                    "MessageAttributes.reader",
                    "JWT",
                ),
            },
        },
    }
    event = {
        "Records": [
            {
                "messageId": uuid("paper/sqs"),
                "receiptHandle": "AQEB" + noise("paper/rh", 90),
                "body": dumps(body),
                "attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "1761955450222"},
                "messageAttributes": {},
                "md5OfBody": hexed("paper/md5", 32),
                "eventSource": "aws:sqs",
                "eventSourceARN": s.keep(
                    "arn:aws:sqs:eu-west-1:228819004417:renewal-mails",
                    "event field",
                    "eventSourceARN",
                ),
                "awsRegion": "eu-west-1",
            }
        ]
    }
    mail = http(
        "POST",
        "https://api.mailgun.net/v3/mg.harrow.example/messages",
        [
            (
                "Authorization",
                "Basic "
                + b64(
                    "api:key-"
                    + s.both(
                        hexed("paper/mg", 32),
                        "outbound header",
                        "Authorization",
                        "basic credentials",
                    )
                ),
            )
        ],
        "template="
        + s.keep("renewal-thanks", "outbound body", "template")
        + "&v:login_code="
        + s.name("447 120", "outbound body", "v:login_code", "otp")
        + "&v:hero="
        + s.keep("harvest-moon.jpg", "outbound body", "v:hero"),
        200,
        [
            (
                "X-Mailgun-Key-Id",
                s.alike(
                    hexed("paper/mgid", 8) + "-" + hexed("paper/mgid2", 8),
                    "answer header",
                    "X-Mailgun-Key-Id",
                ),
            )
        ],
        dumps({"message": s.keep("Queued. Thank you.", "answer body", "message")}),
    )
    return s.done(
        event,
        requests=[mail],
        returned={"batchItemFailures": [], "mailed": s.keep("1 of 1", "result", "mailed")},
        environment={
            "STRIPE_PUBLISHABLE": s.alike(
                "pk_" + "live_" + noise("paper/pk", 24), "environment", "STRIPE_PUBLISHABLE"
            ),
            "STRIPE_WEBHOOK_SECRET": s.both(
                "wh" + "sec_" + noise("paper/whsec", 32),
                "environment",
                "STRIPE_WEBHOOK_SECRET",
                "webhook secret",
            ),
            "MAIL_PASSWORD": s.name(
                "hot off the press", "environment", "MAIL_PASSWORD", "password"
            ),
            "ANALYTICS": s.keep("plausible", "environment", "ANALYTICS"),
        },
    )


def paywall() -> Planted:
    """The edge decides who reads an article."""
    s = Sheet("paper-paywall-edge", "CloudFront (edge)")
    pair = s.both(noise("paper/cfsig", 300) + "__", "cookie", "CloudFront-Signature", "signed url")
    event = {
        "Records": [
            {
                "cf": {
                    "config": {
                        "distributionDomainName": s.keep(
                            "d3k9harrow.cloudfront.net", "event field", "distributionDomainName"
                        ),
                        "distributionId": s.alike(
                            "E2" + noise("paper/dist", 12, UPPER), "event field", "distributionId"
                        ),
                        "eventType": s.keep("viewer-request", "event field", "eventType"),
                        "requestId": s.alike(
                            noise("paper/cfrid", 54) + "==", "event field", "requestId"
                        ),
                    },
                    "request": {
                        "clientIp": "203.0.113.77",
                        "method": "GET",
                        "uri": s.keep("/politics/2025/11/01/council-vote", "path", "uri"),
                        "querystring": "utm_source="
                        + s.keep("newsletter-am", "query", "utm_source")
                        + "&gift="
                        + s.shape(
                            jwt("paper/gift", {"article": 88120, "by": 771}), "query", "gift", "JWT"
                        )
                        + "&reader_token="
                        + s.name(
                            noise("paper/reader", 26), "query", "reader_token", "access token"
                        ),
                        "headers": {
                            "host": [{"key": "Host", "value": "www.harrow.example"}],
                            "cookie": [
                                {
                                    "key": "Cookie",
                                    "value": "CloudFront-Signature="
                                    + pair
                                    + "; CloudFront-Key-Pair-Id="
                                    + s.alike(
                                        "K" + noise("paper/kp", 13, UPPER),
                                        "cookie",
                                        "CloudFront-Key-Pair-Id",
                                    )
                                    + "; hg_session="
                                    + s.name(
                                        uuid("paper/hg"), "cookie", "hg_session", "session cookie"
                                    )
                                    + "; ab="
                                    + s.keep("long-teaser", "cookie", "ab")
                                    + "; prefs="
                                    + s.shape(
                                        jwt("paper/prefs", {"reader": 771, "ads": False}),
                                        "cookie",
                                        "prefs",
                                        "JWT",
                                    ),
                                }
                            ],
                            "x-edge-mode": [
                                {
                                    "key": "X-Edge-Mode",
                                    "value": s.keep("required; level=2", "header", "X-Edge-Mode"),
                                }
                            ],
                            "proxy-authorization": [
                                {
                                    "key": "Proxy-Authorization",
                                    "value": "Basic "
                                    + b64(
                                        "squid:"
                                        + s.both(
                                            "Inkstain.1855",
                                            "header",
                                            "Proxy-Authorization",
                                            "basic credentials",
                                        )
                                    ),
                                }
                            ],
                            "user-agent": [
                                {
                                    "key": "User-Agent",
                                    "value": s.keep(
                                        "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0",
                                        "header",
                                        "User-Agent",
                                    ),
                                }
                            ],
                        },
                        "origin": {
                            "custom": {
                                "domainName": s.keep(
                                    "origin.harrow.example", "event field", "origin.domainName"
                                ),
                                "customHeaders": {
                                    "x-origin-secret": [
                                        {
                                            "key": "X-Origin-Secret",
                                            "value": s.name(
                                                "broadsheet-tabloid",
                                                "header",
                                                "X-Origin-Secret",
                                                "client secret",
                                            ),
                                        }
                                    ]
                                },
                                "port": 443,
                                "protocol": "https",
                            }
                        },
                    },
                }
            }
        ]
    }
    return s.done(
        event,
        returned={
            "status": "302",
            "headers": {
                "location": [
                    {
                        "key": "Location",
                        "value": "https://id.harrow.example/sso#id_token="
                        + s.both(
                            jwt("paper/frag", {"reader": 771}, "RS256"),
                            "result",
                            "Location id_token",
                            "JWT",
                        ),
                    }
                ],
                "cache-control": [
                    {
                        "key": "Cache-Control",
                        "value": s.keep("private, no-store", "result", "Cache-Control"),
                    }
                ],
            },
        },
    )


def tips() -> Planted:
    """A mail to the tip box is received."""
    s = Sheet("paper-tip-mail", "SES")
    header = [
        {
            "name": "Subject",
            "value": s.keep("Leisure centre contract", "event field", "headers.Subject"),
        },
        {
            "name": "X-Mailer",
            "value": s.keep("Thunderbird 140.2", "event field", "headers.X-Mailer"),
        },
        {
            "name": "X-Thread",
            "value": s.shape(
                jwt("paper/thread", {"thread": 5, "src": "anon"}),
                "event field",
                "headers.X-Thread",
                "JWT",
            ),
        },
        {
            "name": "DKIM-Signature",
            "value": "v=1; a=rsa-sha256; d=tips.example; s="
            + s.keep("selector-k1", "event field", "headers.DKIM-Signature s")
            + "; b="
            + noise("paper/dkim", 80),
        },
    ]
    event = {
        "Records": [
            {
                "eventSource": "aws:ses",
                "eventVersion": "1.0",
                "ses": {
                    "mail": {
                        "timestamp": "2025-11-01T13:20:00.000Z",
                        "source": "a@tips.example",
                        "messageId": s.alike(
                            noise("paper/sesid", 40, "abcdefghijklmnopqrstuv0123456789"),
                            "event field",
                            "mail.messageId",
                        ),
                        "headersTruncated": False,
                        "headers": header,
                        "commonHeaders": {
                            "subject": "Leisure centre contract",
                            "date": s.keep(
                                "Sat, 1 Nov 2025 13:19:58 +0000",
                                "event field",
                                "commonHeaders.date",
                            ),
                        },
                    },
                    "receipt": {
                        "recipients": ["tips@harrow.example"],
                        "spamVerdict": {"status": "PASS"},
                        "action": {
                            "type": "Lambda",
                            "functionArn": s.keep(
                                "arn:aws:lambda:eu-west-1:228819004417:function:tips",
                                "event field",
                                "action.functionArn",
                            ),
                        },
                    },
                },
            }
        ]
    }
    text = (
        "Documents are on the drop: sftp://source:"
        + s.shape("Heron9Reeds", "AWS answer", "Body sftp", "connection string")
        + "@drop.example/out\nThe PDF's password is "
        + s.name("leisure-2025", "AWS answer", "Body (password is)", "password")
        + ".\nPaid with "
        + s.shape(pan("paper/mc", "5211"), "AWS answer", "Body (Paid with)", "card number")
        + " by the director.\n"
    )
    calls = [
        boto(
            "s3",
            "GetObject",
            {"Bucket": s.keep("harrow-tip-box", "AWS parameter", "Bucket"), "Key": "in/1"},
            {
                "Body": text,
                "ETag": s.alike('"' + hexed("paper/etag", 32) + '"', "AWS answer", "ETag"),
                "ContentType": s.keep("message/rfc822", "AWS answer", "ContentType"),
            },
        ),
        boto(
            "dynamodb",
            "PutItem",
            {
                "TableName": s.keep("tip-index", "AWS parameter", "TableName"),
                "Item": {
                    "tip": {"S": s.alike("TIP#" + digits("paper/tip", 10), "DynamoDB type", "tip")},
                    "dropPassphrase": {
                        "S": s.name(
                            "four grey geese", "DynamoDB type", "dropPassphrase", "password"
                        )
                    },
                    "desk": {"S": s.keep("investigations", "DynamoDB type", "desk")},
                    "raw": {
                        "S": s.shape(
                            "hf" + "_" + noise("paper/hf", 34),
                            "DynamoDB type",
                            "raw",
                            "vendor token",
                        )
                    },
                },
            },
            {},
        ),
    ]
    model = http(
        "POST",
        "https://api-inference.example/models/summarise",
        [
            (
                "Authorization",
                "Bearer "
                + s.both(
                    "hf" + "_" + noise("paper/hf2", 34),
                    "outbound header",
                    "Authorization",
                    "vendor token",
                ),
            )
        ],
        dumps({"max_new_tokens": s.keep("tokens<=256", "outbound body", "max_new_tokens")}),
        200,
        [("X-Compute-Type", s.keep("gpu-a10", "answer header", "X-Compute-Type"))],
        dumps({"summary": s.keep("A tip about a contract", "answer body", "summary")}),
    )
    return s.done(
        event,
        aws=calls,
        requests=[model],
        returned={"disposition": s.keep("CONTINUE", "result", "disposition")},
        environment={
            "SECUREDROP_API_SECRET": s.both(
                noise("paper/sdrop", 44), "environment", "SECUREDROP_API_SECRET", "client secret"
            ),
            "DESK_CHANNEL": "https://hooks."
            + "slack.com/services/T7HG"
            + noise("paper/slt", 7, UPPER)
            + "/B9HG"
            + noise("paper/slb", 7, UPPER)
            + "/"
            + s.shape(noise("paper/slk", 24), "environment", "DESK_CHANNEL", "vendor token"),
        },
    )
