"""Direct invocation with a client context, and a Secrets Manager rotation."""

from __future__ import annotations

from .codec import text
from .record import Planted, Sheet, call, error
from .vendor import (
    aws_key_id,
    aws_secret,
    aws_session,
    card,
    hexes,
    jwt,
    noise,
    slack,
    stripe,
    uuid,
)


def mobile() -> Planted:
    m = Sheet("direct-mobile", "direct invoke")
    context = {
        "client": {
            "installation_id": m.keep("inst-7f21", "client context", "installation_id"),
            "app_title": m.keep("Field Notes", "client context", "app_title"),
            "app_version_name": "3.4",
        },
        "custom": {
            "authToken": m.named("canoe-paddle-1", "client context", "authToken", "access token"),
            "idToken": m.both(jwt("dir1"), "client context", "idToken", "JWT"),
            "x": m.shaped(slack("dir2"), "client context", "x", "vendor token"),
            "deviceSecret": m.named(
                "seashell-shore", "client context", "deviceSecret", "client secret"
            ),
            "featureKeys": m.alike("dark-mode,beta", "client context", "featureKeys"),
            "tenant": m.keep("field-eu", "client context", "tenant"),
        },
        "env": {
            "platform": m.keep("Android-14", "client context", "platform"),
            "pushKey": m.both(
                "AAAA" + noise("push", 7) + ":" + "APA91b" + noise("push2", 60),
                "client context",
                "pushKey",
                "vendor token",
            ),
        },
    }
    event = {
        "action": m.keep("syncNotes", "event field", "action"),
        "notes": [
            {
                "noteId": m.keep("note-001", "event field", "noteId"),
                "text": "wifi pw is " + m.named("purple-cabbage", "free text", "pw", "password"),
            },
            {
                "noteId": "note-002",
                "text": m.shaped(stripe("dir3"), "free text", "text", "vendor token"),
            },
            {
                "noteId": "note-003",
                "text": m.shaped(card("355012345678912"), "free text", "text", "card number"),
            },
        ],
        "since": m.keep("2024-01-31", "event field", "since"),
        "paginationToken": m.alike("bm90ZS0wMDM=", "event field", "paginationToken"),
    }
    return m.planted(
        event,
        client_context=context,
        environment={
            "AWS_SESSION_TOKEN": m.both(
                aws_session("envs"), "environment", "AWS_SESSION_TOKEN", "AWS session token"
            ),
            "AWS_EXECUTION_ENV": m.keep(
                "AWS_Lambda_python3.12", "environment", "AWS_EXECUTION_ENV"
            ),
        },
        returned={
            "conflicts": [],
            "revision": m.alike(hexes("rev", 40), "result", "revision"),
            "state": m.keep("synchronised", "result", "state"),
            "session": {
                "accessKeyId": aws_key_id("dir4", "ASIA"),
                "secretKey": m.both(aws_secret("dir5"), "result", "secretKey", "AWS secret key"),
            },
        },
    )


def rotation() -> Planted:
    m = Sheet("secret-rotation", "Secrets Manager rotation")
    event = {
        "Step": m.alike("setSecret", "event field", "Step"),
        "SecretId": m.alike(
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/db-xyz",
            "event field",
            "SecretId",
        ),
        "ClientRequestToken": m.alike(uuid("crt"), "event field", "ClientRequestToken"),
    }
    made = call(
        "secretsmanager",
        "GetRandomPassword",
        {
            "PasswordLength": 24,
            "ExcludeCharacters": m.keep("/@\"'", "AWS parameter", "ExcludeCharacters"),
        },
        {
            "RandomPassword": m.both(
                "mZ3(" + noise("rot1", 18) + "!)", "AWS answer", "RandomPassword", "password"
            )
        },
    )
    put = call(
        "secretsmanager",
        "PutSecretValue",
        {
            "SecretId": "app/db",
            "SecretString": text(
                {
                    "engine": m.keep("postgres", "AWS parameter", "engine"),
                    "password": m.named("rotated-radish", "AWS parameter", "password", "password"),
                }
            ),
            "VersionStages": [m.keep("AWSPENDING", "AWS parameter", "VersionStages")],
        },
        {"VersionId": m.keep(uuid("ver"), "AWS answer", "VersionId")},
    )
    run = call(
        "rds-data",
        "ExecuteStatement",
        {
            "sql": m.alike("ALTER USER app WITH PASSWORD :password", "AWS parameter", "sql"),
            "secretArn": m.alike(
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:root",
                "AWS parameter",
                "secretArn",
            ),
            "parameters": [
                {
                    "name": "password",
                    "value": {
                        "stringValue": m.named(
                            "turnover-tamarind", "AWS parameter", "password", "password"
                        )
                    },
                }
            ],
        },
        {"numberOfRecordsUpdated": 0},
    )
    make = call(
        "iam",
        "CreateAccessKey",
        {"UserName": m.keep("svc-export", "AWS parameter", "UserName")},
        {
            "AccessKey": {
                "AccessKeyId": aws_key_id("rot2"),
                "Status": m.keep("Active", "AWS answer", "Status"),
                "SecretAccessKey": m.both(
                    aws_secret("rot3"), "AWS answer", "SecretAccessKey", "AWS secret key"
                ),
            }
        },
    )
    return m.planted(
        event,
        aws=[made, put, run, make],
        raised=error(
            "ValueError",
            'cannot parse secret {"password": "'
            + m.named("quotation-quail", "error text", "password", "password")
            + '"} of version '
            + m.keep("AWSPREVIOUS", "error text", "version"),
            'keys = ("'
            + aws_key_id("rot4")
            + '", "'
            + m.shaped(aws_secret("rot5"), "traceback", "", "AWS secret key")
            + '")',
        ),
    )


def build() -> list[Planted]:
    return [mobile(), rotation()]
