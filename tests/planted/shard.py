"""Kinesis records and Firehose transformation."""

from __future__ import annotations

from .codec import pack, text, wrap
from .record import Planted, Sheet, call, error
from .vendor import card, google, jwt, slack, uuid


def stream() -> Planted:
    m = Sheet("kinesis-click-stream", "Kinesis")
    first = {
        "event": m.keep("page_view", "Kinesis", "event"),
        "userId": m.keep("u-5522", "Kinesis", "userId"),
        "url": "https://app.example.com/reset?code="
        + m.named("reset-larch-9", "Kinesis", "code", "reset token"),
        "ts": m.keep(1607497475000, "Kinesis", "ts"),
        "device_pin": m.named(604418, "Kinesis", "device_pin", "pin"),
        "session": {
            "sid": m.keep("view-only-1", "Kinesis", "view"),
            "bearer": m.both(jwt("kin1"), "Kinesis", "bearer", "JWT"),
        },
        "typed": m.shaped(card("400000000123456"), "Kinesis", "typed", "card number"),
        "ctx": m.shaped(jwt("kin4"), "Kinesis", "ctx", "JWT"),
        "tokenCount": m.alike(57713, "Kinesis", "tokenCount"),
    }
    second = text(
        {
            "level": "info",
            "hasło": m.named("zupa-ogórkowa", "Kinesis", "hasło", "password"),
            "kolor": m.keep("zielony", "Kinesis", "kolor"),
        }
    )
    line = (
        "2024-06-01 INFO login user=7 passwd="
        + m.named("lilac-lane", "Kinesis", "passwd", "password")
        + " result="
        + m.keep("accepted-ok", "Kinesis", "result")
    )
    event = {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": m.alike(f"pk-user-552{place}", "event field", "partitionKey"),
                    "sequenceNumber": m.keep(
                        f"4959033827149025660855969253836157109592157598913658889{place}",
                        "event field",
                        "sequenceNumber",
                    ),
                    "data": wrap(data),
                    "approximateArrivalTimestamp": 1545084650.987,
                },
                "eventSource": "aws:kinesis",
                "eventID": f"shardId-00000000000{place}",
                "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/clicks",
            }
            for place, data in enumerate(
                [
                    text(first).encode(),
                    second.encode(),
                    line.encode(),
                    pack(
                        text(
                            {
                                "k": m.shaped(google("kin2"), "gzip", "k", "vendor token"),
                                "agent": m.keep("firefox-127", "gzip", "agent"),
                            }
                        )
                    ),
                ]
            )
        ]
    }
    put = call(
        "kinesis",
        "PutRecord",
        {
            "StreamName": m.keep("clean-clicks", "AWS parameter", "StreamName"),
            "PartitionKey": m.alike("pk-out-1", "AWS parameter", "PartitionKey"),
            "Data": text(
                {"wachtwoord": m.named("stroopwafel-3", "AWS parameter", "wachtwoord", "password")}
            ),
        },
        {
            "ShardId": m.keep("shardId-000000000007", "AWS answer", "ShardId"),
            "SequenceNumber": "495903382",
        },
    )
    return m.planted(
        event,
        aws=[put],
        environment={"STREAM": m.keep("clicks-eu", "environment", "STREAM")},
        raised=error(
            "KeyError",
            "no consumer for " + m.shaped(slack("kin3"), "error text", "", "vendor token"),
            'consumer = Consumer(token="'
            + m.named("weasel-word", "traceback", "token", "access token")
            + '")',
        ),
    )


def firehose() -> Planted:
    m = Sheet("firehose-transform", "Firehose")
    row = {
        "orderRef": m.keep("FH-1001", "Kinesis", "orderRef"),
        "api_key": m.both(google("hose2"), "Kinesis", "api_key", "api key"),
        "national_insurance": m.both("QQ123456C", "Kinesis", "national_insurance", "national id"),
        "quantity": m.keep(1450, "Kinesis", "quantity"),
    }
    event = {
        "invocationId": m.keep(uuid("hose"), "event field", "invocationId"),
        "region": "eu-west-1",
        "deliveryStreamArn": m.keep(
            "arn:aws:firehose:eu-west-1:123456789012:deliverystream/orders",
            "event field",
            "deliveryStreamArn",
        ),
        "records": [
            {"recordId": m.keep("record-fh-1", "event field", "recordId"), "data": wrap(text(row))}
        ],
    }
    out = {
        "orderRef": "FH-1001",
        "masked": m.keep("yes-done", "result", "masked"),
        "ingestToken": m.both(jwt("hose1"), "result", "ingestToken", "JWT"),
    }
    return m.planted(
        event,
        returned={
            "records": [{"recordId": "record-fh-1", "result": "Ok", "data": wrap(text(out) + "\n")}]
        },
    )


def build() -> list[Planted]:
    return [stream(), firehose()]
