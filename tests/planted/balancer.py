"""Application Load Balancer, with and without multi-value headers."""

from __future__ import annotations

from .codec import pack, text, wrap
from .record import Planted, Sheet, error, request
from .vendor import card, hexes, jwt, npm, slack, stripe, uuid


def build() -> list[Planted]:
    m = Sheet("alb-multi-value", "ALB")
    body = {
        "passport": m.alike("required", "gzip", "passport"),
        "passenger": m.alike("window-seat", "gzip", "passenger"),
        "flight": m.keep("LX0318", "gzip", "flight"),
        "departure": m.keep("2024-06-17T15:52:39Z", "gzip", "departure"),
        "loyalty": {"memberPwd": m.named("upgrade-me-please", "gzip", "memberPwd", "password")},
        "remarks": "card on file "
        + m.shaped(card("5412 7534 5678 901"), "gzip", "remarks", "card number"),
        "identityNumbers": {
            "dni": m.both("54362315K", "gzip", "dni", "national id"),
            "ssn": m.both("536-22-1876", "gzip", "ssn", "national id"),
        },
    }
    event = {
        "requestContext": {
            "elb": {
                "targetGroupArn": m.keep(
                    "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/lambda-279XGJ/49e9d65c45c6791a",
                    "event field",
                    "targetGroupArn",
                )
            }
        },
        "httpMethod": "PUT",
        "path": "/bookings/" + m.keep("BK-20931", "path", "booking"),
        "multiValueQueryStringParameters": {
            "auth": [m.named("query-auth-onion", "query", "auth", "access token")],
            "fields": [m.keep("seat,meal", "query", "fields")],
        },
        "multiValueHeaders": {
            "authorization": [
                "Bearer " + m.both(jwt("alb1"), "multi-value header", "authorization", "JWT")
            ],
            "cookie": [
                "AWSALB=x; PHPSESSID="
                + m.both(hexes("php", 26), "cookie", "PHPSESSID", "session cookie"),
                "lang=" + m.keep("pt-BR", "cookie", "lang"),
            ],
            "content-encoding": ["gzip"],
            "content-type": ["application/json"],
            "x-forwarded-for": ["192.0.2.44"],
            "x-auth-token": [
                m.both(jwt("alb5"), "multi-value header", "x-auth-token", "access token"),
                m.named("cabin-crew-spare", "multi-value header", "x-auth-token", "access token"),
            ],
            "x-debug": [m.shaped(npm("alb2"), "multi-value header", "x-debug", "vendor token")],
            "x-build": [m.alike(hexes("sha", 40), "multi-value header", "x-build")],
        },
        "body": wrap(pack(text(body))),
        "isBase64Encoded": True,
    }
    seat = request(
        "POST",
        "https://svc:"
        + m.both("seat-map-99", "outbound url", "", "password")
        + "@seats.example.net/v2/hold",
        [
            ("Content-Encoding", "gzip"),
            ("X-Tenant", m.keep("tenant-lx", "outbound header", "X-Tenant")),
        ],
        pack(
            text(
                {
                    "holdRef": m.keep("HOLD-551", "outbound body", "holdRef"),
                    "partnerSecret": m.named(
                        "kiwi-fruit-kiwi", "outbound body", "partnerSecret", "client secret"
                    ),
                }
            )
        ),
        answer_headers=[
            (
                "X-Session-Token",
                m.named("hold-session-oak", "answer header", "X-Session-Token", "access token"),
            ),
            ("Content-Type", "application/json"),
            ("Content-Encoding", "gzip"),
        ],
        answer_body=pack(
            text(
                {
                    "hold": m.keep("confirmed-24h", "answer body", "hold"),
                    "debug": m.shaped(slack("alb3"), "answer body", "debug", "vendor token"),
                }
            )
        ),
    )
    first = m.planted(
        event,
        environment={
            "PSP": m.shaped(stripe("alb4"), "environment", "PSP", "vendor token"),
            "AUTHOR": m.alike("booking-team", "environment", "AUTHOR"),
            "AWS_LAMBDA_FUNCTION_NAME": m.keep(
                "booking-update", "environment", "AWS_LAMBDA_FUNCTION_NAME"
            ),
        },
        requests=[seat],
        returned={
            "statusCode": 200,
            "statusDescription": m.keep("200 OK", "result", "statusDescription"),
            "isBase64Encoded": False,
            "headers": {},
            "body": text(
                {
                    "boardingKeyId": m.alike("bkid-2231", "result", "boardingKeyId"),
                    "checkinOtp": m.named("771093", "result", "checkinOtp", "otp"),
                }
            ),
        },
    )
    m = Sheet("alb-health", "ALB")
    event = {
        "requestContext": {
            "elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/t/1"}
        },
        "httpMethod": "GET",
        "path": "/health",
        "queryStringParameters": {"verbose": m.keep("full-check", "query", "verbose")},
        "headers": {
            "user-agent": m.keep("ELB-HealthChecker/2.0", "header", "user-agent"),
            "x-probe-pass": m.named("probe-me-softly", "header", "x-probe-pass", "password"),
            "x-amzn-trace-id": m.keep(
                "Root=1-62fa9327-21cdd4da4c6db451490a5fb7", "header", "x-amzn-trace-id"
            ),
        },
        "body": "",
        "isBase64Encoded": False,
    }
    second = m.planted(
        event,
        raised=error(
            "ConnectionError",
            "could not connect to postgresql://app:"
            + m.both("iron&wine", "error text", "", "connection string")
            + "@db.internal:5432/booking (attempt "
            + m.alike(uuid("attempt"), "error text", "attempt")
            + ")",
            'redis = Redis.from_url("redis://:'
            + m.shaped("p4ssage-9Zq", "traceback", "", "connection string")
            + '@cache:6379/0")',
        ),
    )
    return [first, second]
