"""A freight company: load balancer, queue, topic, topic through queue, bucket."""

from __future__ import annotations

from .case import Case, Planted
from .forge import HEX, armour, enc, guid, pan, pick, secret_key, serial, session, token, web_token


def dock() -> Planted:
    c = Case("freight-dock-gate", "ALB")
    event = {
        "requestContext": {
            "elb": {
                "targetGroupArn": c.show(
                    "event field",
                    "targetGroupArn",
                    "arn:aws:elasticloadbalancing:eu-north-1:210987654321:targetgroup/dock/0f1e2d3c4b5a6978",
                )
            }
        },
        "httpMethod": "POST",
        "path": "/gate/"
        + c.show("path", "gate", "gate-12-north")
        + "/token/"
        + c.hide("n", "access token", "path", "token", "pallet-of-plums"),
        "queryStringParameters": {
            "signature": c.hide("b", "signed url", "query", "signature", pick("gatesig", 64, HEX)),
            "lane": c.show("query", "lane", "left-lane"),
            "v": c.hide("s", "vendor token", "query", "v", token("postman", "k1")),
        },
        "headers": {
            "authorization": "ApiKey "
            + c.hide("n", "api key", "header", "authorization", "forklift-driver-3"),
            "x-api-secret": c.hide(
                "b", "client secret", "header", "x-api-secret", token("google_client", "k4")
            ),
            "cookie": "gate_session="
            + c.hide("b", "session cookie", "cookie", "gate_session", pick("gatecookie", 48, HEX)),
            "x-amzn-oidc-data": c.hide(
                "s", "JWT", "header", "x-amzn-oidc-data", web_token("k2", "ES256")
            ),
            "x-forwarded-port": "443",
            "accept-encoding": c.show("header", "accept-encoding", "br, zstd"),
        },
        "body": enc(
            {
                "plateRef": c.show("JSON body", "plateRef", "plate-ref-8"),
                "waybill": c.trap("JSON body", "waybill", serial("530012300000777")),
                "gateCode": c.hide("n", "pin", "JSON body", "gateCode", 73905),
                "keyless": c.trap("JSON body", "keyless", "enabled-rfid"),
                "driver": {
                    "pesel": c.hide("n", "national id", "JSON body", "pesel", "82061409327"),
                    "shift": c.show("JSON body", "shift", "night-b"),
                },
            }
        ),
        "isBase64Encoded": False,
    }
    c.environment = {
        "GATE_DSN": "mysql://gate:"
        + c.hide("b", "connection string", "environment", "GATE_DSN", "cr4ne-Hook")
        + "@mysql.internal/gate",
        "MONKEY_PATCH": c.trap("environment", "MONKEY_PATCH", "gevent-all"),
        "DOCK_ZONE": c.show("environment", "DOCK_ZONE", "zone-north"),
    }
    return c.returns(
        event,
        {
            "statusCode": 200,
            "headers": {"x-gate": c.show("result", "x-gate", "opening-now")},
            "body": enc(
                {
                    "openUntil": c.show("result", "openUntil", "2025-03-01T10:15:00+01:00"),
                    "gatePass": c.hide("n", "password", "result", "gatePass", "container-4-you"),
                    "relay": c.hide("s", "vendor token", "result", "relay", token("linear", "k3")),
                }
            ),
        },
    )


def labels() -> Planted:
    c = Case("freight-label-queue", "SQS")
    job = {
        "labelId": c.show("nested JSON string", "labelId", "lbl-90210"),
        "format": c.show("nested JSON string", "format", "zpl-203dpi"),
        "carrier": {
            "account": "77-A",
            "heslo": c.hide("n", "password", "nested JSON string", "heslo", "knedlik-a-zeli"),
            "apiKeyName": c.trap("nested JSON string", "apiKeyName", "carrier-main"),
        },
        "meta": enc(
            {
                "deeper": enc(
                    {
                        "deepest": c.hide(
                            "s",
                            "vendor token",
                            "nested JSON string",
                            "deepest",
                            token("square", "l1"),
                        ),
                        "parola": c.hide(
                            "n", "password", "nested JSON string", "parola", "tiramisu-3"
                        ),
                    }
                ),
                "weightKg": c.show("nested JSON string", "weightKg", "17.250"),
            }
        ),
        "signing": c.hide(
            "b",
            "private key",
            "nested JSON string",
            "signing",
            armour("l2", "EC PRIVATE" + " KEY", 3),
        ),
        "tokens_used": c.trap("nested JSON string", "tokens_used", 90417),
        "hash": c.trap("nested JSON string", "hash", pick("lblhash", 64, HEX)),
    }
    event = {
        "Records": [
            {
                "messageId": c.show("event field", "messageId", guid("lbl")),
                "receiptHandle": "AQEBzbVv",
                "body": enc(job),
                "attributes": {
                    "MessageGroupId": c.show("event field", "MessageGroupId", "carrier-77"),
                    "SequenceNumber": c.show(
                        "event field", "SequenceNumber", "18849496460467696128"
                    ),
                },
                "messageAttributes": {
                    "X-Token": {
                        "stringValue": c.hide(
                            "b",
                            "access token",
                            "message attribute",
                            "X-Token",
                            token("huggingface", "l7"),
                        ),
                        "dataType": "String",
                    },
                    "origin": {
                        "stringValue": c.hide(
                            "s",
                            "vendor token",
                            "message attribute",
                            "origin",
                            token("slack_app", "l3"),
                        ),
                        "dataType": "String",
                    },
                    "tries": {
                        "stringValue": c.show("message attribute", "tries", "try-2-of-5"),
                        "dataType": "String",
                    },
                },
                "md5OfBody": c.trap("event field", "md5OfBody", pick("lblmd5", 32, HEX)),
                "eventSourceARN": c.show(
                    "event field",
                    "eventSourceARN",
                    "arn:aws:sqs:eu-north-1:210987654321:labels.fifo",
                ),
            }
        ]
    }
    c.environment = {
        "CARRIER_CLIENT_SECRET": c.hide(
            "b",
            "vendor token",
            "environment",
            "CARRIER_CLIENT_SECRET",
            token("google_client", "l4"),
        ),
        "LABEL_BUCKET": c.show("environment", "LABEL_BUCKET", "freight-labels"),
    }
    c.http(
        "POST",
        "https://carrier.example/api/labels?auth_token="
        + c.hide("b", "access token", "outbound url", "auth_token", pick("bubble", 48, HEX)),
        {
            "X-Carrier-Key": c.hide(
                "n", "api key", "outbound header", "X-Carrier-Key", "stamp-and-seal"
            ),
            "X-Idempotency-Key": c.trap("outbound header", "X-Idempotency-Key", guid("idk")),
        },
        "<label><user>u</user><password>"
        + c.hide("n", "password", "outbound body", "password", "xml-anvil-4")
        + "</password><size>"
        + c.show("outbound body", "size", "A6-landscape")
        + "</size></label>",
        200,
        {
            "Set-Cookie": "carrier_sess="
            + c.hide(
                "b", "session cookie", "answer header", "carrier_sess", pick("carrier", 40, HEX)
            )
        },
        "<ok><tracking>"
        + c.show("answer body", "tracking", "1ZTRACK-0099")
        + "</tracking><authKey>"
        + c.hide("n", "api key", "answer body", "authKey", "xml-hammer-5")
        + "</authKey></ok>",
    )
    c.call(
        "sqs",
        "SendMessageBatch",
        {
            "QueueUrl": c.show(
                "AWS parameter",
                "QueueUrl",
                "https://sqs.eu-north-1.amazonaws.com/210987654321/print",
            ),
            "Entries": [
                {
                    "Id": "e1",
                    "MessageBody": enc(
                        {
                            "printer": c.show("AWS parameter", "printer", "zebra-04"),
                            "printerPin": c.hide(
                                "n", "pin", "AWS parameter", "printerPin", "3390-ink"
                            ),
                        }
                    ),
                }
            ],
        },
        {"Successful": [{"Id": "e1", "MessageId": c.show("AWS answer", "MessageId", guid("lbm"))}]},
    )
    return c.raises(
        event,
        "ValueError",
        "label refused for key "
        + c.hide("s", "vendor token", "error text", "", token("mailgun", "l5"))
        + " size "
        + c.show("error text", "size", "A6-portrait"),
        'carrier = Carrier(api_token="'
        + c.hide("b", "vendor token", "traceback", "api_token", token("sendinblue", "l6"))
        + '")',
    )


def delay() -> Planted:
    c = Case("freight-delay-topic", "SNS")
    note = {
        "shipment": c.show("SNS message", "shipment", "SHP-7781-DE"),
        "cause": c.show("SNS message", "cause", "fog at the port"),
        "portal": {
            "loginUrl": c.show("SNS message", "loginUrl", "https://track.example/login"),
            "oneTimePassword": c.hide("n", "otp", "SNS message", "oneTimePassword", "fog-horn-22"),
        },
        "wachtwoord_portaal": c.hide(
            "n", "password", "SNS message", "wachtwoord_portaal", "erwtensoep-7"
        ),
        "stacktrace": "boto failed with "
        + c.hide("s", "AWS session token", "SNS message", "stacktrace", session("dl1")),
        "keystone": c.trap("SNS message", "keystone", "arch-bridge"),
        "partitionKey": c.trap("SNS message", "partitionKey", "port#rtm"),
    }
    event = {
        "Records": [
            {
                "EventSource": "aws:sns",
                "Sns": {
                    "MessageId": c.show("event field", "MessageId", guid("dl")),
                    "Message": enc(note),
                    "Subject": c.show("event field", "Subject", "Delay notice RTM"),
                    "Timestamp": c.show("event field", "Timestamp", "2025-01-15T04:00:00.500Z"),
                    "TopicArn": c.show(
                        "event field", "TopicArn", "arn:aws:sns:eu-north-1:210987654321:delays"
                    ),
                    "MessageAttributes": {
                        "bearer": {
                            "Type": "String",
                            "Value": c.hide(
                                "b", "JWT", "message attribute", "bearer", web_token("dl2")
                            ),
                        }
                    },
                },
            }
        ]
    }
    c.environment = {
        "WEBHOOK_SIGNING_SECRET": c.hide(
            "b",
            "webhook secret",
            "environment",
            "WEBHOOK_SIGNING_SECRET",
            token("stripe_hook", "dl3"),
        ),
        "TIMEZONE": c.show("environment", "TIMEZONE", "Europe/Amsterdam"),
    }
    c.http(
        "POST",
        "https://api.telegram.example/bot"
        + c.hide("s", "vendor token", "outbound url", "", token("telegram", "dl4"))
        + "/sendMessage",
        {"Content-Type": "application/json"},
        enc(
            {
                "chat_id": c.show("outbound body", "chat_id", "-1001550093"),
                "text": c.show("outbound body", "text", "Shipment is late"),
            }
        ),
        200,
        {},
        enc({"ok": True, "result": {"message_id": c.show("answer body", "message_id", 77120)}}),
    )
    return c.returns(event, c.show("result", "", "one message relayed"))


def customs() -> Planted:
    c = Case("freight-customs-relay", "SNS-in-SQS")
    inner = {
        "declaration": c.show("SNS in SQS", "declaration", "MRN-25NL-0042"),
        "goods": [c.show("SNS in SQS", "goods", "bicycle parts")],
        "login": {
            "eori": "NL-00",
            "clave_secreta": c.hide(
                "n", "password", "SNS in SQS", "clave_secreta", "paella-marinera"
            ),
        },
        "duty_card": c.hide("b", "card number", "SNS in SQS", "duty_card", pan("553612340009871")),
        "authToken": c.hide(
            "b", "vendor token", "SNS in SQS", "authToken", token("digitalocean", "cu1")
        ),
        "aside": c.hide("s", "vendor token", "SNS in SQS", "aside", token("shopify_shared", "cu2")),
        "tariffKeyword": c.trap("SNS in SQS", "tariffKeyword", "velocipede"),
        "netValue": c.show("SNS in SQS", "netValue", "8120.40"),
        "bsn": c.hide("n", "national id", "SNS in SQS", "bsn", "183920475"),
        "passKeys": [
            c.hide("n", "password", "SNS in SQS", "passKeys", "customs-clog-1"),
            c.hide("n", "password", "SNS in SQS", "passKeys", "customs-clog-2"),
        ],
    }
    event = {
        "Records": [
            {
                "messageId": guid("cuo"),
                "eventSource": "aws:sqs",
                "body": enc(
                    {
                        "Type": "Notification",
                        "MessageId": c.show("SNS in SQS", "MessageId", guid("cu")),
                        "Message": enc(inner),
                        "Timestamp": c.show("SNS in SQS", "Timestamp", "2025-01-16T09:30:00.000Z"),
                        "MessageAttributes": {
                            "apiPassword": {
                                "Type": "String",
                                "Value": c.hide(
                                    "n", "password", "SNS in SQS", "apiPassword", "wooden-shoe"
                                ),
                            }
                        },
                    }
                ),
            }
        ]
    }
    return c.returns(
        event,
        {
            "batchItemFailures": [],
            "cleared": c.show("result", "cleared", "green-lane"),
            "releaseHash": c.trap("result", "releaseHash", pick("relhash", 40, HEX)),
        },
    )


def scans() -> Planted:
    c = Case("freight-scan-bucket", "S3")
    event = {
        "Records": [
            {
                "eventName": c.show("event field", "eventName", "ObjectRemoved:Delete"),
                "eventTime": c.show("event field", "eventTime", "2025-04-02T13:00:01.007Z"),
                "s3": {
                    "bucket": {"name": c.show("event field", "name", "dock-scans")},
                    "object": {
                        "key": c.trap("event field", "key", "scans/2025/secret-santa/001.tif"),
                        "versionId": c.trap(
                            "event field", "versionId", "096fKKXTRTtl3on89fVO.nfljtsv6qko"
                        ),
                        "eTag": c.trap("event field", "eTag", pick("scane", 32, HEX)),
                    },
                },
            }
        ]
    }
    c.environment = {
        "AWS_SESSION_TOKEN": c.hide(
            "b", "AWS session token", "environment", "AWS_SESSION_TOKEN", session("sc1")
        ),
        "SCAN_ENGINE_LICENSE_KEY": c.hide(
            "b",
            "api key",
            "environment",
            "SCAN_ENGINE_LICENSE_KEY",
            "-".join(pick(f"lic{i}", 5, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for i in range(5)),
        ),
        "DEBUG_LINE": c.hide(
            "s", "vendor token", "environment", "DEBUG_LINE", token("grafana", "sc2")
        ),
    }
    c.call(
        "s3",
        "PutObject",
        {
            "Bucket": c.show("AWS parameter", "Bucket", "dock-archive"),
            "Key": c.trap("AWS parameter", "Key", "token-ring/scan.tif"),
            "Body": "passphrase: "
            + c.hide("n", "password", "AWS parameter", "passphrase", "sealed-with-wax"),
            "Metadata": {
                "x-session": c.hide(
                    "n", "session key", "AWS parameter", "x-session", "meta-session-kelp"
                )
            },
        },
        {
            "VersionId": c.trap("AWS answer", "VersionId", "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY"),
            "ServerSideEncryption": c.show("AWS answer", "ServerSideEncryption", "aws:kms"),
        },
    )
    c.call(
        "sts",
        "GetSessionToken",
        {"DurationSeconds": c.show("AWS parameter", "DurationSeconds", 43200)},
        {
            "Credentials": {
                "SecretAccessKey": c.hide(
                    "b", "AWS secret key", "AWS answer", "SecretAccessKey", secret_key("sc3")
                ),
                "SessionToken": c.hide(
                    "b", "AWS session token", "AWS answer", "SessionToken", session("sc4")
                ),
                "Expiration": c.show("AWS answer", "Expiration", "2025-04-03T01:00:01Z"),
            }
        },
    )
    return c.raises(
        event,
        "OSError",
        "mount failed: //nas/scans -o username=ocr,password="
        + c.hide("n", "password", "error text", "password", "tape-worm")
        + " rc "
        + c.show("error text", "rc", "rc-00032"),
        'store = Store("https://nas.example", key='
        + repr(c.hide("s", "vendor token", "traceback", "", token("vault", "sc5")))
        + ")",
    )


def build() -> list[Planted]:
    return [dock(), labels(), delay(), customs(), scans()]
