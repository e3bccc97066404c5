"""Brannoc Infirmary: a hospital with a patient app, laboratories and wards."""

from __future__ import annotations

from typing import List

from .forge import BASE32, b64, digits, dumps, hexed, jwt, noise, pan, uuid
from .sheet import Planted, Sheet, boto, fault, http


def build() -> list[Planted]:
    return [migrate(), guard(), result(), ward()]


def migrate() -> Planted:
    """A patient of the former portal signs in for the first time."""
    s = Sheet("hospital-user-migration", "Cognito trigger")
    event = {
        "version": "1",
        "triggerSource": s.keep("UserMigration_Authentication", "event field", "triggerSource"),
        "region": "eu-west-2",
        "userPoolId": s.alike("eu-west-2_Wm4RtPq8Z", "event field", "userPoolId"),
        "userName": s.keep("t.penhallow", "event field", "userName"),
        "callerContext": {
            "awsSdkVersion": s.keep("aws-sdk-android-2.77.1", "event field", "awsSdkVersion"),
            "clientId": s.alike("5kq0n2v7c9m1x3z8b6t4p2r0ha", "event field", "clientId"),
        },
        "request": {
            "password": s.name("Tinners Rabbits 3", "event field", "request.password", "password"),
            "validationData": {
                "captcha": "passed",
                "deviceState": s.shape(
                    jwt("hosp/devst", {"dev": "r5", "enrolled": True}),
                    "event field",
                    "request.validationData.deviceState",
                    "JWT",
                ),
                "attestation": s.shape(
                    jwt("hosp/attest", {"nonce": "c2Vh", "apk": "uk.brannoc"}, "RS256"),
                    "event field",
                    "request.validationData.attestation",
                    "JWT",
                ),
            },
            "clientMetadata": {
                "clinic": s.keep("cardiology-east", "event field", "clientMetadata.clinic"),
                "mfaCode": s.name("554091", "event field", "clientMetadata.mfaCode", "otp"),
            },
        },
        "response": {"userAttributes": None, "messageAction": None, "forceAliasCreation": None},
    }
    old = http(
        "POST",
        "https://portal-v1.brannoc.example/login.php",
        [
            (
                "X-Legacy-Key",
                s.name(hexed("hosp/legacy", 32), "outbound header", "X-Legacy-Key", "api key"),
            ),
            ("Accept", s.keep("application/vnd.brannoc+json", "outbound header", "Accept")),
        ],
        "user=t.penhallow&pass="
        + s.name("pasty-and-ale", "outbound body", "pass", "password")
        + "&site="
        + s.keep("truro-road", "outbound body", "site"),
        200,
        [
            (
                "Set-Cookie",
                "laravel_session="
                + s.both(
                    "eyJpdiI6" + noise("hosp/laravel", 150),
                    "answer header",
                    "Set-Cookie laravel_session",
                    "session cookie",
                ),
            )
        ],
        dumps(
            {
                "nhs_number": s.name("943 476 5870", "answer body", "nhs_number", "national id"),
                "legacy_hash": s.both(
                    "$argon2id$v=19$m=65536,t=3,p=4$"
                    + noise("hosp/a2s", 22)
                    + "$"
                    + noise("hosp/a2h", 43),
                    "answer body",
                    "legacy_hash",
                    "password hash",
                ),
                "migrated_from": s.keep("portal-2016", "answer body", "migrated_from"),
            }
        ),
    )
    calls = [
        boto(
            "cognito-idp",
            "AdminInitiateAuth",
            {
                "UserPoolId": "eu-west-2_Wm4RtPq8Z",
                "AuthFlow": s.alike("ADMIN_USER_PASSWORD_AUTH", "AWS parameter", "AuthFlow"),
                "AuthParameters": {
                    "USERNAME": "t.penhallow",
                    "PASSWORD": s.name(
                        "smuggler's cove", "AWS parameter", "AuthParameters.PASSWORD", "password"
                    ),
                    "SECRET_HASH": s.both(
                        noise("hosp/sechash", 43) + "=",
                        "AWS parameter",
                        "AuthParameters.SECRET_HASH",
                        "client secret",
                    ),
                },
            },
            {
                "AuthenticationResult": {
                    "AccessToken": s.both(
                        jwt("hosp/cat", {"token_use": "access"}, "RS256"),
                        "AWS answer",
                        "AccessToken",
                        "JWT",
                    ),
                    "RefreshToken": s.both(
                        "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIn0." + noise("hosp/crt", 180),
                        "AWS answer",
                        "RefreshToken",
                        "refresh token",
                    ),
                    "TokenType": s.alike("Bearer (RFC 6750)", "AWS answer", "TokenType"),
                    "ExpiresIn": 3600,
                },
                "ChallengeParameters": {},
            },
        )
    ]
    return s.done(
        event,
        requests=[old],
        aws=calls,
        returned={
            **event,
            "request": {},
            "response": {
                "finalUserStatus": s.keep("CONFIRMED", "result", "finalUserStatus"),
                "messageAction": s.keep("SUPPRESS", "result", "messageAction"),
                "temporaryPassword": s.name(
                    "Welcome-Brannoc", "result", "temporaryPassword", "password"
                ),
            },
        },
    )


def guard() -> Planted:
    """The authorizer of the clinicians' API."""
    s = Sheet("hospital-api-guard", "Lambda authorizer (token)")
    token = s.both(
        jwt("hosp/clin", {"sub": "dr-4410", "roles": ["consultant"]}, "RS256", kid="brn-7"),
        "event field",
        "authorizationToken",
        "JWT",
    )
    policy = {
        "principalId": s.keep("dr-4410", "result", "principalId"),
        "policyDocument": {
            "Version": s.keep("2012-10-17", "result", "policyDocument.Version"),
            "Statement": [
                {
                    "Action": s.keep("execute-api:Invoke", "result", "Statement.Action"),
                    "Effect": "Allow",
                    "Resource": s.keep(
                        "arn:aws:execute-api:eu-west-2:667120934418:b7rann0c/live/*/patients/*",
                        "result",
                        "Statement.Resource",
                    ),
                }
            ],
        },
        "context": {
            "emis": "https://brannoc:"
            + s.shape("Bodmin4Moor", "result", "context.emis", "basic credentials")
            + "@emis.example/api",
            "ward": s.keep("Godrevy Ward", "result", "context.ward"),
            "upstream": s.shape(
                jwt("hosp/up", {"fhir": "r4", "org": "RK9"}), "result", "context.upstream", "JWT"
            ),
        },
        "usageIdentifierKey": s.alike("plan-clinicians", "result", "usageIdentifierKey"),
    }
    jwks = http(
        "GET",
        "https://sso.brannoc.example/jwks.json",
        [
            (
                "If-None-Match",
                s.alike('"' + hexed("hosp/inm", 32) + '"', "outbound header", "If-None-Match"),
            )
        ],
        "",
        200,
        [("Cache-Control", s.keep("max-age=900", "answer header", "Cache-Control"))],
        dumps(
            {
                "keys": [
                    {
                        "kid": s.alike("brn-7", "answer body", "keys.kid"),
                        "kty": "RSA",
                        "use": "sig",
                        "n": s.alike(noise("hosp/jwkn", 342), "answer body", "keys.n"),
                        "e": s.alike("AQAB", "answer body", "keys.e"),
                    }
                ]
            }
        ),
    )
    return s.done(
        {
            "type": s.keep("TOKEN", "event field", "type"),
            "authorizationToken": "Bearer " + token,
            "methodArn": s.keep(
                "arn:aws:execute-api:eu-west-2:667120934418:b7rann0c/live/GET/patients/88",
                "event field",
                "methodArn",
            ),
        },
        requests=[jwks],
        returned=policy,
        environment={
            "JWT_SECRET": s.name(
                "st-ives-harbour-at-low-tide", "environment", "JWT_SECRET", "encryption key"
            ),
            "JWKS_URL": s.alike("https://sso.brannoc.example/jwks.json", "environment", "JWKS_URL"),
            "AUDIENCE": s.keep("clinical-api", "environment", "AUDIENCE"),
            "SMARTCARD_PIN": s.name("740926", "environment", "SMARTCARD_PIN", "pin"),
            "CACHE": "redis://:"
            + s.shape("mEvagissey5", "environment", "CACHE", "connection string")
            + "@auth-cache.internal:6379",
        },
    )


def result() -> Planted:
    """A laboratory announces a result."""
    s = Sheet("hospital-lab-result", "SNS")
    message = {
        "sample": s.keep("LAB-25-118834", "SNS message", "sample"),
        "test": s.keep("HbA1c", "SNS message", "test"),
        "unit": s.keep("mmol/mol", "SNS message", "unit"),
        "patient": {
            "nhsNumber": s.name("4010232137", "SNS message", "patient.nhsNumber", "national id"),
            "portalAccessCode": s.name(
                "MINT-OTTER-62", "SNS message", "patient.portalAccessCode", "password"
            ),
        },
        "report": "https://reports.brannoc.example/r/118834?sv=2023-11-03&se=2025-11-08&sr=b&sp=r&sig="
        + s.shape(noise("hosp/sas", 43), "SNS message", "report", "signed url")
        + "%3D",
        "device": {
            "serial": s.alike("ROCHE-" + digits("hosp/serial", 12), "SNS message", "device.serial"),
            "uplink": "DefaultEndpointsProtocol=https;AccountName=brnlab;AccountKey="
            + s.shape(
                noise("hosp/azk", 86) + "==", "SNS message", "device.uplink", "connection string"
            )
            + ";EndpointSuffix=core.windows.net",
        },
    }
    event = {
        "Records": [
            {
                "EventVersion": "1.0",
                "EventSource": "aws:sns",
                "EventSubscriptionArn": s.keep(
                    "arn:aws:sns:eu-west-2:667120934418:lab-results:3c9a17f2-1f0b-4c4e-9d55-0b7a3e21c6aa",
                    "event field",
                    "EventSubscriptionArn",
                ),
                "Sns": {
                    "Type": "Notification",
                    "MessageId": s.alike(uuid("hosp/mid"), "event field", "MessageId"),
                    "TopicArn": "arn:aws:sns:eu-west-2:667120934418:lab-results",
                    "Subject": s.keep("Result ready: HbA1c", "event field", "Subject"),
                    "Message": dumps(message),
                    "Timestamp": "2025-11-01T08:12:55.001Z",
                    "SignatureVersion": s.alike("1 (SHA1)", "event field", "SignatureVersion"),
                    "Signature": noise("hosp/snssig", 170) + "==",
                    "SigningCertUrl": s.alike(
                        "https://sns.eu-west-2.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem",
                        "event field",
                        "SigningCertUrl",
                    ),
                    "MessageAttributes": {
                        "priority": {
                            "Type": "String",
                            "Value": s.keep("routine-48h", "message attribute", "priority"),
                        },
                        "webhookSecret": {
                            "Type": "String",
                            "Value": s.name(
                                "pilchard", "message attribute", "webhookSecret", "webhook secret"
                            ),
                        },
                    },
                },
            }
        ]
    }
    text = http(
        "POST",
        "https://api.twilio.com/2010-04-01/Accounts/AC"
        + hexed("hosp/acsid", 32)
        + "/Messages.json",
        [
            (
                "Authorization",
                "Basic "
                + b64(
                    "AC"
                    + hexed("hosp/acsid", 32)
                    + ":"
                    + s.both(
                        hexed("hosp/twilio", 32),
                        "outbound header",
                        "Authorization",
                        "basic credentials",
                    )
                ),
            )
        ],
        "Body=Your+Brannoc+verification+code+is+"
        + s.name("366802", "outbound body", "Body (verification code is)", "otp")
        + "&MessagingServiceSid="
        + s.alike("MG" + hexed("hosp/mg", 32), "outbound body", "MessagingServiceSid"),
        201,
        [
            (
                "Twilio-Request-Id",
                s.alike("RQ" + hexed("hosp/rq", 32), "answer header", "Twilio-Request-Id"),
            )
        ],
        dumps({"status": s.keep("queued-local", "answer body", "status"), "num_segments": "1"}),
    )
    return s.done(
        event,
        requests=[text],
        returned={"notified": 1, "channel": s.keep("sms+portal", "result", "channel")},
        environment={
            "FHIR_BASE": s.keep("https://fhir.brannoc.example/r4", "environment", "FHIR_BASE"),
            "FHIR_CLIENT_SECRET": s.both(
                noise("hosp/azsec1", 3) + "8Q~" + noise("hosp/azsec2", 34),
                "environment",
                "FHIR_CLIENT_SECRET",
                "client secret",
            ),
        },
    )


def ward() -> Planted:
    """The ward tablet's app calls a function directly."""
    s = Sheet("hospital-ward-tablet", "direct invoke")
    context = {
        "client": {
            "installation_id": s.alike(
                uuid("hosp/inst"), "client context", "client.installation_id"
            ),
            "app_title": s.keep("WardRound", "client context", "client.app_title"),
            "app_version_code": s.keep("1120", "client context", "client.app_version_code"),
            "app_package_name": "uk.brannoc.ward",
        },
        "custom": {
            "nurseBadgePin": s.name("3395", "client context", "custom.nurseBadgePin", "pin"),
            "unlock_password": s.name(
                "gorse&heather", "client context", "custom.unlock_password", "password"
            ),
            "ssoToken": s.both(
                jwt("hosp/sso", {"sub": "n-221"}), "client context", "custom.ssoToken", "JWT"
            ),
            "ctx": s.shape(
                jwt("hosp/ctx", {"ward": "godrevy", "bed": 4}),
                "client context",
                "custom.ctx",
                "JWT",
            ),
            "theme": s.keep("night-shift", "client context", "custom.theme"),
        },
        "env": {"model": s.keep("SM-T736B", "client context", "env.model"), "locale": "en_GB"},
    }
    event = {
        "action": s.keep("dispense", "event field", "action"),
        "drug": s.keep("amlodipine 5 mg", "event field", "drug"),
        "bed": s.keep("G-04", "event field", "bed"),
        "cabinet": {
            "id": "CAB-2",
            "doorCode": s.name("48#1175", "event field", "cabinet.doorCode", "pin"),
            "unlockMode": s.keep("badge+pin", "event field", "cabinet.unlockMode"),
        },
        "totp_secret": s.both(
            noise("hosp/totp", 32, BASE32), "event field", "totp_secret", "totp seed"
        ),
        "keypadLayout": s.keep("qwerty-uk", "event field", "keypadLayout"),
        "billing": {
            "private": True,
            "ref": s.shape(pan("hosp/visa", "4026"), "event field", "billing.ref", "card number"),
        },
    }
    return s.done(
        event,
        context=context,
        raised=fault(
            "RuntimeError",
            "cabinet "
            + s.keep("CAB-2-GODREVY", "error text", "cabinet")
            + " rejected request with Authorization: Bearer "
            + s.both(noise("hosp/cab", 40), "error text", "Authorization", "access token"),
            "session.auth = ('wardround', '"
            + s.name("penzance-1987", "traceback", "session.auth", "password")
            + "')",
        ),
        environment={
            "CABINET_ADMIN_PASSWORD": s.name(
                "Kernow bys vyken", "environment", "CABINET_ADMIN_PASSWORD", "password"
            ),
            "RETRY": s.keep("3x exponential", "environment", "RETRY"),
            "PAGER": s.shape(
                "xo"
                + "xb-"
                + digits("hosp/sl1", 12)
                + "-"
                + digits("hosp/sl2", 13)
                + "-"
                + noise("hosp/sl3", 24),
                "environment",
                "PAGER",
                "vendor token",
            ),
            "TRACE_HEADER": "X-Brannoc-Trace",
            "BACKUP_ID": s.shape(
                "AK" + "IA" + noise("hosp/akia", 16, BASE32),
                "environment",
                "BACKUP_ID",
                "AWS access key id",
            ),
        },
    )
