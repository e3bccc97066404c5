"""A clinic's REST API (payload 1.0), HTTP API (payload 2.0) and function URL."""

from __future__ import annotations

from urllib.parse import quote, urlencode

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
    token,
    web_token,
)

IMAGE = "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////wAALCAABAAEBAREA/8QAFAAB"


def admission() -> Planted:
    c = Case("clinic-admission", "apigateway REST v1")
    bearer = c.hide("b", "JWT", "header", "authorization", web_token("adm1", role="nurse"))
    ticket = c.hide("n", "session cookie", "cookie", "JSESSIONID", "ward-ticket-oslo")
    form = {
        "admissionNo": c.trap("JSON body", "admissionNo", serial("410012340000555")),
        "department": c.show("JSON body", "department", "cardiology"),
        "triage": {
            "level": c.show("JSON body", "level", "orange-2"),
            "arrival": c.show("JSON body", "arrival", "2025-02-11T06:40:00Z"),
        },
        "insurer": {
            "portalUser": "ward7",
            "portalPasscode": c.hide(
                "n", "password", "JSON body", "portalPasscode", "stethoscope9"
            ),
            "cpf": c.hide("b", "national id", "JSON body", "cpf", cpf("284617395")),
            "memberKeyId": c.trap("JSON body", "memberKeyId", "mk-440-b"),
        },
        "deposit": {
            "creditCard": c.hide(
                "b", "card number", "JSON body", "creditCard", pan("4929 1178 3345 021")
            ),
            "securityCode": c.hide("n", "card code", "JSON body", "securityCode", "0946"),
            "amountMinor": c.show("JSON body", "amountMinor", 250075),
        },
        "freeText": c.hide("s", "vendor token", "JSON body", "freeText", token("gitlab", "adm2")),
        "authority": c.trap("JSON body", "authority", "regional-board"),
    }
    event = {
        "resource": "/v1/{proxy+}",
        "path": "/v1/admissions",
        "httpMethod": "POST",
        "headers": {
            "authorization": "Bearer " + bearer,
            "cookie": f"JSESSIONID={ticket}; lang=nb",
            "apikey": c.hide("b", "api key", "header", "apikey", pick("wardkey", 40)),
            "x-request-id": c.show("header", "x-request-id", guid("adm")),
            "user-agent": c.show("header", "user-agent", "WardTerminal/9.1 (kiosk)"),
        },
        "multiValueHeaders": {
            "authorization": ["Bearer " + bearer],
            "cookie": [f"JSESSIONID={ticket}; lang=nb"],
            "x-secret-token": [
                c.hide(
                    "n", "access token", "multi-value header", "x-secret-token", "gauze-and-tape"
                )
            ],
            "x-origin": [
                c.hide(
                    "s",
                    "vendor token",
                    "multi-value header",
                    "x-origin",
                    token("databricks", "adm3"),
                )
            ],
            "accept": [c.show("multi-value header", "accept", "application/fhir+json")],
        },
        "queryStringParameters": {
            "sid": c.hide("b", "session cookie", "query", "sid", pick("sidq", 32, HEX)),
            "unit": c.show("query", "unit", "ward-7-east"),
        },
        "multiValueQueryStringParameters": {"sid": [pick("sidq", 32, HEX)]},
        "pathParameters": {"proxy": "admissions"},
        "stageVariables": {
            "hisSecret": c.hide(
                "n", "client secret", "stage variable", "hisSecret", "scalpel-please"
            ),
            "hisHost": c.show("stage variable", "hisHost", "his.internal.example"),
        },
        "requestContext": {
            "requestId": c.show("event field", "requestId", guid("adm-r")),
            "apiId": c.show("event field", "apiId", "qk2ww81zzb"),
            "authorizer": {
                "claims": {
                    "cognito:groups": c.show("authorizer", "cognito:groups", "nurses"),
                    "origin_jti": c.show("authorizer", "origin_jti", guid("jti")),
                },
                "downstream_token": c.hide(
                    "b", "JWT", "authorizer", "downstream_token", web_token("adm4")
                ),
            },
        },
        "body": enc(form),
        "isBase64Encoded": False,
    }
    c.environment = {
        "HIS_LOGIN_PASSWORD": c.hide(
            "n", "password", "environment", "HIS_LOGIN_PASSWORD", "bandage-roll"
        ),
        "GITLAB_TOKEN": c.hide(
            "b", "vendor token", "environment", "GITLAB_TOKEN", token("gitlab", "env")
        ),
        "PASSWORD_RULES_URL": c.trap(
            "environment", "PASSWORD_RULES_URL", "https://intra.example/rules"
        ),
        "WARD_TABLE": c.show("environment", "WARD_TABLE", "ward-admissions"),
    }
    c.http(
        "POST",
        "https://fhir.example/R4/Encounter",
        {
            "Authorization": "Basic "
            + c.hide(
                "b",
                "basic credentials",
                "outbound header",
                "Authorization",
                b64("fhir:tongue-depressor"),
            ),
            "Prefer": c.show("outbound header", "Prefer", "return=representation"),
        },
        enc(
            {
                "resourceType": c.show("outbound body", "resourceType", "Encounter"),
                "identifierSecret": c.hide(
                    "n", "client secret", "outbound body", "identifierSecret", "plaster-cast"
                ),
                "status": c.show("outbound body", "status", "in-progress"),
            }
        ),
        201,
        {
            "Location": c.show("answer header", "Location", "Encounter/e-551/_history/1"),
            "ETag": c.trap("answer header", "ETag", 'W/"v-8817"'),
        },
        enc(
            {
                "id": c.show("answer body", "id", "e-551-created"),
                "smartSession": {
                    "accessToken": c.hide(
                        "b", "access token", "answer body", "accessToken", web_token("adm6")
                    )
                },
            }
        ),
    )
    return c.returns(
        event,
        {
            "statusCode": 201,
            "multiValueHeaders": {
                "Set-Cookie": [
                    "ward_auth="
                    + c.hide("n", "session cookie", "result", "ward_auth", "ward-cookie-tromso")
                    + "; Path=/"
                ]
            },
            "body": enc(
                {
                    "bed": c.show("result", "bed", "E-712-window"),
                    "queueToken": c.hide("b", "JWT", "result", "queueToken", web_token("adm5")),
                }
            ),
        },
    )


def portal() -> Planted:
    c = Case("clinic-portal-login", "HTTP API v2")
    login = urlencode(
        [
            ("brukernavn", "kari"),
            ("passord", c.hide("n", "password", "form body", "passord", "fjord & fjell")),
            ("engangskode", c.hide("n", "otp", "form body", "engangskode", "73 41 90")),
            ("next", c.show("form body", "next", "/portal/labs?tab=all")),
            (
                "trace",
                c.hide("s", "vendor token", "form body", "trace", token("huggingface", "p1")),
            ),
        ]
    )
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/login/" + c.hide("s", "JWT", "path", "", web_token("p2")),
        "rawQueryString": "api_key="
        + c.hide("b", "api key", "query", "api_key", pick("portalkey", 40, HEX))
        + "&theme="
        + c.show("query", "theme", "high-contrast"),
        "cookies": [
            "XSRF-TOKEN=" + c.hide("n", "csrf token", "cookie", "XSRF-TOKEN", "xsrf-lofoten"),
            "wide=" + c.hide("s", "vendor token", "cookie", "wide", token("slack_user", "p3")),
            "tz=" + c.show("cookie", "tz", "Europe-Oslo"),
        ],
        "headers": {
            "content-type": c.show("header", "content-type", "application/x-www-form-urlencoded"),
            "x-hub-secret": c.hide(
                "b", "webhook secret", "header", "x-hub-secret", token("stripe_hook", "p6")
            ),
            "x-forwarded-user-token": c.hide(
                "b", "vendor token", "header", "x-forwarded-user-token", token("github_oauth", "p4")
            ),
        },
        "requestContext": {
            "http": {"method": "POST", "protocol": "HTTP/1.1"},
            "time": c.show("event field", "time", "17/Jun/2024:15:52:39 +0000"),
            "domainPrefix": c.show("event field", "domainPrefix", "portal-prefix"),
        },
        "body": b64(login),
        "isBase64Encoded": True,
    }
    c.http(
        "GET",
        "https://id.example/userinfo?id_token_hint="
        + c.hide("b", "JWT", "outbound url", "id_token_hint", web_token("p5"))
        + "&client_id=portal",
        {
            "X-Api-Token": c.hide(
                "n", "api key", "outbound header", "X-Api-Token", "northern-lights"
            )
        },
        "",
        401,
        {
            "WWW-Authenticate": c.trap(
                "answer header", "WWW-Authenticate", 'Bearer error="invalid_token"'
            )
        },
        enc(
            {
                "error": c.trap("answer body", "error", "invalid_token"),
                "hint": c.show("answer body", "hint", "clock skew of 31s"),
            }
        ),
    )
    c.call(
        "dynamodb",
        "GetItem",
        {
            "TableName": c.show("AWS parameter", "TableName", "portal-users"),
            "Key": {"pk": {"S": c.trap("AWS parameter", "pk", "LOGIN#kari-17")}},
        },
        {
            "Item": {
                "totpSeed": {
                    "S": c.hide(
                        "b",
                        "totp seed",
                        "AWS answer",
                        "totpSeed",
                        pick("totp", 32, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
                    )
                },
                "lastSeen": {"N": c.show("AWS answer", "lastSeen", "1739255999")},
                "lösenord": {
                    "S": c.hide("n", "password", "AWS answer", "lösenord", "smörgåsbord-1")
                },
            }
        },
    )
    return c.raises(
        event,
        "PermissionError",
        "login denied, pin="
        + c.hide("n", "pin", "error text", "pin", "90412")
        + " ward="
        + c.show("error text", "ward", "radiology-3"),
        'session = login(user, passwd="'
        + c.hide("n", "password", "traceback", "passwd", "fjell-og-fjord")
        + '")',
    )


def download() -> Planted:
    c = Case("clinic-function-url", "function URL")
    report = {
        "reportId": c.show("gzip", "reportId", "rep-2209"),
        "sha512": c.trap("gzip", "sha512", pick("sha512", 128, HEX)),
        "scan": c.trap("gzip", "scan", IMAGE),
        "pdfPassword": c.hide("n", "password", "gzip", "pdfPassword", "open-sesame-seed"),
        "source": c.hide("s", "vendor token", "gzip", "source", token("doppler", "d1")),
        "archive": {
            "aws": {
                "secret_access_key": c.hide(
                    "b", "AWS secret key", "gzip", "secret_access_key", secret_key("d2")
                )
            }
        },
    }
    event = {
        "version": "2.0",
        "rawPath": "/reports",
        "headers": {
            "content-encoding": "gzip",
            "x-amz-content-sha256": c.trap(
                "header", "x-amz-content-sha256", pick("amzsha", 64, HEX)
            ),
        },
        "requestContext": {
            "domainName": c.show("event field", "domainName", "xyz.lambda-url.eu-north-1.on.aws")
        },
        "body": b64(gz(report)),
        "isBase64Encoded": True,
    }
    c.http(
        "GET",
        "https://reader:"
        + quote(c.hide("b", "password", "outbound url", "", "tea&toast"))
        + "@archive.example/reports/"
        + c.show("outbound url", "report", "rep-2209-final"),
        {"Accept": c.show("outbound header", "Accept", "application/dicom")},
        "",
        200,
        {
            "Content-Disposition": c.show(
                "answer header", "Content-Disposition", 'attachment; filename="scan.dcm"'
            ),
            "X-Amz-Meta-Key": c.hide(
                "s",
                "private key",
                "answer header",
                "X-Amz-Meta-Key",
                armour("d3", "RSA PRIVATE" + " KEY", 2).replace("\n", " "),
            ),
        },
        gz(
            {
                "pages": c.show("answer body", "pages", 4417),
                "unlockCode": c.hide("n", "pin", "answer body", "unlockCode", "hip-replacement"),
            }
        ),
    )
    return c.returns(
        event,
        {
            "url": "https://s3.example/x.dcm?Expires=1767225600&Signature="
            + c.hide("b", "signed url", "result", "Signature", pick("cfsig", 40)),
            "expires": c.show("result", "expires", "in 15 minutes"),
        },
    )


def build() -> list[Planted]:
    return [admission(), portal(), download()]
