"""Mirae Lantern: a game studio in Seoul with players in Korea, Japan and Taiwan."""

from __future__ import annotations

from typing import List

from .forge import (
    LOWER,
    UPPER,
    URLSAFE,
    b64,
    digits,
    dumps,
    hexed,
    item,
    jwt,
    noise,
    pan,
    pem,
    uuid,
    zipped,
)
from .sheet import Planted, Sheet, boto, fault, http


def build() -> list[Planted]:
    return [connect(), purchase(), players(), telemetry()]


def connect() -> Planted:
    """A player's client opens its socket."""
    s = Sheet("studio-socket-connect", "WebSocket API")
    ticket = s.name(noise("studio/ticket", 28), "query", "session_token", "session key")
    event = {
        "headers": {
            "Host": "rt.mirae-lantern.example",
            "Sec-WebSocket-Key": b64("mirae-ws-nonce16"),
            "Sec-WebSocket-Version": "13",
            "X-Client-Build": s.keep("3.8.0-kr.5512", "header", "X-Client-Build"),
            "X-Device-Attestation": s.shape(
                jwt("studio/att", {"device": "SM-S928N", "integrity": "MEETS_STRONG"}, "RS256"),
                "header",
                "X-Device-Attestation",
                "JWT",
            ),
            "Cookie": "lang="
            + s.keep("ko-Hang", "cookie", "lang")
            + "; mirae_sid="
            + s.name(hexed("studio/sid", 40), "cookie", "mirae_sid", "session cookie"),
        },
        "multiValueHeaders": {"X-Client-Build": ["3.8.0-kr.5512"]},
        "queryStringParameters": {
            "session_token": ticket,
            "world": s.keep("haetae-04", "query", "world"),
            "locale": "ko",
            "t": s.shape(
                jwt("studio/party", {"party": 771, "role": "leader"}), "query", "t", "JWT"
            ),
        },
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "connectionId": s.alike(noise("studio/conn", 15) + "=", "event field", "connectionId"),
            "domainName": "rt.mirae-lantern.example",
            "stage": "live",
            "apiId": "m41ra3lntn",
            "messageDirection": "IN",
            "extendedRequestId": s.alike(
                noise("studio/ext", 15) + "==", "event field", "extendedRequestId"
            ),
            "authorizer": {
                "playerId": s.keep("P-00481199", "authorizer", "playerId"),
                "tier": s.keep("lantern-gold", "authorizer", "tier"),
                "jwt": s.both(
                    jwt("studio/authz", {"pid": "P-00481199", "gm": False}),
                    "authorizer",
                    "jwt",
                    "JWT",
                ),
            },
        },
        "isBase64Encoded": False,
    }
    calls = [
        boto(
            "dynamodb",
            "PutItem",
            {
                "TableName": s.keep("rt-connections", "AWS parameter", "TableName"),
                "Item": item(
                    {
                        "world": "haetae-04",
                        "resume": s.shape(
                            jwt("studio/resume", {"w": "haetae-04", "n": 9}),
                            "AWS parameter",
                            "Item.resume",
                            "JWT",
                        ),
                        "shard": s.keep("seoul-2b", "AWS parameter", "Item.shard"),
                    }
                ),
            },
            {},
        ),
        boto(
            "ssm",
            "GetParameter",
            {
                "Name": s.alike("/live/rt/signing-secret", "AWS parameter", "Name"),
                "WithDecryption": True,
            },
            {
                "Parameter": {
                    "Name": "/live/rt/signing-secret",
                    "Type": s.alike("SecureString", "AWS answer", "Type"),
                    "Version": 9,
                    "Value": s.name(
                        "moonrabbit-pounds-rice",
                        "AWS answer",
                        "Parameter.Value (/live/rt/signing-secret)",
                        "encryption key",
                    ),
                }
            },
        ),
    ]
    return s.done(
        event,
        aws=calls,
        returned={
            "statusCode": 200,
            "headers": {
                "Sec-WebSocket-Protocol": s.keep("lantern.v3", "result", "Sec-WebSocket-Protocol")
            },
        },
        environment={
            "REDIS_URL": "rediss://default:"
            + s.both(noise("studio/redis", 24), "environment", "REDIS_URL", "connection string")
            + "@rt-cache.internal:6380/0",
            "REGION_PEER": s.keep("ap-northeast-1", "environment", "REGION_PEER"),
            "ALIYUN_ACCESS_KEY_SECRET": s.both(
                noise("studio/aliyun", 30),
                "environment",
                "ALIYUN_ACCESS_KEY_SECRET",
                "vendor token",
            ),
        },
    )


def purchase() -> Planted:
    """A gem pack is bought; the receipts of the stores are verified."""
    s = Sheet("studio-gem-purchase", "HTTP API v2")
    key, line = pem("studio/p8", "PRIVATE KEY", 4)
    s.both(line, "environment", "STORE_PRIVATE_KEY", "private key")
    body = dumps(
        {
            "sku": s.keep("gems_1200_kr", "base64 body", "sku"),
            "store": s.keep("galaxy", "base64 body", "store"),
            "purchaseToken": s.both(
                noise("studio/ptok1", 24, LOWER) + ".AO-J1O" + noise("studio/ptok2", 60),
                "base64 body",
                "purchaseToken",
                "access token",
            ),
            "cardNo": s.both(pan("studio/jcb", "3530"), "base64 body", "cardNo", "card number"),
            "cardPassword2": s.name("8391", "base64 body", "cardPassword2", "pin"),
            "birth": "940512",
            "checksum": s.alike(hexed("studio/sum", 40), "base64 body", "checksum"),
            "deviceInfo": s.keep("SM-S928N/15", "base64 body", "deviceInfo"),
        }
    )
    kakao = s.both(noise("studio/kakao", 54), "query", "accessToken", "access token")
    event = {
        "version": "2.0",
        "routeKey": "POST /shop/{sku}/buy",
        "rawPath": "/shop/gems_1200_kr/buy",
        "rawQueryString": "promo=chuseok&accessToken=" + kakao,
        "queryStringParameters": {
            "promo": s.keep("chuseok", "query", "promo"),
            "accessToken": kakao,
        },
        "cookies": [
            "npc=" + s.keep("dokkaebi", "cookie", "npc"),
            "remember_token="
            + s.both(noise("studio/remember", 32), "cookie", "remember_token", "session cookie"),
        ],
        "headers": {
            "content-type": "application/json",
            "x-line-channel-secret": s.name(
                hexed("studio/line", 32), "header", "x-line-channel-secret", "client secret"
            ),
            "x-forwarded-proto": "https",
            "etag": s.alike('W/"' + hexed("studio/etag", 16) + '"', "header", "etag"),
        },
        "requestContext": {
            "accountId": "318820045512",
            "apiId": "gemshop77x",
            "http": {"method": "POST", "path": "/shop/gems_1200_kr/buy", "protocol": "HTTP/1.1"},
            "requestId": noise("studio/rid", 15) + "=",
            "stage": "$default",
            "timeEpoch": 1761999004122,
        },
        "body": b64(body),
        "isBase64Encoded": True,
    }
    google = http(
        "POST",
        "https://oauth2.googleapis.com/token",
        [("Content-Type", "application/x-www-form-urlencoded")],
        "grant_type=refresh_token&refresh_token="
        + s.both(
            "1//0" + noise("studio/grt", 60), "outbound body", "refresh_token", "refresh token"
        )
        + "&client_secret="
        + s.both(
            "GOC" + "SPX-" + noise("studio/gcs", 28),
            "outbound body",
            "client_secret",
            "client secret",
        ),
        200,
        [("Vary", "Origin")],
        dumps(
            {
                "access_token": s.both(
                    "ya" + "29." + noise("studio/ya29", 90),
                    "answer body",
                    "access_token",
                    "vendor token",
                ),
                "expires_in": 3599,
            }
        ),
    )
    push = http(
        "POST",
        "https://api.telegram.org/bot"
        + s.shape(
            digits("studio/tgid", 10) + ":AA" + noise("studio/tg", 33),
            "outbound url",
            "path",
            "vendor token",
        )
        + "/sendMessage",
        [("X-Shard", s.keep("payments-kr", "outbound header", "X-Shard"))],
        dumps(
            {"chat_id": -100771, "text": s.keep("whale alert: gems_1200", "outbound body", "text")}
        ),
        200,
        [],
        dumps({"ok": True}),
    )
    return s.done(
        event,
        requests=[google, push],
        returned={
            "statusCode": 200,
            "body": dumps(
                {
                    "balance": 4410,
                    "grantId": s.alike(uuid("studio/grant"), "result", "grantId"),
                    "message": s.keep("구매 완료", "result", "message"),
                }
            ),
        },
        environment={
            "STORE_PRIVATE_KEY": key,
            "APPLE_KEY_ID": s.alike("8QK2W7ZT5M", "environment", "APPLE_KEY_ID"),
            "SHOP_SEASON": s.keep("2025-autumn", "environment", "SHOP_SEASON"),
            "FIREBASE_WEB": s.shape(
                "AI" + "za" + noise("studio/aiza", 35), "environment", "FIREBASE_WEB", "api key"
            ),
        },
    )


def players() -> Planted:
    """Changes in the table of players are copied to the community site."""
    s = Sheet("studio-player-stream", "DynamoDB stream")
    old = item(
        {
            "pk": s.alike("PLAYER#00519920", "DynamoDB type", "pk"),
            "nickname": s.keep("BamHaneul", "DynamoDB type", "nickname"),
            "passwordHash": s.both(
                "$2b$" + "12$" + noise("studio/bcrypt", 53),
                "DynamoDB type",
                "passwordHash",
                "password hash",
            ),
            "level": s.keep(4187, "DynamoDB type", "level"),
            "transferCode": "none",
        }
    )
    new = item(
        {
            "pk": "PLAYER#00519920",
            "nickname": "BamHaneul",
            "level": 4188,
            "linked": [
                {
                    "provider": s.keep("twitch", "DynamoDB type", "linked.provider"),
                    "refresh_token": s.name(
                        noise("studio/twitch", 50, LOWER),
                        "DynamoDB type",
                        "linked.refresh_token",
                        "refresh token",
                    ),
                },
                {
                    "provider": "discord",
                    "extra": s.shape(
                        "MTE"
                        + noise("studio/dc1", 23)
                        + "."
                        + noise("studio/dc2", 6)
                        + "."
                        + noise("studio/dc3", 38),
                        "DynamoDB type",
                        "linked.extra",
                        "vendor token",
                    ),
                },
            ],
            "residentRegistrationNumber": s.name(
                "940512-2187734", "DynamoDB type", "residentRegistrationNumber", "national id"
            ),
            "secondPassword": s.name("ddukbaegi", "DynamoDB type", "secondPassword", "password"),
            "guild": s.keep("Seven Lanterns", "DynamoDB type", "guild"),
            "inventoryVersion": s.alike(
                noise("studio/inv", 22), "DynamoDB type", "inventoryVersion"
            ),
            "bio": "stream at night, my key is live_"
            + s.shape(
                digits("studio/twk", 9) + "_" + noise("studio/twk2", 30),
                "DynamoDB type",
                "bio",
                "vendor token",
            ),
        }
    )
    event = {
        "Records": [
            {
                "eventID": hexed("studio/eid", 32),
                "eventName": s.keep("MODIFY", "event field", "eventName"),
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "ap-northeast-2",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1761991201.0,
                    "Keys": item({"pk": "PLAYER#00519920"}),
                    "OldImage": old,
                    "NewImage": new,
                    "SequenceNumber": s.alike(
                        "4421" + digits("studio/seq", 17), "event field", "SequenceNumber"
                    ),
                    "SizeBytes": 611,
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
                "eventSourceARN": s.keep(
                    "arn:aws:dynamodb:ap-northeast-2:318820045512:table/players/stream/2025-01-09",
                    "event field",
                    "eventSourceARN",
                ),
            }
        ]
    }
    hook = s.shape(
        "services/T04"
        + noise("studio/slt", 8, UPPER)
        + "/B05"
        + noise("studio/slb", 8, UPPER)
        + "/"
        + noise("studio/slk", 24),
        "outbound url",
        "path",
        "vendor token",
    )
    forum = http(
        "PUT",
        "https://forum.mirae-lantern.example/api/users/00519920",
        [
            ("Api-Username", s.keep("sync-bot", "outbound header", "Api-Username")),
            (
                "Api-Key",
                s.name(hexed("studio/discourse", 64), "outbound header", "Api-Key", "api key"),
            ),
        ],
        dumps({"title": s.keep("Lantern Keeper", "outbound body", "title")}),
        200,
        [
            (
                "Set-Cookie",
                "_forum_session="
                + s.both(
                    noise("studio/fsess", 60),
                    "answer header",
                    "Set-Cookie _forum_session",
                    "session cookie",
                )
                + "; path=/; secure",
            )
        ],
        dumps({"ok": 1}),
    )
    return s.done(
        event,
        requests=[
            forum,
            http(
                "POST",
                "https://hooks." + "slack.com/" + hook,
                [],
                dumps({"channel": "#gm"}),
                200,
                [],
                "ok",
            ),
        ],
        returned={"batchItemFailures": []},
        environment={"FORUM_CATEGORY": s.keep("announcements-ko", "environment", "FORUM_CATEGORY")},
    )


def telemetry() -> Planted:
    """Clients' log lines from a stream; one of them is broken."""
    s = Sheet("studio-telemetry", "Kinesis")
    one = dumps(
        {
            "level": s.keep("warn", "Kinesis", "level"),
            "screen": s.keep("LoginScene", "Kinesis", "screen"),
            "msg": s.keep("retry after timeout", "Kinesis", "msg"),
            "form": {
                "id": "bamhaneul",
                "pwd": s.name("hanbok-1443", "Kinesis", "form.pwd", "password"),
                "otp": s.name("209647", "Kinesis", "form.otp", "otp"),
            },
            "frameHash": s.alike(hexed("studio/frame", 64), "Kinesis", "frameHash"),
        }
    )
    two = (
        "2025-11-01T20:01:44+09:00 UnityWebRequest GET /patch header="
        + s.shape(
            jwt("studio/unity", {"pid": "P-00090001", "env": "live"}), "Kinesis", "header=", "JWT"
        )
        + " status=200"
    )
    three = dumps(
        {
            "level": "error",
            "detail": s.shape(
                "gh" + "p_" + noise("studio/ghp", 36), "gzip", "detail", "vendor token"
            ),
            "assetBundle": s.keep("ui_login.bundle", "gzip", "assetBundle"),
            "aws": {
                "secretAccessKey": s.both(
                    noise("studio/asak", 40), "gzip", "aws.secretAccessKey", "AWS secret key"
                ),
                "bucket": s.keep("ml-crash-dumps", "gzip", "aws.bucket"),
            },
        }
    )
    records = [
        {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": key,
                "sequenceNumber": "4966" + digits("studio/sn" + key, 52),
                "data": data,
                "approximateArrivalTimestamp": 1761994905.11,
            },
            "eventSource": "aws:kinesis",
            "eventName": "aws:kinesis:record",
            "eventVersion": "1.0",
            "awsRegion": "ap-northeast-2",
            "eventID": "shardId-000000000003:" + key,
            "eventSourceARN": "arn:aws:kinesis:ap-northeast-2:318820045512:stream/client-telemetry",
        }
        for key, data in (
            (s.alike("partition-key-kr-17", "Kinesis", "partitionKey"), b64(one)),
            ("jp-2", b64(two)),
            ("tw-9", b64(zipped(three))),
        )
    ]
    kept = s.shape(
        "sk" + "-ant-api03-" + noise("studio/ant", 93, URLSAFE) + "AA",
        "traceback",
        "moderate(...)",
        "vendor token",
    )
    return s.done(
        {"Records": records},
        environment={
            "MONGO_URI": "mongodb+srv://telemetry:"
            + s.both("Jindo3Pup7Xk", "environment", "MONGO_URI", "connection string")
            + "@logs.m1raeq.mongodb.example/live"
        },
        raised=fault(
            "ValueError",
            "bad record for user bamhaneul: password="
            + s.name("kimchi-jjigae", "error text", "password=", "password")
            + " is shorter than 14",
            f"verdict = moderate(text, '{kept}', timeout=8)",
        ),
    )
