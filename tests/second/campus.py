"""A university: sign-up triggers, authorizers, GraphQL, workflow."""

from __future__ import annotations

from .case import Case, Planted
from .forge import (
    HEX,
    armour,
    b64,
    enc,
    guid,
    pan,
    pick,
    secret_key,
    serial,
    session,
    token,
    web_token,
)


def enrol() -> Planted:
    c = Case("campus-pre-signup", "Cognito trigger")
    event = {
        "version": "1",
        "triggerSource": c.show("event field", "triggerSource", "PreSignUp_SignUp"),
        "userPoolId": c.show("event field", "userPoolId", "eu-north-1_Zz9Yx8Ww7"),
        "userName": "student-77",
        "request": {
            "userAttributes": {
                "custom:faculty": c.show("event field", "custom:faculty", "letters"),
                "custom:personnummer": c.hide(
                    "b", "national id", "event field", "custom:personnummer", "19790312-4417"
                ),
            },
            "validationData": {
                "openDay": c.show("event field", "openDay", "autumn-open-day"),
                "signupPassword": c.hide(
                    "n", "password", "event field", "signupPassword", "library-card-8"
                ),
            },
            "clientMetadata": {
                "recaptcha_secret": c.hide(
                    "b",
                    "client secret",
                    "event field",
                    "recaptcha_secret",
                    "6Le" + pick("recap", 37),
                ),
                "trail": c.hide(
                    "s", "vendor token", "event field", "trail", token("digitalocean", "en1")
                ),
            },
        },
        "response": {"autoConfirmUser": False},
    }
    c.call(
        "cognito-idp",
        "AdminSetUserPassword",
        {
            "UserPoolId": "eu-north-1_Zz9Yx8Ww7",
            "Username": "student-77",
            "Password": c.hide("n", "password", "AWS parameter", "Password", "campus-crow-4"),
            "Permanent": True,
        },
        {},
    )
    c.call(
        "cognito-idp",
        "RespondToAuthChallenge",
        {
            "ChallengeName": c.show("AWS parameter", "ChallengeName", "SMS_MFA"),
            "ChallengeResponses": {
                "SMS_MFA_CODE": c.hide("n", "otp", "AWS parameter", "SMS_MFA_CODE", "339027")
            },
            "Session": c.hide(
                "b", "access token", "AWS parameter", "Session", "AYAB" + pick("cogsess", 220, HEX)
            ),
        },
        {
            "AuthenticationResult": {
                "RefreshToken": c.hide(
                    "b",
                    "refresh token",
                    "AWS answer",
                    "RefreshToken",
                    "ey" + "J" + pick("refr", 300),
                ),
                "TokenType": c.trap("AWS answer", "TokenType", "Bearer"),
                "NewDeviceMetadata": {
                    "DeviceKey": c.trap("AWS answer", "DeviceKey", "eu-north-1_" + guid("dev"))
                },
            }
        },
    )
    return c.returns(
        event,
        {
            "response": {
                "autoConfirmUser": True,
                "note": c.show("result", "note", "confirmed by campus rule"),
                "welcomePassword": c.hide(
                    "n", "password", "result", "welcomePassword", "freshers-week"
                ),
            }
        },
    )


def badge() -> Planted:
    c = Case("campus-badge-token", "Lambda authorizer (token)")
    event = {
        "type": "TOKEN",
        "methodArn": c.show(
            "event field",
            "methodArn",
            "arn:aws:execute-api:eu-north-1:210987654321:b4dg3/live/GET/doors",
        ),
        "authorizationToken": c.hide(
            "n", "access token", "authorizer", "authorizationToken", "badge-blue-0042"
        ),
    }
    c.environment = {
        "BADGE_PUBLIC_KEY": c.trap(
            "environment", "BADGE_PUBLIC_KEY", armour("pub", "PUBLIC KEY", 2)
        ),
        "BADGE_PEPPER": c.hide(
            "n", "encryption key", "environment", "BADGE_PEPPER", "black-pepper-corn"
        ),
        "BADGE_SIGNER": c.hide(
            "s", "private key", "environment", "BADGE_SIGNER", armour("sgn", "RSA PRIVATE" + " KEY")
        ),
        "FACULTY": c.show("environment", "FACULTY", "sciences"),
    }
    c.http(
        "POST",
        "https://sso.example.edu/introspect",
        {
            "X-Auth-Key": c.hide(
                "b", "api key", "outbound header", "X-Auth-Key", pick("authkey", 37, HEX)
            )
        },
        "token=badge-blue-0042&secret="
        + c.hide("n", "client secret", "outbound body", "secret", "chalk+dust").replace("+", "%2B"),
        200,
        {"Set-Cookie": "sso=" + c.hide("s", "JWT", "answer header", "sso", web_token("bd1"))},
        enc(
            {
                "active": True,
                "token_type": c.trap("answer body", "token_type", "opaque_badge"),
                "realm": c.show("answer body", "realm", "students"),
                "refreshToken": c.hide(
                    "n", "refresh token", "answer body", "refreshToken", "semester-two"
                ),
            }
        ),
    )
    return c.returns(
        event,
        {
            "principalId": c.show("result", "principalId", "student|77"),
            "policyDocument": {
                "Statement": [{"Effect": c.show("result", "Effect", "Deny-All"), "Resource": "*"}]
            },
            "context": {
                "doorKey": c.hide("n", "api key", "result", "doorKey", "brass-knocker"),
                "jwt": c.hide("b", "JWT", "result", "jwt", web_token("bd2")),
            },
            "usageIdentifierKey": c.hide(
                "b", "api key", "result", "usageIdentifierKey", pick("usagekey", 40)
            ),
        },
    )


def exam() -> Planted:
    c = Case("campus-exam-request", "Lambda authorizer (request)")
    event = {
        "type": "REQUEST",
        "resource": "/exams",
        "headers": {
            "X-Exam-Password": c.hide(
                "n", "password", "header", "X-Exam-Password", "invigilator-1"
            ),
            "Ocp-Apim-Subscription-Key": c.hide(
                "b", "vendor token", "header", "Ocp-Apim-Subscription-Key", pick("apim", 32, HEX)
            ),
            "X-Room": c.show("header", "X-Room", "aula-magna"),
        },
        "multiValueHeaders": {
            "X-Proctor-Token": [
                c.hide(
                    "b", "access token", "multi-value header", "X-Proctor-Token", web_token("ex4")
                )
            ],
            "Forwarded": [c.show("multi-value header", "Forwarded", "for=192.0.2.60;proto=http")],
        },
        "queryStringParameters": {
            "password": c.hide("n", "password", "query", "password", "open-book-exam"),
            "paper": c.show("query", "paper", "physics-2b"),
            "x": c.hide("s", "vendor token", "query", "x", token("openai", "ex1")),
        },
        "stageVariables": {
            "gradebook": c.hide(
                "s", "vendor token", "stage variable", "gradebook", token("airtable", "ex2")
            )
        },
        "requestContext": {
            "path": "/exams",
            "requestTime": c.show("event field", "requestTime", "02/May/2025:09:00:00 +0000"),
            "identity": {
                "accessKey": "none",
                "clientCert": {
                    "clientCertPem": c.trap(
                        "event field", "clientCertPem", armour("crt", "CERTIFICATE", 3)
                    ),
                    "subjectDN": c.show("event field", "subjectDN", "CN=proctor.example.edu"),
                },
            },
        },
    }
    return c.raises(
        event,
        "PermissionError",
        "token "
        + c.hide("b", "JWT", "error text", "token", web_token("ex3"))
        + " expired, room "
        + c.show("error text", "room", "aula-minor"),
        'verify(token="'
        + c.hide("n", "access token", "traceback", "token", "pencil-and-ruler")
        + '", algorithms=["HS256"])',
    )


def course() -> Planted:
    c = Case("campus-course-resolver", "AppSync")
    event = [
        {
            "arguments": {
                "courseId": c.show("event field", "courseId", "crs-0451"),
                "enrolmentKey": c.hide(
                    "n", "password", "event field", "enrolmentKey", "latin-verbs"
                ),
                "after": c.trap("event field", "after", "Y3Vyc29yOjQyMA=="),
                "author": c.trap("event field", "author", "prof-office-12"),
                "notes": c.hide(
                    "s", "vendor token", "event field", "notes", token("slack_user", "co1")
                ),
            },
            "identity": {
                "issuer": c.show("event field", "issuer", "https://sso.example.edu/oidc"),
                "claims": {
                    "token_use": c.trap("event field", "token_use", "id-use"),
                    "groups": [c.show("event field", "groups", "lecturers")],
                },
            },
            "request": {
                "headers": {
                    "authorization": c.hide(
                        "b", "JWT", "header", "authorization", web_token("co2")
                    ),
                    "x-lms-secret": c.hide(
                        "n", "client secret", "header", "x-lms-secret", "overhead-projector"
                    ),
                    "origin": c.show("header", "origin", "https://lms.example.edu"),
                }
            },
            "info": {
                "fieldName": c.show("event field", "fieldName", "courseBySlug"),
                "variables": {
                    "input": {
                        "feeCard": c.hide(
                            "b", "card number", "event field", "feeCard", pan("448570000123409")
                        ),
                        "codice_fiscale": c.hide(
                            "b", "national id", "event field", "codice_fiscale", "VRDLGI79C12F205X"
                        ),
                        "studentNo": c.trap("event field", "studentNo", serial("490000987600012")),
                    }
                },
            },
        }
    ]
    c.http(
        "POST",
        "https://lms.example.edu/graphql",
        {
            "Cookie": "MoodleSession="
            + c.hide(
                "b", "session cookie", "outbound header", "MoodleSession", pick("moodle", 26, HEX)
            ),
            "X-Tenant": c.show("outbound header", "X-Tenant", "campus-south"),
        },
        enc(
            {
                "query": c.trap(
                    "outbound body", "query", "mutation($key: String!){enrol(password:$key){ok}}"
                ),
                "variables": {
                    "password": c.hide("n", "password", "outbound body", "password", "greek-verbs"),
                    "memo": c.hide(
                        "s", "vendor token", "outbound body", "memo", token("gitlab", "co3")
                    ),
                },
            }
        ),
        200,
        {},
        enc(
            {
                "data": {"enrol": {"state": c.show("answer body", "state", "waitlisted")}},
                "log": c.hide("s", "vendor token", "answer body", "log", token("slack_app", "co4")),
            }
        ),
    )
    return c.returns(
        event,
        [
            {
                "title": c.show("result", "title", "Thermodynamics II"),
                "seats": c.show("result", "seats", 1250),
                "lmsToken": c.hide("b", "access token", "result", "lmsToken", pick("lms", 32, HEX)),
                "cursor": c.trap("result", "cursor", "b2Zmc2V0PTQyMA=="),
            }
        ],
    )


def grant() -> Planted:
    c = Case("campus-grant-workflow", "Step Functions")
    event = {
        "Execution": {
            "Id": c.show(
                "event field", "Id", "arn:aws:states:eu-north-1:210987654321:execution:grant:g-12"
            ),
            "StartTime": c.show("event field", "StartTime", "2025-05-02T08:00:00.000Z"),
        },
        "State": {"Name": c.show("event field", "Name", "TransferGrant"), "RetryCount": 0},
        "Payload": {
            "grantId": c.show("event field", "grantId", "GR-2025-0012"),
            "sum": c.show("event field", "sum", "12500.00"),
            "treasury": {
                "credentials": {
                    "user": "bursar",
                    "value": c.hide(
                        "n", "password", "event field", "credentials.value", "purse-strings"
                    ),
                },
                "hsm-pin": c.hide("n", "pin", "event field", "hsm-pin", "559104"),
            },
            "attachments": [
                {
                    "name": c.show("event field", "name", "budget.xlsx"),
                    "sha1": c.trap("event field", "sha1", pick("sha1", 40, HEX)),
                    "body": b64(
                        {
                            "unlock_password": c.hide(
                                "n",
                                "password",
                                "nested JSON string",
                                "unlock_password",
                                "ledger-line-8",
                            ),
                            "pages": c.show("nested JSON string", "pages", "pages-1-to-9"),
                        }
                    ),
                }
            ],
            "summary": c.hide("s", "AWS session token", "event field", "summary", session("gr1")),
            "line2": c.hide("s", "card number", "event field", "line2", pan("4556 7375 8689 986")),
        },
    }
    c.environment = {
        "ARM_CLIENT_SECRET": c.hide(
            "b",
            "vendor token",
            "environment",
            "ARM_CLIENT_SECRET",
            "Kx" + "8" + "Q~" + pick("azuread", 34),
        ),
        "AWS_SECRET_ACCESS_KEY": c.hide(
            "b", "AWS secret key", "environment", "AWS_SECRET_ACCESS_KEY", secret_key("gr2")
        ),
        "ZULIP": c.hide("s", "vendor token", "environment", "ZULIP", token("anthropic", "gr3")),
        "LEDGER_TABLE": c.show("environment", "LEDGER_TABLE", "grant-ledger"),
    }
    c.http(
        "PUT",
        "https://treasury.example.edu/payments/" + c.show("outbound url", "payment", "pay-gr-12"),
        {
            "X-Signature-Key": c.hide(
                "n", "encryption key", "outbound header", "X-Signature-Key", "wax-stamp-red"
            ),
            "Repr-Digest": c.trap(
                "outbound header", "Repr-Digest", "sha-256=:" + b64(bytes(range(60, 92))) + ":"
            ),
        },
        enc(
            {
                "reference": c.show("outbound body", "reference", "REF-GR-12"),
                "approver": {
                    "token": c.hide("b", "JWT", "outbound body", "token", web_token("gr4"))
                },
                "trace": c.hide("s", "JWT", "outbound body", "trace", web_token("gr5")),
            }
        ),
        202,
        {
            "X-Next-Token": c.hide(
                "n", "access token", "answer header", "X-Next-Token", "coin-purse"
            )
        },
        enc({"paymentState": c.show("answer body", "paymentState", "ACCEPTED_FOR_SETTLEMENT")}),
    )
    c.call(
        "kms",
        "GenerateDataKey",
        {
            "KeyId": c.trap("AWS parameter", "KeyId", "alias/grants"),
            "KeySpec": c.trap("AWS parameter", "KeySpec", "AES_256"),
        },
        {
            "Plaintext": c.hide(
                "b",
                "encryption key",
                "AWS answer",
                "Plaintext",
                b64(bytes((place * 37 + 11) % 256 for place in range(32))),
            ),
            "CiphertextBlob": c.trap("AWS answer", "CiphertextBlob", pick("ctb", 120, HEX)),
        },
    )
    c.call(
        "ecr",
        "GetAuthorizationToken",
        {},
        {
            "authorizationData": [
                {
                    "authorizationToken": c.hide(
                        "b",
                        "basic credentials",
                        "AWS answer",
                        "authorizationToken",
                        b64("AWS:" + pick("ecr", 180)),
                    ),
                    "proxyEndpoint": c.show(
                        "AWS answer",
                        "proxyEndpoint",
                        "https://210987654321.dkr.ecr.eu-north-1.amazonaws.com",
                    ),
                }
            ]
        },
    )
    return c.raises(
        event,
        "RuntimeError",
        'treasury said {"error": "bad pin", "hsmPin": "'
        + c.hide("n", "pin", "error text", "hsmPin", "559-105")
        + '", "grant": "'
        + c.show("error text", "grant", "GR-2025-0013")
        + '"}',
        'pay(iban, tan="' + c.hide("n", "otp", "traceback", "tan", "887-120-x") + '")',
    )


def build() -> list[Planted]:
    return [enrol(), badge(), exam(), course(), grant()]
