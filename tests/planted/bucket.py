"""S3 notifications."""

from __future__ import annotations

from .codec import text
from .record import Planted, Sheet, call, request
from .vendor import aws_secret, azure, hexes, jwt, noise, pem


def build() -> list[Planted]:
    m = Sheet("s3-object-created", "S3")
    event = {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": m.keep("aws:s3", "event field", "eventSource"),
                "eventTime": m.keep("1970-01-01T00:00:00.123Z", "event field", "eventTime"),
                "eventName": m.keep("ObjectCreated:Put", "event field", "eventName"),
                "userIdentity": {
                    "principalId": m.keep("AWS:AIDAJDPLRKLG7UEXAMPLE", "event field", "principalId")
                },
                "responseElements": {
                    "x-amz-request-id": m.keep(
                        "C3D13FE58DE4C810", "event field", "x-amz-request-id"
                    ),
                    "x-amz-id-2": m.alike(
                        "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD",
                        "event field",
                        "x-amz-id-2",
                    ),
                },
                "s3": {
                    "configurationId": m.keep("import-rule", "event field", "configurationId"),
                    "bucket": {
                        "name": m.keep("partner-imports", "event field", "name"),
                        "arn": m.keep("arn:aws:s3:::partner-imports", "event field", "arn"),
                    },
                    "object": {
                        "key": m.alike("incoming/passwords-policy.csv", "event field", "key"),
                        "size": 1024,
                        "eTag": m.alike(hexes("s3e", 32), "event field", "eTag"),
                        "sequencer": m.keep("0A1B2C3D4E5F678901", "event field", "sequencer"),
                    },
                },
            }
        ]
    }
    fetch = call(
        "secretsmanager",
        "GetSecretValue",
        {"SecretId": m.alike("prod/partner/sftp", "AWS parameter", "SecretId")},
        {
            "ARN": m.alike(
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/partner/sftp-a1b2c3",
                "AWS answer",
                "ARN",
            ),
            "VersionStages": [m.keep("AWSCURRENT", "AWS answer", "VersionStages")],
            "SecretString": text(
                {
                    "host": "sftp.partner.example",
                    "username": "imports",
                    "password": m.named("harvest-moon-21", "AWS answer", "password", "password"),
                    "sshKey": m.both(
                        pem("s3a", "OPENSSH PRIVATE" + " KEY"),
                        "AWS answer",
                        "sshKey",
                        "private key",
                    ),
                    "port": m.keep(20022, "AWS answer", "port"),
                }
            ),
        },
    )
    raw = call(
        "secretsmanager",
        "GetSecretValue",
        {"SecretId": "prod/plain"},
        {
            "Name": "prod/plain",
            "SecretString": m.named(
                "plain-string-secret", "AWS answer", "SecretString", "password"
            ),
        },
    )
    copy = call(
        "s3",
        "GetObject",
        {
            "Bucket": "partner-imports",
            "Key": m.keep("incoming/list.csv", "AWS parameter", "Key"),
            "SSECustomerKey": m.both(
                noise("sse", 32), "AWS parameter", "SSECustomerKey", "encryption key"
            ),
        },
        {
            "ETag": m.alike('"' + hexes("s3f", 32) + '-3"', "AWS answer", "ETag"),
            "Metadata": {
                "uploader-token": m.named(
                    "meta-mango-9", "AWS answer", "uploader-token", "access token"
                ),
                "origin": m.keep("warehouse-2", "AWS answer", "origin"),
            },
            "ContentType": m.keep("text/csv", "AWS answer", "ContentType"),
        },
    )
    blob = request(
        "PUT",
        "https://mirror.blob.core.windows.net/imports/list.csv?sv=2022-11-02&sig="
        + m.both(noise("sas", 43) + "%3D", "outbound url", "sig", "signed url"),
        [
            ("x-ms-version", "2022-11-02"),
            ("x-ms-blob-type", m.keep("BlockBlob", "outbound header", "x-ms-blob-type")),
        ],
        "a;b\n" + m.keep("col-17;ok", "outbound body", "") + "\n",
        status=201,
        answer_headers=[
            (
                "x-ms-request-id",
                m.keep("5f2f1e7c-001e-0021-1f3b", "answer header", "x-ms-request-id"),
            )
        ],
    )
    return [
        m.planted(
            event,
            environment={
                "AZURE_STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=https;AccountName=mirror;AccountKey="
                + m.both(
                    azure("s3b"),
                    "environment",
                    "AZURE_STORAGE_CONNECTION_STRING",
                    "connection string",
                )
                + ";EndpointSuffix=core.windows.net",
                "MIRROR": m.shaped(jwt("s3c"), "environment", "MIRROR", "JWT"),
                "BACKUP": "aws_secret_access_key="
                + m.both(aws_secret("s3d"), "environment", "BACKUP", "AWS secret key"),
                "DB_SECRET_NAME": m.alike("prod/partner/database", "environment", "DB_SECRET_NAME"),
                "BUCKET": m.keep("partner-archive", "environment", "BUCKET"),
            },
            requests=[blob],
            aws=[fetch, raw, copy],
            returned={
                "rows": m.keep(18211, "result", "rows"),
                "checksum": m.alike(hexes("sum", 64), "result", "checksum"),
                "archivePassword": m.named(
                    "zip-it-up-now", "result", "archivePassword", "password"
                ),
            },
        )
    ]
