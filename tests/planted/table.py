"""DynamoDB streams."""

from __future__ import annotations

from .codec import PIXEL, text, wrap
from .record import Planted, Sheet, call
from .vendor import UPPER, bcrypt, card, hexes, jwt, noise, order, shopify, stripe, uuid


def build() -> list[Planted]:
    m = Sheet("dynamodb-stream", "DynamoDB stream")
    image = {
        "pk": {"S": m.alike("USER#42", "DynamoDB type", "pk")},
        "sk": {"S": m.alike("PROFILE#v2", "DynamoDB type", "sk")},
        "GSI1PK": {"S": m.alike("TENANT#red", "DynamoDB type", "GSI1PK")},
        "password": {"S": m.named("silly-goose-13", "DynamoDB type", "password", "password")},
        "pwdHash": {"S": m.both(bcrypt("ddb1"), "DynamoDB type", "pwdHash", "password hash")},
        "otp": {"N": m.named("4821", "DynamoDB type", "otp", "otp")},
        "backupCodes": {
            "SS": [
                m.named("aaron-1f", "DynamoDB type", "backupCodes", "otp"),
                m.named("bella-2g", "DynamoDB type", "backupCodes", "otp"),
            ]
        },
        "integrations": {
            "M": {
                "shop": {
                    "M": {
                        "domain": {"S": m.keep("red.shop.example", "DynamoDB type", "domain")},
                        "cred": {
                            "S": m.both(shopify("ddb2"), "DynamoDB type", "cred", "vendor token")
                        },
                    }
                },
                "pay": {
                    "L": [
                        {"S": m.shaped(stripe("ddb3"), "DynamoDB type", "pay", "vendor token")},
                        {"S": m.keep("monthly", "DynamoDB type", "pay")},
                    ]
                },
            }
        },
        "lastToken": {"S": m.both(jwt("ddb4"), "DynamoDB type", "lastToken", "JWT")},
        "cardOnFile": {
            "N": m.both(card("555555123456781"), "DynamoDB type", "cardOnFile", "card number")
        },
        "raw": {
            "S": text(
                {
                    "secretAnswer": m.named(
                        "my first bicycle", "DynamoDB type", "secretAnswer", "secret answer"
                    )
                }
            )
        },
        "avatar": {"B": m.alike(PIXEL.replace("AAAAD", "AAAAE"), "DynamoDB type", "avatar")},
        "blob": {
            "B": wrap(
                text(
                    {
                        "twoFactorSecret": m.both(
                            noise("totp", 32, UPPER),
                            "DynamoDB type",
                            "twoFactorSecret",
                            "totp seed",
                        )
                    }
                )
            )
        },
        "trackingNo": {"N": m.alike(order("379900011122233"), "DynamoDB type", "trackingNo")},
        "visits": {"N": m.keep("1744", "DynamoDB type", "visits")},
        "plan": {"S": m.keep("team-annual", "DynamoDB type", "plan")},
        "createdAt": {"S": m.keep("2021-08-09T10:11:12.131Z", "DynamoDB type", "createdAt")},
    }
    event = {
        "Records": [
            {
                "eventID": m.keep(hexes("ddbid", 32), "event field", "eventID"),
                "eventName": m.keep("MODIFY", "event field", "eventName"),
                "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "Keys": {"pk": {"S": "USER#42"}, "sk": {"S": "PROFILE#v2"}},
                    "NewImage": image,
                    "SequenceNumber": m.keep(
                        "4421584500000000017450439091", "event field", "SequenceNumber"
                    ),
                    "StreamViewType": m.keep("NEW_IMAGE", "event field", "StreamViewType"),
                },
                "eventSourceARN": m.keep(
                    "arn:aws:dynamodb:eu-west-1:123456789012:table/users/stream/2021",
                    "event field",
                    "eventSourceARN",
                ),
            }
        ]
    }
    update = call(
        "dynamodb",
        "UpdateItem",
        {
            "TableName": m.keep("sessions", "AWS parameter", "TableName"),
            "Key": {"pk": {"S": m.keep("SES#1", "AWS parameter", "pk")}},
            "UpdateExpression": m.alike(
                "SET #tok = :token, #pw = :pw", "AWS parameter", "UpdateExpression"
            ),
            "ExpressionAttributeNames": {
                "#tok": m.alike("token", "AWS parameter", "#tok"),
                "#pw": "pw",
            },
            "ExpressionAttributeValues": {
                ":token": {
                    "S": m.named("dandelion-day", "AWS parameter", ":token", "access token")
                },
                ":pw": {"S": m.named("sparrow-song", "AWS parameter", ":pw", "password")},
            },
        },
        {
            "Attributes": {
                "status": {"S": m.keep("refreshed", "AWS answer", "status")},
                "sessionKey": {
                    "S": m.named("walnut-desk-3", "AWS answer", "sessionKey", "session key")
                },
            }
        },
    )
    query = call(
        "dynamodb",
        "Query",
        {
            "TableName": "users",
            "KeyConditionExpression": m.keep("pk = :pk", "AWS parameter", "KeyConditionExpression"),
        },
        {
            "Count": m.keep(1200, "AWS answer", "Count"),
            "LastEvaluatedKey": {"pk": {"S": m.alike("USER#99-last", "AWS answer", "pk")}},
            "Items": [{"note": {"S": m.shaped(jwt("ddb5"), "AWS answer", "note", "JWT")}}],
        },
    )
    return [
        m.planted(
            event,
            environment={
                "HMAC_KEY": m.named(
                    "pepper-mill-grind", "environment", "HMAC_KEY", "encryption key"
                ),
                "USERS_TABLE": m.keep("users-table", "environment", "USERS_TABLE"),
                "PARTITION_KEY": m.alike("tenantId", "environment", "PARTITION_KEY"),
            },
            aws=[update, query],
            returned={
                "processed": m.keep(3107, "result", "processed"),
                "cursor": m.alike(uuid("cur"), "result", "cursor"),
            },
        )
    ]
