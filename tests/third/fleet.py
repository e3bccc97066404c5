"""Overlandt: telematics boxes in lorries and cold stores; provisioning, telemetry, firmware."""

from __future__ import annotations

from typing import List

from .forge import b64, digits, dumps, hexed, jwt, noise, pan, pem, uuid
from .sheet import Planted, Sheet, boto, http


def build() -> list[Planted]:
    return [provision(), stream(), firehose(), stack()]


def provision() -> Planted:
    """A new box reports for duty."""
    s = Sheet("fleet-provision", "IoT")
    key, line = pem("fleet/ec", "EC PRIVATE KEY", 3)
    s.both(line, "AWS answer", "keyPair.PrivateKey", "private key")
    event = {
        "topic": s.keep("fleet/provision/request", "event field", "topic"),
        "clientId": s.alike("box-" + hexed("fleet/client", 16), "event field", "clientId"),
        "imei": s.alike("35" + digits("fleet/imei", 13), "event field", "imei"),
        "firmware": s.keep("OVL-5.2.19", "event field", "firmware"),
        "battery": s.keep("12.61", "event field", "battery"),
        "wifi": {
            "ssid": s.keep("Depot-Gent-2", "event field", "wifi.ssid"),
            "psk": s.name("wafels met slagroom", "event field", "wifi.psk", "password"),
            "encryption": s.alike("WPA3-SAE", "event field", "wifi.encryption"),
        },
        "sim": {
            "iccid": s.alike("8932" + digits("fleet/iccid", 15), "event field", "sim.iccid"),
            "puk": s.name("61840277", "event field", "sim.puk", "pin"),
            "apn": s.keep("m2m.overlandt", "event field", "sim.apn"),
            "apnPassword": s.name("frietkot", "event field", "sim.apnPassword", "password"),
        },
        "claimToken": s.both(
            "ovl_claim_" + noise("fleet/claim", 40), "event field", "claimToken", "access token"
        ),
        "diag": "mqtt://box:"
        + s.shape("Leie3Schelde", "event field", "diag", "connection string")
        + "@broker.overlandt.example:1883",
    }
    calls = [
        boto(
            "iot",
            "CreateKeysAndCertificate",
            {"setAsActive": True},
            {
                "certificateId": s.alike(hexed("fleet/cert", 64), "AWS answer", "certificateId"),
                "keyPair": {
                    "PublicKey": "-----BEGIN PUBLIC KEY-----\n"
                    + s.alike(
                        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" + noise("fleet/pub", 32),
                        "AWS answer",
                        "keyPair.PublicKey",
                    )
                    + "\n-----END PUBLIC KEY-----\n",
                    "PrivateKey": key,
                },
            },
        ),
        boto(
            "iot-data",
            "Publish",
            {
                "topic": s.keep("fleet/provision/accepted", "AWS parameter", "topic"),
                "payload": dumps(
                    {
                        "uplink": "amqp://ovl0091:"
                        + s.shape(
                            "Stoofvlees8", "AWS parameter", "payload.uplink", "connection string"
                        )
                        + "@mq.overlandt.example/fleet",
                        "interval": "60s",
                        "depot": s.keep("Gent-Noord", "AWS parameter", "payload.depot"),
                        "bearer": s.both(
                            jwt("fleet/boxjwt", {"box": "OVL-0091"}),
                            "AWS parameter",
                            "payload.bearer",
                            "JWT",
                        ),
                    }
                ),
            },
            {},
        ),
    ]
    return s.done(
        event,
        aws=calls,
        returned={
            "thing": s.keep("OVL-0091", "result", "thing"),
            "policy": s.keep("box-default", "result", "policy"),
            "bootstrap": s.shape(
                jwt("fleet/boot", {"thing": "OVL-0091", "once": True}), "result", "bootstrap", "JWT"
            ),
        },
        environment={
            "DEVICE_ROOT_KEY": s.name(
                hexed("fleet/root", 64), "environment", "DEVICE_ROOT_KEY", "encryption key"
            ),
            "CERT_PROFILE": s.keep("box-2025", "environment", "CERT_PROFILE"),
            "MAPS": s.shape(
                "sk."
                + "eyJ1Ijoib3ZlcmxhbmR0IiwiYSI6"
                + noise("fleet/mb1", 32)
                + "."
                + noise("fleet/mb2", 22),
                "environment",
                "MAPS",
                "vendor token",
            ),
        },
    )


def stream() -> Planted:
    """Fuel cards and trips arrive from Kafka."""
    s = Sheet("fleet-trips", "Kafka (MSK)")
    one = {
        "trip": s.keep("GENT-LYON-7731", "Kafka record", "trip"),
        "odometer": s.keep("418220 km", "Kafka record", "odometer"),
        "fuelCard": {
            "number": s.shape(
                pan("fleet/fuel", "5573"), "Kafka record", "fuelCard.number", "card number"
            ),
            "pin": s.name("2980", "Kafka record", "fuelCard.pin", "pin"),
            "brand": s.keep("DieselUnie", "Kafka record", "fuelCard.brand"),
        },
        "tachographUnit": s.alike(
            "B" + digits("fleet/tacho", 15), "Kafka record", "tachographUnit"
        ),
        "nationalRegisterNumber": s.name(
            "85.07.30-033.28", "Kafka record", "nationalRegisterNumber", "national id"
        ),
    }
    two = {
        "trip": "LYON-TORINO-7732",
        "note": "tol-portaal login chauffeur3 / wachtwoord: "
        + s.name("duivenmelker", "Kafka record", "note (wachtwoord:)", "password"),
        "hop": s.shape(
            "tskey" + "-auth-" + noise("fleet/ts1", 17) + "-" + noise("fleet/ts2", 32),
            "Kafka record",
            "hop",
            "vendor token",
        ),
        "keyPosition": s.keep("ignition-2", "Kafka record", "keyPosition"),
    }

    def record(offset: int, data: object) -> dict:
        return {
            "topic": "trips",
            "partition": 0,
            "offset": offset,
            "timestamp": 1761996000000 + offset,
            "timestampType": "CREATE_TIME",
            "key": b64("OVL-00%d" % offset),
            "value": b64(dumps(data)),
            "headers": [{"source": list(b"box")}],
        }

    event = {
        "eventSource": "aws:kafka",
        "eventSourceArn": s.keep(
            "arn:aws:kafka:eu-west-3:910044527316:cluster/trips/7c1e-4",
            "event field",
            "eventSourceArn",
        ),
        "bootstrapServers": s.keep(
            "b-1.trips.k9.kafka.eu-west-3.amazonaws.com:9098", "event field", "bootstrapServers"
        ),
        "records": {"trips-0": [record(51, one), record(52, two)]},
    }
    toll = http(
        "POST",
        "https://tol.wegbeheer.example/api/trips",
        [
            ("apikey", s.name(uuid("fleet/toll"), "outbound header", "apikey", "api key")),
            ("X-Depot", s.keep("BE-GNT", "outbound header", "X-Depot")),
        ],
        dumps(
            {
                "country": s.keep("Belgique", "outbound body", "country"),
                "note": "fallback "
                + s.shape(
                    "AI" + "za" + noise("fleet/aiza", 35), "outbound body", "note", "api key"
                ),
            }
        ),
        200,
        [
            (
                "Authorization-Renewal",
                s.both(
                    jwt("fleet/renew", {"toll": 1}), "answer header", "Authorization-Renewal", "JWT"
                ),
            )
        ],
        dumps(
            {
                "receipt": s.alike("TR" + digits("fleet/receipt", 14), "answer body", "receipt"),
                "zone": s.keep("Île-de-France", "answer body", "zone"),
            }
        ),
    )
    return s.done(
        event,
        requests=[toll],
        returned={"processed": 2, "lag": s.keep("0.4 s", "result", "lag")},
        environment={
            "KAFKA_SASL_PASSWORD": s.both(
                noise("fleet/sasl", 32), "environment", "KAFKA_SASL_PASSWORD", "password"
            ),
            "KAFKA_KEY_SERIALIZER": s.alike(
                "StringSerializer", "environment", "KAFKA_KEY_SERIALIZER"
            ),
        },
    )


def firehose() -> Planted:
    """Telemetry is cleaned on its way to the lake."""
    s = Sheet("fleet-lake", "Firehose")
    rows = [
        {
            "box": s.keep("OVL-0417", "base64 body", "box"),
            "temp": s.keep("-18.4", "base64 body", "temp"),
            "debug": {
                "uri": "https://box0417:"
                + s.shape("Pekelharing4", "base64 body", "debug.uri", "basic credentials")
                + "@update.overlandt.example/fw",
                "etag": s.alike(hexed("fleet/fw", 20), "base64 body", "debug.etag"),
            },
        },
        {
            "box": "OVL-0418",
            "cmd": s.keep("reboot --soft", "base64 body", "cmd"),
            "adminPassword": s.name("mosselpan", "base64 body", "adminPassword", "password"),
            "blob": s.shape(
                jwt("fleet/blob", {"box": "OVL-0418", "cap": ["ota"]}, "ES256"),
                "base64 body",
                "blob",
                "JWT",
            ),
            "lora": {
                "devEui": s.alike(hexed("fleet/eui", 16), "base64 body", "lora.devEui"),
                "appKey": s.name(
                    hexed("fleet/appkey", 32), "base64 body", "lora.appKey", "encryption key"
                ),
            },
        },
    ]
    event = {
        "invocationId": s.alike(uuid("fleet/inv"), "event field", "invocationId"),
        "deliveryStreamArn": s.keep(
            "arn:aws:firehose:eu-west-3:910044527316:deliverystream/lake",
            "event field",
            "deliveryStreamArn",
        ),
        "region": "eu-west-3",
        "records": [
            {
                "recordId": s.alike("4964" + digits("fleet/rec", 52), "event field", "recordId")
                if at == 0
                else digits("fleet/rec1", 56),
                "approximateArrivalTimestamp": 1761996100000 + at,
                "data": b64(dumps(row)),
            }
            for at, row in enumerate(rows)
        ],
    }
    return s.done(
        event,
        returned={
            "records": [
                {
                    "recordId": "r1",
                    "result": s.keep("ProcessingFailed", "result", "records.result"),
                    "data": b64(
                        dumps(
                            {
                                "status": s.keep("quarantined", "result", "records.data.status"),
                                "origin": s.shape(
                                    jwt("fleet/origin", {"box": "OVL-0418", "hop": 2}),
                                    "result",
                                    "records.data.origin",
                                    "JWT",
                                ),
                                "src": s.shape(
                                    "da" + "pi" + hexed("fleet/dapi", 32),
                                    "result",
                                    "records.data.src",
                                    "vendor token",
                                ),
                            }
                        )
                    ),
                }
            ]
        },
        environment={
            "DATABRICKS_TOKEN": s.both(
                "da" + "pi" + hexed("fleet/dapi2", 32) + "-3",
                "environment",
                "DATABRICKS_TOKEN",
                "vendor token",
            ),
            "LAKE_TABLE": s.keep("bronze.telemetry", "environment", "LAKE_TABLE"),
        },
    )


def stack() -> Planted:
    """A custom resource creates the user of the time series database."""
    s = Sheet("fleet-db-user-resource", "CloudFormation")
    url = (
        "https://cloudformation-custom-resource-response-euwest3.s3.eu-west-3.amazonaws.com/arn%3Aaws%3Acloudformation?X-Amz-Security-Token="
        + s.both(
            "IQoJb3JpZ2luX2Vj" + noise("fleet/cfst", 180),
            "event field",
            "ResponseURL X-Amz-Security-Token",
            "AWS session token",
        )
        + "&X-Amz-Expires=7200&X-Amz-Signature="
        + s.both(
            hexed("fleet/cfsig", 64), "event field", "ResponseURL X-Amz-Signature", "signed url"
        )
    )
    event = {
        "RequestType": s.keep("Create", "event field", "RequestType"),
        "ServiceToken": s.alike(
            "arn:aws:lambda:eu-west-3:910044527316:function:tsdb-user",
            "event field",
            "ServiceToken",
        ),
        "ResponseURL": url,
        "StackId": s.keep(
            "arn:aws:cloudformation:eu-west-3:910044527316:stack/tsdb/2025",
            "event field",
            "StackId",
        ),
        "RequestId": uuid("fleet/cfrq"),
        "LogicalResourceId": s.keep("TsdbUser", "event field", "LogicalResourceId"),
        "ResourceType": "Custom::TsdbUser",
        "ResourceProperties": {
            "Username": s.keep("grafana_ro", "event field", "ResourceProperties.Username"),
            "Password": s.name(
                "geuze-lambiek", "event field", "ResourceProperties.Password", "password"
            ),
            "PasswordLength": s.keep(
                "16 chars", "event field", "ResourceProperties.PasswordLength"
            ),
            "Dashboard": s.shape(
                "gl" + "sa_" + noise("fleet/glsa", 32) + "_" + hexed("fleet/glsa2", 8),
                "event field",
                "ResourceProperties.Dashboard",
                "vendor token",
            ),
        },
    }
    influx = http(
        "POST",
        "https://tsdb.overlandt.example/api/v2/users?org="
        + s.keep("overlandt-ops", "outbound url", "org")
        + "&apitoken="
        + s.both(noise("fleet/influx", 86), "outbound url", "apitoken", "access token")
        + "%3D%3D",
        [
            (
                "X-Grafana-Source",
                s.shape(
                    "gl" + "c_" + noise("fleet/glc", 88),
                    "outbound header",
                    "X-Grafana-Source",
                    "vendor token",
                ),
            )
        ],
        dumps({"name": "grafana_ro"}),
        201,
        [],
        dumps(
            {
                "links": {"self": s.keep("/api/v2/users/0a91", "answer body", "links.self")},
                "password": s.name("witbier2025", "answer body", "password", "password"),
            }
        ),
    )
    return s.done(
        event,
        requests=[influx],
        returned={
            "PhysicalResourceId": s.keep("tsdb-user-grafana_ro", "result", "PhysicalResourceId"),
            "Data": {
                "ConnectionString": "postgresql://grafana_ro:"
                + s.both("Kriek55Lambik", "result", "Data.ConnectionString", "connection string")
                + "@tsdb.internal/metrics"
            },
            "NoEcho": True,
        },
    )
