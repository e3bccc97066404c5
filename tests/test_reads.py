"""Which operations are reads: laws over every model of the installed botocore, and known cases."""

import functools
from collections.abc import Iterator
from typing import Any

import pytest

from replay.recorder.outbound.reads import _READS, _WRITES, is_read, judged

MISLABELLED = {
    "deadline StartSessionsStatisticsAggregation": "starts an aggregation",
    "ivs BatchStartViewerSessionRevocation": "revokes sessions",
    "ivs StartViewerSessionRevocation": "revokes a session",
    "networkflowmonitor StartQueryWorkloadInsightsTopContributors": "starts a query",
    "networkflowmonitor StartQueryWorkloadInsightsTopContributorsData": "starts a query",
    "networkflowmonitor StopQueryWorkloadInsightsTopContributors": "stops a query",
    "networkflowmonitor StopQueryWorkloadInsightsTopContributorsData": "stops a query",
}
"""Operations whose model says readonly, and why they are no reads."""
CREDENTIALS = {"s3 CreateSession": "botocore asks for credentials of S3 Express with it"}
CHANGES = (
    "Put Create Delete Update Send Publish Start Stop BatchWrite BatchPut BatchDelete BatchUpdate "
    "TransactWrite AdminCreate AdminDelete AdminUpdate AdminSet Receive Invoke Terminate Modify "
    "Associate Attach Register Remove Set Tag Untag Cancel Revoke Poll"
)


@functools.cache
def operations() -> tuple[tuple[str, str, str | None, dict[str, Any]], ...]:
    """Every operation of the installed models: service, name, HTTP method, traits."""
    return tuple(_operations())


def _operations() -> Iterator[tuple[str, str, str | None, dict[str, Any]]]:
    session = pytest.importorskip("botocore.session").get_session()
    loader = session.get_component("data_loader")
    for service in loader.list_available_services("service-2"):
        model = loader.load_service_model(service, "service-2")
        for name, traits in model["operations"].items():
            yield service, name, traits.get("http", {}).get("method"), traits


def begins(name: str, verb: str) -> bool:
    return name.startswith(verb) and not name[len(verb) : len(verb) + 1].islower()


@pytest.mark.long
def test_the_laws_hold_for_every_operation_of_the_installed_models():
    """A model's readonly is believed but where it is wrong; nothing that says it changes is read.

    One test, because loading all models takes seconds.
    """
    found = {f"{s} {n}": judged(s, n, m, t) for s, n, m, t in operations()}
    assert len(found) > 10_000
    assert (_READS | _WRITES) - found.keys() == set()

    readonly = {f"{s} {n}" for s, n, _, t in operations() if t.get("readonly")}
    assert {name for name in readonly if not found[name][0]} <= MISLABELLED.keys()

    changing = {
        f"{s} {n}" for s, n, _, _ in operations() if any(begins(n, v) for v in CHANGES.split())
    }
    assert {name for name in changing if found[name][0]} == CREDENTIALS.keys()

    methods = {f"{s} {n}" for s, n, m, _ in operations() if m in ("PUT", "PATCH", "DELETE")}
    assert {name for name in methods if found[name][0]} == set()
    # Positive control: the grounds are all in use, so that none of the laws holds for lack of them.
    assert {ground for _, ground in found.values()} == {"exception", "trait", "method", "verb"}

    agree = sum(judged(*name.split(), None, {})[0] for name in readonly)
    assert agree / len(readonly) > 0.98, "the verbs no longer agree with the models"


@pytest.mark.parametrize(
    ("service", "operations", "expected"),
    [
        ("dynamodb", "GetItem Query Scan BatchGetItem TransactGetItems DescribeTable", True),
        ("dynamodb", "PutItem UpdateItem DeleteItem BatchWriteItem TransactWriteItems", False),
        ("dynamodb", "ExecuteStatement BatchExecuteStatement ExecuteTransaction", False),
        ("sqs", "GetQueueUrl GetQueueAttributes ListQueues", True),
        ("sqs", "ReceiveMessage SendMessage DeleteMessage ChangeMessageVisibility", False),
        ("sts", "GetCallerIdentity GetSessionToken AssumeRole AssumeRoleWithWebIdentity", True),
        ("kms", "Decrypt Encrypt GenerateDataKey Sign Verify", True),
        ("kms", "CreateKey ScheduleKeyDeletion CreateGrant", False),
        ("secretsmanager", "GetSecretValue BatchGetSecretValue GetRandomPassword", True),
        ("secretsmanager", "PutSecretValue RotateSecret", False),
        ("ssm", "GetParameter GetParameters GetParametersByPath", True),
        ("ssm", "PutParameter SendCommand StartSession", False),
        ("logs", "FilterLogEvents GetLogEvents GetQueryResults", True),
        ("logs", "PutLogEvents StartQuery", False),
        ("athena", "GetQueryResults GetQueryExecution", True),
        ("athena", "StartQueryExecution StopQueryExecution", False),
        ("stepfunctions", "DescribeExecution", True),
        ("stepfunctions", "StartExecution SendTaskSuccess GetActivityTask", False),
        ("kinesis", "GetRecords GetShardIterator", True),
        ("kinesis", "PutRecord PutRecords", False),
        ("cognito-idp", "AdminGetUser AdminListGroupsForUser GetUser", True),
        ("cognito-idp", "AdminInitiateAuth GetUserAttributeVerificationCode", False),
        ("comprehend", "DetectSentiment", False),
        ("cloudformation", "DescribeStacks ValidateTemplate", True),
        ("cloudformation", "DetectStackDrift", False),
        ("swf", "PollForDecisionTask", False),
    ],
)
def test_what_a_developer_of_a_function_calls_a_read(service, operations, expected):
    """By name alone, as in the protocols where every operation is a POST."""
    for operation in operations.split():
        assert expected == is_read(service, operation, "POST", {}), operation


@pytest.mark.parametrize(
    ("service", "operation", "method", "expected"),
    [
        ("s3", "GetObject", "GET", True),
        ("s3", "HeadObject", "HEAD", True),
        ("s3", "SelectObjectContent", "POST", True),
        ("s3", "PutObject", "PUT", False),
        ("s3", "CreateSession", "GET", True),
        ("s3", "RestoreObject", "POST", False),
        ("lambda", "GetFunction", "GET", True),
        ("lambda", "Invoke", "POST", False),
        ("rds-data", "ExecuteStatement", "POST", False),
        ("bedrock-runtime", "InvokeModel", "POST", False),
        ("bedrock-runtime", "Converse", "POST", False),
        ("iot", "ConfirmTopicRuleDestination", "GET", False),
        ("schemas", "ExportSchema", "GET", True),
        ("made-up", "Ponder", "POST", False),
        ("made-up", "Ponder", None, False),
        ("made-up", "Getaway", "POST", False),
        ("made-up", "Batch", "POST", False),
        ("made-up", "", "POST", False),
    ],
)
def test_the_method_counts_where_it_says_something(service, operation, method, expected):
    """GET and HEAD read, PUT and the like do not, POST says nothing; in doubt it is no read."""
    assert expected == is_read(service, operation, method, {})


def test_the_trait_is_believed_if_it_says_true():
    """`readonly` of a model, and no other value of it."""
    assert is_read("made-up", "Ponder", "POST", {"readonly": True})
    assert not is_read("made-up", "Ponder", "POST", {"readonly": "yes"})
    assert not is_read("made-up", "StartPondering", "POST", {"readonly": True})
