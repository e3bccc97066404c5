"""API Gateway HTTP API, payload version 2."""

from __future__ import annotations

from .codec import PIXEL, text, wrap
from .record import Planted, Sheet, call, error, request
from .vendor import (
    aws_session,
    github,
    google,
    google_oauth,
    hexes,
    jwt,
    noise,
    sendgrid,
    slack_hook,
    uuid,
)


def upload() -> Planted:
    m = Sheet("http-upload", "HTTP API v2")
    body = {
        "fileName": m.keep("report-q3.pdf", "base64 body", "fileName"),
        "contentHash": m.alike(hexes("content", 64), "base64 body", "contentHash"),
        "thumbnail": m.alike(PIXEL, "base64 body", "thumbnail"),
        "credentials": {
            "user": "svc-upload",
            "value": m.named("marble staircase", "base64 body", "credentials.value", "password"),
        },
        "comment": "deploy with "
        + m.shaped(github("up1"), "base64 body", "comment", "vendor token")
        + " thanks",
        "footer": m.shaped(jwt("up10"), "base64 body", "footer", "JWT"),
        "tags": [m.keep("finance", "base64 body", "tags"), "q3"],
        "settings": [
            {
                "name": "api_token",
                "value": m.both(github("up9"), "base64 body", "value", "api key"),
            },
            {"name": "color", "value": m.keep("teal-ish", "base64 body", "value")},
        ],
    }
    event = {
        "version": "2.0",
        "routeKey": "POST /upload/{folder}",
        "rawPath": "/upload/reports",
        "rawQueryString": "key="
        + m.both(google("up2"), "query", "key", "vendor token")
        + "&sort=desc",
        "queryStringParameters": {"key": google("up2"), "sort": "desc"},
        "cookies": [
            "_ga=GA1.2.1718",
            "remember_me=" + m.both(hexes("rem", 64), "cookie", "remember_me", "session cookie"),
            "consent=" + m.keep("analytics-only", "cookie", "consent"),
        ],
        "headers": {
            "authorization": "Bearer "
            + m.both(google_oauth("up3"), "header", "authorization", "access token"),
            "content-type": "application/json",
            "if-none-match": m.alike('"' + hexes("etag", 32) + '"', "header", "if-none-match"),
            "x-csrf-token": m.named("csrf-heron-44", "header", "x-csrf-token", "csrf token"),
            "x-correlation-id": m.keep(uuid("corr"), "header", "x-correlation-id"),
            "traceparent": m.keep(
                "00-" + hexes("tp", 32) + "-" + hexes("ts", 16) + "-01", "header", "traceparent"
            ),
        },
        "pathParameters": {"folder": m.keep("reports", "path", "folder")},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "lsw1ro4ipb",
            "stage": "$default",
            "requestId": m.keep("ZhNHJhhLjoEEPiw=", "event field", "requestId"),
            "http": {"method": "POST", "path": "/upload/reports", "sourceIp": "203.0.113.9"},
            "authorizer": {
                "lambda": {
                    "tenant": m.keep("tenant-042", "authorizer", "tenant"),
                    "upstreamJwt": m.both(
                        jwt("up4", aud="files"), "authorizer", "upstreamJwt", "JWT"
                    ),
                }
            },
            "timeEpoch": m.keep(1718639559080, "event field", "timeEpoch"),
        },
        "body": wrap(text(body)),
        "isBase64Encoded": True,
    }
    hook = request(
        "POST",
        "https://hooks.slack.com/services/"
        + m.shaped(slack_hook("up5"), "outbound url", "", "webhook secret"),
        [("Content-Type", "application/json")],
        text(
            {
                "channel": m.keep("#uploads", "outbound body", "channel"),
                "text": m.keep("a report has arrived", "outbound body", "text"),
            }
        ),
        answer_body="ok",
    )
    signed = request(
        "PUT",
        "https://files-prod.s3.eu-west-1.amazonaws.com/reports/q3.pdf?X-Amz-Expires=900&X-Amz-Signature="
        + m.both(hexes("sig", 64), "outbound url", "X-Amz-Signature", "signed url"),
        [
            (
                "x-amz-security-token",
                m.both(
                    aws_session("up6"),
                    "outbound header",
                    "x-amz-security-token",
                    "AWS session token",
                ),
            ),
            ("Content-MD5", m.alike("rL0Y20zC+Fzt72VPzMSk2A==", "outbound header", "Content-MD5")),
        ],
        b"%PDF-1.7\n\xff",
        answer_headers=[("ETag", m.alike('"' + hexes("etag2", 32) + '"', "answer header", "ETag"))],
    )
    return m.planted(
        event,
        environment={
            "SENDGRID_API_KEY": m.both(
                sendgrid("up7"), "environment", "SENDGRID_API_KEY", "vendor token"
            ),
            "UPLOAD_HINT": "use "
            + m.shaped(github("up8"), "environment", "UPLOAD_HINT", "vendor token"),
            "KEY_PREFIX": m.alike("reports/2024/", "environment", "KEY_PREFIX"),
            "LOG_LEVEL": m.keep("WARNING", "environment", "LOG_LEVEL"),
        },
        requests=[hook, signed],
        returned={
            "statusCode": 200,
            "cookies": [
                "refresh="
                + m.named("fennel-refresh-12", "result", "refresh", "session cookie")
                + "; Secure"
            ],
            "body": text(
                {
                    "fileId": m.keep("file_77aa01", "result", "fileId"),
                    "uploadToken": m.named(
                        "short-lived-fox", "result", "uploadToken", "access token"
                    ),
                    "nextToken": m.alike("eyJvZmZzZXQiOiA0MH0=", "result", "nextToken"),
                }
            ),
        },
    )


def exchange() -> Planted:
    m = Sheet("http-oauth-callback", "HTTP API v2")
    event = {
        "version": "2.0",
        "routeKey": "GET /oauth/callback",
        "rawPath": "/oauth/callback",
        "rawQueryString": "code="
        + m.named("auth-code-willow-3", "query", "code", "authorization code")
        + "&origin="
        + m.keep("home-page-banner", "query", "origin"),
        "headers": {
            "host": "app.example.com",
            "accept-language": m.keep("fr-FR,fr;q=0.9", "header", "accept-language"),
        },
        "requestContext": {"http": {"method": "GET"}, "routeKey": "GET /oauth/callback"},
        "isBase64Encoded": False,
    }
    trade = request(
        "POST",
        "https://login.example.com/oauth2/token",
        [("Accept", "application/json")],
        "grant_type=authorization_code&client_id=web-app&client_secret="
        + m.named("copper+pot", "outbound body", "client_secret", "client secret").replace(
            "+", "%2B"
        ),
        answer_headers=[
            (
                "Set-Cookie",
                "LTPA="
                + m.both(noise("ltpa", 64), "answer header", "Set-Cookie", "session cookie")
                + "; Path=/",
            )
        ],
        answer_body=text(
            {
                "access_token": m.both(
                    jwt("ex1", scope="openid"), "answer body", "access_token", "JWT"
                ),
                "refresh_token": m.both(
                    "1//0" + noise("rtq", 60), "answer body", "refresh_token", "refresh token"
                ),
                "id_token": m.both(jwt("ex2", nonce="n-1"), "answer body", "id_token", "JWT"),
                "token_type": m.alike("Bearer", "answer body", "token_type"),
                "expires_in": m.alike(35999, "answer body", "expires_in"),
            }
        ),
    )
    store = call(
        "ssm",
        "PutParameter",
        {
            "Name": m.alike("/prod/oauth/refresh-token", "AWS parameter", "Name"),
            "Type": m.alike("SecureString", "AWS parameter", "Type"),
            "Value": m.named("rt-stored-harbour", "AWS parameter", "Value", "refresh token"),
        },
        {"Version": 4, "Tier": m.keep("Standard", "AWS answer", "Tier")},
    )
    return m.planted(
        event,
        requests=[trade],
        aws=[store],
        raised=error(
            "RuntimeError",
            "profile call failed: GET https://api.example.com/me?access_token="
            + m.named("moss-and-fern", "error text", "access_token", "access token")
            + " gave 503 "
            + m.keep("upstream-unavailable", "error text", ""),
            'headers = {"Authorization": "Bearer '
            + m.both(jwt("ex3"), "traceback", "Authorization", "JWT")
            + '"}',
        ),
    )


def build() -> list[Planted]:
    return [upload(), exchange()]
