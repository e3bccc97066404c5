"""API Gateway REST API, payload version 1."""

from __future__ import annotations

from typing import Any

from .codec import basic, form, percent, text
from .record import Planted, Sheet, call, error, request
from .vendor import bcrypt, card, hexes, jwt, noise, order, shopify, stripe, uuid


def proxy(
    method: str, path: str, headers: dict[str, str], body: str | None, **more: Any
) -> dict[str, Any]:
    event: dict[str, Any] = {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
    }
    event.update(more)
    return event


def checkout() -> Planted:
    m = Sheet("rest-checkout", "apigateway REST v1")
    token = m.both(jwt("rest1", scope="orders:write"), "header", "Authorization", "JWT")
    session = m.named("winter-lantern-77", "cookie", "sessionid", "session cookie")
    body = {
        "orderId": m.keep("ord_2024_000913", "JSON body", "orderId"),
        "orderNumber": m.alike(order("400012345678123"), "JSON body", "orderNumber"),
        "currency": "EUR",
        "total": m.keep(129950, "JSON body", "total"),
        "status": m.keep("pending_payment", "JSON body", "status"),
        "primaryKey": m.alike("customer#88121", "JSON body", "primaryKey"),
        "payment": {
            "cardNumber": m.both(card("453275130922841"), "JSON body", "cardNumber", "card number"),
            "cvv": m.named("7093", "JSON body", "cvv", "card code"),
            "expiry": "11/29",
            "brand": "visa",
            "threeDsStatus": m.keep("frictionless", "JSON body", "threeDsStatus"),
        },
        "giftCard": {"pin": m.named("58204", "JSON body", "pin", "pin")},
        "note": m.keep("please leave at the reception", "JSON body", "note"),
    }
    event = proxy(
        "POST",
        "/checkout",
        {
            "Accept": "application/json",
            "Authorization": "Bearer " + token,
            "Content-Type": m.keep("application/json; charset=utf-8", "header", "Content-Type"),
            "Cookie": f"theme=dark; sessionid={session}; locale=de-DE",
            "Idempotency-Key": m.alike(uuid("idem1"), "header", "Idempotency-Key"),
            "X-Amzn-Trace-Id": m.keep(
                "Root=1-66704db9-6136092d02f4e3424fe2ce95", "header", "X-Amzn-Trace-Id"
            ),
            "x-api-key": m.both(noise("rest5", 40), "header", "x-api-key", "api key"),
        },
        text(body),
        queryStringParameters={
            "access_token": m.named("ferry-token-blue-2", "query", "access_token", "access token"),
            "page": "1",
        },
        multiValueQueryStringParameters={"access_token": ["ferry-token-blue-2"], "page": ["1"]},
        stageVariables={
            "backendPassword": m.named(
                "dim.sum.4711", "stage variable", "backendPassword", "password"
            ),
            "alias": m.keep("checkout-blue", "stage variable", "alias"),
        },
        requestContext={
            "accountId": "123456789012",
            "stage": "prod",
            "resourceId": "nmnny7",
            "requestId": m.keep(uuid("req1"), "event field", "requestId"),
            "requestTimeEpoch": m.keep(1718635961959, "event field", "requestTimeEpoch"),
            "authorizer": {
                "principalId": "user-88121",
                "integrationLatency": 422,
                "partnerToken": m.both(jwt("rest8"), "authorizer", "partnerToken", "access token"),
            },
            "identity": {
                "sourceIp": "198.51.100.7",
                "apiKeyId": "x7kq2v9d1a",
                "apiKey": m.both(noise("rest6", 40), "event field", "apiKey", "api key"),
            },
        },
    )
    pay = request(
        "POST",
        "https://api.payments.example/v1/payment_intents",
        [
            (
                "Authorization",
                "Bearer "
                + m.both(stripe("rest2"), "outbound header", "Authorization", "vendor token"),
            ),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ],
        form(
            [
                ("amount", "129950"),
                ("currency", "eur"),
                (
                    "client_secret",
                    m.both(
                        "pi_3PQ" + noise("pi", 18) + "_secret_" + noise("pis", 25),
                        "outbound body",
                        "client_secret",
                        "vendor token",
                    ),
                ),
            ]
        ),
        answer_headers=[("Request-Id", m.keep("req_Jx81mAbQe2", "answer header", "Request-Id"))],
        answer_body=text(
            {
                "id": m.keep("pi_3PQaB7Lkd", "answer body", "id"),
                "object": "payment_intent",
                "status": m.keep("requires_capture", "answer body", "status"),
            }
        ),
    )
    save = call(
        "dynamodb",
        "PutItem",
        {
            "TableName": m.keep("orders-prod", "AWS parameter", "TableName"),
            "Item": {
                "pk": {"S": m.alike("ORDER#ord_2024_0", "AWS parameter", "pk")},
                "passwordHash": {
                    "S": m.both(bcrypt("rest3"), "AWS parameter", "passwordHash", "password hash")
                },
            },
        },
        {"ConsumedCapacity": {"TableName": "orders-prod", "CapacityUnits": 1.0}},
    )
    return m.planted(
        event,
        environment={
            "STRIPE_WEBHOOK_SECRET": m.both(
                "wh" + "sec_" + noise("rest7", 32),
                "environment",
                "STRIPE_WEBHOOK_SECRET",
                "webhook secret",
            ),
            "TABLE_NAME": "orders-prod",
            "POWERTOOLS_SERVICE_NAME": m.keep(
                "checkout-service", "environment", "POWERTOOLS_SERVICE_NAME"
            ),
        },
        requests=[pay],
        aws=[save],
        returned={
            "statusCode": 201,
            "headers": {
                "Set-Cookie": "sid="
                + m.both(hexes("rest4", 48), "result", "Set-Cookie", "session cookie")
                + "; HttpOnly",
                "Location": m.keep("/orders/ord-location-1", "result", "Location"),
            },
            "body": text({"message": m.keep("order accepted", "result", "message")}),
        },
    )


def reset() -> Planted:
    m = Sheet("rest-password-reset", "apigateway REST v1")
    link = m.named("amber-reset-link-31", "path", "resetToken", "reset token")
    body = form(
        [
            ("grant_type", "password"),
            ("username", "user-5"),
            ("password", m.named("Tr0ub4dor & three", "form body", "password", "password")),
            (
                "contrasena_nueva",
                m.named("vaca-lechera-8", "form body", "contrasena_nueva", "password"),
            ),
            ("hint", m.shaped(jwt("reset3"), "form body", "hint", "JWT")),
            ("more", m.shaped(card("448512345678901"), "form body", "more", "card number")),
            ("campaign", m.keep("spring-mailing-2", "form body", "campaign")),
        ]
    )
    event = proxy(
        "POST",
        f"/password/reset/{link}",
        {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": basic(
                "backoffice", m.both("kettle;drum;19", "header", "Authorization", "password")
            ),
            "X-Shopify-Access-Token": m.both(
                shopify("reset1"), "multi-value header", "X-Shopify-Access-Token", "vendor token"
            ),
            "X-Requested-With": m.keep("XMLHttpRequest", "header", "X-Requested-With"),
        },
        body,
        resource="/password/reset/{resetToken}",
        pathParameters={"resetToken": link},
        queryStringParameters={
            "return": m.keep("https://shop.example.com/account?tab=profile", "query", "return"),
            "ref": m.shaped(stripe("reset2"), "query", "ref", "vendor token"),
        },
    )
    probe = request(
        "GET",
        "https://breach.example.com/check?apikey="
        + percent(m.named("breach/check/key 9", "outbound url", "apikey", "api key"))
        + "&mode=range",
        [("User-Agent", m.keep("account-service/4.2", "outbound header", "User-Agent"))],
        status=429,
        answer_headers=[
            ("Retry-After", "3600"),
            ("X-Request-Cost", m.keep("cost=0.015", "answer header", "X-Request-Cost")),
        ],
        answer_body=m.keep("too many requests, slow down", "answer body", ""),
    )
    return m.planted(
        event,
        environment={
            "PASSWORD_POLICY": m.alike("min12-upper-digit", "environment", "PASSWORD_POLICY"),
            "TOKEN_TTL_SECONDS": m.alike("86400", "environment", "TOKEN_TTL_SECONDS"),
        },
        requests=[probe],
        raised=error(
            "PermissionError",
            "login refused: password='"
            + m.named("old-otter-raft", "error text", "password", "password")
            + "' was used before (policy "
            + m.keep("history-of-24", "error text", "policy")
            + ")",
            'account.login(user, password="'
            + m.named("old-otter-river", "traceback", "password", "password")
            + '")',
        ),
    )


def build() -> list[Planted]:
    return [checkout(), reset()]
