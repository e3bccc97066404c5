"""Kesterfeld Bank: a retail bank on the Rhine; cards, transfers, open banking."""

from __future__ import annotations

from typing import List

from .forge import BASE32, UPPER, b64, digits, dumps, hexed, jwt, noise, pan, spaced, uuid
from .sheet import Planted, Sheet, boto, fault, http


def build() -> list[Planted]:
    return [confirm(), settle(), rotate(), consent()]


def confirm() -> Planted:
    """A customer confirms a transfer with a TAN."""
    s = Sheet("bank-transfer-confirm", "apigateway REST v1")
    bearer = s.both(
        jwt(
            "bank/access",
            {
                "sub": "k-5530718",
                "scope": "transfer:write",
                "iss": "https://login.kesterfeld.example",
                "exp": 1767001200,
            },
            "RS256",
            kid="kf-2025-3",
        ),
        "header",
        "Authorization",
        "JWT",
    )
    key = s.both(noise("bank/gwkey", 40), "multi-value header", "x-api-key", "api key")
    session = s.name(noise("bank/jsession", 32, UPPER), "cookie", "JSESSIONID", "session cookie")
    theme = s.keep("dunkelblau", "cookie", "theme")
    cookie = f"theme={theme}; JSESSIONID={session}; consent=2"
    trace = s.alike("Root=1-690a1c44-" + hexed("bank/trace", 24), "header", "X-Amzn-Trace-Id")
    agent = s.keep("KesterfeldApp/7.14.2 (iPhone; iOS 18.4)", "header", "User-Agent")
    body = {
        "transferId": s.alike(uuid("bank/transfer"), "JSON body", "transferId"),
        "amount": s.keep("1249.90", "JSON body", "amount"),
        "currency": "EUR",
        "tan": s.name("730418", "JSON body", "tan", "otp"),
        "onlinePin": s.name("58203", "JSON body", "onlinePin", "pin"),
        "purpose": "Miete Oktober, Karte "
        + s.shape(spaced(pan("bank/memo", "4539")), "JSON body", "purpose", "card number"),
        "scheduledFor": s.keep("2025-11-03", "JSON body", "scheduledFor"),
    }
    event = {
        "resource": "/v2/transfers/{id}/confirm",
        "path": "/v2/transfers/8841/confirm",
        "httpMethod": "POST",
        "headers": {
            "Authorization": "Bearer " + bearer,
            "Cookie": cookie,
            "X-Amzn-Trace-Id": trace,
            "User-Agent": agent,
            "Content-Type": "application/json",
            "Host": "api.kesterfeld.example",
        },
        "multiValueHeaders": {
            "x-api-key": [key],
            "Accept-Language": [s.keep("de-DE,de;q=0.8", "multi-value header", "Accept-Language")],
        },
        "queryStringParameters": {"channel": s.keep("mobile-ios", "query", "channel")},
        "pathParameters": {"id": "8841"},
        "stageVariables": {"ledger": s.keep("ledger-blue", "stage variable", "ledger")},
        "requestContext": {
            "accountId": "550912347781",
            "stage": "prod",
            "apiId": "k7f0mmb3ra",
            "httpMethod": "POST",
            "requestId": s.alike(uuid("bank/rq"), "event field", "requestContext.requestId"),
            "authorizer": {
                "principalId": s.keep("customer|5530718", "authorizer", "principalId"),
                "riskLevel": s.keep("medium", "authorizer", "riskLevel"),
                "ledgerToken": s.name(
                    "kfl." + noise("bank/ledger", 27), "authorizer", "ledgerToken", "access token"
                ),
            },
        },
        "body": dumps(body),
        "isBase64Encoded": False,
    }
    sms = http(
        "POST",
        "https://gateway.rheinsms.example/v1/send",
        [
            (
                "Authorization",
                "Basic "
                + b64(
                    "kesterfeld-prod:"
                    + s.both(
                        "Zugspitze.2962m", "outbound header", "Authorization", "basic credentials"
                    )
                ),
            ),
            ("Content-Type", "application/json"),
        ],
        dumps(
            {
                "sender": s.keep("KESTERFELD", "outbound body", "sender"),
                "template": s.keep("transfer_done_de", "outbound body", "template"),
                "callback": "https://sms:"
                + s.shape("Mosel7Wein", "outbound body", "callback", "basic credentials")
                + "@api.kesterfeld.example/sms",
            }
        ),
        202,
        [("X-Queue", s.keep("express-3", "answer header", "X-Queue"))],
        dumps(
            {"messageId": s.alike(hexed("bank/sms", 24), "answer body", "messageId"), "parts": 1}
        ),
    )
    returned = {
        "statusCode": 200,
        "headers": {
            "Set-Cookie": "KFSESSION="
            + s.both(noise("bank/next", 48), "result", "Set-Cookie KFSESSION", "session cookie")
            + "; Path=/; Secure; HttpOnly"
        },
        "body": dumps(
            {
                "status": s.keep("EXECUTED", "result", "body.status"),
                "reference": s.alike(
                    "KF20251103" + digits("bank/ref", 8), "result", "body.reference"
                ),
                "refreshToken": s.both(
                    noise("bank/refresh", 36), "result", "body.refreshToken", "refresh token"
                ),
            }
        ),
    }
    environment = {
        "CORE_DB_URL": "postgresql://transfer_rw:"
        + s.both("9eWm-Tulpe-Kran", "environment", "CORE_DB_URL", "connection string")
        + "@core-db.internal:5432/core",
        "TAN_SERVICE": "https://kf:"
        + s.shape("Reiher-grau-9", "environment", "TAN_SERVICE", "basic credentials")
        + "@tan.kesterfeld.example",
        "LIMIT_PER_DAY": s.keep("25000", "environment", "LIMIT_PER_DAY"),
        "LOG_LEVEL": "INFO",
        "TOKEN_TTL_SECONDS": s.alike("1800", "environment", "TOKEN_TTL_SECONDS"),
    }
    return s.done(event, environment=environment, requests=[sms], returned=returned)


def settle() -> Planted:
    """Card settlements are taken from a queue and sent to the acquirer."""
    s = Sheet("bank-card-settlement", "SQS")
    first = {
        "batch": s.keep("2025-W44-B", "nested JSON string", "batch"),
        "merchant": s.keep("Buchhandlung Eichhorn", "nested JSON string", "merchant"),
        "cardNumber": s.both(
            pan("bank/visa", "4917"), "nested JSON string", "cardNumber", "card number"
        ),
        "expiry": "09/28",
        "terminal": s.alike("TID" + digits("bank/tid", 13), "nested JSON string", "terminal"),
        "authorizationStatus": s.alike(
            "APPROVED_PARTIAL", "nested JSON string", "authorizationStatus"
        ),
    }
    second = {
        "batch": "2025-W44-C",
        "instrument": {
            "label": s.keep("Firmenkarte", "nested JSON string", "instrument.label"),
            "value": s.shape(
                pan("bank/mc", "5425"), "nested JSON string", "instrument.value", "card number"
            ),
        },
        "operatorNote": "kunde am telefon, pin: "
        + s.name("6617", "nested JSON string", "operatorNote", "pin"),
    }
    record = {
        "messageId": s.alike(uuid("bank/m1"), "event field", "messageId"),
        "receiptHandle": "AQEB" + noise("bank/rh", 120),
        "body": dumps(
            {"type": s.keep("settlement.requested", "JSON body", "type"), "payload": dumps(first)}
        ),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": s.keep("1761984009214", "event field", "SentTimestamp"),
            "SenderId": "AROA" + noise("bank/sender", 17, BASE32) + ":settler",
        },
        "messageAttributes": {
            "producer": {
                "stringValue": s.shape(
                    jwt("bank/producer", {"svc": "pos-collector"}),
                    "message attribute",
                    "producer",
                    "JWT",
                ),
                "dataType": "String",
            },
            "schema": {
                "stringValue": s.keep("settlement/4", "message attribute", "schema"),
                "dataType": "String",
            },
        },
        "md5OfBody": s.alike(hexed("bank/md5", 32), "event field", "md5OfBody"),
        "eventSource": "aws:sqs",
        "eventSourceARN": s.keep(
            "arn:aws:sqs:eu-central-1:550912347781:settlements", "event field", "eventSourceARN"
        ),
        "awsRegion": "eu-central-1",
    }
    other = {
        **record,
        "messageId": uuid("bank/m2"),
        "messageAttributes": {},
        "body": dumps({"type": "settlement.retry", "payload": dumps(second)}),
    }
    password = s.name("Pfalz-und-Gloria", "traceback", "password", "password")
    dsn = s.shape("qT7vK2mmXa", "error text", "could not connect to ...", "connection string")
    return s.done(
        {"Records": [record, other]},
        environment={
            "ACQUIRER_API_KEY": s.both(
                "live_" + hexed("bank/acq", 48), "environment", "ACQUIRER_API_KEY", "api key"
            ),
            "ACQUIRER_BASE": s.keep(
                "https://settle.acquirehub.example/v3", "environment", "ACQUIRER_BASE"
            ),
        },
        requests=[
            http(
                "POST",
                "https://settle.acquirehub.example/v3/batches?merchant_secret="
                + s.name("eichhorn-4711", "outbound url", "merchant_secret", "client secret")
                + "&mode="
                + s.keep("collect", "outbound url", "mode"),
                [
                    (
                        "X-Signature-Key",
                        s.name(
                            hexed("bank/sigkey", 40),
                            "outbound header",
                            "X-Signature-Key",
                            "encryption key",
                        ),
                    ),
                    (
                        "X-Idempotency-Key",
                        s.alike(
                            "settle-2025w44b-" + hexed("bank/idem", 8),
                            "outbound header",
                            "X-Idempotency-Key",
                        ),
                    ),
                ],
                dumps(
                    {
                        "count": 2,
                        "primaryAccountNumber": s.both(
                            pan("bank/pan2", "4485"),
                            "outbound body",
                            "primaryAccountNumber",
                            "card number",
                        ),
                    }
                ),
                503,
                [("Retry-After", "30")],
                dumps({"error": s.keep("acquirer window closed", "answer body", "error")}),
            )
        ],
        raised=fault(
            "ConnectionError",
            f"could not connect to mysql://settler:{dsn}@ledger-2.internal:3306/settle "
            + s.keep("after 3 tries", "error text", "after"),
            f"ledger = connect(host='ledger-2.internal', user='settler', password='{password}')",
        ),
    )


def rotate() -> Planted:
    """The database password of the statements service is rotated."""
    s = Sheet("bank-rotate-statements", "Secrets Manager rotation")
    arn = s.keep(
        "arn:aws:secretsmanager:eu-central-1:550912347781:secret:statements/db-Hq2sLd",
        "event field",
        "SecretId",
    )
    version = s.alike(uuid("bank/version"), "event field", "ClientRequestToken")
    now = {
        "engine": "postgres",
        "host": s.keep("statements.cluster-c3.internal", "AWS answer", "SecretString.host"),
        "username": "stmt_app",
        "password": s.name("Lorelei sitzt oben", "AWS answer", "SecretString.password", "password"),
        "port": 5432,
    }
    new = {
        **now,
        "password": s.both(
            "k#9Vw!uPz2_Rt$Xe7qLm", "AWS parameter", "SecretString.password", "password"
        ),
    }
    calls = [
        boto(
            "secretsmanager",
            "GetSecretValue",
            {
                "SecretId": arn,
                "VersionStage": s.keep("AWSCURRENT", "AWS parameter", "VersionStage"),
            },
            {
                "ARN": arn,
                "Name": s.keep("statements/db", "AWS answer", "Name"),
                "SecretString": dumps(now),
            },
        ),
        boto(
            "secretsmanager",
            "GetRandomPassword",
            {
                "PasswordLength": 24,
                "ExcludeCharacters": s.keep("/@\"'\\", "AWS parameter", "ExcludeCharacters"),
            },
            {
                "RandomPassword": s.both(
                    "Fw7)tB}x2Kq=vN5zLd9h", "AWS answer", "RandomPassword", "password"
                )
            },
        ),
        boto(
            "secretsmanager",
            "PutSecretValue",
            {
                "SecretId": arn,
                "ClientRequestToken": version,
                "SecretString": dumps(new),
                "VersionStages": ["AWSPENDING"],
            },
            {"ARN": arn, "VersionId": version},
        ),
        boto(
            "sts",
            "AssumeRole",
            {
                "RoleArn": s.keep(
                    "arn:aws:iam::550912347781:role/statements-rotator", "AWS parameter", "RoleArn"
                ),
                "RoleSessionName": "rotate",
            },
            {
                "Credentials": {
                    "AccessKeyId": "ASIA" + noise("bank/asia", 16, BASE32),
                    "SecretAccessKey": s.both(
                        noise("bank/sak", 40), "AWS answer", "SecretAccessKey", "AWS secret key"
                    ),
                    "SessionToken": s.both(
                        "IQoJb3JpZ2luX2Vj" + noise("bank/stok", 220),
                        "AWS answer",
                        "SessionToken",
                        "AWS session token",
                    ),
                    "Expiration": s.keep("2025-11-01T11:15:00Z", "AWS answer", "Expiration"),
                }
            },
        ),
    ]
    return s.done(
        {
            "Step": s.keep("setSecret", "event field", "Step"),
            "SecretId": arn,
            "ClientRequestToken": version,
            "RotationToken": None,
        },
        aws=calls,
        environment={
            "SECRETS_MANAGER_ENDPOINT": s.alike(
                "https://secretsmanager.eu-central-1.amazonaws.com",
                "environment",
                "SECRETS_MANAGER_ENDPOINT",
            ),
            "MASTER_PASSWORD": s.name("drachenfels", "environment", "MASTER_PASSWORD", "password"),
        },
    )


def consent() -> Planted:
    """An open banking consent of another bank arrives on the bus."""
    s = Sheet("bank-consent-granted", "EventBridge")
    detail = {
        "consentId": s.alike(
            "urn:kf:consent:" + hexed("bank/consent", 12), "event field", "detail.consentId"
        ),
        "tpp": s.keep("Sparfuchs GmbH", "event field", "detail.tpp"),
        "scopes": [s.keep("accounts.read", "event field", "detail.scopes"), "balances.read"],
        "oauth": {
            "authorization_code": s.name(
                noise("bank/authcode", 22),
                "event field",
                "detail.oauth.authorization_code",
                "authorization code",
            ),
            "client_id": s.keep("sparfuchs-web", "event field", "detail.oauth.client_id"),
            "client_secret": s.name(
                "blaue-kornblume-17", "event field", "detail.oauth.client_secret", "client secret"
            ),
            "token_type": s.alike("Bearer", "event field", "detail.oauth.token_type"),
        },
        "evidence": s.shape(
            jwt(
                "bank/evidence",
                {"consent": "granted", "aud": "kesterfeld", "iat": 1761990000},
                "RS256",
            ),
            "event field",
            "detail.evidence",
            "JWT",
        ),
        "callback": "https://hook:"
        + s.shape("Nebelkraehe22", "event field", "detail.callback", "basic credentials")
        + "@api.sparfuchs.example/kf/consents",
        "taxId": s.name("48 517 236 904", "event field", "detail.taxId", "national id"),
    }
    event = {
        "version": "0",
        "id": uuid("bank/evid"),
        "detail-type": s.keep("Consent Granted", "event field", "detail-type"),
        "source": s.keep("kesterfeld.psd2", "event field", "source"),
        "account": "550912347781",
        "time": "2025-11-01T09:40:00Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": detail,
    }
    answer = dumps(
        {
            "access_token": s.both(
                noise("bank/tppat", 44), "answer body", "access_token", "access token"
            ),
            "expires_in": 600,
            "id_token": s.both(
                jwt("bank/idtok", {"sub": "k-5530718", "nonce": "n-77"}, "RS256"),
                "answer body",
                "id_token",
                "JWT",
            ),
            "scope": s.keep("openid accounts", "answer body", "scope"),
        }
    )
    return s.done(
        event,
        requests=[
            http(
                "POST",
                "https://id.sparfuchs.example/token",
                [("Accept", s.keep("application/json;v=2", "outbound header", "Accept"))],
                "grant_type=authorization_code&client_id=kesterfeld&client_assertion="
                + s.both(
                    jwt("bank/assert", {"iss": "kesterfeld", "aud": "sparfuchs"}),
                    "outbound body",
                    "client_assertion",
                    "JWT",
                ),
                200,
                [("Content-Type", "application/json")],
                answer,
            )
        ],
        returned={
            "stored": s.keep("consents/2025/11", "result", "stored"),
            "trail": s.shape(
                jwt("bank/trail", {"act": "consent.store", "seq": 3}), "result", "trail", "JWT"
            ),
        },
    )
