"""SQS records."""

from __future__ import annotations

from .codec import PIXEL, text, wrap
from .record import Planted, Sheet, call, request
from .vendor import (
    aws_key_id,
    aws_secret,
    aws_session,
    github,
    hexes,
    jwt,
    order,
    pem,
    sendgrid,
    uuid,
)


def build() -> list[Planted]:
    m = Sheet("sqs-batch", "SQS")
    job = {
        "jobId": m.keep("job-000417", "nested JSON string", "jobId"),
        "type": m.keep("repository.sync", "nested JSON string", "type"),
        "commit": m.alike(hexes("commit", 40), "nested JSON string", "commit"),
        "auth": {
            "username": "ci-bot",
            "password": m.named("jolly-roger-3", "nested JSON string", "password", "password"),
        },
        "remote": "https://ci-bot:"
        + m.both(github("sqs1"), "nested JSON string", "remote", "vendor token")
        + "@git.example.com/shop.git",
        "deploy_key": m.both(pem("sqs2"), "nested JSON string", "deploy_key", "private key"),
        "payload": text(
            {
                "inner": text(
                    {
                        "mot_de_passe": m.named(
                            "baguette-42", "nested JSON string", "mot_de_passe", "password"
                        ),
                        "etat": m.keep("en_attente", "nested JSON string", "etat"),
                    }
                ),
                "retries": m.keep(1003, "nested JSON string", "retries"),
            }
        ),
        "keyboard": m.alike("qwertz", "nested JSON string", "keyboard"),
        "monkey": m.alike("george", "nested JSON string", "monkey"),
    }
    attributes = {
        "TenantId": {
            "stringValue": m.keep("acme-gmbh", "message attribute", "TenantId"),
            "dataType": "String",
        },
        "authToken": {
            "stringValue": m.named(
                "queue-pass-rosemary", "message attribute", "authToken", "access token"
            ),
            "dataType": "String",
        },
        "Context": {
            "stringValue": m.shaped(jwt("sqs3"), "message attribute", "Context", "JWT"),
            "dataType": "String",
        },
        "Blob": {
            "binaryValue": wrap(
                text(
                    {
                        "client_secret": m.both(
                            hexes("sqs8", 64), "message attribute", "client_secret", "client secret"
                        )
                    }
                )
            ),
            "dataType": "Binary",
        },
    }
    event = {
        "Records": [
            {
                "messageId": m.keep(uuid("sqsm"), "event field", "messageId"),
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
                "body": text(job),
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": m.keep("1545082649183", "event field", "SentTimestamp"),
                    "MessageGroupId": m.keep("group-repo-7", "event field", "MessageGroupId"),
                    "MessageDeduplicationId": m.alike(
                        hexes("dedup", 64), "event field", "MessageDeduplicationId"
                    ),
                },
                "messageAttributes": attributes,
                "md5OfBody": m.alike(hexes("md5", 32), "event field", "md5OfBody"),
                "eventSource": m.keep("aws:sqs", "event field", "eventSource"),
                "eventSourceARN": m.keep(
                    "arn:aws:sqs:eu-west-1:123456789012:repo-jobs", "event field", "eventSourceARN"
                ),
            },
            {
                "messageId": uuid("sqsn"),
                "body": "plain text, key is "
                + m.shaped(sendgrid("sqs4"), "free text", "", "vendor token")
                + " please rotate",
                "eventSource": "aws:sqs",
            },
        ]
    }
    send = call(
        "sqs",
        "SendMessage",
        {
            "QueueUrl": m.keep(
                "https://sqs.eu-west-1.amazonaws.com/123456789012/next", "AWS parameter", "QueueUrl"
            ),
            "MessageBody": text(
                {
                    "step": m.keep("build-image", "AWS parameter", "step"),
                    "registry_pwd": m.named(
                        "docker-whale-8", "AWS parameter", "registry_pwd", "password"
                    ),
                }
            ),
            "DelaySeconds": 5,
        },
        {
            "MessageId": m.keep(uuid("sent"), "AWS answer", "MessageId"),
            "MD5OfMessageBody": hexes("m5", 32),
        },
    )
    role = call(
        "sts",
        "AssumeRole",
        {
            "RoleArn": m.keep(
                "arn:aws:iam::123456789012:role/ci-deploy", "AWS parameter", "RoleArn"
            ),
            "RoleSessionName": m.alike("session-build-7", "AWS parameter", "RoleSessionName"),
        },
        {
            "Credentials": {
                "AccessKeyId": aws_key_id("sqs5", "ASIA"),
                "Expiration": "2024-06-17T16:00:00Z",
                "SecretAccessKey": m.both(
                    aws_secret("sqs6"), "AWS answer", "SecretAccessKey", "AWS secret key"
                ),
                "SessionToken": m.both(
                    aws_session("sqs9"), "AWS answer", "SessionToken", "AWS session token"
                ),
            }
        },
    )
    build_image = request(
        "POST",
        "https://build.example.com/api/images",
        [
            (
                "PRIVATE-TOKEN",
                m.named("build-box-tarragon", "outbound header", "PRIVATE-TOKEN", "api key"),
            ),
            ("X-Request-Id", m.keep("img-req-20", "outbound header", "X-Request-Id")),
        ],
        text(
            {
                "icon": m.alike(PIXEL + "AAAA", "outbound body", "icon"),
                "buildNo": m.alike(order("521100020003000"), "outbound body", "buildNo"),
            }
        ),
        status=202,
        answer_body=text(
            {
                "imageId": m.keep("img-3301", "answer body", "imageId"),
                "pullSecret": m.named(
                    "pull-the-rope", "answer body", "pullSecret", "client secret"
                ),
            }
        ),
    )
    return [
        m.planted(
            event,
            environment={
                "AWS_SECRET_ACCESS_KEY": m.both(
                    aws_secret("sqs7"), "environment", "AWS_SECRET_ACCESS_KEY", "AWS secret key"
                ),
                "AWS_REGION": m.keep("eu-west-1", "environment", "AWS_REGION"),
                "TOKENIZERS_PARALLELISM": m.alike("false", "environment", "TOKENIZERS_PARALLELISM"),
                "QUEUE_NAME": m.keep("repo-jobs-prod", "environment", "QUEUE_NAME"),
            },
            requests=[build_image],
            aws=[send, role],
            returned={
                "batchItemFailures": [
                    {"itemIdentifier": m.keep("itm-sqs-5521", "result", "itemIdentifier")}
                ]
            },
        )
    ]
