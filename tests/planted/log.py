"""CloudWatch Logs subscriptions: base64 of gzip of JSON, whose messages are text or JSON again."""

from __future__ import annotations

from .codec import pack, text, wrap
from .record import Planted, Sheet, request
from .vendor import aws_secret, github, hexes, jwt, noise, pem, uuid


def build() -> list[Planted]:
    m = Sheet("logs-subscription", "CloudWatch Logs")
    messages = [
        "INFO starting request "
        + m.keep(uuid("logreq"), "gzip", "request")
        + " for "
        + m.keep("GET /catalog", "gzip", ""),
        text(
            {
                "level": m.keep("ERROR", "gzip", "level"),
                "msg": m.keep("downstream refused", "gzip", "msg"),
                "req": {
                    "headers": {
                        "Authorization": "Bearer "
                        + m.both(jwt("log1"), "gzip", "Authorization", "JWT"),
                        "X-Vault-Token": m.both(
                            "hv" + "s." + noise("vault", 24),
                            "gzip",
                            "X-Vault-Token",
                            "vendor token",
                        ),
                    }
                },
                "traceId": m.keep(hexes("logtrace", 32), "gzip", "traceId"),
                "durationMs": m.keep(5312, "gzip", "durationMs"),
            }
        ),
        "export AWS_SECRET_ACCESS_KEY="
        + m.both(aws_secret("log2"), "gzip", "AWS_SECRET_ACCESS_KEY", "AWS secret key"),
        "cloning with " + m.shaped(github("log3"), "gzip", "", "vendor token") + " into /tmp/src",
        "loaded key\n" + m.shaped(pem("log4", "EC PRIVATE" + " KEY", 4), "gzip", "", "private key"),
        "amqp url is amqp://broker:"
        + m.both("rabbit.stew", "gzip", "", "connection string")
        + "@mq.internal:5671/%2f",
        "checked out commit " + m.alike(hexes("logsha", 40), "gzip", "commit"),
        "password reset: password: " + m.named("cinnamon-roll", "gzip", "password", "password"),
        "metric keyCount="
        + m.alike("18377", "gzip", "keyCount")
        + " cache="
        + m.keep("hit-ratio-93", "gzip", "cache"),
    ]
    data = {
        "messageType": m.keep("DATA_MESSAGE", "gzip", "messageType"),
        "owner": "123456789012",
        "logGroup": m.keep("/aws/lambda/catalog", "gzip", "logGroup"),
        "logStream": m.keep("2024/06/17/[$LATEST]" + hexes("ls", 32), "gzip", "logStream"),
        "subscriptionFilters": [m.keep("ship-errors", "gzip", "subscriptionFilters")],
        "logEvents": [
            {"id": f"3661{place:050d}", "timestamp": 1718635961959 + place, "message": message}
            for place, message in enumerate(messages)
        ],
    }
    event = {"awslogs": {"data": wrap(pack(text(data)))}}
    ship = request(
        "POST",
        "https://http-intake.logs.example.com/api/v2/logs?dd-api-key="
        + m.both(hexes("ddurl", 32), "outbound url", "dd-api-key", "vendor token"),
        [
            ("Content-Type", "application/json"),
            ("Content-Encoding", "gzip"),
            (
                "DD-APPLICATION-KEY",
                m.both(hexes("ddapp", 40), "outbound header", "DD-APPLICATION-KEY", "vendor token"),
            ),
        ],
        pack(
            text(
                [
                    {
                        "ddsource": m.keep("lambda-logs", "outbound body", "ddsource"),
                        "message": "passwort="
                        + m.named("zimtstern-2", "outbound body", "passwort", "password"),
                    }
                ]
            )
        ),
        status=202,
        answer_body="{}",
    )
    return [
        m.planted(
            event,
            environment={
                "LOG_SHIPPER_PASSPHRASE": m.named(
                    "ring-around-roses", "environment", "LOG_SHIPPER_PASSPHRASE", "password"
                ),
                "SITE": m.keep("logs.example.eu", "environment", "SITE"),
            },
            requests=[ship],
            returned={"shipped": m.keep("nine-lines", "result", "shipped")},
        )
    ]
