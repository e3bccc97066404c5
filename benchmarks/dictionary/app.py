"""A function of many triggers: what the recordings that a dictionary is trained on are made by.
Tracebacks name its lines, so that one more or less makes another dictionary.
"""

import json
import urllib.error
import urllib.request

import boto3
import httpx
import requests

from replay import capture

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
ENTRIES = ("Records", "messages", "records")
STATES = ("ordered", "paid", "packed", "shipped", "delivered", "returned")


class OrderError(Exception):
    """What an order cannot be."""


def client(service):
    """Return a client of an AWS service."""
    return boto3.client(service, region_name="eu-west-1", endpoint_url=MANNER["aws"], **KEYS)


def prepare():
    """Make what the function works with."""
    key = {"AttributeName": "pk", "KeyType": "HASH"}
    kind = {"AttributeName": "pk", "AttributeType": "S"}
    client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[key],
        AttributeDefinitions=[kind],
        BillingMode="PAY_PER_REQUEST",
    )
    client("s3").create_bucket(
        Bucket="documents", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    client("sqs").create_queue(QueueName="jobs")
    client("sns").create_topic(Name="notices")
    client("ssm").put_parameter(Name="/app/limit", Value="40", Type="String")
    client("secretsmanager").create_secret(Name="app/key", SecretString='{"user": "app"}')


@capture
def handler(event, context):
    """Do what the manner of this process says, and answer as the trigger wants."""
    number = MANNER["number"] = MANNER["number"] + 1
    context.get_remaining_time_in_millis()
    if "calls" in MANNER["does"]:
        CALLS[number % len(CALLS)](event, context, number)
    if "fails" in MANNER["does"] and number % 3 == 0:
        fail(event, number)
    return answer(event, context, number)


def fail(event, number):
    """Raise as functions do."""
    if number % 2:
        return event["detail"]["orderId"]
    try:
        raise ValueError(f"amount {number} is above the limit")
    except ValueError as error:
        raise OrderError(f"order o-{number} cannot be taken") from error


def answer(event, context, number):
    """Return what API Gateway, a queue or a state machine would take."""
    if isinstance(event, dict) and ("requestContext" in event or "httpMethod" in event):
        body = {"id": f"o-{number}", "state": STATES[number % 6], "total": number * 25, "items": []}
        return {
            "statusCode": (200, 201, 400, 404)[number % 4],
            "headers": {"Content-Type": "application/json", "Cache-Control": "no-store"},
            "body": json.dumps(body if number % 4 < 2 else {"message": "Not Found"}),
            "isBase64Encoded": False,
        }
    if isinstance(event, dict) and any(name in event for name in ENTRIES):
        failed = [{"itemIdentifier": context.aws_request_id}] if number % 5 == 0 else []
        return {"batchItemFailures": failed}
    return (None, {"status": "ok", "processed": number}, {"statusCode": 200}, True)[number % 4]


def dynamodb(_event, context, number):
    """Write, read and look for an order."""
    table = client("dynamodb")
    item = {
        "pk": {"S": f"ORDER#{number}"},
        "state": {"S": STATES[number % 6]},
        "total": {"N": str(number * 5)},
        "paid": {"BOOL": number % 2 == 0},
        "request": {"S": context.aws_request_id},
    }
    table.put_item(TableName="orders", Item=item)
    table.get_item(TableName="orders", Key={"pk": item["pk"]})
    table.query(
        TableName="orders",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": item["pk"]},
    )
    table.update_item(
        TableName="orders",
        Key={"pk": item["pk"]},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":s": {"S": "paid"}},
        ReturnValues="ALL_NEW",
    )


def storage(event, _context, number):
    """Put an object, read it, list, and ask for one that is not there."""
    s3 = client("s3")
    name = f"orders/2026/11/{number}.json"
    s3.put_object(
        Bucket="documents", Key=name, Body=json.dumps(event), ContentType="application/json"
    )
    s3.get_object(Bucket="documents", Key=name)["Body"].read()
    s3.list_objects_v2(Bucket="documents", Prefix="orders/")
    try:
        s3.head_object(Bucket="documents", Key="none")
    except s3.exceptions.ClientError:
        pass


def messages(event, context, number):
    """Send on, and tell."""
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    body = json.dumps({"order": f"o-{number}", "request": context.aws_request_id})
    sqs.send_message(QueueUrl=url, MessageBody=body)
    client("sns").publish(
        TopicArn="arn:aws:sns:eu-west-1:123456789012:notices", Message=body, Subject="order"
    )
    entry = {"Source": "shop.orders", "DetailType": "Order Placed", "Detail": body}
    client("events").put_events(Entries=[entry])


def settings(_event, _context, _number):
    """Read what is configured, and who one is."""
    client("ssm").get_parameter(Name="/app/limit", WithDecryption=True)
    client("secretsmanager").get_secret_value(SecretId="app/key")
    client("sts").get_caller_identity()


def web(event, _context, number):
    """Ask services over HTTP, with each of the usual libraries."""
    base = MANNER["url"]
    headers = {"Accept": "application/json", "Authorization": f"Bearer token-{number}"}
    requests.get(f"{base}/v1/orders/{number}", headers=headers, timeout=5).json()
    requests.post(f"{base}/v1/payments", json={"order": number, "event": event}, timeout=5)
    httpx.get(f"{base}/v1/customers?id={number}", headers=headers)
    asked = urllib.request.Request(f"{base}/v1/missing/{number}", headers=headers)
    try:
        urllib.request.urlopen(asked, timeout=5).read()
    except urllib.error.HTTPError:
        pass


CALLS = (dynamodb, storage, messages, settings, web)
MANNER = {"number": 0, "does": (), "url": "", "aws": ""}
