"""Orders in DynamoDB, with an index by customer and time."""

import base64
import json
import os

import boto3
from boto3.dynamodb.conditions import Attr, Key
from request import InvalidError

orders = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])
BY_CUSTOMER = "by_customer"
Refused = orders.meta.client.exceptions.ConditionalCheckFailedException


def get(order_id):
    """Return an order, None where there is none."""
    return orders.get_item(Key={"id": order_id}, ConsistentRead=True).get("Item")


def insert(order):
    """Store a new order; False where its id is taken."""
    return written(orders.put_item, Item=order, ConditionExpression=Attr("id").not_exists())


def replace(order, version):
    """Store a changed order; False where it is no longer at `version`."""
    return written(orders.put_item, Item=order, ConditionExpression=Attr("version").eq(version))


def delete(order_id, version):
    return written(
        orders.delete_item,
        Key={"id": order_id},
        ConditionExpression=Attr("version").eq(version),
    )


def written(write, **parameters):
    try:
        write(**parameters)
    except Refused:
        return False
    return True


def page(customer, limit, cursor):
    """Return orders and the cursor of the next page, None after the last."""
    start = {"ExclusiveStartKey": decoded(cursor)} if cursor else {}
    answer = orders.query(
        IndexName=BY_CUSTOMER,
        KeyConditionExpression=Key("customer").eq(customer.lower()),
        ScanIndexForward=False,
        Limit=limit,
        **start,
    )
    last = answer.get("LastEvaluatedKey")
    return answer["Items"], encoded(last) if last else None


def encoded(key):
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def decoded(cursor):
    try:
        return json.loads(base64.urlsafe_b64decode(cursor))
    except ValueError:
        raise InvalidError("cursor", "is none of ours") from None
