"""Lambda authorizers: by token and by request."""

from __future__ import annotations

from typing import Any

from .codec import basic, wrap
from .record import Planted, Sheet, call, request
from .vendor import hexes, jwt, noise, slack, uuid


def policy(principal: str, effect: str, context: dict[str, Any]) -> dict[str, Any]:
    return {
        "principalId": principal,
        "context": context,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": "*"}],
        },
    }


def by_token() -> Planted:
    m = Sheet("authorizer-token", "Lambda authorizer (token)")
    event = {
        "type": m.alike("TOKEN", "event field", "type"),
        "authorizationToken": "Bearer "
        + m.both(jwt("aut1"), "authorizer", "authorizationToken", "JWT"),
        "methodArn": m.keep(
            "arn:aws:execute-api:eu-west-1:123456789012:puhdx84jy9/prod/GET/items",
            "event field",
            "methodArn",
        ),
    }
    keys = request(
        "GET",
        m.keep("https://login.example.com/.well-known/jwks.json", "outbound url", ""),
        answer_body=(
            '{"keys": [{"kty": "RSA", "kid": "'
            + m.alike("2024-06-signing-b", "answer body", "kid")
            + '", "use": "sig", "n": "'
            + m.alike(noise("jwk", 171), "answer body", "n")
            + '", "e": "AQAB"}]}'
        ),
    )
    inspect = request(
        "POST",
        "https://login.example.com/introspect",
        [
            (
                "Authorization",
                basic(
                    "gateway",
                    m.both("gate:keeper:8", "outbound header", "Authorization", "password"),
                ),
            )
        ],
        "token="
        + m.named("opaque-olive", "outbound body", "token", "access token")
        + "&token_type_hint="
        + m.alike("refresh-hint", "outbound body", "token_type_hint"),
        answer_body='{"active": true, "scope": "'
        + m.keep("items:read items:write", "answer body", "scope")
        + '"}',
    )
    return m.planted(
        event,
        requests=[keys, inspect],
        environment={
            "JWT_SECRET": m.named(
                "turnip-for-signing", "environment", "JWT_SECRET", "encryption key"
            ),
            "ISSUER": m.keep("https://login.example.com/", "environment", "ISSUER"),
        },
        returned=policy(
            m.keep("principal-311", "result", "principalId"),
            m.keep("Allow", "result", "Effect"),
            {
                "upstreamPassword": m.named(
                    "context-cacao", "result", "upstreamPassword", "password"
                ),
                "scopes": m.keep("items:*", "result", "scopes"),
            },
        ),
    )


def by_request() -> Planted:
    m = Sheet("authorizer-request", "Lambda authorizer (request)")
    event = {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": m.keep(
            "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/request",
            "event field",
            "routeArn",
        ),
        "identitySource": [
            m.named("guest-pass-robin", "authorizer", "identitySource", "access token"),
            m.shaped(slack("aut2"), "authorizer", "identitySource", "vendor token"),
        ],
        "headers": {
            "x-client-cert-key": m.named(
                "cert-key-cedar", "header", "x-client-cert-key", "private key"
            ),
            "x-webhook-secret": m.both(
                hexes("hub", 64), "header", "x-webhook-secret", "webhook secret"
            ),
            "accept": m.keep("application/vnd.items+json", "header", "accept"),
            "x-device-id": m.keep("dev-0a9f", "header", "x-device-id"),
        },
        "cookies": [
            "__Host-session="
            + m.both(noise("hostses", 43), "cookie", "__Host-session", "session cookie")
        ],
        "queryStringParameters": {
            "jwt": m.both(jwt("aut3"), "query", "jwt", "JWT"),
            "locale": m.keep("nl-NL", "query", "locale"),
        },
        "requestContext": {
            "requestId": m.keep("JKJaXmPLvHcESHA=", "event field", "requestId"),
            "stage": "test",
            "authentication": {
                "clientCert": {
                    "serialNumber": m.alike("a1:a1:a1:a1:77", "event field", "serialNumber")
                }
            },
        },
    }
    get = call(
        "kms",
        "Decrypt",
        {
            "CiphertextBlob": m.alike(noise("cipher", 96), "AWS parameter", "CiphertextBlob"),
            "KeyId": m.alike("alias/authorizer", "AWS parameter", "KeyId"),
        },
        {
            "KeyId": m.alike(
                "arn:aws:kms:us-east-1:123456789012:key/" + uuid("kms"), "AWS answer", "KeyId"
            ),
            "Plaintext": m.both(
                wrap(noise("plainkey", 32)), "AWS answer", "Plaintext", "encryption key"
            ),
        },
    )
    return m.planted(
        event,
        aws=[get],
        returned={
            "isAuthorized": True,
            "context": {
                "role": m.keep("editor", "result", "role"),
                "sessionJwt": m.both(jwt("aut4"), "result", "sessionJwt", "JWT"),
                "senha": m.named("feijoada-7", "result", "senha", "password"),
            },
        },
    )


def build() -> list[Planted]:
    return [by_token(), by_request()]
