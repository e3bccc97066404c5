"""A travel agency whose secrets spilled into fields named for something else: object lambda, lattice, bot, config rule."""

from __future__ import annotations

from urllib.parse import urlencode

from .case import Case, Planted
from .forge import (
    HEX,
    armour,
    b64,
    cpf,
    enc,
    guid,
    gz,
    pan,
    pick,
    secret_key,
    serial,
    session,
    token,
    web_token,
)


def watermark() -> Planted:
    c = Case("travel-object-lambda", "S3 Object Lambda")
    event = {
        "xAmzRequestId": c.show("event field", "xAmzRequestId", guid("ol")),
        "getObjectContext": {
            "inputS3Url": "https://brochures.s3-accesspoint.eu-north-1.amazonaws.com/rome.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Security-Token="
            + c.hide(
                "b", "AWS session token", "event field", "X-Amz-Security-Token", pick("olst", 180)
            )
            + "&X-Amz-Signature="
            + c.hide("b", "signed url", "event field", "X-Amz-Signature", pick("olsig", 64, HEX)),
            "outputRoute": c.show("event field", "outputRoute", "io-use1-001"),
        },
        "configuration": {
            "supportingAccessPointArn": c.show(
                "event field",
                "supportingAccessPointArn",
                "arn:aws:s3:eu-north-1:210987654321:accesspoint/brochures",
            ),
            "payload": enc(
                {
                    "caption": c.hide(
                        "s", "vendor token", "nested JSON string", "caption", token("linear", "ol1")
                    ),
                    "size": c.show("nested JSON string", "size", "1600x900"),
                }
            ),
        },
        "userRequest": {
            "url": "https://brochures.example/rome.jpg?q="
            + c.hide("s", "JWT", "query", "q", web_token("ol2")),
            "headers": {
                "X-Marker": c.hide(
                    "s", "vendor token", "header", "X-Marker", token("square", "ol3")
                ),
                "Accept": c.show("header", "Accept", "image/avif"),
            },
        },
    }
    c.http(
        "POST",
        "https://render.example/jobs",
        {
            "X-Job": c.hide(
                "s", "vendor token", "outbound header", "X-Job", token("stripe_restricted", "ol4")
            )
        },
        gz(
            {
                "layers": [
                    c.show("outbound body", "layers", "logo-bottom-right"),
                    c.hide("s", "vendor token", "outbound body", "layers", token("openai", "ol5")),
                ]
            }
        ),
        201,
        {"X-Node": c.show("answer header", "X-Node", "render-node-5")},
        gz(
            {
                "job": c.show("answer body", "job", "job-render-31"),
                "owner": c.hide(
                    "s", "vendor token", "answer body", "owner", token("telegram", "ol6")
                ),
            }
        ),
    )
    return c.returns(
        event,
        {
            "statusCode": 200,
            "info": c.hide("s", "vendor token", "result", "info", token("databricks", "ol7")),
            "digest": c.trap("result", "digest", "sha256:" + pick("oldig", 64, HEX)),
        },
    )


def lattice() -> Planted:
    c = Case("travel-lattice-service", "VPC Lattice")
    event = {
        "version": "2.0",
        "path": "/trips/"
        + c.hide("s", "vendor token", "path", "trip", token("shopify_shared", "la1")),
        "method": "POST",
        "headers": {
            "x-colour": [
                c.hide(
                    "s", "vendor token", "multi-value header", "x-colour", token("newrelic", "la2")
                )
            ],
            "cookie": [
                "view="
                + c.hide("s", "JWT", "cookie", "view", web_token("la3"))
                + "; currency="
                + c.show("cookie", "currency", "NOK-kr")
            ],
        },
        "queryStringParameters": {
            "sort": [c.show("query", "sort", "price,asc")],
            "f": [c.hide("s", "vendor token", "query", "f", token("gitlab", "la4"))],
        },
        "requestContext": {
            "serviceArn": c.show(
                "event field",
                "serviceArn",
                "arn:aws:vpc-lattice:eu-north-1:210987654321:service/svc-0a4",
            ),
            "identity": {
                "sourceVpcArn": c.show(
                    "event field", "sourceVpcArn", "arn:aws:ec2:eu-north-1:210987654321:vpc/vpc-0b1"
                ),
                "principalOrgID": c.show("event field", "principalOrgID", "o-50dc6c495c0c9188"),
            },
        },
        "body": b64(
            urlencode(
                [
                    ("destination", c.show("form body", "destination", "Porto")),
                    (
                        "wish",
                        c.hide("s", "vendor token", "form body", "wish", token("anthropic", "la5")),
                    ),
                    (
                        "extra",
                        c.hide("s", "card number", "form body", "extra", pan("5305 4412 9987 012")),
                    ),
                    ("tourist", c.trap("form body", "tourist", "token gesture")),
                ]
            )
        ),
        "isBase64Encoded": True,
    }
    c.environment = {
        "COLOUR": c.hide("s", "vendor token", "environment", "COLOUR", token("mailgun", "la6")),
        "BASE": "mysql://trips:"
        + c.hide("s", "connection string", "environment", "BASE", "P0rto-wine")
        + "@db.example.net/trips",
        "STYLE": c.hide("s", "AWS session token", "environment", "STYLE", session("la7")),
    }
    c.call(
        "ssm",
        "GetParameter",
        {"Name": c.show("AWS parameter", "Name", "/trips/banner-text")},
        {
            "Parameter": {
                "Type": "String",
                "Value": c.hide(
                    "s", "vendor token", "AWS answer", "Value", token("sendinblue", "la8")
                ),
            }
        },
    )
    return c.raises(
        event,
        "RuntimeError",
        "cannot book: "
        + c.hide("s", "vendor token", "error text", "", token("slack_user", "la9"))
        + " at "
        + c.show("error text", "", "hotel-lisboa-4"),
        'book("Porto", '
        + repr(c.hide("s", "vendor token", "traceback", "", token("notion", "la10")))
        + ")",
    )


def chat() -> Planted:
    c = Case("travel-booking-bot", "Lex bot")
    event = {
        "messageVersion": "1.0",
        "invocationSource": c.show("event field", "invocationSource", "FulfillmentCodeHook"),
        "inputTranscript": "my card is "
        + c.hide("s", "card number", "free text", "inputTranscript", pan("4000 5612 8890 347")),
        "bot": {
            "name": c.show("event field", "name", "TripPlanner"),
            "aliasId": c.show("event field", "aliasId", "TSTALIASID-9"),
        },
        "sessionState": {
            "sessionAttributes": {
                "loyaltyPassword": c.hide(
                    "b",
                    "password",
                    "event field",
                    "loyaltyPassword",
                    "Vq7!" + pick("loy", 16) + "&z",
                ),
                "step": c.show("event field", "step", "confirm-dates"),
                "topic": c.hide("s", "JWT", "event field", "topic", web_token("ch1")),
            },
            "intent": {
                "slots": {
                    "City": {
                        "value": {
                            "originalValue": c.show("event field", "originalValue", "bergen town")
                        }
                    },
                    "Taxpayer": {
                        "value": {
                            "interpretedValue": c.hide(
                                "s",
                                "national id",
                                "event field",
                                "interpretedValue",
                                cpf("503918276"),
                            )
                        }
                    },
                },
                "state": c.show("event field", "state", "ReadyForFulfillment"),
            },
        },
        "requestAttributes": {
            "x-amz-lex:channels:platform": c.show("event field", "platform", "web-widget"),
            "turn": c.hide("s", "vendor token", "event field", "turn", token("slack_app", "ch2")),
        },
    }
    c.call(
        "sns",
        "Publish",
        {
            "Message": enc(
                {
                    "memo": c.hide(
                        "s",
                        "private key",
                        "AWS parameter",
                        "memo",
                        armour("ch3", "RSA PRIVATE" + " KEY", 4),
                    ),
                    "bookingNo": c.trap("AWS parameter", "bookingNo", serial("610200030004000")),
                }
            )
        },
        {"MessageId": c.show("AWS answer", "MessageId", guid("ch"))},
    )
    return c.returns(
        event,
        {
            "messages": [
                {
                    "contentType": "PlainText",
                    "content": c.show("result", "content", "Your trip is booked"),
                }
            ],
            "state": c.hide("s", "vendor token", "result", "state", token("postman", "ch4")),
        },
    )


def audit() -> Planted:
    c = Case("travel-config-rule", "AWS Config")
    item = {
        "resourceType": c.show("nested JSON string", "resourceType", "AWS::Lambda::Function"),
        "configuration": {
            "environment": {
                "variables": {
                    "DB_PASS": c.hide(
                        "n", "password", "nested JSON string", "DB_PASS", "suitcase-strap"
                    ),
                    "MODE": c.hide(
                        "s",
                        "vendor token",
                        "nested JSON string",
                        "MODE",
                        token("digitalocean", "au1"),
                    ),
                    "SECRET_KEY": c.hide(
                        "b", "AWS secret key", "nested JSON string", "SECRET_KEY", secret_key("au2")
                    ),
                }
            }
        },
        "configurationStateMd5Hash": c.trap(
            "nested JSON string", "configurationStateMd5Hash", pick("aumd5", 32, HEX)
        ),
    }
    event = {
        "invokingEvent": enc(
            {
                "configurationItem": item,
                "messageType": c.show(
                    "nested JSON string", "messageType", "ConfigurationItemChangeNotification"
                ),
            }
        ),
        "ruleParameters": enc(
            {"forbidden": c.trap("nested JSON string", "forbidden", "password|secret|token")}
        ),
        "resultToken": "abcDEF",
        "eventLeftScope": False,
        "configRuleName": c.trap("event field", "configRuleName", "no-plain-secrets"),
        "configRuleArn": c.show(
            "event field",
            "configRuleArn",
            "arn:aws:config:eu-north-1:210987654321:config-rule/config-rule-i9",
        ),
    }
    return c.returns(
        event,
        {
            "complianceType": c.show("result", "complianceType", "NON_COMPLIANT"),
            "annotation": "found "
            + c.hide("s", "vendor token", "result", "annotation", token("github_oauth", "au3")),
        },
    )


def build() -> list[Planted]:
    return [watermark(), lattice(), chat(), audit()]
