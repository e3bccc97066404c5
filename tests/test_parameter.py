"""What is kept of the parameters of AWS calls: messages are, what lets somebody in is not."""

import botocore.session
import pytest

from replay.recorder.outbound.parameter import kept_parameters, tells

SESSION = botocore.session.get_session()
SECRET = b'{"amount": 10, "password": "planted-1"}'


def kept(service, operation, **parameters):
    """What is kept of a call, by botocore's own models."""
    shape = SESSION.get_service_model(service).operation_model(operation).input_shape
    return kept_parameters(parameters, shape, is_told=tells(service, operation, parameters))


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("lambda", "Invoke", {"FunctionName": "f", "Payload": b'{"amount": 10}'}),
        ("stepfunctions", "StartExecution", {"input": '{"amount": 10}'}),
        ("stepfunctions", "SendTaskFailure", {"error": "E", "cause": "too much"}),
        ("bedrock-runtime", "InvokeModel", {"modelId": "m", "body": '{"prompt": "refund"}'}),
        ("ssm", "PutParameter", {"Name": "/limit", "Value": "30", "Type": "String"}),
    ],
)
def test_what_a_program_says_to_another_is_kept(service, operation, parameters):
    """Though botocore calls it sensitive: a change in it is what a replay is to find."""
    assert parameters == kept(service, operation, **parameters)


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("ssm", "PutParameter", {"Value": "planted-1", "Type": "SecureString"}),
        ("ssm", "PutParameter", {"Value": "planted-1"}),
        ("secretsmanager", "PutSecretValue", {"SecretString": "planted-1"}),
        ("kms", "Encrypt", {"Plaintext": b"planted-1"}),
        ("cognito-idp", "InitiateAuth", {"AuthParameters": {"PASSWORD": "planted-1"}}),
        ("stepfunctions", "SendTaskSuccess", {"taskToken": "planted-1", "output": "{}"}),
        (
            "lambda",
            "UpdateFunctionConfiguration",
            {"Environment": {"Variables": {"A": "planted-1"}}},
        ),
        ("lambda", "Invoke", {"Payload": SECRET}),
        ("lambda", "Invoke", {"Payload": b" " + SECRET}),
        ("lambda", "Invoke", {"Payload": SECRET.decode()}),
        ("stepfunctions", "StartExecution", {"input": SECRET.decode()}),
    ],
)
def test_what_lets_somebody_in_is_withheld(service, operation, parameters):
    """By the model, by its name, and in the JSON of a message; what stands beside it stays."""
    found = str(kept(service, operation, **parameters))
    assert "planted-1" not in found
    assert "replay-withheld" in found
    assert ("amount" in found) == ("amount" in str(parameters))
