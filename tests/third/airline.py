"""Aurelia Air: an airline; bookings, crews, partners' files, a chat bot."""

from __future__ import annotations

from typing import List

from .forge import UPPER, digits, dumps, hexed, jwt, noise, pan, spaced, uuid
from .sheet import Planted, Sheet, boto, fault, http


def build() -> list[Planted]:
    return [gate(), booking(), chat(), transfer()]


def gate() -> Planted:
    """The authorizer of the partners' API."""
    s = Sheet("airline-partner-gate", "Lambda authorizer (request)")
    event = {
        "type": s.keep("REQUEST", "event field", "type"),
        "methodArn": s.keep(
            "arn:aws:execute-api:eu-south-1:119203384756:aur3l1a/prod/GET/pnr",
            "event field",
            "methodArn",
        ),
        "resource": "/pnr/{locator}",
        "path": "/pnr/QX7T2M",
        "httpMethod": "GET",
        "headers": {
            "X-Agency-Secret": s.name(
                "sole-mio-viaggi", "header", "X-Agency-Secret", "client secret"
            ),
            "Authorization": "ApiKey "
            + s.both(noise("air/apikey", 32), "header", "Authorization", "api key"),
            "X-IATA-Number": s.keep("38-2 7741", "header", "X-IATA-Number"),
            "X-Correlation": s.shape(
                jwt("air/corr", {"agency": "solemio", "acl": "pnr"}),
                "header",
                "X-Correlation",
                "JWT",
            ),
        },
        "queryStringParameters": {
            "lastName": "FERRARIS",
            "ctx": s.shape(jwt("air/qctx", {"pos": "IT"}), "query", "ctx", "JWT"),
            "view": s.keep("itinerary-compact", "query", "view"),
        },
        "pathParameters": {"locator": s.keep("QX7T2M", "path", "locator")},
        "stageVariables": {
            "partnerApiKey": s.name(
                hexed("air/stage", 36), "stage variable", "partnerApiKey", "api key"
            ),
            "tokenCache": s.alike("partner-tokens-v2", "stage variable", "tokenCache"),
        },
        "requestContext": {
            "stage": "prod",
            "requestId": s.alike(uuid("air/rid"), "event field", "requestContext.requestId"),
            "identity": {
                "apiKey": s.both(
                    noise("air/idkey", 40),
                    "event field",
                    "requestContext.identity.apiKey",
                    "api key",
                ),
                "apiKeyId": s.alike(
                    noise("air/idkeyid", 10).lower(),
                    "event field",
                    "requestContext.identity.apiKeyId",
                ),
                "userAgent": s.keep("AmaWeb/12", "event field", "identity.userAgent"),
                "clientCert": {
                    "subjectDN": s.keep(
                        "CN=solemio,O=Sole Mio Viaggi", "event field", "clientCert.subjectDN"
                    ),
                    "serialNumber": s.alike(
                        "a1:" + ":".join(hexed("air/ser%d" % at, 2) for at in range(7)),
                        "event field",
                        "clientCert.serialNumber",
                    ),
                },
            },
        },
    }
    return s.done(
        event,
        returned={
            "principalId": s.keep("agency-solemio", "result", "principalId"),
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Action": "execute-api:Invoke",
                        "Effect": "Deny",
                        "Resource": s.keep(
                            "arn:aws:execute-api:*:*:aur3l1a/*", "result", "Resource"
                        ),
                    }
                ],
            },
            "context": {
                "reason": s.keep("agency suspended", "result", "context.reason"),
                "gds": "https://aurelia:"
                + s.shape("Etna3357lava", "result", "context.gds", "basic credentials")
                + "@gds.example/ws",
            },
        },
        environment={
            "PARTNER_DB_PASSWORD": s.name(
                "spritz al tramonto", "environment", "PARTNER_DB_PASSWORD", "password"
            ),
            "TOKEN_ISSUER": s.alike(
                "https://partners.aurelia.example/", "environment", "TOKEN_ISSUER"
            ),
            "PASSENGER_API": s.alike(
                "https://passenger.aurelia.example/v6", "environment", "PASSENGER_API"
            ),
            "HMAC_KEY": s.both(
                noise("air/hmac", 64, UPPER), "environment", "HMAC_KEY", "encryption key"
            ),
        },
    )


def booking() -> Planted:
    """A booking is paid and ticketed."""
    s = Sheet("airline-ticketing", "HTTP API v2")
    offer = s.shape(jwt("air/offer", {"fare": "YFLEX", "eur": 412}), "path", "offer", "JWT")
    payment = {
        "holder": "C FERRARIS",
        "number": s.both(
            pan("air/amex", "3714", 15), "JSON body", "payment.card.number", "card number"
        ),
        "cvc": s.name("7315", "JSON body", "payment.card.cvc", "card code"),
        "expiry": "04/29",
    }
    body = {
        "locator": "QX7T2M",
        "fare": s.keep("YFLEX-IT", "JSON body", "fare"),
        "payment": {
            "card": payment,
            "method": s.keep("amex-direct", "JSON body", "payment.method"),
            "threeDsPassword": s.name(
                "gondola", "JSON body", "payment.threeDsPassword", "password"
            ),
        },
        "passengers": [
            {
                "type": "ADT",
                "passportNumber": s.name(
                    "YB4417093", "JSON body", "passengers.passportNumber", "national id"
                ),
                "codiceFiscale": s.name(
                    "FRRCLD85E52L219K", "JSON body", "passengers.codiceFiscale", "national id"
                ),
                "passengerKey": s.alike("PAX-1-ADT", "JSON body", "passengers.passengerKey"),
                "meal": s.keep("vegetarian", "JSON body", "passengers.meal"),
            }
        ],
        "remark": "addebitare "
        + s.shape(spaced(pan("air/mc", "5319")), "JSON body", "remark", "card number")
        + " se la prima fallisce",
        "ticketNumber": s.alike("8052" + digits("air/tkt", 9), "JSON body", "ticketNumber"),
    }
    event = {
        "version": "2.0",
        "routeKey": "POST /offers/{offer}/ticket",
        "rawPath": "/offers/" + offer + "/ticket",
        "pathParameters": {"offer": offer},
        "rawQueryString": "",
        "cookies": [
            "aur_auth=" + s.both(jwt("air/cookie", {"miles": 88012}), "cookie", "aur_auth", "JWT"),
            "cabin=" + s.keep("economy-plus", "cookie", "cabin"),
        ],
        "headers": {
            "content-type": "application/json",
            "x-refresh-token": s.name(
                uuid("air/refresh"), "header", "x-refresh-token", "refresh token"
            ),
            "x-amzn-trace-id": "Root=1-690a2b11-" + hexed("air/trace", 24),
            "idempotency-key": s.alike(uuid("air/idem"), "header", "idempotency-key"),
        },
        "requestContext": {
            "accountId": "119203384756",
            "apiId": "b00k1ngs",
            "authorizer": {
                "lambda": {
                    "memberTier": s.keep("Aquila", "authorizer", "lambda.memberTier"),
                    "sessionSecret": s.name(
                        "pinseria-romana", "authorizer", "lambda.sessionSecret", "session key"
                    ),
                    "proof": s.shape(
                        jwt("air/proof", {"mfa": True}), "authorizer", "lambda.proof", "JWT"
                    ),
                    "access_token": s.both(
                        noise("air/authat", 32), "authorizer", "lambda.access_token", "access token"
                    ),
                }
            },
            "http": {"method": "POST", "protocol": "HTTP/1.1"},
            "stage": "$default",
        },
        "body": dumps(body),
        "isBase64Encoded": False,
    }
    pay = http(
        "POST",
        "https://checkout.adyen.example/v71/payments",
        [
            (
                "X-API-Key",
                s.both(
                    "AQE"
                    + noise("air/adyen", 90)
                    + "-"
                    + noise("air/adyen2", 43)
                    + "=-"
                    + noise("air/adyen3", 16),
                    "outbound header",
                    "X-API-Key",
                    "api key",
                ),
            )
        ],
        dumps(
            {
                "merchantAccount": s.keep("AureliaAirECOM", "outbound body", "merchantAccount"),
                "reference": s.alike(
                    "AUR-" + digits("air/payref", 16), "outbound body", "reference"
                ),
            }
        ),
        200,
        [("Pspreference", s.alike(noise("air/psp", 16, UPPER), "answer header", "Pspreference"))],
        dumps(
            {
                "resultCode": s.keep("Authorised", "answer body", "resultCode"),
                "additionalData": {
                    "recurringDetail": s.shape(
                        "sq0" + "atp-" + noise("air/sq", 22),
                        "answer body",
                        "additionalData.recurringDetail",
                        "vendor token",
                    ),
                    "cardSummary": s.keep("x-4417", "answer body", "additionalData.cardSummary"),
                },
            }
        ),
    )
    gds = http(
        "POST",
        "https://gds.example/soap",
        [("SOAPAction", s.keep("DocIssuance_IssueTicket", "outbound header", "SOAPAction"))],
        "<Security><UsernameToken><Username>WSAURELIA</Username><Password>"
        + s.name("vulcano-eoliano", "outbound body", "Password", "password")
        + "</Password></UsernameToken></Security><Office>"
        + s.keep("NAPAU2100", "outbound body", "Office")
        + "</Office>",
        200,
        [],
        "<Session><SecurityToken>"
        + s.name(noise("air/sectok", 25, UPPER), "answer body", "SecurityToken", "session key")
        + "</SecurityToken><Sequence>"
        + s.keep("SEQ-3", "answer body", "Sequence")
        + "</Sequence></Session>",
    )
    return s.done(
        event,
        requests=[pay, gds],
        returned={
            "statusCode": 201,
            "body": dumps(
                {
                    "eticket": s.keep("issued 1/1", "result", "eticket"),
                    "wallet": "https://wallet.example/p/QX7T2M?jwt="
                    + s.both(
                        jwt("air/wallet", {"pass": "boarding"}, "RS256"),
                        "result",
                        "wallet jwt",
                        "JWT",
                    ),
                    "seat": s.keep("14C (aisle)", "result", "seat"),
                }
            ),
        },
        environment={
            "TICKET_DB": "postgres://ticketing:"
            + s.shape("fR6yMn1cKd", "environment", "TICKET_DB", "connection string")
            + "@tickets.internal/live",
            "FARE_CACHE_KEY_PREFIX": s.alike("fare:v6:", "environment", "FARE_CACHE_KEY_PREFIX"),
            "GOOGLE_MAPS_API_KEY": s.both(
                "AI" + "za" + noise("air/aiza", 35), "environment", "GOOGLE_MAPS_API_KEY", "api key"
            ),
        },
    )


def chat() -> Planted:
    """A passenger talks to the bot."""
    s = Sheet("airline-chat-bot", "Lex bot")
    event = {
        "messageVersion": "1.0",
        "invocationSource": s.keep("FulfillmentCodeHook", "event field", "invocationSource"),
        "sessionId": s.alike("lex-" + digits("air/lexs", 12), "event field", "sessionId"),
        "inputTranscript": "my card is "
        + s.shape(spaced(pan("air/visa", "4716")), "event field", "inputTranscript", "card number")
        + " please rebook",
        "bot": {
            "id": s.alike(noise("air/bot", 10, UPPER), "event field", "bot.id"),
            "name": s.keep("AureliaHelp", "event field", "bot.name"),
            "localeId": s.keep("en_IE", "event field", "bot.localeId"),
        },
        "sessionState": {
            "sessionAttributes": {
                "milesPassword": s.name(
                    "tramontana", "event field", "sessionAttributes.milesPassword", "password"
                ),
                "crmToken": s.both(
                    "00D" + noise("air/sf", 12) + "!AQ" + noise("air/sf2", 94),
                    "event field",
                    "sessionAttributes.crmToken",
                    "vendor token",
                ),
                "handoff": s.shape(
                    jwt("air/handoff", {"agent": "pool-2"}),
                    "event field",
                    "sessionAttributes.handoff",
                    "JWT",
                ),
                "passCount": s.keep(
                    "2 boarding passes", "event field", "sessionAttributes.passCount"
                ),
            },
            "intent": {
                "name": s.keep("RebookFlight", "event field", "intent.name"),
                "state": "ReadyForFulfillment",
                "slots": {
                    "verificationCode": {
                        "value": {
                            "originalValue": s.name(
                                "806 553", "event field", "slots.verificationCode", "otp"
                            )
                        }
                    },
                    "city": {
                        "value": {"originalValue": s.keep("Palermo", "event field", "slots.city")}
                    },
                },
            },
        },
    }
    return s.done(
        event,
        raised=fault(
            "TimeoutError",
            "GET https://crm.example/case?sessionid="
            + s.name(hexed("air/crm", 32), "error text", "sessionid", "session key")
            + " "
            + s.keep("timed out after 9.5 s", "error text", "timed out")
            + "; last answer: "
            + s.shape(jwt("air/last", {"case": 5}), "error text", "last answer", "JWT"),
            "case = crm(base, api_key='"
            + s.both(noise("air/crmkey", 40), "traceback", "api_key", "api key")
            + "')",
        ),
        environment={
            "CRM_BASE": s.keep("https://crm.example", "environment", "CRM_BASE"),
            "FALLBACK": s.shape(
                "NR" + "AK-" + noise("air/nrak", 27, UPPER),
                "environment",
                "FALLBACK",
                "vendor token",
            ),
        },
    )


def transfer() -> Planted:
    """The identity provider of the file server through which partners send manifests."""
    s = Sheet("airline-sftp-identity", "Transfer Family")
    event = {
        "username": s.keep("cargo-tirreno", "event field", "username"),
        "password": s.name("mozzarella-in-carrozza", "event field", "password", "password"),
        "protocol": s.keep("SFTP", "event field", "protocol"),
        "serverId": s.alike("s-" + hexed("air/server", 17), "event field", "serverId"),
        "sourceIp": "198.51.100.40",
    }
    calls = [
        boto(
            "dynamodb",
            "GetItem",
            {
                "TableName": s.keep("sftp-partners", "AWS parameter", "TableName"),
                "Key": {"username": {"S": "cargo-tirreno"}},
            },
            {
                "Item": {
                    "home": {"S": s.keep("/aurelia-manifests/tirreno", "DynamoDB type", "home")},
                    "password_hash": {
                        "S": s.both(
                            "$2y$" + "10$" + noise("air/bc", 53),
                            "DynamoDB type",
                            "password_hash",
                            "password hash",
                        )
                    },
                    "pgp": {
                        "S": s.alike(
                            "0x" + hexed("air/pgp", 16).upper(), "DynamoDB type", "pgp fingerprint"
                        )
                    },
                    "pgpPassphrase": {
                        "S": s.name(
                            "cipolla di Tropea", "DynamoDB type", "pgpPassphrase", "password"
                        )
                    },
                    "azure": {
                        "S": "SharedAccessSignature sr=aurelia&sig="
                        + s.shape(noise("air/sas", 43), "DynamoDB type", "azure", "signed url")
                        + "%3D"
                        + "&se=1793000000&skn=send"
                    },
                }
            },
        ),
        boto(
            "sqs",
            "SendMessage",
            {
                "QueueUrl": s.keep(
                    "https://sqs.eu-south-1.amazonaws.com/119203384756/sftp-audit",
                    "AWS parameter",
                    "QueueUrl",
                ),
                "MessageBody": dumps(
                    {
                        "user": "cargo-tirreno",
                        "tried": {
                            "password": s.name(
                                "burrata", "AWS parameter", "MessageBody.tried.password", "password"
                            )
                        },
                        "event": s.keep("LOGIN_OK", "AWS parameter", "MessageBody.event"),
                        "carry": s.shape(
                            "AGE-SECRET-"
                            + "KEY-1"
                            + noise("air/age", 58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
                            "AWS parameter",
                            "MessageBody.carry",
                            "encryption key",
                        ),
                    }
                ),
            },
            {"MD5OfMessageBody": s.alike(hexed("air/md5", 32), "AWS answer", "MD5OfMessageBody")},
        ),
    ]
    return s.done(
        event,
        aws=calls,
        returned={
            "Role": s.keep("arn:aws:iam::119203384756:role/sftp-partner", "result", "Role"),
            "HomeDirectory": "/aurelia-manifests/tirreno",
            "PublicKeys": [
                s.alike(
                    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + noise("air/ed", 43) + " tirreno",
                    "result",
                    "PublicKeys",
                )
            ],
        },
        environment={
            "PARTNER_TABLE": "sftp-partners",
            "IDP_SHARED_SECRET": s.both(
                noise("air/idp", 48), "environment", "IDP_SHARED_SECRET", "client secret"
            ),
        },
    )
