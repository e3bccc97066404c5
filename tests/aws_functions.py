"""Handlers over AWS services, as they are written: `do` of the event says which."""

import base64
import hashlib
import io
import json
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import boto3
import requests
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from replay import capture

CONFIG = Config(retries={"max_attempts": 4, "mode": "standard"}, max_pool_connections=10)


def client(name, **more):
    return boto3.client(name, config=CONFIG, **more)


s3, dynamodb, sqs = client("s3"), client("dynamodb"), client("sqs")
orders = boto3.resource("dynamodb").Table("orders")
BUCKET = "invoices"


def s3_stream(event):
    body = s3.get_object(Bucket=BUCKET, Key="large")["Body"]
    digest, size = hashlib.sha256(), 0
    for piece in body.iter_chunks(65_536):
        digest.update(piece)
        size += len(piece)
    return {"size": size, "sha256": digest.hexdigest()}


def s3_partly_read(event):
    body = s3.get_object(Bucket=BUCKET, Key="large")["Body"]
    return {"head": base64.b64encode(body.read(100)).decode(), "then": len(body.read(1000))}


def s3_multipart(event):
    config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    told = []
    content = io.BytesIO(b"line\n" * (6 << 18))
    s3.upload_fileobj(content, BUCKET, "uploaded", Config=config, Callback=told.append)
    copy = io.BytesIO()
    s3.download_fileobj(BUCKET, "uploaded", copy, Config=config)
    return {"told": sum(told), "sha256": hashlib.sha256(copy.getvalue()).hexdigest()}


def s3_missing(event):
    try:
        s3.get_object(Bucket=BUCKET, Key="absent")
    except s3.exceptions.NoSuchKey as error:
        first = str(error)
    try:
        s3.head_object(Bucket=BUCKET, Key="absent")
    except ClientError as error:
        return [first, error.response["Error"]["Code"], error.response["ResponseMetadata"]]


def s3_signed(event):
    parameters = {"Bucket": BUCKET, "Key": "small"}
    url = s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=60)
    return {"url": url, "text": requests.get(url, timeout=5).text}


def s3_pages(event):
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="page/", PaginationConfig={"PageSize": 3}
    )
    return [item["Key"] for page in pages for item in page["Contents"]]


def dynamodb_reads(event):
    keys = [{"id": {"S": f"order-{n}"}} for n in range(6)]
    with ThreadPoolExecutor(3) as pool:
        found = pool.map(lambda key: dynamodb.get_item(TableName="orders", Key=key), keys)
        return [one["Item"]["total"]["N"] for one in found]


def dynamodb_condition(event):
    try:
        orders.put_item(
            Item={"id": "order-1", "total": 9}, ConditionExpression="attribute_not_exists(id)"
        )
    except orders.meta.client.exceptions.ConditionalCheckFailedException as error:
        return error.response["Error"]


def dynamodb_batch(event):
    with orders.batch_writer() as batch:
        for n in range(30):
            batch.put_item(Item={"id": f"batch-{n}", "tags": {"new", "paid", str(n)}})
    request = {"orders": {"Keys": [{"id": f"batch-{n}"} for n in range(3)]}}
    found = boto3.resource("dynamodb").batch_get_item(RequestItems=request)
    return sorted(item["id"] for item in found["Responses"]["orders"])


def dynamodb_transaction(event):
    id = str(uuid.uuid4())
    item = {"id": {"S": id}, "created": {"N": str(int(time.time()))}}
    dynamodb.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "orders", "Item": item}},
            {
                "Update": {
                    "TableName": "orders",
                    "Key": {"id": {"S": "order-1"}},
                    "UpdateExpression": "SET seen = :yes",
                    "ExpressionAttributeValues": {":yes": {"BOOL": True}},
                }
            },
        ]
    )
    return {"id": id, "item": dynamodb.get_item(TableName="orders", Key={"id": {"S": id}})["Item"]}


def dynamodb_waiter(event):
    dynamodb.get_waiter("table_exists").wait(TableName="orders", WaiterConfig={"Delay": 20})
    pages = dynamodb.get_paginator("scan").paginate(
        TableName="orders", PaginationConfig={"PageSize": 10}
    )
    return sum(page["Count"] for page in pages) >= 6


def queue(event):
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"order": 1, "at": time.time()}))
    entries = [{"Id": str(n), "MessageBody": f"m{n}"} for n in range(3)]
    sent = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in received:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [len(sent["Successful"]), sorted(m["Body"][:2] for m in received)]


def others(event):
    topic = client("sns").create_topic(Name="news")["TopicArn"]
    client("sns").publish(TopicArn=topic, Message="hello", Subject="s")
    secret = client("secretsmanager").get_secret_value(SecretId="db")["SecretString"]
    parameter = client("ssm").get_parameter(Name="/app/limit", WithDecryption=True)["Parameter"]
    role = client("sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/app", RoleSessionName="session"
    )
    identity = client("sts").get_caller_identity()["Account"]
    bus = client("events").put_events(
        Entries=[{"Source": "app", "DetailType": "t", "Detail": json.dumps({"n": 1})}]
    )
    machine = client("stepfunctions").start_execution(
        stateMachineArn=os.environ["MACHINE"], input=json.dumps({"n": 1}), name=str(uuid.uuid4())
    )
    execution = client("stepfunctions").describe_execution(executionArn=machine["executionArn"])
    invoked = client("lambda").invoke(FunctionName="other", Payload=b'{"n": 1}')
    return [
        *(secret, parameter["Value"], identity, role["AssumedRoleUser"]["Arn"]),
        *(bus["FailedEntryCount"], execution["status"], invoked["Payload"].read().decode()),
    ]


def threads(event):
    def work(thread):
        keys = [{"id": {"S": f"t{thread}-{n}"}} for n in range(10)]
        for key in keys:
            dynamodb.put_item(TableName="orders", Item={**key, "total": {"N": "1"}})
        return [dynamodb.get_item(TableName="orders", Key=key)["Item"]["id"]["S"] for key in keys]

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(work, range(8)))


def flaky(event):
    """Answered with 500 twice, then as it should be."""
    other = client("dynamodb", endpoint_url=event["endpoint"])
    began_s = time.monotonic()
    found = other.get_item(TableName="orders", Key={"id": {"S": "order-1"}})
    return [found["Item"], found["ResponseMetadata"]["RetryAttempts"], time.monotonic() > began_s]


def refused(event):
    other = client("dynamodb", endpoint_url=event["endpoint"])
    try:
        other.get_item(TableName="orders", Key={"id": {"S": "order-1"}})
    except EndpointConnectionError as error:
        return str(error)


def hangs(event):
    dynamodb.get_item(TableName="orders", Key={"id": {"S": "order-1"}})
    dynamodb.get_item(TableName="orders", Key={"id": {"S": "order-2"}})
    client("dynamodb", endpoint_url=event["endpoint"]).query(
        TableName="orders",
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"S": "order-3"}},
    )


def secrets(event):
    """Credentials in every place of a call where they are wont to be."""
    requests.post(
        f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/seed?api_key=planted-api-key&a=1",
        headers={"X-Api-Key": "planted-api-key", "Authorization": "Bearer planted-bearer"},
        json={"client_secret": "planted-client-secret", "n": 1},
        timeout=5,
    )
    parameters = {"Bucket": BUCKET, "Key": "small"}
    url = s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=60)
    requests.get(url, timeout=5)
    forms = {"password": "planted-password", "x-amz-security-token": "planted-token", "a": "1"}
    post = s3.generate_presigned_post(BUCKET, "form")
    for fields in (forms, post["fields"]):
        requests.post(post["url"], data=fields, files={"file": ("x.txt", b"x")}, timeout=5)
    client("secretsmanager").put_secret_value(SecretId="db", SecretString="planted-secret")
    client("ssm").put_parameter(
        Name="/app/password", Value="planted-value", Type="SecureString", Overwrite=True
    )
    orders.put_item(Item={"id": "user", "password": "planted-attribute", "note": "kept"})
    body = json.dumps({"password": "planted-in-text", "n": 1})
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="work")["QueueUrl"], MessageBody=body)
    return client("sts").get_session_token()["Credentials"]["SessionToken"][:0]


@capture
def handler(event, context):
    return globals()[event["do"]](event)
