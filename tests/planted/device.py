"""IoT rules and SES mail."""

from __future__ import annotations

from .codec import text
from .record import Planted, Sheet, call, error
from .vendor import google, hexes, jwt, pem, uuid


def iot() -> Planted:
    m = Sheet("iot-thermostat", "IoT")
    event = {
        "thingName": m.keep("thermostat-0042", "event field", "thingName"),
        "topic": m.keep("devices/0042/telemetry", "event field", "topic"),
        "clientToken": m.alike("shadow-update-12", "event field", "clientToken"),
        "state": {
            "reported": {
                "temperature": m.keep("21.75C", "event field", "temperature"),
                "wifi": {
                    "ssid": m.keep("office-guest", "event field", "ssid"),
                    "psk": m.named("brewed-coffee-88", "event field", "psk", "password"),
                },
                "mqtt_password": m.named(
                    "lemon-sherbet", "event field", "mqtt_password", "password"
                ),
                "doorCode": m.named(8364, "event field", "doorCode", "pin"),
                "cert": m.shaped(pem("iot1", lines=8), "event field", "cert", "private key"),
                "mapsRef": m.shaped(google("iot2"), "event field", "mapsRef", "vendor token"),
                "keypad": m.alike("backlit-on", "event field", "keypad"),
                "firmware": m.alike(hexes("fw", 40), "event field", "firmware"),
            }
        },
        "timestamp": m.keep(1609459200123, "event field", "timestamp"),
        "version": 8,
    }
    create = call(
        "iot",
        "CreateKeysAndCertificate",
        {"setAsActive": True},
        {
            "certificateId": m.alike(hexes("cid", 64), "AWS answer", "certificateId"),
            "keyPair": {
                "PublicKey": m.alike(pem("iotp", "PUBLIC KEY", 3), "AWS answer", "PublicKey"),
                "PrivateKey": m.both(pem("iot3"), "AWS answer", "PrivateKey", "private key"),
            },
        },
    )
    return m.planted(
        event,
        aws=[create],
        environment={
            "IOT_ENDPOINT": m.keep(
                "a1b2c3-ats.iot.eu-west-1.amazonaws.com", "environment", "IOT_ENDPOINT"
            ),
            "FLEET_PROVISIONING_KEY": m.named(
                "pollen-basket", "environment", "FLEET_PROVISIONING_KEY", "api key"
            ),
        },
        returned={
            "shadow": {
                "desired": {
                    "mode": m.keep("eco-night", "result", "mode"),
                    "newPsk": m.named("roasted-barley", "result", "newPsk", "password"),
                }
            }
        },
    )


def mail() -> Planted:
    m = Sheet("ses-inbound", "SES")
    event = {
        "Records": [
            {
                "eventSource": m.keep("aws:ses", "event field", "eventSource"),
                "ses": {
                    "mail": {
                        "messageId": m.keep("o3vrnil0e2ic28tr", "event field", "messageId"),
                        "timestamp": m.keep("1971-01-01T00:00:00.000Z", "event field", "timestamp"),
                        "headers": [
                            {
                                "name": "X-Mailer-Token",
                                "value": m.named(
                                    "carrier-pigeon-7", "header", "X-Mailer-Token", "access token"
                                ),
                            },
                            {
                                "name": "MIME-Version",
                                "value": m.keep("1.0 (mime)", "header", "MIME-Version"),
                            },
                            {
                                "name": "DKIM-Signature",
                                "value": m.alike(
                                    "v=1; a=rsa-sha256; d=example.com; s=mail; bh=Zm9v",
                                    "header",
                                    "DKIM-Signature",
                                ),
                            },
                        ],
                        "commonHeaders": {
                            "subject": "your new token: "
                            + m.both(jwt("ses1"), "free text", "subject", "JWT"),
                            "date": m.keep("Wed, 7 Oct 2015 12:34:56 -0700", "event field", "date"),
                        },
                    },
                    "receipt": {
                        "spamVerdict": {"status": m.keep("PASS", "event field", "status")},
                        "dmarcPolicy": m.keep("reject", "event field", "dmarcPolicy"),
                        "action": {
                            "type": "Lambda",
                            "invocationType": m.keep(
                                "Event-Async", "event field", "invocationType"
                            ),
                        },
                    },
                },
            }
        ]
    }
    send = call(
        "sesv2",
        "SendEmail",
        {
            "Content": {
                "Template": {
                    "TemplateName": m.keep("welcome-mail-3", "AWS parameter", "TemplateName"),
                    "TemplateData": text(
                        {
                            "link": "https://app.example.com/magic?magic_token="
                            + m.named(
                                "abracadabra-5", "AWS parameter", "magic_token", "access token"
                            ),
                            "tempPassword": m.named(
                                "monday-marmalade", "AWS parameter", "tempPassword", "password"
                            ),
                        }
                    ),
                }
            }
        },
        {"MessageId": m.keep("ses-" + uuid("sesm"), "AWS answer", "MessageId")},
    )
    return m.planted(
        event,
        aws=[send],
        environment={
            "SMTP_PASS": m.named("envelope-eggplant", "environment", "SMTP_PASS", "password"),
            "SMTP_URL": "smtps://mailer:"
            + m.both("Gr4vy-boat", "environment", "SMTP_URL", "connection string")
            + "@smtp.example.com:465",
        },
        raised=error(
            "RuntimeError",
            "535 authentication failed, sent AUTH PLAIN "
            + m.shaped("AG1haWxlcgBzdGFtcC1jb2xsZWN0b3I=", "error text", "", "basic credentials"),
            'smtp.login("mailer", "'
            + m.named("stamp-album-4", "traceback", "login", "password")
            + '")',
        ),
    )


def build() -> list[Planted]:
    return [iot(), mail()]
