"""A game studio: event bus, schedule, table stream, data stream, logs, Alexa skill."""

from __future__ import annotations

from typing import Any

from .case import Case, Planted
from .forge import HEX, armour, b64, enc, guid, gz, pan, pick, serial, session, token, web_token


def purchase() -> Planted:
    c = Case("arcade-purchase-bus", "EventBridge")
    event = {
        "version": "0",
        "id": c.show("event field", "id", guid("pu")),
        "detail-type": c.show("event field", "detail-type", "PurchaseSettled"),
        "source": c.show("event field", "source", "studio.store"),
        "time": c.show("event field", "time", "2025-05-01T00:00:07Z"),
        "detail": {
            "sku": c.show("event field", "sku", "gem-pack-500"),
            "price": c.show("event field", "price", "9.99 EUR"),
            "storeReceipt": {
                "shared-secret": c.hide(
                    "n", "client secret", "event field", "shared-secret", "dragon-hoard"
                ),
                "transactionNo": c.trap("event field", "transactionNo", serial("670000111122244")),
            },
            "wallet": {
                "pinCode": c.hide("n", "pin", "event field", "pinCode", "66 71 02"),
                "seedPhrase": c.hide(
                    "n",
                    "private key",
                    "event field",
                    "seedPhrase",
                    "otter lamp fiction velvet orbit dwarf",
                ),
            },
            "settings": [
                {
                    "Name": "store_api_secret",
                    "Value": c.hide(
                        "n", "client secret", "event field", "store_api_secret", "mana-potion"
                    ),
                },
                {
                    "Name": "store_region",
                    "Value": c.show("event field", "store_region", "emea-west"),
                },
            ],
            "comment": "bot said "
            + c.hide("s", "vendor token", "free text", "comment", token("openai", "pu1")),
            "field7": c.hide(
                "s", "vendor token", "event field", "field7", token("airtable", "pu2")
            ),
            "spec": c.hide("s", "card number", "event field", "spec", pan("378712340012345"[:14])),
            "keyframe": c.trap("event field", "keyframe", "idle-loop-2"),
            "passive": c.trap("event field", "passive", "regen-aura"),
        },
    }
    c.environment = {
        "STORE_HMAC_SECRET": c.hide(
            "b", "encryption key", "environment", "STORE_HMAC_SECRET", pick("hmac", 64, HEX)
        ),
        "NR_KEY": c.hide("b", "vendor token", "environment", "NR_KEY", token("newrelic", "pu3")),
        "SHARD_COUNT": c.show("environment", "SHARD_COUNT", "1024"),
    }
    c.http(
        "POST",
        "https://verify.store.example/receipt",
        {
            "Authorization": "Bearer "
            + c.hide(
                "b", "vendor token", "outbound header", "Authorization", token("anthropic", "pu4")
            ),
            "X-Client-Build": c.show("outbound header", "X-Client-Build", "build-20250501"),
        },
        enc(
            {
                "receipt-data": c.trap(
                    "outbound body",
                    "receipt-data",
                    b64("receipt for gem-pack-500, no secrets in here at all"),
                ),
                "password": c.hide(
                    "n", "password", "outbound body", "password", "shared-apple-pie"
                ),
            }
        ),
        200,
        {"X-Rate": c.show("answer header", "X-Rate", "remaining=488")},
        enc(
            {
                "status": c.show("answer body", "status", "receipt-valid"),
                "renewal": {
                    "nextPageToken": c.trap("answer body", "nextPageToken", "page-3-of-3"),
                    "jws": c.hide("s", "JWT", "answer body", "jws", web_token("pu5", "ES256")),
                },
            }
        ),
    )
    c.call(
        "events",
        "PutEvents",
        {
            "Entries": [
                {
                    "Detail": enc(
                        {
                            "grant": c.show("AWS parameter", "grant", "500-gems"),
                            "player_secret": c.hide(
                                "n",
                                "client secret",
                                "AWS parameter",
                                "player_secret",
                                "elven-bread",
                            ),
                        }
                    )
                }
            ]
        },
        {"Entries": [{"EventId": c.show("AWS answer", "EventId", guid("pue"))}]},
    )
    return c.returns(
        event,
        {
            "granted": c.show("result", "granted", "gems:500"),
            "sessionTicket": c.hide(
                "n", "access token", "result", "sessionTicket", "ticket-to-moria"
            ),
        },
    )


def season() -> Planted:
    c = Case("arcade-season-cron", "scheduled")
    event = {
        "id": c.show("event field", "id", guid("se")),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "time": c.show("event field", "time", "2025-06-01T04:00:00Z"),
        "resources": [
            c.show(
                "event field",
                "resources",
                "arn:aws:scheduler:eu-north-1:210987654321:schedule/default/season",
            )
        ],
        "detail": "{}",
    }
    c.environment = {
        "MONGO_URI": "mongodb+srv://season:"
        + c.hide("b", "connection string", "environment", "MONGO_URI", "Gn0me-King")
        + "@c0.example.net/game",
        "BROKER": "amqps://studio:"
        + c.hide("s", "connection string", "environment", "BROKER", "h0bbit.Hole")
        + "@mq.example.net/vh",
        "SORT_KEY": c.trap("environment", "SORT_KEY", "season#rank"),
    }
    c.call(
        "secretsmanager",
        "GetSecretValue",
        {"SecretId": c.trap("AWS parameter", "SecretId", "studio/season/admin-password")},
        {
            "Name": c.trap("AWS answer", "Name", "studio/season/api-secret"),
            "VersionId": c.trap("AWS answer", "VersionId", guid("sev")),
            "SecretString": enc(
                {
                    "admin_pw": c.hide("n", "password", "AWS answer", "admin_pw", "goblin-gold"),
                    "api": c.hide(
                        "s", "vendor token", "AWS answer", "api", token("stripe_restricted", "se1")
                    ),
                    "region": c.show("AWS answer", "region", "season-eu"),
                }
            ),
        },
    )
    c.call(
        "ssm",
        "GetParameters",
        {"Names": [c.show("AWS parameter", "Names", "/season/banner")], "WithDecryption": True},
        {
            "Parameters": [
                {
                    "Name": "/season/banner",
                    "Type": "StringList",
                    "Value": c.show("AWS answer", "Value", "gold,silver,bronze"),
                },
                {
                    "Name": "/season/ftp",
                    "Type": "SecureString",
                    "Value": c.hide("n", "password", "AWS answer", "Value", "orc-chant-9"),
                },
            ],
            "InvalidParameters": [c.trap("AWS answer", "InvalidParameters", "/season/old-token")],
        },
    )
    c.call(
        "lambda",
        "Invoke",
        {
            "FunctionName": c.show("AWS parameter", "FunctionName", "season-mailer"),
            "Payload": enc(
                {
                    "smtp": {
                        "user": "m",
                        "secret": c.hide("n", "password", "AWS parameter", "secret", "raven-post"),
                    },
                    "batch": c.show("AWS parameter", "batch", "batch-09-of-12"),
                }
            ),
        },
        {
            "StatusCode": 200,
            "Payload": enc(
                {
                    "sent": c.show("AWS answer", "sent", 18450),
                    "unsubscribeToken": c.hide(
                        "n", "access token", "AWS answer", "unsubscribeToken", "raven-stop"
                    ),
                }
            ),
        },
    )
    return c.raises(
        event,
        "ConnectionError",
        "dial amqp://studio:"
        + c.hide("b", "connection string", "error text", "", "Tr0ll-Toll")
        + "@mq.example.net: "
        + c.show("error text", "", "i/o timeout after 5000ms"),
        'mongo = connect(password="'
        + c.hide("n", "password", "traceback", "password", "balrog-bath")
        + '", retry=3)',
    )


def player() -> Planted:
    c = Case("arcade-player-stream", "DynamoDB stream")
    old = {
        "playerKey": {"S": c.trap("DynamoDB type", "playerKey", "player#0099")},
        "pwd": {"S": c.hide("n", "password", "DynamoDB type", "pwd", "half-elf-1")},
        "recoveryCodes": {
            "L": [
                {"S": c.hide("n", "otp", "DynamoDB type", "recoveryCodes", "rc-ab12")},
                {"S": c.hide("n", "otp", "DynamoDB type", "recoveryCodes", "rc-cd34")},
            ]
        },
    }
    new = {
        "playerKey": {"S": "player#0099"},
        "rank": {"N": c.show("DynamoDB type", "rank", "5120")},
        "guild": {"S": c.show("DynamoDB type", "guild", "iron-otters")},
        "oauth": {
            "M": {
                "provider": {"S": c.show("DynamoDB type", "provider", "steam-like")},
                "refresh_token": {
                    "S": c.hide(
                        "b",
                        "refresh token",
                        "DynamoDB type",
                        "refresh_token",
                        "1//09" + pick("steam", 64),
                    )
                },
                "blob": {"S": c.hide("s", "JWT", "DynamoDB type", "blob", web_token("pl1"))},
            }
        },
        "пароль": {"S": c.hide("n", "password", "DynamoDB type", "пароль", "борщ-и-сметана")},
        "bio": {
            "S": "pat "
            + c.hide("s", "vendor token", "DynamoDB type", "bio", token("github_fine", "pl2"))
        },
        "apiSecretHash": {
            "S": c.hide(
                "b",
                "password hash",
                "DynamoDB type",
                "apiSecretHash",
                "$ar" + "gon2id$v=19$m=65536,t=3,p=4$" + pick("salt", 22) + "$" + pick("hash", 43),
            )
        },
        "inventory": {
            "SS": [
                c.show("DynamoDB type", "inventory", "iron-key-of-doors"),
                c.trap("DynamoDB type", "inventory", "skeleton key"),
            ]
        },
        "checksum": {"B": c.trap("DynamoDB type", "checksum", b64(bytes(range(200, 232))))},
        "customs": {"N": c.trap("DynamoDB type", "customs", serial("360012300000044"))},
    }
    event = {
        "Records": [
            {
                "eventID": c.show("event field", "eventID", pick("plev", 32, HEX)),
                "eventName": c.show("event field", "eventName", "INSERT"),
                "dynamodb": {
                    "Keys": {"playerKey": {"S": "player#0099"}},
                    "OldImage": old,
                    "NewImage": new,
                    "SizeBytes": c.show("event field", "SizeBytes", 1187),
                    "SequenceNumber": c.show("event field", "SequenceNumber", "300000000000499659"),
                },
            }
        ]
    }
    c.call(
        "dynamodb",
        "TransactWriteItems",
        {
            "TransactItems": [
                {
                    "Put": {
                        "TableName": c.show("AWS parameter", "TableName", "players-v3"),
                        "Item": {
                            "sessionSecret": {
                                "S": c.hide(
                                    "b",
                                    "session key",
                                    "AWS parameter",
                                    "sessionSecret",
                                    pick("sesssec", 48),
                                )
                            },
                            "sk": {"S": c.trap("AWS parameter", "sk", "SESSION#2025-06")},
                        },
                    }
                }
            ],
            "ClientRequestToken": c.trap("AWS parameter", "ClientRequestToken", guid("trx")),
        },
        {},
    )
    return c.returns(event, {"count": c.show("result", "count", 8812)})


def telemetry() -> Planted:
    c = Case("arcade-telemetry-stream", "Kinesis")
    rows = [
        enc(
            {
                "evt": c.show("Kinesis", "evt", "level_up"),
                "lvl": c.show("Kinesis", "lvl", "level-42"),
                "auth": {
                    "kind": "bearer",
                    "value": c.hide("b", "access token", "Kinesis", "auth.value", web_token("te4")),
                },
                "salasana": c.hide("n", "password", "Kinesis", "salasana", "karjalanpiirakka"),
                "dbg": c.hide("s", "vendor token", "Kinesis", "dbg", token("notion", "te1")),
                "keyPresses": c.trap("Kinesis", "keyPresses", 61204),
            }
        ),
        "user=9|token="
        + c.hide("n", "access token", "Kinesis", "token", "pipe-weed-8")
        + "|map="
        + c.show("Kinesis", "map", "shire-east"),
        gz(
            {
                "密码": c.hide("n", "password", "gzip", "密码", "xiaolongbao-5"),
                "地图": c.show("gzip", "地图", "canton-map"),
                "mapToken": c.hide("b", "vendor token", "gzip", "mapToken", token("mapbox", "te2")),
            }
        ),
    ]
    records: list[dict[str, Any]] = [
        {
            "eventID": f"shardId-000000000001:{place}",
            "kinesis": {
                "partitionKey": f"pk-{place}",
                "sequenceNumber": "4954511524",
                "data": b64(row),
            },
        }
        for place, row in enumerate(rows)
    ]
    event = {"Records": records}
    records[0]["kinesis"]["partitionKey"] = c.trap("event field", "partitionKey", "pk-telemetry-0")
    records[0]["eventSourceARN"] = c.show(
        "event field", "eventSourceARN", "arn:aws:kinesis:eu-north-1:210987654321:stream/telemetry"
    )
    c.call(
        "kinesis",
        "PutRecords",
        {
            "StreamName": c.show("AWS parameter", "StreamName", "telemetry-clean"),
            "Records": [
                {
                    "PartitionKey": c.trap("AWS parameter", "PartitionKey", "pk-clean-9"),
                    "Data": b64(
                        {
                            "device_secret": c.hide(
                                "b",
                                "client secret",
                                "AWS parameter",
                                "device_secret",
                                pick("devsec", 64, HEX),
                            )
                        }
                    ),
                }
            ],
        },
        {
            "FailedRecordCount": 0,
            "EncryptionType": c.show("AWS answer", "EncryptionType", "KMS-managed"),
        },
    )
    return c.raises(
        event,
        "KeyError",
        "lvl missing in {'access_key': '"
        + c.hide("n", "access token", "error text", "access_key", "staff-of-oak")
        + "', 'zone': '"
        + c.show("error text", "zone", "barrow-downs")
        + "'}",
        'decoded = decode("' + c.hide("s", "JWT", "traceback", "", web_token("te3")) + '")',
    )


def crash() -> Planted:
    c = Case("arcade-crash-logs", "CloudWatch Logs")
    lines = [
        "[WARN] retry "
        + c.show("gzip", "retry", "retry-3-of-7")
        + " build "
        + c.trap("gzip", "build", pick("crashsha", 40, HEX)),
        enc(
            {
                "lvl": c.show("gzip", "lvl", "fatal-ish"),
                "err": c.show("gzip", "err", "NullPointer at Quest.java:88"),
                "ctx": {
                    "db_password": c.hide("n", "password", "gzip", "db_password", "quest-log-5"),
                    "peer": c.hide("s", "vendor token", "gzip", "peer", token("pypi", "cr1")),
                },
            }
        ),
        "curl -u admin:"
        + c.hide("n", "password", "gzip", "-u", "pixel-dust-3")
        + " https://ci.example/job",
        "Set-Cookie: studio_sid="
        + c.hide("b", "session cookie", "gzip", "studio_sid", pick("studiosid", 32, HEX))
        + "; Secure",
        "key material: "
        + c.hide("s", "private key", "gzip", "", armour("cr2", "PRIVATE" + " KEY", 3)),
        "env AWS_SESSION_TOKEN="
        + c.hide("b", "AWS session token", "gzip", "AWS_SESSION_TOKEN", session("cr3")),
        "secret santa list has " + c.trap("gzip", "", "41 participants"),
        "api_key="
        + c.hide("n", "api key", "gzip", "api_key", "boss-fight-2")
        + " player="
        + c.show("gzip", "player", "pl-5519"),
    ]
    event = {
        "awslogs": {
            "data": b64(
                gz(
                    {
                        "messageType": "DATA_MESSAGE",
                        "logGroup": c.show("gzip", "logGroup", "/arcade/crash"),
                        "logStream": c.show("gzip", "logStream", "i-0a1b2c3d"),
                        "logEvents": [
                            {
                                "id": str(place),
                                "timestamp": c.show("gzip", "timestamp", 1746057607123 + place),
                                "message": line,
                            }
                            for place, line in enumerate(lines)
                        ],
                    }
                )
            )
        }
    }
    return c.returns(event, {"parsed": c.show("result", "parsed", "8 of 8 lines")})


def skill() -> Planted:
    c = Case("arcade-voice-skill", "Alexa skill")
    event = {
        "version": "1.0",
        "session": {
            "sessionId": "amzn1.echo-api.session." + guid("sk"),
            "application": {
                "applicationId": c.show(
                    "event field", "applicationId", "amzn1.ask.skill." + guid("ska")
                )
            },
            "attributes": {
                "room": c.show("event field", "room", "throne-room"),
                "playerSecret": c.hide(
                    "n", "client secret", "event field", "playerSecret", "lullaby-77"
                ),
            },
        },
        "context": {
            "System": {
                "apiEndpoint": c.show(
                    "event field", "apiEndpoint", "https://api.eu.amazonalexa.com"
                ),
                "apiAccessToken": c.hide(
                    "b", "JWT", "event field", "apiAccessToken", web_token("sk1", "RS256")
                ),
                "user": {
                    "userId": c.show("event field", "userId", "amzn1.ask.account.TESTER"),
                    "accessToken": c.hide(
                        "b",
                        "access token",
                        "event field",
                        "accessToken",
                        token("github_oauth", "sk3"),
                    ),
                    "permissions": {
                        "consentToken": c.hide(
                            "b", "JWT", "event field", "consentToken", web_token("sk2")
                        )
                    },
                },
            }
        },
        "request": {
            "type": c.show("event field", "type", "IntentRequest"),
            "intent": {
                "name": c.show("event field", "name", "EnterRoom"),
                "slots": {
                    "pin": {
                        "name": "pin",
                        "value": c.hide("n", "pin", "event field", "slots.pin", "8159"),
                    },
                    "door": {"name": "door", "value": c.show("event field", "door", "left door")},
                },
            },
        },
    }
    return c.returns(
        event,
        {
            "version": "1.0",
            "response": {
                "outputSpeech": {
                    "type": "PlainText",
                    "text": c.show("result", "text", "you enter the hall"),
                }
            },
        },
    )


def build() -> list[Planted]:
    return [purchase(), season(), player(), telemetry(), crash(), skill()]
