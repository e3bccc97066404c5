"""Step Functions tasks."""

from __future__ import annotations

from .codec import text
from .record import Planted, Sheet, call, request
from .vendor import azure, card, github, hexes, jwt, order, pem, uuid


def build() -> list[Planted]:
    m = Sheet("step-functions-task", "Step Functions")
    event = {
        "executionId": m.keep(
            "arn:aws:states:eu-west-1:123456789012:execution:payout:run-17",
            "event field",
            "executionId",
        ),
        "stateName": m.keep("PayPartner", "event field", "stateName"),
        "retryCount": 0,
        "input": {
            "payoutId": m.keep("po_00912", "event field", "payoutId"),
            "amount": m.keep("1249.95", "event field", "amount"),
            "invoiceNo": m.alike(order("620000000000456"), "event field", "invoiceNo"),
            "bankLogin": {
                "user": "payer",
                "pwd": m.named("piggy-bank-2", "event field", "pwd", "password"),
                "tan": m.named("883 201", "event field", "tan", "otp"),
            },
            "credentials": [
                {
                    "key": "merchant_password",
                    "value": m.named(
                        "two-red-herrings", "event field", "merchant_password", "password"
                    ),
                },
                {
                    "key": "merchant_mode",
                    "value": m.keep("sandbox-eu", "event field", "merchant_mode"),
                },
            ],
            "opaque": m.shaped(jwt("sfn1"), "event field", "opaque", "JWT"),
            "description": m.shaped(
                card("4716 1089 9971 653"), "event field", "description", "card number"
            ),
            "key_rotation": m.alike("quarterly", "event field", "key_rotation"),
        },
        "previous": {
            "output": text(
                {
                    "signingKey": m.both(
                        pem("sfn2", "PRIVATE" + " KEY", 6),
                        "nested JSON string",
                        "signingKey",
                        "private key",
                    ),
                    "auditor": m.alike("kpmg-like", "nested JSON string", "auditor"),
                    "approvedAt": m.keep(
                        "2024-05-05T05:05:05+02:00", "nested JSON string", "approvedAt"
                    ),
                }
            )
        },
    }
    pay = request(
        "POST",
        "https://bank.example.com/psd2/payments",
        [
            (
                "Authorization",
                "Bearer "
                + m.named("psd2-consent-pine", "outbound header", "Authorization", "access token"),
            ),
            (
                "Digest",
                m.alike(
                    "SHA-256=" + "X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
                    "outbound header",
                    "Digest",
                ),
            ),
            ("Consent-ID", m.keep("consent-4410", "outbound header", "Consent-ID")),
        ],
        text(
            {
                "creditorRef": m.keep("RF18-5390", "outbound body", "creditorRef"),
                "psuPassword": m.named("apple-strudel", "outbound body", "psuPassword", "password"),
            }
        ),
        status=201,
        answer_headers=[
            (
                "X-Access-Token",
                m.both(hexes("nonce", 40), "answer header", "X-Access-Token", "access token"),
            ),
            (
                "Location",
                m.keep("https://bank.example.com/psd2/payments/pmt-1", "answer header", "Location"),
            ),
        ],
        answer_body=text(
            {
                "transactionStatus": m.keep("ACSC", "answer body", "transactionStatus"),
                "scaRedirect": "https://bank.example.com/sca?otp="
                + m.named("902217", "answer body", "otp", "otp"),
            }
        ),
    )
    done = call(
        "stepfunctions",
        "StartExecution",
        {
            "stateMachineArn": m.keep(
                "arn:aws:states:eu-west-1:123456789012:stateMachine:book",
                "AWS parameter",
                "stateMachineArn",
            ),
            "name": m.keep("book-run-17", "AWS parameter", "name"),
            "input": text(
                {
                    "ledger_secret": m.named(
                        "abacus-beads", "AWS parameter", "ledger_secret", "client secret"
                    ),
                    "remark": m.shaped(github("sfn3"), "AWS parameter", "remark", "vendor token"),
                }
            ),
        },
        {
            "executionArn": m.keep(
                "arn:aws:states:eu-west-1:123456789012:execution:book:book-run-17",
                "AWS answer",
                "executionArn",
            )
        },
    )
    return [
        m.planted(
            event,
            requests=[pay],
            aws=[done],
            environment={
                "STORAGE_KEY": m.both(azure("sfn4"), "environment", "STORAGE_KEY", "vendor token"),
                "CACHE": "rediss://default:"
                + m.shaped("Lm8-tango-2x", "environment", "CACHE", "connection string")
                + "@cache.example.net:6380",
                "STATE_MACHINE": m.keep("payout-machine", "environment", "STATE_MACHINE"),
            },
            returned={
                "paymentId": m.keep("pmt-1-result", "result", "paymentId"),
                "idempotencyKey": m.alike(uuid("sfn"), "result", "idempotencyKey"),
                "receiptToken": m.named("ribbon-receipt", "result", "receiptToken", "access token"),
                "log": ["used " + m.shaped(jwt("sfn5"), "result", "log", "JWT")],
            },
        )
    ]
