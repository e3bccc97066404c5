"""The source of an event, held against events of every source that this project knows well.

The events are this project's own, in `fixtures/events`, written after the shapes that AWS
documents; `SOURCES` says what each of them is.
"""

import json
from pathlib import Path

import pytest

from replay.event import source_of

EVENTS = Path(__file__).parent.parent / "fixtures" / "events"
SOURCES = {
    "alb-multi-value-headers": "aws:elb",
    "alb-single-value-headers": "aws:elb",
    "amazonmq-rabbitmq": "aws:rmq",
    "apigateway-authorizer-http-api": "aws:apigateway-authorizer",
    "apigateway-authorizer-request": "aws:apigateway-authorizer",
    "apigateway-authorizer-token": "aws:apigateway-authorizer",
    "apigateway-authorizer-websocket": "aws:apigateway-authorizer",
    "apigateway-http-api": "aws:apigateway-http",
    "apigateway-rest-proxy": "aws:apigateway",
    "apigateway-websocket-connect": "aws:apigateway-websocket",
    "apigateway-websocket-message": "aws:apigateway-websocket",
    "appsync-direct-resolver": "aws:appsync",
    "bedrock-agent": "aws:bedrock-agent",
    "cloudformation-custom-resource": "aws:cloudformation",
    "cloudfront-viewer-request": "aws:cloudfront",
    "cloudwatch-logs-subscription": "aws:logs",
    "codepipeline-job": "aws:codepipeline",
    "cognito-pre-sign-up": "aws:cognito-idp",
    "config-rule": "aws:config",
    "connect-contact-flow": "aws:connect",
    "dynamodb-stream": "aws:dynamodb",
    "eventbridge-custom": "aws:events",
    "firehose-transformation": "aws:firehose",
    "kinesis-stream": "aws:kinesis",
    "lambda-function-url": "aws:lambda-url",
    "lex-v2": "aws:lex",
    "msk-kafka": "aws:kafka",
    "s3-batch": "aws:s3-batch",
    "s3-eventbridge": "aws:events",
    "s3-object-lambda": "aws:s3-object-lambda",
    "s3-put": "aws:s3",
    "scheduled-event": "aws:events",
    "ses-receipt": "aws:ses",
    "sns-notification": "aws:sns",
    "sqs-batch": "aws:sqs",
    "step-functions-task": None,
}


def read(slug):
    return json.loads((EVENTS / f"{slug}.json").read_text(encoding="ascii"))


@pytest.mark.parametrize("slug", SOURCES)
def test_an_event_is_recognised_by_its_shape(slug):
    """Every event file has the source that the table says; a plain object has none."""
    expected = SOURCES[slug]
    actual = source_of(read(slug))
    assert expected == actual


def test_every_event_file_is_in_the_table_and_every_entry_has_its_file():
    """A new event file needs its line in the table, and a line its file."""
    expected = sorted(SOURCES)
    actual = sorted(path.stem for path in EVENTS.iterdir())
    assert expected == actual


@pytest.mark.parametrize("slug", SOURCES)
def test_an_event_file_is_ascii_json_indented_by_two_with_one_line_feed_at_the_end(slug):
    """The files are written one way, so that a change to one of them reads as a small diff."""
    expected = json.dumps(read(slug), indent=2) + "\n"
    actual = (EVENTS / f"{slug}.json").read_bytes().decode("ascii")
    assert expected == actual


def test_an_sqs_batch_is_recognised_by_its_records_not_by_what_they_carry():
    """An SNS notification, or a whole event, inside a body does not change whose event it is."""
    batch = read("sqs-batch")
    batch["Records"][0]["body"] = json.dumps(read("s3-put"))
    expected = "aws:sqs"
    actual = source_of(batch)
    assert expected == actual


@pytest.mark.parametrize("event", [None, True, 1.5, "Records", b"Records", [], [{"Records": []}]])
def test_an_event_that_is_no_object_has_no_source(event):
    """Lambda takes any JSON, and a test any value: what is no object comes from nowhere known."""
    expected = None
    actual = source_of(event)
    assert expected == actual


@pytest.mark.parametrize("event", [{}, {"key": "value"}, {1: 2}, {"detail": {}}, {"records": []}])
def test_an_object_of_no_known_shape_has_no_source(event):
    """An object that lacks any of a shape's keys is not taken for that shape."""
    expected = None
    actual = source_of(event)
    assert expected == actual


@pytest.mark.parametrize("records", [None, 7, "text", {}, [], [None], ["text", {}], [[]], [7]])
def test_records_that_are_not_a_list_of_objects_have_no_source(records):
    """`Records` alone proves nothing: only an object in a list of them can name its source."""
    expected = None
    actual = source_of({"Records": records})
    assert expected == actual


@pytest.mark.parametrize("record", [{}, {"eventSource": None}, {"eventSource": 7}, {"Sns": {}}])
def test_a_record_that_names_no_source_has_none(record):
    """A record's source is the text in its event source, and nothing is guessed without one."""
    expected = None
    actual = source_of({"Records": [record]})
    assert expected == actual


@pytest.mark.parametrize("context", [None, 7, "elb", ["elb"], {}, {"http": None}, {"stage": "$"}])
def test_a_request_context_of_no_known_shape_has_no_source(context):
    """A request context that no AWS front end sends is not taken for one of theirs."""
    expected = None
    actual = source_of({"requestContext": context})
    assert expected == actual
