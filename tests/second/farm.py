"""A farm's devices and mail, a broker, an edge function, and direct invocations."""

from __future__ import annotations

from .case import Case, Planted
from .forge import HEX, armour, b64, enc, guid, pan, pick, secret_key, serial, token, web_token


def sensor() -> Planted:
    c = Case("farm-soil-sensor", "IoT")
    event = {
        "deviceId": c.show("event field", "deviceId", "soil-0815"),
        "topic": c.show("event field", "topic", "farm/field-3/soil"),
        "moisture": c.show("event field", "moisture", "31.5%"),
        "lora": {
            "devEui": c.show("event field", "devEui", "70B3D57ED0000001"),
            "appKey": c.hide(
                "b", "encryption key", "event field", "appKey", pick("lora", 32, "0123456789ABCDEF")
            ),
            "joinSecret": c.hide(
                "n", "client secret", "event field", "joinSecret", "haystack-needle"
            ),
        },
        "wlan_schluessel": c.hide(
            "n", "password", "event field", "wlan_schluessel", "kuhstall-2025"
        ),
        "fwNote": c.hide("s", "vendor token", "event field", "fwNote", token("github_fine", "so1")),
        "keyhole": c.trap("event field", "keyhole", "garden-bed-9"),
        "clientToken": c.trap("event field", "clientToken", "shadow-77-desired"),
        "at": c.show("event field", "at", 1746180000456),
    }
    c.call(
        "iot-data",
        "Publish",
        {
            "topic": c.show("AWS parameter", "topic", "farm/field-3/cmd"),
            "payload": enc(
                {
                    "valve": c.show("AWS parameter", "valve", "open-40pct"),
                    "cmd_password": c.hide(
                        "n", "password", "AWS parameter", "cmd_password", "tractor-seat"
                    ),
                    "proof": c.hide("s", "JWT", "AWS parameter", "proof", web_token("so2")),
                }
            ),
        },
        {},
    )
    return c.returns(
        event,
        {
            "valve": c.show("result", "valve", "opened-at-dawn"),
            "otaKey": c.hide(
                "b", "private key", "result", "otaKey", armour("so3", "OPENSSH PRIVATE" + " KEY", 5)
            ),
        },
    )


def inbox() -> Planted:
    c = Case("farm-mail-inbox", "SES")
    event = {
        "Records": [
            {
                "eventSource": "aws:ses",
                "ses": {
                    "mail": {
                        "messageId": c.show("event field", "messageId", "q8vb7ch2mm0"),
                        "headers": [
                            {
                                "name": "X-Relay-Password",
                                "value": c.hide(
                                    "n", "password", "header", "X-Relay-Password", "milk-churn-3"
                                ),
                            },
                            {
                                "name": "X-Spam-Token",
                                "value": c.hide(
                                    "b", "JWT", "header", "X-Spam-Token", web_token("in1")
                                ),
                            },
                            {
                                "name": "List-Id",
                                "value": c.show("header", "List-Id", "<harvest.lists.example>"),
                            },
                            {
                                "name": "ARC-Seal",
                                "value": c.trap(
                                    "header",
                                    "ARC-Seal",
                                    "i=1; a=rsa-sha256; t=1746180000; cv=none; b="
                                    + pick("arc", 80),
                                ),
                            },
                        ],
                        "commonHeaders": {
                            "subject": "Ihr Einmalpasswort: "
                            + c.hide("n", "otp", "free text", "Einmalpasswort", "HX-4471"),
                            "messageId": c.show(
                                "event field",
                                "commonHeaders.messageId",
                                "<harvest-77@lists.example>",
                            ),
                        },
                    },
                    "receipt": {
                        "spfVerdict": {"status": c.show("event field", "status", "GRAY")},
                        "processingTimeMillis": c.show("event field", "processingTimeMillis", 5740),
                    },
                },
            }
        ]
    }
    c.environment = {
        "IMAP_KENNWORT": c.hide("n", "password", "environment", "IMAP_KENNWORT", "gummistiefel-6"),
        "REDIS": "rediss://:"
        + c.hide("s", "connection string", "environment", "REDIS", "b4rn-Owl")
        + "@redis.example.net:6380/1",
        "MAIL_DOMAIN": c.show("environment", "MAIL_DOMAIN", "lists.example"),
    }
    c.call(
        "ses",
        "SendRawEmail",
        {
            "RawMessage": {
                "Data": b64(
                    "Subject: hello\r\n\r\nYour password is "
                    + c.hide("n", "password", "AWS parameter", "password", "golden-wheat")
                    + "\r\nRef "
                    + c.show("AWS parameter", "Ref", "REF-HARVEST-3")
                    + "\r\n"
                )
            }
        },
        {"MessageId": c.show("AWS answer", "MessageId", "ses2-" + guid("in"))},
    )
    return c.raises(
        event,
        "ConnectionError",
        "AUTH LOGIN sent "
        + c.hide("b", "basic credentials", "error text", "AUTH LOGIN", b64("cheese-wheel-22"))
        + " got "
        + c.show("error text", "", "454 4.7.0 temporary"),
        'imap.login(user, password="'
        + c.hide("n", "password", "traceback", "password", "butter-knife")
        + '")',
    )


def broker() -> Planted:
    c = Case("farm-rabbit-broker", "RabbitMQ (MQ)")
    body = {
        "task": c.show("base64 body", "task", "weigh-cattle"),
        "scale": {
            "serialNo": c.trap("base64 body", "serialNo", serial("402300010002000")),
            "unlock": {"pass": c.hide("n", "password", "base64 body", "pass", "cow-bell-12")},
        },
        "remark": c.hide("s", "vendor token", "base64 body", "remark", token("pypi", "br1")),
        "extra": [
            c.hide("s", "card number", "base64 body", "extra", pan("601100000034567")),
            c.show("base64 body", "extra", "second-pass"),
        ],
        "weights": c.show("base64 body", "weights", "612.5kg"),
    }
    event = {
        "eventSource": c.show("event field", "eventSource", "aws:rmq"),
        "rmqMessagesByQueue": {
            "cattle::/": [
                {
                    "basicProperties": {
                        "contentType": c.show("event field", "contentType", "application/json"),
                        "headers": {
                            "authHeader": {"bytes": [1, 2]},
                            "x-access-token": c.hide(
                                "n", "access token", "header", "x-access-token", "hay-bale-9"
                            ),
                            "x-note": c.hide(
                                "s", "vendor token", "header", "x-note", token("vault", "br2")
                            ),
                        },
                        "timestamp": c.show("event field", "timestamp", "Jan 1, 1970, 12:33:41 AM"),
                        "bodySize": 80,
                    },
                    "redelivered": False,
                    "data": b64(body),
                }
            ]
        },
    }
    c.environment = {
        "RABBIT_URL": "amqps://cattle:"
        + c.hide("b", "connection string", "environment", "RABBIT_URL", "M0o-moo-x")
        + "@b-1.mq.eu-north-1.amazonaws.com:5671",
        "SCALE_MODE": c.show("environment", "SCALE_MODE", "gross-weight"),
        "HINT": c.hide("s", "vendor token", "environment", "HINT", token("linear", "br3")),
    }
    return c.returns(
        event,
        {
            "acked": c.show("result", "acked", "cattle-queue-1"),
            "nextKey": c.trap("result", "nextKey", "cattle#0002"),
        },
    )


def edge() -> Planted:
    c = Case("farm-edge-viewer", "CloudFront (edge)")
    event = {
        "Records": [
            {
                "cf": {
                    "config": {
                        "distributionId": c.show(
                            "event field", "distributionId", "EDFDVBD6EXAMPLE"
                        ),
                        "eventType": c.show("event field", "eventType", "origin-request"),
                    },
                    "request": {
                        "method": "GET",
                        "uri": "/shop/" + c.show("path", "page", "honey-jars"),
                        "querystring": "pwd="
                        + c.hide("n", "password", "query", "pwd", "beeswax-1")
                        + "&Key-Pair-Id="
                        + c.trap("query", "Key-Pair-Id", "K2JCJMDEHXQW5F"),
                        "headers": {
                            "authorization": [
                                {
                                    "key": "Authorization",
                                    "value": "Digest "
                                    + c.hide(
                                        "n",
                                        "access token",
                                        "header",
                                        "Authorization",
                                        "honey-digest-5",
                                    ),
                                }
                            ],
                            "cookie": [
                                {
                                    "key": "Cookie",
                                    "value": "CloudFront-Signature="
                                    + c.hide(
                                        "b",
                                        "signed url",
                                        "cookie",
                                        "CloudFront-Signature",
                                        pick("cfcookie", 172, HEX),
                                    )
                                    + "; basket="
                                    + c.show("cookie", "basket", "basket-of-3"),
                                }
                            ],
                            "host": [
                                {
                                    "key": "Host",
                                    "value": c.show("header", "Host", "shop.farm.example"),
                                }
                            ],
                            "x-ref": [
                                {
                                    "key": "X-Ref",
                                    "value": c.hide(
                                        "s",
                                        "vendor token",
                                        "header",
                                        "X-Ref",
                                        token("grafana", "ed1"),
                                    ),
                                }
                            ],
                        },
                        "origin": {
                            "custom": {
                                "domainName": c.show(
                                    "event field", "domainName", "origin.farm.example"
                                ),
                                "customHeaders": {
                                    "x-origin-secret": [
                                        {
                                            "key": "X-Origin-Secret",
                                            "value": c.hide(
                                                "b",
                                                "client secret",
                                                "header",
                                                "X-Origin-Secret",
                                                pick("queen", 56),
                                            ),
                                        }
                                    ],
                                    "x-zone": [
                                        {
                                            "key": "X-Zone",
                                            "value": c.hide(
                                                "s", "JWT", "header", "X-Zone", web_token("ed2")
                                            ),
                                        }
                                    ],
                                },
                            }
                        },
                    },
                }
            }
        ]
    }
    return c.returns(
        event,
        {
            "status": c.show("result", "status", "302-moved"),
            "headers": {
                "set-cookie": [
                    {
                        "key": "Set-Cookie",
                        "value": "hive_session="
                        + c.hide("n", "session cookie", "result", "hive_session", "drone-cookie-1"),
                    }
                ]
            },
        },
    )


def harvest() -> Planted:
    c = Case("farm-harvest-direct", "direct invoke")
    context = {
        "client": {
            "app_package_name": c.show("client context", "app_package_name", "farm.harvest.app"),
            "installation_id": c.show("client context", "installation_id", "install-farm-8"),
        },
        "custom": {
            "session_token": c.hide(
                "n", "session key", "client context", "session_token", "combine-9"
            ),
            "apiKey": c.hide(
                "b", "vendor token", "client context", "apiKey", token("newrelic", "ha1")
            ),
            "crumb": c.hide("s", "JWT", "client context", "crumb", web_token("ha2")),
            "zone": c.show("client context", "zone", "field-3-south"),
            "wallet_password": c.hide(
                "n", "password", "client context", "wallet_password", "scarecrow"
            ),
            "keyLayout": c.trap("client context", "keyLayout", "azerty-be"),
        },
        "env": {
            "locale": c.show("client context", "locale", "sv_SE.UTF-8"),
            "ref2": c.hide(
                "s", "vendor token", "client context", "ref2", token("databricks", "ha3")
            ),
        },
    }
    event = {
        "command": c.show("event field", "command", "plan-harvest"),
        "weather": {
            "provider": c.show("event field", "provider", "met-like"),
            "app_id": "farm",
            "app_secret": c.hide("n", "client secret", "event field", "app_secret", "cumulonimbus"),
        },
        "jobs": [
            {
                "run": "deploy --token "
                + c.hide("b", "vendor token", "free text", "--token", token("doppler", "ha4"))
            },
            {"run": "login -p " + c.hide("n", "password", "free text", "-p", "silo-door-2")},
            {"run": c.show("free text", "run", "report --since yesterday")},
        ],
        "pageToken": c.trap("event field", "pageToken", "harvest-page-2"),
        "revision": c.trap("event field", "revision", pick("harvrev", 40, HEX)),
        "etag": c.trap("event field", "etag", pick("harvetag", 32, HEX)),
        "secretaryOf": c.trap("event field", "secretaryOf", "board-of-growers"),
        "password_changed_at": c.trap("event field", "password_changed_at", "2024-12-24T18:00:00Z"),
        "resetUrl": c.show("event field", "resetUrl", "https://farm.example/account/reset"),
    }
    c.environment = {
        "WEATHER_TOKEN": c.hide(
            "b", "vendor token", "environment", "WEATHER_TOKEN", token("postman", "ha5")
        ),
        "KEYCLOAK_REALM": c.trap("environment", "KEYCLOAK_REALM", "growers-realm"),
        "ACCESS_LOG": c.trap("environment", "ACCESS_LOG", "/tmp/access.log"),
        "NOTE": c.hide(
            "s", "private key", "environment", "NOTE", armour("ha6", "EC PRIVATE" + " KEY", 2)
        ),
    }
    c.http(
        "GET",
        "https://weather.example/v2/days?appid="
        + c.hide("b", "api key", "outbound url", "appid", pick("appid", 32, HEX))
        + "&q=field3",
        {
            "Authorization": "Token "
            + c.hide("n", "access token", "outbound header", "Authorization", "rain-gauge-x"),
            "Accept-Language": c.show("outbound header", "Accept-Language", "sv-SE,sv"),
        },
        "",
        200,
        {
            "Authorization-Info": c.trap("answer header", "Authorization-Info", "scheme=token"),
            "X-Cache": c.show("answer header", "X-Cache", "Hit from edge"),
        },
        enc(
            {
                "days": [c.show("answer body", "days", "2025-05-03")],
                "trial": c.hide(
                    "s", "vendor token", "answer body", "trial", token("huggingface", "ha7")
                ),
            }
        ),
    )
    c.call(
        "redshift",
        "GetClusterCredentials",
        {
            "DbUser": "harvest",
            "ClusterIdentifier": c.show("AWS parameter", "ClusterIdentifier", "farm-dw"),
        },
        {
            "DbPassword": c.hide(
                "b", "password", "AWS answer", "DbPassword", pick("dbpw", 60, HEX + "+/")
            ),
            "Expiration": c.show("AWS answer", "Expiration", "2025-05-02T12:15:00Z"),
        },
    )
    return c.returns(
        event,
        {
            "plan": c.show("result", "plan", "barley-first"),
            "accessKey": {
                "id": "AK" + "IA" + "FARMFARMFARM2345",
                "secret": c.hide(
                    "b", "AWS secret key", "result", "accessKey.secret", secret_key("ha8")
                ),
            },
            "shareLink": "https://farm.example/s?share_token="
            + c.hide("n", "access token", "result", "share_token", "pumpkin-patch"),
        },
        context,
    )


def build() -> list[Planted]:
    return [sensor(), inbox(), broker(), edge(), harvest()]
