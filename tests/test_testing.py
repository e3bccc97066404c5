"""What `replay.testing` gives to tests that have no recording."""

import importlib
from pathlib import Path

import pytest
from aws_lambda_powertools.utilities.parser import models

import replay
from replay import testing
from replay.event import source_of
from replay.testing import (
    LambdaContext,
    api_gateway_event,
    eventbridge_event,
    http_api_event,
    s3_event,
    sns_event,
    sqs_event,
)

EVENTS = [
    (api_gateway_event("POST", "/orders", body={"a": 1}), "APIGatewayProxyEventModel"),
    (
        api_gateway_event("GET", "/", query={"q": "x"}, headers={"A": "b"}),
        "APIGatewayProxyEventModel",
    ),
    (http_api_event("POST", "/orders", body={"a": 1}), "APIGatewayProxyEventV2Model"),
    (http_api_event("GET", "/a b", query={"q": "x y"}), "APIGatewayProxyEventV2Model"),
    (sqs_event({"a": 1}, "text"), "SqsModel"),
    (sqs_event(1, group="g"), "SqsModel"),
    (sns_event({"a": 1}, subject="s"), "SnsModel"),
    (s3_event("a b/c.csv"), "S3Model"),
    (eventbridge_event(), "EventBridgeModel"),
    (eventbridge_event("OrderPlaced", {"id": 1}, source="shop"), "EventBridgeModel"),
]


@pytest.mark.parametrize(
    ("event", "model"), EVENTS, ids=lambda it: it if isinstance(it, str) else ""
)
def test_an_event_is_laid_out_as_others_have_written_down_that_aws_does(event, model):
    """By the models of Powertools, which know nothing of us; and it is known by its source."""
    getattr(models, model).model_validate(event)
    assert source_of(event) is not None


def test_a_model_refuses_what_is_no_such_event():
    """Positive control."""
    with pytest.raises(ValueError, match="validation error"):
        models.SqsModel.model_validate(api_gateway_event())


def test_a_context_has_what_aws_documents():
    """And runs out of time by the wall clock."""
    context = LambdaContext(
        "orders",
        alias="live",
        remaining_ms=50,
        memory_limit_in_mb=512,
        client_context={"custom": {"a": 1}, "env": {}, "client": None},
        identity={"cognito_identity_id": "i", "cognito_identity_pool_id": "p"},
    )
    assert (context.function_name, context.memory_limit_in_mb) == ("orders", "512")
    assert context.invoked_function_arn.endswith(":function:orders:live")
    assert context.client_context.custom == {"a": 1}
    assert context.identity.cognito_identity_id == "i"
    assert 0 < context.get_remaining_time_in_millis() <= 50
    assert "aws_request_id=" in repr(context)
    with pytest.raises(AttributeError):
        _ = LambdaContext().no_such_attribute


def test_every_public_name_is_there_and_the_package_says_that_it_is_typed():
    """Names are loaded as they are used."""
    for name in testing.__all__:
        assert getattr(importlib.import_module("replay.testing"), name) is not None
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = testing.nothing_of_the_kind
    assert Path(replay.__file__).with_name("py.typed").exists()
