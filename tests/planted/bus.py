"""EventBridge: a custom event and a scheduled one."""

from __future__ import annotations

from .codec import text
from .record import Planted, Sheet, call, error, request
from .vendor import github, google_oauth, hexes, npm, stripe, uuid


def custom() -> Planted:
    m = Sheet("eventbridge-custom", "EventBridge")
    event = {
        "version": "0",
        "id": m.keep(uuid("bus"), "event field", "id"),
        "detail-type": m.keep("Partner Onboarded", "event field", "detail-type"),
        "source": m.keep("com.example.partners", "event field", "source"),
        "account": "123456789012",
        "time": m.keep("2022-11-22T11:22:33Z", "event field", "time"),
        "region": "eu-central-1",
        "resources": [],
        "detail": {
            "partnerId": m.keep("prt-9002", "event field", "partnerId"),
            "tier": m.keep("silver", "event field", "tier"),
            "api_credentials": {
                "client-id": "prt-9002-app",
                "client-secret": m.named(
                    "silver-spoon-8", "event field", "client-secret", "client secret"
                ),
            },
            "webhook": {
                "signing_key": m.both(
                    "wh" + "sec_" + hexes("sign", 40),
                    "event field",
                    "signing_key",
                    "webhook secret",
                ),
                "url": m.keep("https://partner.example.org/hooks/in", "event field", "url"),
            },
            "misc": [m.shaped(stripe("bus1"), "event field", "misc", "vendor token"), "other"],
            "bio": "my pat: " + m.shaped(github("bus2"), "free text", "bio", "vendor token"),
            "taxId": m.both("123-45-6780", "event field", "taxId", "national id"),
            "accessLevel": m.alike("read_only", "event field", "accessLevel"),
            "tokenizer": m.alike("cl100k_base", "event field", "tokenizer"),
            "keywords": [m.alike("stationery", "event field", "keywords")],
        },
    }
    put = call(
        "events",
        "PutEvents",
        {
            "Entries": [
                {
                    "Source": "com.example.crm",
                    "DetailType": m.keep("Partner Synced", "AWS parameter", "DetailType"),
                    "Detail": text(
                        {
                            "partnerRef": m.keep("prt-ref-11", "AWS parameter", "partnerRef"),
                            "crm_api_key": m.both(
                                hexes("crm", 32), "AWS parameter", "crm_api_key", "api key"
                            ),
                            "memo": m.shaped(
                                google_oauth("bus3"), "AWS parameter", "memo", "access token"
                            ),
                        }
                    ),
                }
            ]
        },
        {
            "FailedEntryCount": 0,
            "Entries": [{"EventId": m.keep(uuid("put"), "AWS answer", "EventId")}],
        },
    )
    sync = request(
        "PATCH",
        "https://crm.example.com/v3/partners/" + m.keep("prt-path-11", "outbound url", ""),
        [
            (
                "Proxy-Authorization",
                "Basic "
                + m.both(
                    "cHJveHk6Z3JlZW4tcGVhcw==",
                    "outbound header",
                    "Proxy-Authorization",
                    "basic credentials",
                ),
            ),
            (
                "Cookie",
                "crm_session="
                + m.named("crm-cookie-thyme", "outbound header", "crm_session", "session cookie"),
            ),
            ("If-Match", m.alike('W/"' + hexes("ifm", 16) + '"', "outbound header", "If-Match")),
        ],
        text({"stage": m.keep("qualified", "outbound body", "stage")}),
        status=409,
        answer_body=text(
            {
                "error": {
                    "code": m.keep("VERSION_CONFLICT", "answer body", "code"),
                    "detail": "given secret "
                    + m.shaped(npm("bus4"), "answer body", "detail", "vendor token"),
                }
            }
        ),
    )
    return m.planted(
        event,
        environment={
            "CRM_PASSWD": m.named("parsley-on-top", "environment", "CRM_PASSWD", "password"),
            "EVENT_BUS": m.keep("partners-bus", "environment", "EVENT_BUS"),
        },
        requests=[sync],
        aws=[put],
        returned={"synced": m.keep("partially", "result", "synced")},
    )


def scheduled() -> Planted:
    m = Sheet("scheduled-rotation", "scheduled")
    event = {
        "version": "0",
        "id": uuid("sched"),
        "detail-type": m.keep("Scheduled Event", "event field", "detail-type"),
        "source": m.keep("aws.events", "event field", "source"),
        "account": "123456789012",
        "time": m.keep("2024-02-29T00:00:00Z", "event field", "time"),
        "region": "us-east-1",
        "resources": [
            m.keep("arn:aws:events:us-east-1:123456789012:rule/nightly", "event field", "resources")
        ],
        "detail": {},
    }
    read = call(
        "ssm",
        "GetParametersByPath",
        {"Path": m.keep("/prod/rotation/", "AWS parameter", "Path"), "WithDecryption": True},
        {
            "Parameters": [
                {
                    "Name": m.alike("/prod/rotation/db-password", "AWS answer", "Name"),
                    "Type": "SecureString",
                    "Value": m.named("mulberry-bush", "AWS answer", "Value", "password"),
                    "Version": 12,
                },
                {
                    "Name": "/prod/rotation/window",
                    "Type": "String",
                    "Value": m.keep("sunday-03h", "AWS answer", "Value"),
                },
            ],
            "NextToken": m.alike("pg-2-of-9-cursor", "AWS answer", "NextToken"),
        },
    )
    modify = call(
        "rds",
        "ModifyDBInstance",
        {
            "DBInstanceIdentifier": m.keep("orders-db-1", "AWS parameter", "DBInstanceIdentifier"),
            "MasterUserPassword": m.named(
                "nutmeg-nebula-1", "AWS parameter", "MasterUserPassword", "password"
            ),
        },
        {"DBInstance": {"DBInstanceStatus": m.keep("modifying", "AWS answer", "DBInstanceStatus")}},
    )
    return m.planted(
        event,
        environment={
            "DATABASE_URL": "postgres://rotator:"
            + m.both("Zx9!kite", "environment", "DATABASE_URL", "connection string")
            + "@orders-db-1.internal:5432/orders",
            "DD_API_KEY": m.both(hexes("dd", 32), "environment", "DD_API_KEY", "vendor token"),
            "ROTATION_DAYS": m.keep("every-30", "environment", "ROTATION_DAYS"),
        },
        aws=[read, modify],
        raised=error(
            "OSError",
            "FATAL: authentication failed, DSN 'host=orders-db-1 user=rotator password="
            + m.named("ginger-biscuit", "error text", "password", "connection string")
            + " dbname=orders' code "
            + m.keep("28P01", "error text", "code"),
            'connect("mongodb+srv://root:'
            + m.both("Qu1nce.tree", "traceback", "", "connection string")
            + '@cluster0.example.net/test")',
        ),
    )


def build() -> list[Planted]:
    return [custom(), scheduled()]
