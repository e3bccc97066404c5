"""A function built with Powertools: captured by the real client, replayed by both engines."""

import json
from pathlib import Path

import pytest
from conftest import SHARED_EVENTS

pytest.importorskip("awslambdaric")
pytest.importorskip("aws_lambda_powertools")

APP = '''
"""Orders over HTTP and a queue, with Powertools' event handler, parser, batch and idempotency."""

import datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor, EventType, process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError, IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import (
    BasePersistenceLayer, DataRecord,
)
from aws_lambda_powertools.utilities.parser import BaseModel, ValidationError, parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from replay import capture

logger, tracer = Logger(service="orders"), Tracer(service="orders", disabled=True)
metrics = Metrics(namespace="shop", service="orders")
app, processor = APIGatewayHttpResolver(), BatchProcessor(event_type=EventType.SQS)


class Local(BasePersistenceLayer):
    """Records in memory, as long as the sandbox lives."""

    def __init__(self):
        self.records = {}
        super().__init__()

    def _get_record(self, idempotency_key):
        try:
            return self.records[idempotency_key]
        except KeyError:
            raise IdempotencyItemNotFoundError from None

    def _put_record(self, data_record):
        if data_record.idempotency_key in self.records:
            raise IdempotencyItemAlreadyExistsError(
                old_data_record=self.records[data_record.idempotency_key]
            )
        self.records[data_record.idempotency_key] = data_record

    def _update_record(self, data_record):
        self.records[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record):
        del self.records[data_record.idempotency_key]


local, config = Local(), IdempotencyConfig(event_key_jmespath="number")


class Order(BaseModel):
    number: int
    items: list[str]


@idempotent_function(data_keyword_argument="order", persistence_store=local, config=config)
def charge(order: dict[str, Any]) -> dict[str, Any]:
    metrics.add_metric(name="Charged", unit="Count", value=1)
    return {"charged": order["number"], "items": len(order["items"])}


@app.post("/orders")
@tracer.capture_method
def post_order():
    order = parse(model=Order, event=app.current_event.json_body)
    first = charge(order=order.model_dump())
    return {"first": first, "again": charge(order=order.model_dump())}, 201


@app.get("/orders/<number>")
def get_order(number: int):
    if int(number) > 100:
        raise NotFoundError(f"no order {number}")
    return Response(200, "text/plain", f"order {number}", cookies=[])


@app.exception_handler(ValidationError)
def refuse(error: ValidationError):
    return Response(400, "application/json", {"wrong": [e["loc"] for e in error.errors()]})


@tracer.capture_method
def take(record: SQSRecord):
    return parse(model=Order, event=record.json_body).number


@capture
@metrics.log_metrics
@logger.inject_lambda_context(log_event=True)
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    if "Records" in event:
        return process_partial_response(
            event=event, record_handler=take, processor=processor, context=context
        )
    return app.resolve(event, context)
'''
HTTP = {
    "version": "2.0",
    "headers": {"content-type": "application/json"},
    "requestContext": {"http": {"method": "POST", "path": "/orders"}, "stage": "$default"},
    "rawPath": "/orders",
    "isBase64Encoded": False,
}


def http(method: str, path: str, body: object = None) -> dict[str, object]:
    context = {"http": {"method": method, "path": path}, "stage": "$default"}
    return {**HTTP, "requestContext": context, "rawPath": path, "body": json.dumps(body)}


def sqs(*bodies: object) -> dict[str, object]:
    records = [
        {
            "messageId": f"m-{number}",
            "body": json.dumps(body),
            "eventSource": "aws:sqs",
            "attributes": {},
            "messageAttributes": {},
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


ORDER = {"number": 7, "items": ["tea"]}
EVENTS = {
    "a new order": (http("POST", "/orders", ORDER), 201),
    "an order without items": (http("POST", "/orders", {"number": 7}), 400),
    "an order found": (http("GET", "/orders/17"), 200),
    "an order not found": (http("GET", "/orders/170"), 404),
    "a path that is none": (http("DELETE", "/nothing"), 404),
    "a batch with one failure": (sqs(ORDER, {"number": "x"}, ORDER), None),
    "a batch that fails whole": (sqs({}, {}), "BatchProcessingError"),
}


@pytest.mark.slow
def test_a_function_with_powertools_is_captured_and_replayed_in_both_engines(
    project, runtime, replay
):
    """Event handler, parser, batch, idempotency, logger, metrics; the tracer is off."""
    Path(project, "app.py").write_text(APP)
    process = runtime(POWERTOOLS_TRACE_DISABLED="true")
    for name, (event, expected) in EVENTS.items():
        answer = process.invoke(event).value
        found = answer.get("statusCode", answer.get("errorType"))
        assert expected == found, (name, answer)
    assert process.invoke(sqs(ORDER, {}, ORDER)).value == {
        "batchItemFailures": [{"itemIdentifier": "m-1"}]
    }
    count = len(EVENTS) + 1 + shared(process)

    for engine in ("builtin", "ric"):
        done = replay("run", "--json", "--runtime", engine)
        verdicts = json.loads(done.stdout)
        assert count == len(verdicts)
        assert [v["differences"] for v in verdicts if v["verdict"] != "match"] == []
        assert done.returncode == 0


def shared(process) -> int:
    """Send the HTTP and queue events of others, which the function does not know either."""
    paths = [
        path
        for pattern in ("*apigw-http*.json", "*sqs__base.json", "*lambda__get*.json")
        for path in sorted(SHARED_EVENTS.rglob(pattern))
    ]
    for path in paths:
        process.invoke(json.loads(path.read_text()))
    return len(paths)
