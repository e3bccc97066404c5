"""Cognito triggers."""

from __future__ import annotations

from typing import Any

from .codec import text
from .record import Planted, Sheet, call, error
from .vendor import aws_session, hexes, jwt, noise, uuid


def trigger(source: str, request: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "1",
        "region": "eu-west-1",
        "userPoolId": "eu-west-1_bbYLzC8rt",
        "userName": "user-19",
        "triggerSource": source,
        "request": request,
        "response": response,
    }


def migrate() -> Planted:
    m = Sheet("cognito-migrate-user", "Cognito trigger")
    event = trigger(
        m.keep("UserMigration_Authentication", "event field", "triggerSource"),
        {
            "password": m.named("meadowlark-9", "event field", "password", "password"),
            "validationData": {
                "captchaToken": m.named(
                    "captcha-cat-22", "event field", "captchaToken", "access token"
                ),
                "origin": m.keep("mobile-app", "event field", "origin"),
            },
            "clientMetadata": {
                "legacy_session": m.both(
                    hexes("legacy", 40), "event field", "legacy_session", "session cookie"
                ),
                "build": m.keep("ios-4.18.2", "event field", "build"),
            },
        },
        {},
    )
    event["callerContext"] = {
        "awsSdkVersion": m.keep("aws-sdk-js-3.577", "event field", "awsSdkVersion"),
        "clientId": m.keep("4ma39kqn9j6ncsimddqs13sgok", "event field", "clientId"),
    }
    check = call(
        "cognito-idp",
        "InitiateAuth",
        {
            "AuthFlow": m.alike("USER_PASSWORD_AUTH", "AWS parameter", "AuthFlow"),
            "AuthParameters": {
                "USERNAME": "user-19",
                "PASSWORD": m.named("meadowlark-old", "AWS parameter", "PASSWORD", "password"),
                "SECRET_HASH": m.both(
                    noise("shash", 43) + "=", "AWS parameter", "SECRET_HASH", "client secret"
                ),
            },
        },
        {
            "AuthenticationResult": {
                "AccessToken": m.both(
                    jwt("cog1", token_use="access"), "AWS answer", "AccessToken", "JWT"
                ),
                "IdToken": m.both(jwt("cog2", token_use="id"), "AWS answer", "IdToken", "JWT"),
                "RefreshToken": m.both(
                    noise("cogr", 400), "AWS answer", "RefreshToken", "refresh token"
                ),
                "TokenType": "Bearer",
                "ExpiresIn": m.alike(3600, "AWS answer", "ExpiresIn"),
            },
            "Session": m.both(aws_session("cog3"), "AWS answer", "Session", "access token"),
            "ChallengeName": m.keep("SOFTWARE_TOKEN_MFA", "AWS answer", "ChallengeName"),
        },
    )
    answer = trigger(
        "UserMigration_Authentication",
        {},
        {
            "finalUserStatus": m.keep("CONFIRMED", "result", "finalUserStatus"),
            "messageAction": m.keep("SUPPRESS", "result", "messageAction"),
            "temporaryPassword": m.named(
                "first-login-ivy", "result", "temporaryPassword", "password"
            ),
        },
    )
    return m.planted(event, aws=[check], returned=answer)


def challenge() -> Planted:
    m = Sheet("cognito-verify-challenge", "Cognito trigger")
    event = trigger(
        m.keep("VerifyAuthChallengeResponse_Authentication", "event field", "triggerSource"),
        {
            "userAttributes": {
                "sub": m.keep(uuid("sub"), "event field", "sub"),
                "cognito:user_status": "CONFIRMED",
            },
            "privateChallengeParameters": {
                "answer": m.named(
                    "593027", "event field", "privateChallengeParameters.answer", "otp"
                )
            },
            "challengeAnswer": m.named("593028", "event field", "challengeAnswer", "otp"),
            "clientMetadata": {"flow": m.keep("passwordless", "event field", "flow")},
        },
        {"answerCorrect": None},
    )
    say = call(
        "sns",
        "Publish",
        {
            "Message": "Your verification code is "
            + m.named("640117", "AWS parameter", "", "otp")
            + ", valid for ten minutes",
            "PhoneNumber": "+10000000000",
        },
        {"MessageId": m.keep(uuid("say"), "AWS answer", "MessageId")},
    )
    start = call(
        "lambda",
        "Invoke",
        {
            "FunctionName": m.keep("audit-login", "AWS parameter", "FunctionName"),
            "InvocationType": m.keep("RequestResponse", "AWS parameter", "InvocationType"),
            "Payload": text(
                {
                    "mfa_code": m.named("118264", "AWS parameter", "mfa_code", "otp"),
                    "attempt": m.keep("third-try", "AWS parameter", "attempt"),
                }
            ),
        },
        {
            "StatusCode": 200,
            "Payload": text(
                {
                    "auditId": m.keep("aud-55120", "AWS answer", "auditId"),
                    "auth": m.shaped(jwt("cog4"), "AWS answer", "auth", "JWT"),
                }
            ),
        },
    )
    return m.planted(
        event,
        aws=[say, start],
        raised=error(
            "AssertionError",
            "expected otp "
            + m.named("205531", "error text", "otp", "otp")
            + " in state "
            + m.keep("AWAIT_CODE", "error text", "state"),
            'assert otp == "' + m.named("205-532-z", "traceback", "otp", "otp") + '", "wrong code"',
        ),
    )


def build() -> list[Planted]:
    return [migrate(), challenge()]
